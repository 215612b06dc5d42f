"""Notes as columns, and what a score can be asked."""

import numpy as np
import pytest

from hub.errors import RegionError
from hub.score import Key, Measure, Note, Notes, Part, Score, Tempo


def song(**changes):
    fields = {
        "ticks_per_quarter": 480,
        "parts": (Part(id="P1", name="Flute"), Part(id="P2", name="Bass", program=32)),
        "measures": tuple(
            Measure(number=str(i + 1), start=1920 * i, length=1920) for i in range(4)
        ),
        "notes": Notes.of([(0, 480, 60), (480, 480, 62), (0, 1920, 36, 90, 1)]),
    }
    return Score(**{**fields, **changes})


def test_rows_come_back_sorted_by_onset_part_pitch():
    notes = Notes.of([(10, 1, 60, 80, 1), (10, 1, 70, 80, 0), (0, 5, 50), (10, 1, 64, 80, 0)])
    assert [(n.onset, n.part, n.pitch) for n in notes] == [
        (0, 0, 50), (10, 0, 64), (10, 0, 70), (10, 1, 60),
    ]  # fmt: skip


def test_columns_cannot_be_written():
    with pytest.raises(ValueError, match="read-only"):
        Notes.of([(0, 1, 60)]).pitch[0] = 1


def test_columns_are_copied_so_that_the_callers_array_stays_theirs():
    onset = np.array([0, 4])
    notes = Notes.from_columns(onset, 1, [60, 61])
    onset[0] = 99
    assert notes.onset.tolist() == [0, 4]


def test_columns_of_different_length_are_refused():
    one, two = np.zeros(1), np.zeros(2)
    with pytest.raises(ValueError, match="differ in length"):
        Notes(one, two, one, one, one, one)


def test_a_row_a_slice_and_a_mask():
    notes = Notes.of([(0, 1, 60), (1, 1, 62), (2, 1, 64)])
    assert notes[1] == Note(1, 1, 62)
    assert notes[1:].pitch.tolist() == [62, 64]
    assert notes[notes.pitch != 62].pitch.tolist() == [60, 64]


def test_joined_notes_are_sorted_and_equal_to_the_whole():
    whole = Notes.of([(0, 1, 60), (1, 1, 62)])
    assert Notes.of([(1, 1, 62)]) + Notes.of([(0, 1, 60)]) == whole
    assert whole != Notes.of([(0, 1, 60)])
    assert len(Notes.empty() + whole) == 2


def test_replacing_a_column_sorts_again():
    notes = Notes.of([(0, 1, 60), (5, 1, 62)]).replace(onset=[9, 3])
    assert notes.pitch.tolist() == [62, 60]


def test_unknown_part_names_the_parts_there_are():
    with pytest.raises(RegionError, match=r'no part "P3".*P1 \(Flute\), P2 \(Bass\)'):
        song().part_index("P3")


def test_notes_of_a_part():
    assert song().notes_of("P2").pitch.tolist() == [36]


@pytest.mark.parametrize(("tick", "index"), [(0, 0), (1919, 0), (1920, 1), (7679, 3), (99999, 3)])
def test_measure_at(tick, index):
    assert song().measure_at(tick) == index


def test_end_is_the_last_measure_or_a_longer_note():
    assert song().end == 4 * 1920
    assert song(notes=Notes.of([(7000, 1000, 60)])).end == 8000


def test_seconds_follow_the_tempos():
    score = song(tempos=(Tempo(0, 120.0), Tempo(960, 60.0)))
    assert score.seconds_at([0, 480, 960, 1440]).tolist() == [0.0, 0.5, 1.0, 2.0]


def test_a_first_tempo_that_comes_late_is_preceded_by_the_default():
    score = song(tempos=(Tempo(480, 60.0),))
    assert score.seconds_at([480, 960]).tolist() == [0.5, 1.5]


def test_key_in_force():
    score = song(keys=(Key(0, 1), Key(1920, -3, "minor")))
    assert score.key_at(1919).fifths == 1
    assert score.key_at(1920) == Key(1920, -3, "minor")
    assert song().key_at(0) is None


def test_other_notes_leave_no_source_to_write_into():
    assert song().with_notes(Notes.empty()).source is None
