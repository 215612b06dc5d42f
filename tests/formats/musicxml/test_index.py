"""Segments, tied chains and the voices and velocities of notes."""

from __future__ import annotations

import numpy as np

from hub.formats.musicxml.index import (
    TIE_START,
    TIE_STOP,
    Segments,
    ambient_velocity,
    merge_ties,
    notes_of,
    voice_numbers,
)


def segment(
    onset: int, duration: int, pitch: int = 60, *, ties: int = 0, voice: int = 0, velocity: int = 0
) -> tuple[int, ...]:
    return (0, onset // 96, onset, onset + 1, onset, duration, pitch, velocity, voice, 1, ties)


def test_a_start_and_a_stop_that_meet_are_one_chain() -> None:
    both = TIE_START | TIE_STOP
    rows = [
        segment(0, 10, ties=TIE_START),
        segment(10, 10, ties=both),
        segment(20, 5, ties=TIE_STOP),
        segment(25, 5, ties=TIE_STOP),
        segment(30, 5),
    ]
    assert sorted(merge_ties(Segments.of(rows))) == [[0, 1, 2], [3], [4]]


def test_chains_form_in_time_whatever_the_order_of_the_file() -> None:
    rows = [segment(10, 10, ties=TIE_STOP), segment(0, 10, ties=TIE_START)]
    assert merge_ties(Segments.of(rows)) == [[1, 0]]


def test_a_partner_in_the_same_voice_is_preferred() -> None:
    rows = [
        segment(0, 10, ties=TIE_START, voice=0),
        segment(0, 10, ties=TIE_START, voice=1),
        segment(10, 10, ties=TIE_STOP, voice=1),
    ]
    assert sorted(merge_ties(Segments.of(rows))) == [[0], [1, 2]]


def test_notes_and_chains_belong_together_row_by_row() -> None:
    rows = [
        segment(0, 10, 64),
        segment(0, 10, 60, ties=TIE_START),
        segment(10, 10, 60, ties=TIE_STOP, velocity=99),
        segment(5, 5, 62, velocity=33),
    ]
    notes, chains = notes_of(Segments.of(rows), [[(2, 50)]], ("1",))
    assert notes.pitch.tolist() == [60, 64, 62]
    assert notes.duration.tolist() == [20, 10, 5]
    assert notes.velocity.tolist() == [80, 80, 33]
    assert [chains.of(row) for row in range(3)] == [[1, 2], [0], [3]]
    assert chains.heads().tolist() == [1, 0, 3]


def test_no_segments_are_no_notes() -> None:
    notes, chains = notes_of(Segments.of([]), [], ())
    assert len(notes) == 0 and len(chains.members) == 0


def test_voice_labels_that_are_no_numbers_get_free_ones() -> None:
    assert voice_numbers(("1", "upper", "5", "x")).tolist() == [1, 6, 5, 7]


def test_ambient_velocity_is_that_of_the_last_dynamics() -> None:
    marks = [(0, 50), (96, 100)]
    assert [ambient_velocity(marks, t) for t in (0, 95, 96)] == [50, 50, 100]
    assert ambient_velocity([], 5) == 80


def test_segments_can_be_taken_and_joined() -> None:
    segments = Segments.of([segment(0, 1), segment(1, 1)])
    joined = segments.take(np.array([1])) + segments
    assert joined.onset.tolist() == [1, 0, 1] and len(joined) == 3
