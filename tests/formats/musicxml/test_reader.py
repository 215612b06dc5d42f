"""Reading MusicXML: every feature that has to become a note, a measure or a mark."""

from __future__ import annotations

import numpy as np
import pytest
from musicxml_build import (
    attributes,
    backup,
    document,
    forward,
    grace,
    note,
    pitch,
    read,
    rows,
    words,
)

from hub import formats
from hub.errors import BadFileError, FileError, LimitError
from hub.formats import Edit, musicxml
from hub.score import Annotation, Key, Note, Notes, Tempo


def test_notes_rests_chords_and_moves() -> None:
    score = read(
        [
            attributes(2)
            + note("C4", 2)
            + note("E4", 2, chord=True)
            + note("R", 2)
            + note("G4", 4)
            + backup(8)
            + note("C3", 6, voice="2")
            + forward(2)
        ]
    )
    assert score.ticks_per_quarter == 24
    assert rows(score) == [(0, 72, 48), (0, 24, 60), (0, 24, 64), (48, 48, 67)]
    assert score.notes.voice.tolist() == [2, 1, 1, 1]
    assert [(m.number, m.start, m.length) for m in score.measures] == [("1", 0, 96)]


def test_ticks_are_the_least_common_multiple_of_divisions_and_24() -> None:
    assert read([attributes(1) + note("C4", 4)]).ticks_per_quarter == 24
    assert read([attributes(480) + note("C4", 1920)]).ticks_per_quarter == 480
    two = read([attributes(7) + note("C4", 28)], [attributes(10) + note("C4", 40)])
    assert two.ticks_per_quarter == 840
    assert rows(two) == [(0, 4 * 840, 60)] * 2


def test_absurd_divisions_are_refused() -> None:
    with pytest.raises(LimitError, match="ticks per quarter"):
        read([attributes(32749) + note("C4", 4)], [attributes(32719) + note("C4", 4)])
    for text in ("0", "-1", "2.5", "many"):
        data = document([attributes(1)]).replace("<divisions>1<", f"<divisions>{text}<")
        with pytest.raises(BadFileError, match="divisions"):
            musicxml.read(data.encode())


def test_divisions_change_inside_a_measure() -> None:
    change = "<attributes><divisions>6</divisions></attributes>"
    score = read([attributes(2) + note("C4", 2) + change + note("D4", 2) + note("E4", 16)])
    assert rows(score) == [(0, 24, 60), (24, 8, 62), (32, 64, 64)]


def test_ties_over_a_barline_make_one_note() -> None:
    score = read(
        [
            attributes(1) + note("R", 3) + note("C4", 1, tie="start"),
            note("C4", 4, tie="stop start"),
            note("C4", 1, tie="stop") + note("C4", 3),
        ]
    )
    assert rows(score) == [(72, 144, 60), (216, 72, 60)]


def test_ties_without_partner_are_notes_of_their_own() -> None:
    loose = [attributes(1) + note("C4", 2, tie="start") + note("D4", 2), note("C4", 4, tie="stop")]
    assert rows(read(loose)) == [(0, 48, 60), (48, 48, 62), (96, 96, 60)]
    unstopped = [attributes(1) + note("C4", 2, tie="start") + note("C4", 2)]
    assert rows(read(unstopped)) == [(0, 48, 60), (48, 48, 60)]


def test_ties_prefer_their_own_voice() -> None:
    first = note("C4", 4, tie="start") + backup(4) + note("C4", 4, tie="start", voice="2")
    second = (
        note("C4", 1, tie="stop") + note("D4", 3) + backup(4) + note("C4", 4, tie="stop", voice="2")
    )
    score = read([attributes(1) + first, second])
    lengths = sorted((n.voice, n.duration) for n in score.notes if n.pitch == 60)
    assert lengths == [(1, 120), (2, 192)]


def test_grace_and_cue_notes_are_no_notes() -> None:
    cue = f"<note><cue/>{pitch('A4')}<duration>2</duration><voice>1</voice></note>"
    score = read([attributes(1) + grace("B4") + note("C5", 2) + cue])
    assert rows(score) == [(0, 48, 72)]
    assert score.measures[0].length == 96


def test_transposing_instruments_sound() -> None:
    clarinet = "<transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose>"
    score = read([attributes(1, fifths=2, more=clarinet) + note("D4", 4)])
    assert rows(score) == [(0, 96, 60)]
    assert score.keys == (Key(0, 0, "major"),)
    bass = "<transpose><chromatic>0</chromatic><octave-change>-1</octave-change></transpose>"
    assert rows(read([attributes(1, more=bass) + note("C4", 4)])) == [(0, 96, 48)]


