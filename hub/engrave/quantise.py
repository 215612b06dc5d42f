"""From performed ticks to written time: a grid for each beat, chosen by what is played there.

Written time counts in units, 24 to a quarter note, from the beginning of the excerpt. Notes that
already stand on readable units are taken exactly as they are. Others are moved to the grid of
their beat (eighths, sixteenths, triplets, thirty-seconds) and small gaps and overlaps between
them are closed, so that a performance reads as a musician would write it down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import floor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hub.numerals import next_number
from hub.score import IntArray, Measure, Notes, Score

UNITS = 24  # per quarter note


class Written(NamedTuple):
    """A note in written time, [start, end) in units, cut to the excerpt; `row` in `Score.notes`."""

    start: int
    end: int
    pitch: int
    row: int
    voice: int = 1


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A measure in written time. `phase`: units that a pickup lacks before its first beat."""

    index: int
    measure: Measure
    start: int
    length: int
    phase: int = 0

    @property
    def end(self) -> int:
        return self.start + self.length

    @property
    def cell(self) -> int:
        """Units of the smallest beat that has a grid of its own: a quarter, or an eighth in x/8."""
        return {8: 12, 16: 6, 32: 3}.get(self.measure.beat_type, UNITS)


# (grid in units, cost in units of mean error it must save to be taken), by cell length.
_GRIDS: dict[int, tuple[tuple[int, float], ...]] = {
    24: ((12, 0.0), (6, 0.15), (8, 0.7), (4, 1.7), (3, 1.8)),
    12: ((12, 0.0), (6, 0.15), (4, 1.2), (3, 1.3)),
    6: ((6, 0.0), (3, 0.3), (2, 1.2)),
    3: ((3, 0.0), (1, 1.0)),
}
_CLASH_COST = 2.5  # two onsets, clearly apart, on one grid point
_CLEARLY_APART = 2.0
_LONELY_TRIPLET_COST = 0.6
_SPARSE_COST = 1.0  # thirty-seconds come in runs; one or two are a performer's freedom


def bars(score: Score, first: int, last: int) -> list[Bar]:
    """Measures [first, last) in written time; measures go on like the last where notes do."""
    out: list[Bar] = []
    start = 0
    for index in range(first, last):
        measure = measure_or_beyond(score.measures, index)
        length = max(3, 3 * round(measure.length * UNITS / score.ticks_per_quarter / 3))
        full = 4 * UNITS * measure.beats // measure.beat_type
        phase = full - length if index == 0 and length < full else 0
        out.append(Bar(index=index, measure=measure, start=start, length=length, phase=phase))
        start += length
    return out


def measure_or_beyond(measures: Sequence[Measure], index: int) -> Measure:
    """Measure `index`, also past the end of the score."""
    if index < len(measures):
        return measures[index]
    if not measures:
        return Measure(number=str(index + 1), start=index * 4, length=4)
    last, beyond = measures[-1], index - len(measures) + 1
    return Measure(
        number=next_number(last.number, beyond),
        start=last.start + beyond * last.length,
        length=last.length,
        beats=last.beats,
        beat_type=last.beat_type,
    )


def write_down(score: Score, part: int, excerpt: Sequence[Bar]) -> tuple[list[Written], bool]:
    """The part's notes that sound in the excerpt, by (start, pitch); and whether they are exact."""
    rows = _sounding_rows(score, part, excerpt)
    notes = score.notes[rows]
    on, off = (_units(score, excerpt, ticks) for ticks in (notes.onset, notes.end))
    is_drums = score.parts[part].is_drums
    exact = not is_drums and _is_readable(score, notes, on, off)
    if exact:
        starts, ends = np.round(on).astype(np.int64), np.round(off).astype(np.int64)
    else:
        starts, ends = _on_grid(on, off, excerpt)
    written = [
        Written(s, e, p, r, v)
        for s, e, p, r, v in zip(
            starts.tolist(),
            np.maximum(ends, starts + 1).tolist(),
            notes.pitch.tolist(),
            rows.tolist(),
            notes.voice.tolist(),
            strict=True,
        )
        if s < excerpt[-1].end
    ]
    return _without_repeats(written), exact


def _without_repeats(notes: Sequence[Written]) -> list[Written]:
    """Of equal pitches that overlap, the earlier ends where the later begins."""
    last: dict[int, Written] = {}
    kept: dict[int, Written] = {}
    for note in sorted(notes):
        before = last.get(note.pitch)
        if before is not None and before.end > note.start:
            kept[before.row] = before._replace(end=note.start)
            if before.start == note.start:
                del kept[before.row]
        kept[note.row] = last[note.pitch] = note
    return sorted(kept.values())


def _sounding_rows(score: Score, part: int, excerpt: Sequence[Bar]) -> IntArray:
    notes = score.notes
    begin, end = excerpt[0].measure.start, excerpt[-1].measure.end
    stop = int(np.searchsorted(notes.onset, end))
    return np.flatnonzero((notes.part[:stop] == part) & (notes.end[:stop] > begin))


def _units(score: Score, excerpt: Sequence[Bar], ticks: IntArray) -> npt.NDArray[np.float64]:
    """Ticks (N,) in units, not rounded; clipped to the excerpt and to each measure's length."""
    begins = np.array([bar.measure.start for bar in excerpt])
    starts = np.array([bar.start for bar in excerpt], dtype=np.float64)
    lengths = np.array([bar.length for bar in excerpt], dtype=np.float64)
    place = np.clip(np.searchsorted(begins, ticks, side="right") - 1, 0, None)
    within = (ticks - begins[place]) * UNITS / score.ticks_per_quarter
    return np.asarray(starts[place] + np.clip(within, 0.0, lengths[place]), dtype=np.float64)


