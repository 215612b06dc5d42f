"""A person's edits: what they do, what they refuse, and the promise by other parsers than ours."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import musicxml_build as build
import musicxml_oracle as oracle
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from midi_files import END, draw_edit, files, in_oracle_words, smf
from midi_oracle import check_promise

from hub import edits
from hub.errors import FileError, LimitError, RegionError, SpliceError
from hub.formats import Edit, midi, musicxml
from hub.score import Measure, Note, Notes, Part, Score

BEATS = b"".join(
    b"\x00\x90" + bytes([pitch, 80]) + b"\x60\x80" + bytes([pitch, 64]) for pitch in range(60, 68)
)


def tune() -> Score:
    """Eight quarters C4 D♭4 … of 96 ticks."""
    return midi.read(smf(BEATS + END), "tune.mid")


def by_hand(*rows: tuple[int, ...], drums: bool = False) -> Score:
    return Score(
        ticks_per_quarter=96,
        parts=(Part(id="P1", name="Lead"), Part(id="P2", name="Kit", is_drums=drums)),
        measures=tuple(Measure(number=str(n + 1), start=384 * n, length=384) for n in range(3)),
        notes=Notes.of(rows),
    )


def test_an_edit_is_spliced_and_read_again() -> None:
    score = tune()
    edited = edits.apply(score, edits.moved(score, [1], ticks=24, semitones=12))
    assert edited.score.notes[1] == Note(120, 96, 73, 80)
    assert edited.score.source is not None and edited.score.source.data == edited.data
    assert (edited.receipt.removed, edited.receipt.added, edited.receipt.outside) == (1, 1, 7)
    assert edited.sentence() == "1 note removed, 1 added; nothing else changed (verified)."
    assert edits.changed_rows(score.notes, edited.score.notes).tolist() == [1]


def test_notes_that_come_back_as_they_went_leave_the_file_alone() -> None:
    score = tune()
    edited = edits.apply(score, edits.moved(score, [1, 2]))
    assert edited.score is score
    assert edited.sentence() == "The same notes as before; nothing changed."


def test_a_score_without_a_file_changes_as_a_value() -> None:
    score = by_hand((0, 96, 60), (96, 96, 62))
    edited = edits.apply(score, edits.with_velocity(score, [1], 33))
    assert edited.data is None and not edited.receipt.verified
    assert edited.score.notes.velocity.tolist() == [80, 33]


def test_a_note_moved_onto_another_is_left_out_and_said() -> None:
    score = by_hand((0, 96, 60), (96, 96, 62))
    edited = edits.apply(score, edits.moved(score, [1], ticks=-96, semitones=-2))
    assert list(edited.score.notes) == [Note(0, 96, 60)]
    assert "1 note left out" in edited.log[0]


def test_of_two_new_notes_in_one_place_the_longer_stays() -> None:
    score = by_hand((2, 40, 60), (3, 96, 60))
    edited = edits.apply(score, edits.quantised(score, [0, 1], 24))
    assert list(edited.score.notes) == [Note(0, 96, 60)]


def test_midi_shortens_what_would_tangle_and_says_so() -> None:
    score = tune()
    added = Edit(removed=np.array([], int), added=Notes.of([(48, 500, 61)]))
    edited = edits.apply(score, added)
    assert edited.score.notes[1] == Note(48, 48, 61, 80)
    assert "shortened" in edited.log[0]


def test_a_part_that_lost_its_notes_is_found_to_be_gone() -> None:
    second = BEATS.replace(b"\x90", b"\x91").replace(b"\x80", b"\x81")
    score = midi.read(smf(BEATS + END, second + END), "two.mid")
    assert len(score.parts) == 2
    rows = np.flatnonzero(score.notes.part == 0).tolist()
    after = edits.apply(score, edits.removal(score, rows)).score
    assert edits.moved_parts(score, after) == (None, 0)
    assert edits.moved_parts(after, score) == (1,)


# ---------------------------------------------------------------------------------- making edits


@pytest.mark.parametrize(
    ("onset", "grid", "line"),
    [(11, 24, 0), (12, 24, 24), (383, 24, 384), (370, 100, 384), (340, 100, 300), (385, 96, 384)],
)
def test_quantising_goes_to_the_nearest_line_of_the_measure(onset, grid, line) -> None:
    score = by_hand((onset, 50, 60))
    assert edits.quantised(score, [0], grid).added[0].onset == line


def test_quantising_part_of_the_way_and_with_ends() -> None:
    score = by_hand((10, 75, 60))
    assert edits.quantised(score, [0], 24, strength=0.5).added[0][:2] == (5, 75)
    assert edits.quantised(score, [0], 24, ends=True).added[0][:2] == (0, 96)
    tiny = by_hand((10, 3, 60))
    assert edits.quantised(tiny, [0], 24, ends=True).added[0][:2] == (0, 24)


def test_transposing_leaves_drums_alone() -> None:
    score = by_hand((0, 96, 60, 80, 0), (0, 96, 38, 80, 1), drums=True)
    edit = edits.transposed(score, [0, 1], 12)
    assert edit.removed.tolist() == [0] or edit.removed.tolist() == [1]
    assert edit.added.pitch.tolist() == [72]


def test_pasting_keeps_the_shape() -> None:
    score = by_hand((0, 96, 60), (48, 24, 64))
    edit = edits.pasted(score, score.notes, at_tick=384, part=1)
    assert [note[:3] for note in edit.added] == [(384, 96, 60), (432, 24, 64)]
    assert set(edit.added.part.tolist()) == {1}


def test_stretching_leaves_a_tick() -> None:
    score = by_hand((0, 96, 60), (96, 5, 62))
    assert edits.stretched(score, [0, 1], ticks=-10).added.duration.tolist() == [86, 1]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda s: edits.transposed(s, [0], 100), "pitch outside 0 to 127, 160"),
        (lambda s: edits.moved(s, [0], ticks=-1), "onset outside"),
        (lambda s: edits.with_velocity(s, [0], 0), "velocity outside 1 to 127"),
        (lambda s: edits.removal(s, [7]), "There is no note 7"),
        (lambda s: edits.removal(s, [-1]), "There is no note -1"),
        (lambda s: edits.quantised(s, [0], 0), "at least one tick"),
        (lambda s: edits.quantised(s, [0], 24, strength=2), "between 0 and 1"),
        (lambda s: edits.pasted(s, Notes.empty(), at_tick=0), "nothing to paste"),
        (lambda s: edits.pasted(s, s.notes, at_tick=0, part=2), "part outside 0 to 1"),
        (lambda s: edits.pasted(s, s.notes, at_tick=10**9), "onset outside"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(make, words) -> None:
    score = by_hand((0, 96, 60))
    with pytest.raises(RegionError, match=words):
        edits.apply(score, make(score))


# ------------------------------------------------------------------------------ a stranger's edit


def test_an_edit_of_the_browser_is_read() -> None:
    score = by_hand((0, 96, 60), (96, 96, 62))
    sent = {"part": 0, "onset": 5, "duration": 6.0, "pitch": 70}
    edit = edits.from_json({"removed": [1, 1], "added": [sent], "revision": 3}, score)
    assert edit.removed.tolist() == [1]
    assert list(edit.added) == [Note(5, 6, 70)]


GOOD = {"part": 0, "onset": 0, "duration": 1, "pitch": 60}


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (None, "is an object"),
        ([], "is an object"),
        ({"deleted": []}, '"removed" and "added"'),
        ({"removed": "1"}, "is a list"),
        ({"removed": [True]}, "whole number"),
        ({"removed": [0.5]}, "whole number"),
        ({"removed": [float("nan")]}, "whole number"),
        ({"removed": [float("inf")]}, "whole number"),
        ({"removed": [10**30]}, "whole number"),
        ({"removed": [2]}, "There is no note 2"),
        ({"added": [3]}, "An added note"),
        ({"added": [GOOD | {"colour": 1}]}, 'no "colour"'),
        ({"added": [{"part": 0}]}, "onset is a whole number"),
        ({"added": [GOOD | {"pitch": 128}]}, "pitch outside"),
        ({"added": [GOOD | {"part": 9}]}, "part outside"),
        ({"added": [GOOD | {"onset": 2**52}]}, "onset outside"),
        ({"added": [GOOD | {"duration": 0}]}, "duration outside"),
    ],
)
def test_what_is_no_edit_is_refused(sent, words) -> None:
    with pytest.raises(RegionError, match=words):
        edits.from_json(sent, by_hand((0, 96, 60), (96, 96, 62)))


def test_too_many_notes_at_once_are_refused() -> None:
    with pytest.raises(LimitError, match="20,001"):
        edits.from_json({"added": [GOOD] * 20_001}, by_hand((0, 96, 60)))


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["removed", "added", "part", "onset", "pitch", "duration"]), inner
            )
        ),
        max_leaves=12,
    )
)
def test_whatever_is_sent_is_an_edit_or_a_sentence(sent) -> None:
    score = by_hand((0, 96, 60), (96, 96, 62))
    try:
        edit = edits.from_json(sent, score)
    except (RegionError, LimitError) as error:
        assert str(error).endswith(".")
    else:
        assert edits.apply(score, edit).data is None


def test_an_edit_of_an_older_version_finds_its_notes() -> None:
    old = tune()
    new = edits.apply(old, edits.removal(old, [0])).score
    rebased = edits.rebased(edits.moved(old, [3], semitones=12), old, new)
    assert rebased.removed.tolist() == [2]
    with pytest.raises(RegionError, match="does not exist any more"):
        edits.rebased(edits.moved(old, [0], semitones=12), old, new)


# --------------------------------------------------------------------------------------- promise


@given(st.data())
def test_no_other_event_of_a_midi_file_changes(data: st.DataObject) -> None:
    before = data.draw(files())
    try:
        score = midi.read(before, "random.mid")
    except FileError:
        assume(False)
    edit = draw_edit(data.draw, score)
    try:
        edited = edits.apply(score, edit)
    except SpliceError:
        assume(False)
    assert edited.data is not None
    check_promise(before, edited.data, *in_oracle_words(before, score, edit))


BASS = build.note("C3", 4) + build.note("G3", 4)
SONG = (
    [
        build.attributes(2)
        + build.words("dolce")
        + build.note("C5", 2, more="<type>quarter</type>")
        + build.note("E5", 2, chord=True)
        + build.note("D5", 6, tie="start"),
        build.note("D5", 2, tie="stop") + build.note("R", 2) + build.note("F5", 4),
        build.note("G5", 8),
    ],
    [build.attributes(2) + BASS, BASS, build.words("end") + BASS],
)


@given(st.data())
def test_no_other_measure_or_note_of_a_musicxml_file_changes(data: st.DataObject) -> None:
    score = build.read(*SONG)
    before = build.document(*SONG).encode()
    row = st.integers(0, len(score.notes) - 1)
    rows = sorted(data.draw(st.sets(row, max_size=4)))
    make = data.draw(
        st.sampled_from(
            [
                edits.removal(score, rows),
                edits.moved(score, rows, semitones=3),
                edits.moved(score, rows, ticks=score.ticks_per_quarter),
                edits.stretched(score, rows, ticks=score.ticks_per_quarter),
                edits.with_velocity(score, rows, 101),
            ]
        )
    )
    edited = edits.apply(score, make)
    assert edited.data is not None
    if not edited.receipt.removed and not edited.receipt.added:
        assert edited.data == before
        return
    was, now = oracle.measure_bytes(before), oracle.measure_bytes(edited.data)
    touched = {
        (note.part, number)
        for note in [*score.notes[make.removed], *make.added]
        for number, measure in enumerate(score.measures)
        if note.onset < measure.end and measure.start < note.onset + note.duration
    }
    assert all(now[place] == text for place, text in was.items() if place not in touched)
    new_measures = [place for place in now if place not in was]
    if not new_measures:
        assert oracle.skeleton(before) == oracle.skeleton(edited.data)
    quarter = score.ticks_per_quarter
    expected = Counter(oracle.notes(before)) - Counter(_said(score.notes[make.removed], quarter))
    kept = {(n.part, n.onset, n.pitch) for n in expected.elements()}
    came = [n for n in _said(make.added, quarter) if (n.part, n.onset, n.pitch) not in kept]
    assert Counter(oracle.notes(edited.data)) == expected + Counter(came)
    assert musicxml.read(edited.data, "x.musicxml").notes == edited.score.notes


def _said(notes: Notes, quarter: int) -> list[oracle.Sounding]:
    return [
        oracle.Sounding(n.part, Fraction(n.onset, quarter), Fraction(n.duration, quarter), n.pitch)
        for n in notes
    ]
