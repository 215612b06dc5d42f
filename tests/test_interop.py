"""Conversions, checked by the libraries they lead to."""

import numpy as np
import pytest

from hub.interop import from_music21, from_pretty_midi
from hub.score import Key, Measure, Notes, Part, Score, Tempo


def song():
    """A pickup, 4/4, 3/4; two tempos; a melody with a tie and chords below."""
    lengths = [(12, 4), (48, 4), (36, 3), (36, 3)]
    starts = [sum(n for n, _ in lengths[:i]) for i in range(len(lengths))]
    return Score(
        ticks_per_quarter=12,
        parts=(
            Part(id="P1", name="Flute", program=73),
            Part(id="P2", name="Piano", program=0),
            Part(id="P3", name="Kit", is_drums=True),
        ),
        measures=tuple(
            Measure(number=str(i), start=s, length=n, beats=b)
            for i, (s, (n, b)) in enumerate(zip(starts, lengths, strict=True))
        ),
        notes=Notes.of(
            [(0, 12, 67), (12, 4, 69), (16, 4, 71), (20, 4, 72), (54, 12, 74, 100)]
            + [(12, 48, p, 60, 1) for p in (48, 52, 55)]
            + [(12, 6, 36, 90, 2)]
        ),
        tempos=(Tempo(0, 120.0), Tempo(60, 60.0)),
        keys=(Key(0, 1), Key(60, -3, "minor")),
    )


def test_pretty_midi_has_our_times_and_gives_our_notes_back():
    score = song()
    pretty = score.to_pretty_midi()
    assert [i.name for i in pretty.instruments] == ["Flute", "Piano", "Kit"]
    assert pretty.instruments[2].is_drum
    assert pretty.instruments[0].notes[-1].start == pytest.approx(54 / 24)
    assert pretty.instruments[0].notes[-1].end == pytest.approx(60 / 24 + 0.5)
    assert [str(k) for k in pretty.key_signature_changes] == [
        "G Major at 0.00 seconds", "C minor at 2.50 seconds",
    ]  # fmt: skip
    assert from_pretty_midi(pretty, score, ("P1",)) == score.notes


def test_pretty_midi_writes_a_file_that_reads_the_same(tmp_path):
    import pretty_midi

    song().to_pretty_midi().write(str(tmp_path / "a.mid"))
    again = pretty_midi.PrettyMIDI(str(tmp_path / "a.mid"))
    assert sorted(n.pitch for i in again.instruments for n in i.notes) == sorted(song().notes.pitch)
    assert [(t.numerator, t.time) for t in again.time_signature_changes] == [(4, 0.0), (3, 2.5)]


def test_music21_has_our_measures_and_gives_our_notes_back():
    score = song()
    made = score.to_music21()
    assert [p.id for p in made.parts] == ["P1", "P2", "P3"]
    measures = list(made.parts[0].getElementsByClass("Measure"))
    assert [float(m.offset) for m in measures] == [0, 1, 5, 8]
    assert [m.timeSignature.ratioString for m in measures if m.timeSignature] == ["4/4", "3/4"]
    assert len(made.parts[1].flatten().getElementsByClass("Chord")) == 1
    back = from_music21(made, score, ("P1",))
    assert back == score.notes


def test_music21_writes_a_musicxml_file(tmp_path):
    from music21 import converter

    path = song().to_music21().write("musicxml", tmp_path / "a.musicxml")
    again = converter.parse(path, forceSource=True)
    assert len(again.parts) == 3


def test_piano_roll():
    roll = song().piano_roll(steps_per_quarter=3, part_id="P1")
    assert roll.shape == (128, 33)
    assert roll.dtype == np.uint8
    assert np.flatnonzero(roll[69]).tolist() == [3]
    assert np.flatnonzero(roll[74]).tolist() == [14, 15]
    assert roll[74].max() == 100
    assert song().piano_roll().any(axis=1).sum() == 9
