"""Editing MusicXML in place: what goes, what comes, what keeps its bytes."""

from __future__ import annotations

import re
import time
from fractions import Fraction

import musicxml_oracle as oracle
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from musicxml_build import (
    attributes,
    backup,
    document,
    edit,
    forward,
    grace,
    note,
    pitch,
    read,
    rows,
    spliced,
    words,
)

from hub.errors import LimitError, SpliceError
from hub.formats import Edit, musicxml
from hub.score import Note, Notes, Score

FOUR = note("C4", 2) + note("D4", 2) + note("E4", 2) + note("F4", 2)


def measures(text: str) -> list[str]:
    return [raw.decode() for raw in oracle.measure_bytes(text.encode()).values()]


def steps(text: str) -> list[str]:
    """Pitches and rests in the order of the text: "C4", "R"."""
    found = re.findall(r"<rest|<step>(\w)</step>(?:<alter>(-?\d)</alter>)?<octave>(\d)", text)
    return ["R" if not s else s + {"1": "#", "-1": "b"}.get(a, "") + o for s, a, o in found]


def test_whole_measures_of_one_part_change_and_all_others_keep_their_bytes() -> None:
    parts = [[attributes(2) + FOUR, FOUR, FOUR], [attributes(2) + FOUR, FOUR, FOUR]]
    score = read(*parts)
    text = spliced(score, edit(score, [Note(96, 48, 71), Note(144, 48, 72)], start=96, end=192))
    before, after = measures(document(*parts)), measures(text)
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False, *[True] * 4]
    assert steps(after[1]) == ["B4", "C5"]
    assert after[1].count("<type>half</type>") == 2


def test_nothing_new_leaves_a_measure_rest() -> None:
    score = read([attributes(2) + FOUR, FOUR])
    text = spliced(score, edit(score, start=96, end=192))
    assert '<rest measure="yes"/>' in measures(text)[1] and steps(measures(text)[1]) == ["R"]


def test_rests_inside_the_region_join_the_silence_around_them() -> None:
    inner = note("C4", 2) + note("R", 1) + note("D4", 1) + note("E4", 2) + note("R", 2)
    score = read([attributes(2) + inner])
    text = spliced(score, edit(score, [Note(0, 24, 67)], end=72))
    assert steps(text) == ["G4", "R", "R", "R"]
    assert re.findall("<type>(.*?)</type>", text) == ["quarter", "quarter"]


def test_a_voice_that_falls_silent_beside_another_hides_its_rests() -> None:
    score = read([attributes(2) + note("C5", 8) + backup(8) + note("C4", 8, voice="2")])
    change = Edit(removed=np.flatnonzero(score.notes.pitch == 60), added=Notes.empty())
    text = spliced(score, change)
    assert text.count('<note print-object="no">') == 1 and note("C5", 8) in text


def test_a_region_inside_a_measure_keeps_the_notes_around_it() -> None:
    inner = note("C4", 2) + words("a") + note("D4", 2) + words("b") + note("E4", 2) + note("F4", 2)
    score = read([attributes(2) + inner])
    text = spliced(score, edit(score, [Note(24, 12, 67), Note(36, 12, 69)], start=24, end=72))
    assert steps(text) == ["C4", "G4", "A4", "R", "F4"]
    assert text.index("<words>a") < text.index("<step>G") < text.index("<words>b")
    for kept in (note("C4", 2), note("F4", 2), words("a"), words("b")):
        assert kept in text
    assert "<backup>" not in text and "<forward>" not in text


def test_a_direction_under_a_longer_note_stays_in_its_place() -> None:
    inner = note("C4", 2) + note("D4", 2) + words("here") + note("E4", 4)
    score = read([attributes(2) + inner])
    text = spliced(score, edit(score, [Note(24, 48, 67)], start=24, end=72))
    places = oracle.read(text.encode()).places[0][0]
    assert [p.at for p in places if p.tag == "direction"] == [Fraction(2)]


