"""What the hub takes from a model's answer."""

import numpy as np
import pytest

from hub.accepts import Accepts
from hub.answer import conform
from hub.errors import AnswerError
from hub.region import Box, Kept, Region
from hub.score import Measure, Note, Notes, Part, Score

ANY = Accepts()
LINE = Accepts(polyphony="monophonic")


def tune(notes=()):
    return Score(
        ticks_per_quarter=12,
        parts=(Part(id="P1", name="a"), Part(id="P2", name="b")),
        measures=tuple(Measure(number=str(i + 1), start=48 * i, length=48) for i in range(4)),
        notes=Notes.of(notes),
    )


def answer(rows, score=None, accepts=ANY, **region):
    score = score or tune()
    wanted = Region(boxes=(Box(start=1, end=2, part="P1"),), **region).resolve(score)
    inside = np.flatnonzero(wanted.contains(score.notes, score))
    return conform(rows, score, wanted, inside, accepts)


def rows(result):
    return [(n.onset, n.duration, n.pitch) for n in result.notes]


def test_what_lies_outside_is_dropped_and_said():
    result = answer([Note(47, 5, 60), Note(48, 5, 60), Note(96, 5, 60), Note(50, 5, 61, 80, 1)])
    assert rows(result) == [(48, 5, 60)]
    assert result.log == ("3 notes lay outside the region or on a kept note; dropped.",)


def test_unknown_parts_are_dropped():
    result = answer([Note(48, 5, 60, 80, 7), Note(48, 5, 60, 80, -1), Note(48, 5, 62)])
    assert rows(result) == [(48, 5, 62)]


def test_notes_are_cut_at_the_edge():
    result = answer([Note(90, 20, 60)])
    assert rows(result) == [(90, 6, 60)]
    assert "cut at its edge" in result.log[0]


def test_pitches_outside_the_card_are_dropped_and_values_are_made_playable():
    result = answer([Note(48, 0, 60, 300), Note(60, 3, 20)], accepts=Accepts(pitch=(40, 90)))
    assert list(result.notes) == [Note(48, 1, 60, 127)]


def test_a_note_written_again_keeps_its_velocity_unless_the_model_writes_velocities():
    score = tune([(48, 6, 60, 70)])
    again = [Note(48, 6, 60, 99), Note(60, 6, 60, 99)]
    assert answer(again, score).notes.velocity.tolist() == [70, 99]
    loud = Accepts(writes=("notes", "velocity"))
    assert answer(again, score, loud).notes.velocity.tolist() == [99, 99]


def test_a_line_does_not_overlap_itself():
    result = answer([Note(48, 20, 60), Note(54, 20, 62), Note(54, 6, 64)], accepts=LINE)
    assert rows(result) == [(48, 6, 60), (54, 20, 62)]
    assert "overlapped" in result.log[0]


def test_a_line_waits_for_a_note_that_sounds_into_the_region():
    held = tune([(40, 20, 55)])
    result = answer([Note(48, 6, 60), Note(54, 12, 62), Note(72, 6, 64)], held, LINE)
    assert rows(result) == [(60, 6, 62), (72, 6, 64)]


def test_a_line_stops_before_a_kept_note():
    score = tune([(60, 6, 55)])
    result = answer([Note(48, 24, 60), Note(62, 12, 62)], score, LINE, keep=(Kept("P1", 60, 55),))
    assert rows(result) == [(48, 12, 60), (66, 8, 62)]


def test_one_key_is_not_struck_twice_at_once():
    score = tune([(60, 6, 55)])
    result = answer(
        [Note(48, 4, 60), Note(48, 9, 60), Note(60, 4, 55)], score, keep=(Kept("P1", 60, 55),)
    )
    assert rows(result) == [(48, 4, 60)]
    assert "kept note" in result.log[0]
    assert "doubled" in result.log[1]


def test_only_the_permitted_attributes_change():
    score = tune([(48, 6, 60, 70), (60, 6, 62, 70)])
    result = answer(
        [Note(50, 1, 99, 90), Note(60, 1, 99, 91)], score, change=frozenset({"velocity"})
    )
    assert list(result.notes) == [Note(48, 6, 60, 90), Note(60, 6, 62, 91)]
    with pytest.raises(AnswerError, match="must return the 2 notes"):
        answer([Note(48, 6, 60)], score, change=frozenset({"velocity"}))


def hub_notes_of(column):
    """Notes whose columns nobody has checked, as a careless subclass may make them."""
    notes = object.__new__(Notes)
    for name in ("onset", "duration", "pitch", "velocity", "part", "voice"):
        object.__setattr__(notes, name, column)
    return notes


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (None, "returned NoneType"),
        ("notes", "returned str"),
        ([(1,)], "not notes"),
        ([("a", "b", "c")], "not notes"),
        ([(500.7, 5, 60)], "whole numbers"),
        ([(float("inf"), 1, 60)], "whole numbers"),
        ([(10**30, 1, 60)], "not notes"),
        (hub_notes_of(np.ones(3)), "cannot be read"),
        (hub_notes_of(np.ones((3, 2), int)), "cannot be read"),
        ([Note(48, 1, 60)] * 100_001, "cannot be right"),
    ],
)
def test_answers_that_are_none(wrong, message):
    with pytest.raises(AnswerError, match=message):
        answer(wrong)


def test_a_pretty_midi_answer_is_taken_from_its_seconds():
    import pretty_midi

    song = pretty_midi.PrettyMIDI()
    flute = pretty_midi.Instrument(0)
    flute.notes.append(pretty_midi.Note(64, 67, 2.0, 2.25))
    song.instruments.append(flute)
    assert list(answer(song).notes) == [Note(48, 6, 67, 64)]


@pytest.mark.parametrize(
    ("name", "value"), [("start", float("nan")), ("pitch", None), ("velocity", "x")]
)
def test_a_pretty_midi_with_nonsense_in_it(name, value):
    import pretty_midi

    note = pretty_midi.Note(64, 67, 2.0, 2.25)
    setattr(note, name, value)
    song = pretty_midi.PrettyMIDI()
    song.instruments.append(pretty_midi.Instrument(0))
    song.instruments[0].notes.append(note)
    with pytest.raises(AnswerError, match="cannot be read|not notes"):
        answer(song)


def test_a_music21_answer_is_taken_from_its_quarters_and_ties_are_one_note():
    from music21 import note, stream, tie

    first, second = note.Note(67, quarterLength=1), note.Note(67, quarterLength=1 / 3)
    first.tie, second.tie = tie.Tie("start"), tie.Tie("stop")
    line = stream.Part()
    line.insert(4, first)
    line.insert(5, second)
    assert rows(answer(line)) == [(48, 16, 67)]


def test_more_parts_than_the_region_has_are_refused():
    from music21 import stream

    three = stream.Score([stream.Part(), stream.Part(), stream.Part()])
    with pytest.raises(AnswerError, match="returned 3 parts"):
        answer(three)