def _is_readable(
    score: Score, notes: Notes, on: npt.NDArray[np.float64], off: npt.NDArray[np.float64]
) -> bool:
    """Do all notes begin and end on units that have a note value?

    Scores of few ticks a quarter are grids by nature; in finer ones an end at 23/24 of a beat is
    a performer's release, not a rhythm.
    """
    edges = np.concatenate([on, off])
    whole = np.round(edges)
    if np.any(np.abs(edges - whole) > 1e-6):
        return False
    return UNITS % score.ticks_per_quarter == 0 or bool(np.all((whole % 3 == 0) | (whole % 4 == 0)))


def _on_grid(
    on: npt.NDArray[np.float64], off: npt.NDArray[np.float64], excerpt: Sequence[Bar]
) -> tuple[IntArray, IntArray]:
    edges, sizes = _cells(excerpt)
    cell = np.clip(np.searchsorted(edges, on + 1e-9, side="right") - 1, 0, len(sizes) - 1)
    grids = np.full(len(sizes), 0)
    order = np.lexsort((on, cell))
    present, firsts = np.unique(cell[order], return_index=True)
    for index, places in zip(present.tolist(), np.split(on[order], firsts[1:]), strict=False):
        within = sorted(set((places - edges[index]).tolist()))
        grids[index] = _best_grid(within, int(sizes[index]))
    defaults = np.array([min(6, size) for size in sizes])
    grids = np.where(grids > 0, grids, defaults)

    def snap(values: npt.NDArray[np.float64]) -> IntArray:
        at = np.clip(np.searchsorted(edges, values + 1e-9, side="right") - 1, 0, len(sizes) - 1)
        steps = np.floor((values - edges[at]) / grids[at] + 0.5)
        snapped: IntArray = (edges[at] + np.minimum(steps * grids[at], sizes[at])).astype(np.int64)
        return snapped

    starts = snap(on)
    return starts, np.maximum(snap(off), starts + np.minimum(grids[cell], 6))


def _cells(excerpt: Sequence[Bar]) -> tuple[IntArray, IntArray]:
    """Start and length (C,) of the excerpt's cells."""
    starts: list[int] = []
    for bar in excerpt:
        first = bar.cell - bar.phase % bar.cell
        starts += [bar.start, *range(bar.start + first, bar.end, bar.cell)]
    edges = np.array(starts, dtype=np.int64)
    return edges, np.diff(np.append(edges, excerpt[-1].end))


def _best_grid(places: Sequence[float], size: int) -> int:
    """The grid of one cell, from the onsets in it (units from the cell's start, ascending)."""
    options = _GRIDS.get(size) or _GRIDS[min(_GRIDS, key=lambda known: (abs(known - size), known))]
    return min(options, key=lambda option: _grid_cost(places, *option))[0]


def _grid_cost(places: Sequence[float], grid: int, cost: float) -> float:
    """How badly a grid fits: its own cost, the mean error, and onsets that fall together."""
    snapped = [floor(place / grid + 0.5) * grid for place in places]
    error = sum(abs(p - s) for p, s in zip(places, snapped, strict=True)) / len(places)
    pairs = zip(pairwise(places), pairwise(snapped), strict=True)
    clashes = sum(b - a > _CLEARLY_APART and t == s for (a, b), (s, t) in pairs)
    is_lonely_triplet = len(places) == 1 and grid in (8, 4, 2)
    is_sparse = len(places) <= 2 and grid == 3
    return (
        cost
        + error
        + _CLASH_COST * clashes
        + _LONELY_TRIPLET_COST * is_lonely_triplet
        + _SPARSE_COST * is_sparse
    )


def close_gaps(notes: Sequence[Written], excerpt: Sequence[Bar]) -> list[Written]:
    """Performed lengths as written ones: up to the next onset, or to the beat's end."""
    onsets = sorted({note.start for note in notes})
    edges = np.append(_cells(excerpt)[0], excerpt[-1].end)
    table = np.array(onsets)
    out = []
    for note in notes:
        following = int(np.searchsorted(table, note.start, side="right"))
        upcoming = onsets[following] if following < len(onsets) else None
        out.append(note._replace(end=_written_end(note, upcoming, onsets, table, edges)))
    return out


def _written_end(
    note: Written,
    upcoming: int | None,
    onsets: list[int],
    table: IntArray,
    edges: IntArray,
) -> int:
    start, end = note.start, note.end
    if upcoming is not None and 0 < end - upcoming <= min(6, 0.35 * (end - start)):
        return upcoming
    after = int(np.searchsorted(table, end, side="left"))
    target = onsets[after] if after < len(onsets) else int(edges[-1])
    gap, room = target - end, target - start
    if gap < 6 or (room <= UNITS and 2 * (end - start) >= room):
        return target
    beat_end = int(edges[min(int(np.searchsorted(edges, end)), len(edges) - 1)])
    return beat_end if 0 < beat_end - end < 6 else end


def drum_lengths(notes: Sequence[Written], excerpt: Sequence[Bar]) -> list[Written]:
    """Drum strokes last until the next stroke, but not beyond their beat."""
    onsets = np.array(sorted({note.start for note in notes}))
    edges = np.append(_cells(excerpt)[0], excerpt[-1].end)
    out = []
    for note in notes:
        beat_end = int(edges[int(np.searchsorted(edges, note.start, side="right"))])
        after = int(np.searchsorted(onsets, note.start, side="right"))
        end = min(beat_end, int(onsets[after])) if after < len(onsets) else beat_end
        out.append(note._replace(end=end))
    return out