def test_other_voices_and_staves_keep_their_bytes_and_places() -> None:
    upper = note("C5", 8, staff=1)
    lower = note("C3", 4, voice="5", staff=2) + words("ped") + note("G2", 4, voice="5", staff=2)
    score = read([attributes(2, staves=2) + upper + backup(8) + lower])
    added = [Note(0, 48, 74), Note(48, 48, 76)]
    text = spliced(
        score, Edit(removed=np.flatnonzero(score.notes.pitch == 72), added=Notes.of(added))
    )
    assert backup(8) + lower in text
    assert text.count("<staff>1</staff>") == 2 and text.count("<voice>1</voice>") == 2


def test_new_notes_of_a_grand_staff_go_to_the_nearer_staff() -> None:
    upper = note("C5", 8, staff=1)
    lower = note("C3", 8, voice="5", staff=2)
    score = read([attributes(2, staves=2) + upper + backup(8) + lower])
    added = [Note(0, 48, 74), Note(48, 48, 76), Note(0, 96, 43)]
    text = spliced(score, edit(score, added, end=96))
    low = next(n for n in text.split("<note") if "<step>G" in n)
    assert "<voice>5</voice>" in low and "<staff>2</staff>" in low
    assert rows(musicxml.read(text.encode())) == [(0, 96, 43), (0, 48, 74), (48, 48, 76)]


def test_the_whole_tied_chain_of_a_removed_note_goes() -> None:
    score = read(
        [
            attributes(2) + note("R", 6) + note("C4", 2, tie="start"),
            note("C4", 4, tie="stop") + note("E4", 4),
        ]
    )
    text = spliced(score, edit(score, start=72, end=96))
    assert steps(text) == ["R", "R", "R", "E4"] or steps(text) == ["R", "R", "E4"]
    assert "tie" not in text and note("E4", 4) in text


def test_a_note_that_sounds_into_the_region_stays() -> None:
    inner = note("C4", 4, tie="stop") + note("E4", 4)
    score = read([attributes(2) + note("R", 6) + note("C4", 2, tie="start"), inner])
    text = spliced(score, edit(score, [Note(144, 48, 67)], start=96, end=192))
    assert note("C4", 4, tie="stop") in text and steps(text) == ["R", "C4", "C4", "G4"]
    assert rows(musicxml.read(text.encode())) == [(72, 72, 60), (144, 48, 67)]


def test_a_new_note_over_a_barline_is_tied() -> None:
    score = read([attributes(2) + FOUR, FOUR])
    text = spliced(score, edit(score, [Note(72, 48, 71)], start=72, end=144))
    first, second = measures(text)
    assert '<tie type="start"/>' in first and '<tied type="start"/>' in first
    assert '<tie type="stop"/>' in second and steps(second) == ["B4", "R", "E4", "F4"]


def test_a_loose_tie_does_not_catch_a_new_note() -> None:
    loose = note("C4", 4) + note("G4", 4, tie="stop")
    score = read([attributes(2) + loose])
    text = spliced(score, edit(score, [Note(12, 60, 67)], end=24))
    assert sorted(rows(musicxml.read(text.encode()))) == [(12, 60, 67), (48, 48, 67)]


def test_a_loose_tie_does_not_catch_a_changed_pitch() -> None:
    loose = note("C4", 4, tie="start") + note("G4", 4, tie="stop")
    score = read([attributes(2) + loose])
    text = spliced(score, edit(score, [Note(0, 48, 67)], end=24))
    assert rows(musicxml.read(text.encode())) == [(0, 48, 67), (48, 48, 67)]


def test_the_same_onsets_and_durations_change_their_pitch_only() -> None:
    sung = note("C4", 2, more="<type>quarter</type><stem>up</stem>", notations="<accent/>")
    lyric = sung.replace("</note>", "<lyric><text>la</text></lyric></note>")
    score = read([attributes(2) + grace("B3") + lyric + FOUR])
    text = spliced(score, edit(score, [Note(0, 24, 61)], end=24))
    assert grace("B3") in text
    expected = lyric.replace(pitch("C4"), pitch("C#4")).replace(
        "</type>", "</type><accidental>sharp</accidental>"
    )
    assert expected in text


def test_notes_that_come_back_as_they_were_leave_the_file_as_it_was() -> None:
    parts = [[attributes(2) + FOUR, note("C4", 8)]]
    score = read(*parts)
    text = spliced(score, edit(score, list(score.notes), end=192))
    assert text == document(*parts)


