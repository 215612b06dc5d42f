"""From the fields of the page to a Region, and the first region of a score that fits a card."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from hub.accepts import Accepts, check_request
from hub.errors import AcceptError, RegionError, ScorehubError
from hub.model import measures_text
from hub.region import WHOLE_NOTES, Box, Region
from hub.score import Score

PREFERRED_MEASURES = 4
CONTEXT_MEASURES = 4
MAX_TRIES = 400  # windows looked at in one part
MAX_TRIES_IN_ALL = 6_000  # fewer a part when there are very many parts, but at least …
MIN_TRIES = 24


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What is marked on the page.

    measures        printed numbers, "7-10" or "1-2,5"
    parts           part ids
    low, high       pitches that may change
    change          attributes that may change; empty: whole notes
    first_quarter, last_quarter     quarters from the start of the score; None: whole measures
    beyond          measures to add after the end
    """

    measures: str = ""
    parts: tuple[str, ...] = ()
    low: int = 0
    high: int = 127
    change: tuple[str, ...] = ()
    first_quarter: float | None = None
    last_quarter: float | None = None
    beyond: int = 0

    def region(self, score: Score) -> Region:
        """The resolved region. Raises RegionError with the fields to fill."""
        if not self.parts:
            raise RegionError("Choose at least one part to rewrite.")
        spans = list(self._spans(score))
        boxes = tuple(
            replace(span, part=part, low=self.low, high=self.high)
            for part in self.parts
            for span in spans
        )
        change = frozenset(self.change) or WHOLE_NOTES
        return Region(boxes=boxes, change=change).resolve(score)

    def _spans(self, score: Score) -> Iterator[Box]:
        if self.first_quarter is not None or self.last_quarter is not None:
            yield self._quarters()
            return
        if self.measures.strip():
            yield from Region.measures(score, self.measures).boxes
        elif not self.beyond:
            raise RegionError("Say which measures to rewrite, such as 7-10.")
        if self.beyond:
            count = len(score.measures)
            yield Box(start=count, end=count + self.beyond)

    def _quarters(self) -> Box:
        if self.first_quarter is None or self.last_quarter is None:
            raise RegionError("Fill in both quarters, the first and the last, or neither.")
        return Box(start=self.first_quarter, end=self.last_quarter, unit="quarters")


@dataclass(frozen=True, kw_only=True)
class Fit:
    """Where a card fits a score.

    region      a region to start with; None when there is none
    usable      ids of the parts in which some region fits
    reasons     part id → why it cannot be chosen, for the others
    reason      why nothing fits; '' when something does
    """

    region: Region | None
    usable: tuple[str, ...]
    reasons: dict[str, str]
    reason: str = ""


