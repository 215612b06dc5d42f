"""A cut-out of a score as a score of its own, for region-only and per-part downloads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from hub.errors import RegionError
from hub.region import Region
from hub.score import Measure, Notes, Score


def excerpt(
    score: Score,
    span: tuple[int, int] | None = None,
    part_ids: Sequence[str] | None = None,
    *,
    from_zero: bool = True,
) -> Score:
    """The notes with onsets in `span` (ticks, half-open; None: all) of the given parts.

    Notes are cut at the span's end. With `from_zero` the excerpt starts at tick 0, otherwise it
    stays where it was, so that a DAW places it in time. The result has no source: it is a
    rendering. Raises RegionError for unknown parts and empty spans.
    """
    start, end = span or (0, score.end)
    if not 0 <= start < end:
        raise RegionError(f"An excerpt must begin before it ends; got ticks {start} to {end}.")
    indices = [score.part_index(i) for i in part_ids or [p.id for p in score.parts]]
    notes = score.notes
    notes = notes[(notes.onset >= start) & (notes.onset < end) & np.isin(notes.part, indices)]
    moved = start if from_zero else 0
    renumbered = np.array([indices.index(p) for p in notes.part.tolist()], dtype=np.int64)
    duration = np.minimum(notes.duration, end - notes.onset)
    cut = notes.replace(part=renumbered, duration=duration) if len(notes) else Notes.empty()
    shifted = cut.replace(onset=cut.onset - moved) if moved else cut
    return replace(
        score,
        parts=tuple(score.parts[i] for i in indices),
        measures=_measures(score, start, end, moved),
        notes=shifted,
        tempos=_in_force(score.tempos, start, end, moved),
        keys=_in_force(score.keys, start, end, moved),
        annotations=tuple(
            a._replace(tick=a.tick - moved) for a in score.annotations if start <= a.tick < end
        ),
        source=None,
    )


def region_excerpt(score: Score, region: Region, *, from_zero: bool = True) -> Score:
    """The region's parts, from its first tick to its last (notes between its boxes included)."""
    spans = [span for part in region.parts() for span in region.spans(part)]
    whole = (min(s for s, _ in spans), max(e for _, e in spans))
    return excerpt(score, whole, region.parts(), from_zero=from_zero)


def _measures(score: Score, start: int, end: int, moved: int) -> tuple[Measure, ...]:
    """Measures that the span touches, cut to it; all from the start unless it moved to 0."""
    found = []
    for measure in score.measures:
        first = max(measure.start, start if moved else 0)
        last = min(measure.end, end)
        if first < last:
            found.append(replace(measure, start=first - moved, length=last - first))
    return tuple(found)


def _in_force(marks: tuple[Any, ...], start: int, end: int, moved: int) -> tuple[Any, ...]:
    """Tempos or keys of the span, the one in force at its start moved to its first tick."""
    if not moved:
        return tuple(mark for mark in marks if mark.tick < end)
    before = [mark for mark in marks if mark.tick <= start][-1:]
    inside = [mark for mark in marks if start < mark.tick < end]
    return tuple(mark._replace(tick=max(0, mark.tick - moved)) for mark in before + inside)