def test_only_the_velocity_changes() -> None:
    score = read([attributes(2) + FOUR])
    text = spliced(score, edit(score, [Note(0, 24, 60, 99)], end=24))
    assert note("C4", 2).replace("<note>", '<note dynamics="110.00">') in text


def test_grace_notes_go_with_their_note() -> None:
    score = read(
        [attributes(2) + note("C4", 2) + grace("A4") + note("D4", 2) + grace("B4") + note("E4", 4)]
    )
    text = spliced(score, edit(score, [Note(24, 12, 67)], start=24, end=48))
    assert grace("A4") not in text and grace("B4") in text


def test_a_chord_that_loses_its_first_note_keeps_the_others() -> None:
    chord = note("C4", 4) + note("E4", 4, chord=True) + note("G4", 4, chord=True)
    score = read([attributes(2) + chord + note("D4", 4)])
    change = Edit(removed=np.flatnonzero(score.notes.pitch == 60), added=Notes.empty())
    text = spliced(score, change)
    assert note("E4", 4) in text and note("G4", 4, chord=True) in text
    assert steps(text) == ["E4", "G4", "D4"]


def test_a_new_note_joins_a_chord_that_stays() -> None:
    chord = note("C4", 4) + note("E4", 4, chord=True)
    score = read([attributes(2) + chord + note("D4", 4)])
    change = Edit(removed=np.array([], dtype=int), added=Notes.of([Note(0, 48, 67)]))
    text = spliced(score, change)
    assert chord in text and steps(text) == ["C4", "E4", "G4", "D4"]
    assert text.count("<chord/>") == 2 and text.count("<voice>2") == 0


def test_overlapping_new_notes_get_voices_of_their_own() -> None:
    score = read([attributes(2) + FOUR])
    text = spliced(score, edit(score, [Note(0, 96, 60), Note(24, 48, 64)], end=96))
    assert set(re.findall("<voice>(.)</voice>", text)) == {"1", "2"}


def test_too_coarse_divisions_are_refined_and_restored() -> None:
    score = read([attributes(1) + note("C4", 1) + note("D4", 1) + note("E4", 2), note("C4", 4)])
    added = [Note(24, 8, 62), Note(32, 8, 64), Note(40, 8, 65)]
    text = spliced(score, edit(score, added, start=24, end=48))
    assert re.findall(r"<divisions>(\d+)</divisions>", text) == ["1", "3", "1"]
    assert text.count("<actual-notes>3</actual-notes>") == 3
    assert [p.at for p in oracle.read(text.encode()).places[0][0] if p.sounds] == [
        0,
        1,
        Fraction(4, 3),
        Fraction(5, 3),
        2,
    ]


def test_new_notes_are_written_as_a_transposing_part_reads_them() -> None:
    clarinet = "<transpose><chromatic>-2</chromatic></transpose>"
    score = read([attributes(2, fifths=2, more=clarinet) + FOUR])
    text = spliced(score, edit(score, [Note(0, 96, 60)], end=96))
    assert steps(text) == ["D4"]


def test_drums_keep_their_instruments() -> None:
    place = (
        "<unpitched><display-step>C</display-step><display-octave>5</display-octave></unpitched>"
    )
    hit = f'<note>{place}<duration>4</duration><instrument id="I1"/><voice>1</voice></note>'
    names = "".join(
        f'<midi-instrument id="I{n}"><midi-unpitched>{value}</midi-unpitched></midi-instrument>'
        for n, value in ((1, 39), (2, 37))
    )
    score = read([attributes(2) + hit + hit], listed=names)
    text = spliced(score, edit(score, [Note(0, 24, 36), Note(24, 24, 38)], end=48))
    assert re.findall('<instrument id="(..)"/>', text) == ["I2", "I1", "I1"]
    with pytest.raises(SpliceError, match="no instrument for drum 75"):
        musicxml.splice(score, edit(score, [Note(0, 24, 75)], end=48))


