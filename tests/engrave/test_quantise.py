"""From ticks to written time."""

from __future__ import annotations

import pytest

from hub.engrave.quantise import bars, close_gaps, drum_lengths, measure_or_beyond, write_down
from hub.score import Measure, Notes, Part, Score


def score_of(rows: list[tuple[int, ...]], *, tpq: int = 480, drums: bool = False) -> Score:
    length = 4 * tpq
    return Score(
        ticks_per_quarter=tpq,
        parts=(Part(id="P1", name="x", is_drums=drums),),
        measures=tuple(Measure(number=str(i + 1), start=i * length, length=length) for i in (0, 1)),
        notes=Notes.of(rows),
    )


def starts(*onsets: int, **more: int) -> list[int]:
    """Written starts of short notes, in units; onsets in ticks of 480."""
    score = score_of([(onset, 61, 60 + i) for i, onset in enumerate(onsets)], **more)
    notes, exact = write_down(score, 0, bars(score, 0, 2))
    assert not exact
    return [note.start for note in notes]


@pytest.mark.parametrize(
    ("onsets", "written"),
    [
        ((7, 251, 470), [0, 12, 24]),  # loose eighths
        ((2, 119, 243, 362), [0, 6, 12, 18]),  # sixteenths
        ((3, 158, 322), [0, 8, 16]),  # triplet
        ((0, 301, 480, 781), [0, 16, 24, 40]),  # swing at 63 %
        ((0, 61, 120, 181, 240, 299, 361, 420), [0, 3, 6, 9, 12, 15, 18, 21]),  # thirty-seconds
        ((0, 425), [0, 24]),  # a stroke far ahead of the beat is the beat's
        ((0, 82, 160, 240, 321, 400), [0, 4, 8, 12, 16, 20]),  # sextuplet
    ],
)
def test_each_beat_gets_the_grid_that_is_played(
    onsets: tuple[int, ...], written: list[int]
) -> None:
    assert starts(*onsets) == written


def test_grids_differ_from_beat_to_beat() -> None:
    assert starts(0, 160, 319, 481, 601, 718, 841) == [0, 8, 16, 24, 30, 36, 42]


def test_notes_on_the_grid_are_exact_and_drums_never() -> None:
    rows = [(0, 360, 60), (360, 120, 62), (480, 160, 64)]
    score = score_of(rows)
    notes, exact = write_down(score, 0, bars(score, 0, 2))
    assert exact and [(n.start, n.end) for n in notes] == [(0, 18), (18, 24), (24, 32)]
    drums = score_of(rows, drums=True)
    assert not write_down(drums, 0, bars(drums, 0, 2))[1]


def test_a_release_just_before_the_beat_is_no_rhythm() -> None:
    score = score_of([(0, 460, 60), (480, 460, 62)])
    excerpt = bars(score, 0, 2)
    notes, exact = write_down(score, 0, excerpt)
    assert not exact
    assert [(n.start, n.end) for n in close_gaps(notes, excerpt)] == [(0, 24), (24, 48)]


def test_small_overlaps_are_trimmed_and_long_rests_stay() -> None:
    score = score_of([(0, 530, 60), (481, 200, 62), (1440, 400, 64)])
    excerpt = bars(score, 0, 2)
    closed = close_gaps(write_down(score, 0, excerpt)[0], excerpt)
    assert closed[0].end == 24
    assert closed[1].end <= 48 and closed[2].start == 72


def test_drum_strokes_end_with_the_next_or_the_beat() -> None:
    score = score_of([(0, 9, 36), (240, 9, 42), (960, 9, 38)], drums=True)
    excerpt = bars(score, 0, 1)
    strokes = drum_lengths(write_down(score, 0, excerpt)[0], excerpt)
    assert [(n.start, n.end) for n in strokes] == [(0, 12), (12, 24), (48, 72)]


def test_measures_are_laid_end_to_end_and_a_pickup_has_a_phase() -> None:
    measures = (
        Measure(number="0", start=0, length=240),
        Measure(number="1", start=240, length=1920),
    )
    score = Score(ticks_per_quarter=480, parts=(), measures=measures, notes=Notes.empty())
    first, second = bars(score, 0, 2)
    assert (first.start, first.length, first.phase) == (0, 12, 84)
    assert (second.start, second.length, second.phase) == (12, 96, 0)


def test_measures_go_on_past_the_end() -> None:
    measures = (Measure(number="9", start=0, length=10, beats=3),)
    beyond = measure_or_beyond(measures, 2)
    assert (beyond.number, beyond.start, beyond.length, beyond.beats) == ("11", 20, 10, 3)