def fit(accepts: Accepts, score: Score) -> Fit:
    """The parts a card can work on, and a sensible first region in them."""
    alone = replace(accepts, parts=(1, max(1, accepts.parts[1])))
    tries = min(MAX_TRIES, max(MIN_TRIES, MAX_TRIES_IN_ALL // max(1, len(score.parts))))
    usable: list[str] = []
    reasons: dict[str, str] = {}
    first: Region | None = None
    for part in score.parts:
        found, why = _first_region(alone, _only(score, (part.id,)), (part.id,), tries)
        if found is None:
            reasons[part.id] = why
        else:
            usable.append(part.id)
            first = first or found
    if first is not None and accepts.parts[0] > 1:
        chosen = usable[: accepts.parts[0]]
        first, why = _first_region(accepts, _only(score, chosen), chosen, tries)
        if first is None:
            return Fit(region=None, usable=tuple(usable), reasons=reasons, reason=why)
    return Fit(region=first, usable=tuple(usable), reasons=reasons, reason=_overall(first, reasons))


def _only(score: Score, parts: Sequence[str]) -> Score:
    """The score with these parts' notes alone: the others are not looked at, and cost time."""
    indices = [score.part_index(part) for part in parts]
    return score.with_notes(score.notes[np.isin(score.notes.part, indices)])


def _overall(found: Region | None, reasons: dict[str, str]) -> str:
    if found is not None:
        return ""
    return _commonest(list(reasons.values())) or "This score has no parts."


def _commonest(reasons: Sequence[str]) -> str:
    """The first of the most frequent kind of reason; they differ in their numbers only."""
    kinds = [re.sub(r"\d+", "#", reason) for reason in reasons]
    return reasons[kinds.index(max(kinds, key=kinds.count))] if reasons else ""


def _first_region(
    accepts: Accepts, score: Score, parts: Sequence[str], tries: int
) -> tuple[Region | None, str]:
    """(region, '') for the first window that fits, else (None, the commonest refusal).

    A window without a single note in it is taken only when there is no other.
    """
    empty: Region | None = None
    refusals: list[str] = []
    for box in islice(_windows(accepts, score), tries):
        try:
            region = Region(boxes=tuple(replace(box, part=part) for part in parts))
            region = region.resolve(score)
            check_request(accepts, score, region)
        except (AcceptError, RegionError) as error:
            refusals.append(str(error))
            continue
        if region.contains(score.notes, score).any():
            return region, ""
        empty = empty or region
    return empty, "" if empty else _commonest(refusals) or "This score has no measures to rewrite."


def _windows(accepts: Accepts, score: Score) -> Iterator[Box]:
    """Boxes worth trying: of the preferred length with context before, then anywhere, shorter."""
    for length in _lengths(accepts, len(score.measures)):
        for start in _starts(len(score.measures), length):
            yield Box(start=start, end=start + length)
    yield from _short_windows(accepts, score)


def _lengths(accepts: Accepts, count: int) -> list[int]:
    """Lengths in measures, the preferred one first."""
    if accepts.unit != "measure":
        return [n for n in (PREFERRED_MEASURES, 2, 1) if n <= count]
    most = min(accepts.most or count, count)
    best = min(max(accepts.least, PREFERRED_MEASURES), most)
    return [n for n in dict.fromkeys((best, accepts.least, most)) if accepts.least <= n <= count]


def _starts(count: int, length: int) -> Iterator[int]:
    """Start indices: after some context first, then everywhere, thinned out in long scores."""
    last = count - length
    middle = min(CONTEXT_MEASURES, last // 2 if last > 0 else 0)
    step = max(1, last // (MAX_TRIES // 3))
    yield from range(middle, last + 1, step)
    yield from range(0, min(middle, last + 1))


def _short_windows(accepts: Accepts, score: Score) -> Iterator[Box]:
    """Regions shorter than a measure, at each measure's start, for cards in beats or ticks."""
    if accepts.unit == "measure" or not score.measures:
        return
    ticks = score.ticks_per_quarter if accepts.unit == "beat" else 1
    length = (accepts.most or accepts.least) * ticks
    for measure in score.measures[: MAX_TRIES // 4]:
        yield Box(start=measure.start, end=measure.start + length, unit="ticks")


def for_example(accepts: Accepts, score: Score, measures: str, parts: Sequence[str]) -> Fit:
    """Like `fit`, but with the region that an example's card names, where it names one."""
    found = fit(accepts, score)
    if not measures:
        return found
    chosen = tuple(parts) or found.usable[: accepts.parts[1]]
    try:
        region = Selection(measures=measures, parts=chosen).region(score)
    except ScorehubError:
        return found
    return replace(found, region=region)


def text_of(score: Score, region: Region) -> str:
    """The measures field for a region: printed numbers, or "#3-#5" where numbers repeat."""
    numbers = [m.number for m in score.measures]
    if len(set(numbers)) == len(numbers) and not any("-" in n or "," in n for n in numbers):
        return measures_text(score, region)
    touched = region.measure_indices(score)
    return f"#{touched[0] + 1}-#{touched[-1] + 1}"