def test_measures_are_appended_to_every_part() -> None:
    parts = [[attributes(2) + FOUR], [attributes(2, staves=2) + note("C3", 8, staff=1)]]
    score = read(*parts)
    text = spliced(score, edit(score, [Note(96, 96, 60), Note(192, 24, 62)], start=96, end=300))
    after = musicxml.read(text.encode())
    assert [m.number for m in after.measures] == ["1", "2", "3"]
    assert rows(after)[-2:] == [(96, 96, 60), (192, 24, 62)]
    assert text.count("<measure ") == 6 and text.count('<rest measure="yes"/>') == 4
    assert measures(document(*parts))[0] == measures(text)[0]


def test_empty_measures_can_be_written_into() -> None:
    text = document([attributes(2) + FOUR, "x"]).replace(
        '<measure number="2">\n      x\n    </measure>', '<measure number="2"/>'
    )
    score = musicxml.read(text.encode())
    result = spliced(score, edit(score, [Note(96, 96, 60)]))
    assert '<measure number="2"><note>' in re.sub(r"\s*<note>", "<note>", result)


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "latin-1"])
def test_the_encoding_stays(codec: str) -> None:
    name = {"utf-8-sig": "UTF-8", "utf-16": "UTF-16", "latin-1": "ISO-8859-1"}[codec]
    head = f'<?xml version="1.0" encoding="{name}"?>\n'
    text = document([attributes(2) + words("café") + FOUR, FOUR], head=head)
    score = musicxml.read(text.encode(codec))
    change = edit(score, [Note(96, 96, 60)], start=96, end=192)
    data = musicxml.splice(score, change)
    musicxml.verify(score, change, data)
    first = text[: text.index('<measure number="2"')].encode(codec)
    assert data.startswith(first) and "café" in data.decode(codec)
    assert rows(musicxml.read(data))[-1] == (96, 96, 60)


def test_gaps_are_not_filled_with_rests() -> None:
    second = forward(4) + note("C3", 4, voice="2")
    score = read([attributes(2) + note("C5", 8) + backup(8) + second])
    text = spliced(score, edit(score, [Note(0, 24, 50, 80, 0, 2)]))
    assert "<rest" not in text and note("C3", 4, voice="2") in text


def test_a_score_from_elsewhere_cannot_be_spliced() -> None:
    score = read([attributes(2) + FOUR]).with_notes(Notes.empty())
    with pytest.raises(SpliceError, match="not read from a MusicXML file"):
        musicxml.splice(score, Edit(removed=np.array([], dtype=int), added=Notes.empty()))


# ------------------------------------------------------------------------------------- properties

_NAMES = ("C4", "E4", "G4", "Bb4", "F#5", "C3", "R", "R")
_LENGTHS = {1: [1, 2, 3, 4], 2: [1, 1, 2, 3, 4], 6: [2, 3, 4, 6, 12], 10: [2, 4, 5, 10]}


@st.composite
def voices(draw: st.DrawFn, divisions: int, length: int, label: str, staff: int) -> str:
    """A voice that fills a measure: rests, chords, grace notes, ties, directions between."""
    text, left = "", length
    while left > 0:
        duration = min(left, draw(st.sampled_from(_LENGTHS[divisions])))
        name = draw(st.sampled_from(_NAMES))
        tie = draw(st.sampled_from(["", "", "", "start", "stop", "stop start"]))
        tie = "" if name == "R" else tie
        extra = draw(st.sampled_from(["", "", words("w"), grace("D5", label), "<!-- c -->"]))
        text += extra + note(name, duration, tie=tie, voice=label, staff=staff)
        if name != "R" and draw(st.booleans()):
            text += note("A5", duration, chord=True, voice=label, staff=staff)
        left -= duration
    return text


@st.composite
def scores(draw: st.DrawFn) -> Score:
    """One or two parts, one to three measures, one to three voices on one or two staves."""
    parts = []
    count = draw(st.integers(1, 3))
    for _ in range(draw(st.integers(1, 2))):
        divisions = draw(st.sampled_from(sorted(_LENGTHS)))
        staves = draw(st.integers(1, 2))
        content = []
        for number in range(count):
            length = divisions * draw(st.sampled_from([4, 4, 3, 1]))
            text = attributes(divisions, staves=staves) if number == 0 else ""
            labels = draw(st.sampled_from([["1"], ["1", "2"], ["1", "5"], ["1", "2", "5"]]))
            lines = [
                draw(voices(divisions, length, label, min(staves, 2 if label == "5" else 1)))
                for label in labels
            ]
            content.append(text + backup(length).join(lines))
        parts.append(content)
    return read(*parts)