def test_unpitched_notes_sound_as_their_instrument_or_their_place() -> None:
    drum = "<unpitched><display-step>C</display-step><display-octave>5</display-octave></unpitched>"
    hit = f'<note>{drum}<duration>2</duration><instrument id="I1"/></note>'
    bare = f"<note>{drum}<duration>2</duration></note>"
    names = "".join(
        f'<midi-instrument id="I{n}"><midi-unpitched>{pitch}</midi-unpitched></midi-instrument>'
        for n, pitch in ((1, 43), (2, 36))
    )
    score = read([attributes(1) + hit + bare], listed=names)
    assert rows(score) == [(0, 48, 42), (48, 48, 38)]
    assert score.parts[0].is_drums


def test_parts_names_programs_and_staves() -> None:
    listed = (
        '<midi-instrument id="I"><midi-channel>3</midi-channel>'
        "<midi-program>41</midi-program></midi-instrument>"
    )
    part = read([attributes(1, staves=2) + note("C4", 4)], listed=listed).parts[0]
    assert (part.id, part.name, part.program, part.channel) == ("P1", "Part 1", 40, 2)
    assert part.staves == 2 and not part.is_drums


def test_pickups_and_irregular_measures_keep_their_length() -> None:
    score = read(
        [attributes(2, "3/4") + note("C4", 2), note("C4", 6), note("C4", 3), "", note("C4", 6)]
    )
    assert [m.length for m in score.measures] == [24, 72, 36, 72, 72]
    assert [m.start for m in score.measures] == [0, 24, 96, 132, 204]


def test_a_measure_is_as_long_as_its_longest_part() -> None:
    score = read([attributes(1) + note("C4", 2), note("C4", 4)], [attributes(1) + note("C3", 4)])
    assert [m.start for m in score.measures] == [0, 96]
    assert rows(score) == [(0, 48, 60), (0, 96, 48), (96, 96, 60)]


def test_meters_compound_and_changing() -> None:
    mixed = (
        "<attributes><time><beats>3+2</beats><beat-type>8</beat-type>"
        "<beats>1</beats><beat-type>4</beat-type></time></attributes>"
    )
    senza = "<attributes><time><senza-misura/></time></attributes>"
    score = read([attributes(2, "6/8") + note("C4", 6), mixed + note("C4", 7), senza])
    assert [m.meter for m in score.measures] == ["6/8", "7/8", "7/8"]


def test_velocities_tempos_keys_and_annotations() -> None:
    loud = '<direction><direction-type/><sound dynamics="100" tempo="90"/></direction>'
    soft = note("D4", 1).replace("<note>", '<note dynamics="50">')
    metronome = (
        "<direction><direction-type><metronome><beat-unit>quarter</beat-unit><beat-unit-dot/>"
        "<per-minute>60</per-minute></metronome></direction-type></direction>"
    )
    harmony = (
        "<harmony><root><root-step>B</root-step><root-alter>-1</root-alter></root>"
        "<kind>minor-seventh</kind><bass><bass-step>A</bass-step></bass></harmony>"
    )
    sung = "<lyric><syllabic>begin</syllabic><text>Lie</text></lyric>"
    score = read(
        [
            attributes(1, fifths=-3)
            + note("C4", 1)
            + loud
            + soft
            + note("E4", 2, more=sung, notations="<fermata/>"),
            metronome + harmony + note("C4", 4),
        ]
    )
    assert score.notes.velocity.tolist() == [80, 45, 90, 90]
    assert score.tempos == (Tempo(0, 120.0), Tempo(24, 90.0), Tempo(96, 90.0))
    assert score.keys == (Key(0, -3, "major"),)
    assert score.annotations == (
        Annotation(48, "fermata", "normal", "P1"),
        Annotation(48, "lyric", "Lie", "P1"),
        Annotation(96, "chord", "Bbm7/A", "P1"),
    )


def test_titles() -> None:
    text = document([attributes(1) + note("C4", 4)])
    for title in (
        "<work><work-title>Song</work-title></work>",
        "<movement-title>Song</movement-title>",
    ):
        data = text.replace("<part-list>", title + "<part-list>", 1)
        assert musicxml.read(data.encode()).title == "Song"


def test_part_ids_may_be_missing_or_double() -> None:
    text = document([attributes(1) + note("C4", 4)], [attributes(1) + note("C4", 4)])
    for lost in ('<part id="P2">', '<part id="P1">'):
        data = text.replace('<part id="P2">', "<part>" if "2" in lost else lost)
        ids = [part.id for part in musicxml.read(data.encode()).parts]
        assert len(set(ids)) == 2