@st.composite
def edits(draw: st.DrawFn, score: Score) -> Edit:
    """A box of any size, perhaps with a pitch range; notes at any ticks, some past the box."""
    part = draw(st.integers(0, len(score.parts) - 1))
    start = draw(st.integers(0, score.end - 1))
    end = draw(st.integers(start + 1, score.end))
    low, high = draw(st.sampled_from([(0, 127), (60, 127), (0, 66)]))
    notes = score.notes
    inside = (notes.part == part) & (notes.onset >= start) & (notes.onset < end)
    inside &= (notes.pitch >= low) & (notes.pitch <= high)
    grid = draw(st.sampled_from([1, score.ticks_per_quarter // 6, score.ticks_per_quarter // 4]))
    new = []
    for _ in range(draw(st.integers(0, 6))):
        onset = draw(st.integers(start // grid, (end - 1) // grid)) * grid
        duration = draw(st.integers(1, 12)) * grid
        velocity = draw(st.sampled_from([80, 80, 33, 127]))
        new.append(Note(onset, duration, draw(st.integers(40, 90)), velocity, part))
    distinct = list({(n.onset, n.pitch): n for n in new}.values())
    return Edit(removed=np.flatnonzero(inside), added=Notes.of(distinct))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_edit_of_any_score_keeps_the_promise(data: st.DataObject) -> None:
    score = data.draw(scores())
    change = data.draw(edits(score))
    assert score.source is not None
    old = score.source.data
    new = spliced(score, change).encode()
    gone = set(change.removed.tolist())
    expected = [n for k, n in enumerate(score.notes) if k not in gone] + list(change.added)
    tpq = score.ticks_per_quarter
    assert sorted(oracle.notes(new)) == sorted(
        (n.part, Fraction(n.onset, tpq), Fraction(n.duration, tpq), n.pitch) for n in expected
    )
    again = musicxml.read(new)
    assert sorted(n[:5] for n in again.notes) == sorted(n[:5] for n in expected)
    touched = _touched(score, change)
    before, after = oracle.measure_bytes(old), oracle.measure_bytes(new)
    assert all(after[k] == before[k] for k in before if k not in touched)
    assert new.count(b"<!-- c -->") == old.count(b"<!-- c -->")


def _touched(score: Score, change: Edit) -> set[tuple[int, int]]:
    notes = [score.notes[row] for row in change.removed.tolist()] + list(change.added)
    return {
        (n.part, k)
        for n in notes
        for k, m in enumerate(score.measures)
        if n.onset < m.end and m.start < n.onset + n.duration
    }


def test_a_crowded_measure_is_refused_and_the_fullest_accepted_is_edited_soon() -> None:
    def crowd(count: int, voices: int) -> list[str]:
        notes = (note("C4", 1, tie="start", voice=str(n % voices)) for n in range(count))
        return [attributes(1) + backup(1).join(notes)]

    with pytest.raises(LimitError, match="65 voices in one measure of a part.*Divide them"):
        read(crowd(65, 65))
    with pytest.raises(LimitError, match="5,001 notes in one measure of a part"):
        read(crowd(5_001, 64))
    score = read(crowd(5_000, 64))
    begun = time.process_time()
    spliced(score, edit(score, [Note(0, 12, 64)], end=24))
    assert time.process_time() - begun < 8, "quadratic: 18 s; linear: below 3 s"


def test_new_notes_that_would_need_too_much_are_refused_in_their_own_words() -> None:
    score = read([attributes(1) + note("C4", 4)])
    far = [Note(96 * 20_000, 24, 60)]
    with pytest.raises(SpliceError, match="new notes would need more than 20,000 measures"):
        spliced(score, edit(score, far, end=0))
    voices = [Note(n, 96 - n, 60) for n in range(66)]
    with pytest.raises(SpliceError, match="66 voices in one measure"):
        spliced(score, edit(score, voices, end=96))