def test_other_roots_are_refused_with_a_sentence() -> None:
    with pytest.raises(BadFileError, match="score-partwise"):
        musicxml.read(b"<score-timewise><measure/></score-timewise>")
    with pytest.raises(BadFileError, match="<html>"):
        musicxml.read(b"<html/>")
    with pytest.raises(BadFileError, match="no part"):
        musicxml.read(b"<score-partwise><part-list/></score-partwise>")


def test_every_cut_off_file_is_a_file_error() -> None:
    data = document([attributes(1) + note("C4", 4), note("D4", 4)]).encode()
    for end in range(0, len(data) - 2, 7):
        with pytest.raises(FileError):
            musicxml.read(data[:end])


def test_limits_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    from hub import limits

    data = document(
        [attributes(1) + note("C4", 2) + note("C4", 2), note("C4", 4)], [note("C4", 4)]
    ).encode()
    for name, bound in (("notes", 2), ("measures", 1), ("parts", 1), ("xml_elements", 20)):
        low = limits.Limits(**{name: bound})
        monkeypatch.setattr(limits, "LIMITS", low)
        monkeypatch.setattr(limits.check, "__defaults__", (low,))
        with pytest.raises(LimitError):
            musicxml.read(data)


def test_a_huge_duration_is_refused() -> None:
    with pytest.raises(LimitError, match="quarter notes in length"):
        read([attributes(1) + note("C4", 999_999_999)])


def test_sniffing() -> None:
    data = document([words("x")])
    assert musicxml.sniff(data.encode())
    assert musicxml.sniff(data.encode("utf-16"))
    assert not musicxml.sniff(b"<html/>") and not musicxml.sniff(b"MThd")


@pytest.mark.parametrize("odd", ["²", "٣", "9" * 5000])
def test_odd_digits_are_taken_as_absent(odd: str) -> None:
    listed = (
        f'<midi-instrument id="i"><midi-channel>{odd}</midi-channel><midi-program>{odd}'
        f"</midi-program><midi-unpitched>{odd}</midi-unpitched></midi-instrument>"
    )
    text = document([attributes(1) + note("C4", 4, voice=odd)], listed=listed)
    text = text.replace('number="1"', f'number="{odd}"')
    score = musicxml.read(text.encode())
    assert (score.parts[0].channel, score.parts[0].program) == (None, None)
    assert len(score.notes) == 1
    added = Notes.of([Note(96, 96, 60)])
    spliced = formats.splice(score, Edit(removed=np.array([], dtype=np.int64), added=added))
    assert len(musicxml.read(spliced).measures) == 2


def test_no_mark_lies_past_the_end() -> None:
    late = "<direction><direction-type><rehearsal>A</rehearsal></direction-type>"
    late += '<offset>999999999999</offset><sound tempo="100"/></direction>'
    score = read([attributes(1) + late + note("C4", 4)])
    assert score.tempos[-1].tick == score.annotations[0].tick == 96


@pytest.mark.parametrize(
    ("written", "tpq"),
    [
        ("<divisions><!-- x -->7</divisions>", 168),
        ("<divisions><![CDATA[7]]></divisions>", 168),
        ("<divisions>&#55;</divisions>", 168),
        ('<divisions a=">">7</divisions >', 168),
        ("<!-- <divisions>0</divisions> --><divisions>1</divisions>", 24),
        ("<?x <divisions>0</divisions> ?><divisions>1</divisions>", 24),
    ],
)
def test_divisions_are_what_a_parser_says(written: str, tpq: int) -> None:
    text = document([attributes(1) + note("C4", 4)])
    text = text.replace("<divisions>1</divisions>", written)
    assert musicxml.read(text.encode()).ticks_per_quarter == tpq


def test_only_a_part_has_measures() -> None:
    text = document([attributes(1) + note("C4", 4)])
    text = text.replace("<part-list>", "<part-list><measure/>")
    assert len(musicxml.read(text.encode()).parts) == 1


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"<score-timewise/>", "arranged by measures"),
        (b"<score-partwise/>", "no part with measures"),
        (b'<m:score-partwise xmlns:m="x"></m:score-partwise>', 'have the prefix "m:"'),
    ],
)
def test_odd_roots_are_recognised_and_refused_in_their_own_words(data: bytes, says: str) -> None:
    assert musicxml.sniff(data)
    with pytest.raises(BadFileError, match=says):
        formats.read_score(data, "a.musicxml")


def test_names_are_one_line() -> None:
    text = document([attributes(1) + note("C4", 4)])
    text = text.replace(">Part 1<", ">\n Chant\nVoice\t 1 <")
    assert musicxml.read(text.encode()).parts[0].name == "Chant Voice 1"
