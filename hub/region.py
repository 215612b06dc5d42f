"""What may change: a union of boxes, and the one rule that decides whether a note is inside.

A note is in a box iff its *onset* is in [start, end), its part is the box's and its pitch is in
[low, high]. It is in the region iff it is in a box and not kept. `Region.contains` is the only
place where this is decided; models, formats, checks and pictures all call it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from hub.errors import RegionError, suggestion
from hub.score import BoolArray, Measure, Notes, Score

UNITS = ("measures", "quarters", "ticks")
ATTRIBUTES = ("notes", "onset", "duration", "pitch", "velocity")
WHOLE_NOTES = frozenset({"notes"})
MAX_PIECES = 1_000


class Kept(NamedTuple):
    """A note inside the boxes that stays: part id, onset in ticks, pitch."""

    part: str
    onset: int
    pitch: int


@dataclass(frozen=True, kw_only=True)
class Box:
    """One rectangle: a part (None: every part) × [start, end) × pitches low..high inclusive.

    unit "measures": start and end are measure indices counted from 0, whatever is printed;
    "quarters": quarter notes from the start of the score; "ticks": the score's own ticks.
    `end` may lie past the end of the score.
    """

    start: float | Fraction
    end: float | Fraction
    unit: str = "measures"
    part: str | None = None
    low: int = 0
    high: int = 127

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise RegionError(
                f'A box\'s unit is "measures", "quarters" or "ticks", not "{self.unit}".'
                + suggestion(str(self.unit), UNITS)
            )
        if not 0 <= self.start < self.end:
            raise RegionError(
                f"A region must begin at 0 or later and end after it begins; "
                f"this one goes from {self.start} to {self.end} {self.unit}."
            )
        if self.end > 10_000_000_000:
            raise RegionError(f"A region cannot end at {self.end} {self.unit}: that is too far.")
        if not (0 <= self.low <= self.high <= 127 and self.low % 1 == 0 and self.high % 1 == 0):
            raise RegionError(
                f"A pitch range is two of 0..127, lower pitch first; got {self.low}..{self.high}."
            )

    @property
    def start_tick(self) -> int:
        return self._tick(self.start)

    @property
    def end_tick(self) -> int:
        return self._tick(self.end)

    def _tick(self, value: float | Fraction) -> int:
        if self.unit != "ticks":
            raise RegionError("This box is not in ticks yet: call region.resolve(score) first.")
        return int(value)


@dataclass(frozen=True, kw_only=True)
class Region:
    """Boxes to rewrite, notes in them to keep, attributes that may change, boxes to hide.

    change  {"notes"}: any notes may come; otherwise the notes stay, one for one, and only these
            of their attributes ("onset", "duration", "pitch", "velocity") may change
    hide    what the model may not see and that does not change
    """

    boxes: tuple[Box, ...]
    keep: tuple[Kept, ...] = ()
    change: frozenset[str] = WHOLE_NOTES
    hide: tuple[Box, ...] = ()

    def __post_init__(self) -> None:
        if not self.boxes:
            raise RegionError("The region is empty: mark at least one measure.")
        _check_count(len(self.boxes), len(self.keep), len(self.hide))
        unknown = sorted(self.change - set(ATTRIBUTES))
        if unknown or not self.change:
            got = ", ".join(unknown) or "nothing"
            raise RegionError(f"A region may change {', '.join(ATTRIBUTES)}; got {got}.")

    @classmethod
    def measures(cls, score: Score, text: str, parts: Sequence[str] | None = None) -> Region:
        """From printed measure numbers, as a person writes them: "7-10", "3", "1–2, 5 to 6".

        "#n" is the n-th measure of the file, for scores whose printed numbers repeat.
        Neighbouring measures make one box; one box a part (default: every part).
        """
        pieces = text.split(",", MAX_PIECES)
        _check_count(len(pieces))
        spans = [_measure_span(score, piece) for piece in pieces]
        chosen: Sequence[str | None] = list(parts) if parts else [None]
        return cls(boxes=tuple(Box(start=a, end=b, part=p) for p in chosen for a, b in spans))

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Region:
        """The inverse of `to_json`; RegionError names what is misspelt or missing."""
        if not isinstance(value, Mapping):
            raise RegionError('A region is an object such as {"boxes": [{"start": 0, "end": 4}]}.')
        _known_keys(value, ("boxes", "keep", "change", "hide"), "region")
        try:
            _check_count(*(len(value.get(name, ())) for name in ("boxes", "keep", "hide")))
            return cls(
                boxes=tuple(_box_from_json(box) for box in value.get("boxes", ())),
                keep=tuple(Kept(str(p), int(t), int(n)) for p, t, n in value.get("keep", ())),
                change=frozenset(map(str, value.get("change", WHOLE_NOTES))),
                hide=tuple(_box_from_json(box) for box in value.get("hide", ())),
            )
        except (TypeError, ValueError, OverflowError) as error:
            raise RegionError(f"This region cannot be read: {error}.") from error

    def to_json(self) -> dict[str, Any]:
        """Plain lists and numbers, for the API, receipts and logs."""
        return {
            "boxes": [_box_to_json(box) for box in self.boxes],
            "keep": [list(kept) for kept in self.keep],
            "change": sorted(self.change),
            "hide": [_box_to_json(box) for box in self.hide],
        }

    @property
    def is_resolved(self) -> bool:
        return all(b.unit == "ticks" and b.part is not None for b in (*self.boxes, *self.hide))

    def resolve(self, score: Score) -> Region:
        """The same region in this score's ticks, every box naming its part.

        Raises RegionError for parts the score lacks and for boxes that begin past its end.
        """
        if not score.parts:
            raise RegionError("This score has no parts, so nothing in it can be marked.")
        boxes = tuple(b for box in self.boxes for b in _resolve_box(box, score))
        hide = tuple(b for box in self.hide for b in _resolve_box(box, score))
        return replace(self, boxes=boxes, hide=hide)

    def contains(self, notes: Notes, score: Score) -> BoolArray:
        """Mask (N,): which of the notes are in the region. The one membership rule."""
        mask = _in_boxes(self.boxes, notes, score)
        for kept in self.keep:
            same = (notes.onset == kept.onset) & (notes.pitch == kept.pitch)
            mask &= ~(same & (notes.part == score.part_index(kept.part)))
        return mask

    def hides(self, notes: Notes, score: Score) -> BoolArray:
        """Mask (N,): which of the notes the model may not see (by the same rule)."""
        return _in_boxes(self.hide, notes, score)

    def parts(self) -> tuple[str, ...]:
        """Part ids that the (resolved) region touches, in order of first mention."""
        return tuple(dict.fromkeys(box.part for box in self.boxes if box.part is not None))

    def spans(self, part_id: str) -> list[tuple[int, int]]:
        """Merged [start, end) ticks of the part's boxes, ascending; touching boxes are joined."""
        merged: list[tuple[int, int]] = []
        for box in sorted((b for b in self.boxes if b.part == part_id), key=lambda b: b.start_tick):
            if merged and box.start_tick <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], box.end_tick))
            else:
                merged.append((box.start_tick, box.end_tick))
        return merged

    def measure_indices(self, score: Score) -> list[int]:
        """Indices of all measures the (resolved) region touches, ascending."""
        touched: set[int] = set()
        for box in self.boxes:
            last = score.measure_at(box.end_tick - 1)
            touched.update(range(score.measure_at(box.start_tick), last + 1))
        return sorted(touched)


def _in_boxes(boxes: Iterable[Box], notes: Notes, score: Score) -> BoolArray:
    mask = np.zeros(len(notes), dtype=bool)
    for box in boxes:
        if box.part is None:
            raise RegionError("This box names no part yet: call region.resolve(score) first.")
        in_time = (notes.onset >= box.start_tick) & (notes.onset < box.end_tick)
        in_pitch = (notes.pitch >= box.low) & (notes.pitch <= box.high)
        mask |= in_time & in_pitch & (notes.part == score.part_index(box.part))
    return mask


def _resolve_box(box: Box, score: Score) -> list[Box]:
    start, end = (_to_ticks(value, box.unit, score) for value in (box.start, box.end))
    if start >= end:
        raise RegionError(
            f"The region from {box.start} to {box.end} {box.unit} is shorter than one tick."
        )
    if box.part is not None:
        score.part_index(box.part)
    ids = [box.part] if box.part is not None else [part.id for part in score.parts]
    return [replace(box, start=start, end=end, unit="ticks", part=part) for part in ids]


def _to_ticks(value: float | Fraction, unit: str, score: Score) -> int:
    if unit == "ticks":
        return int(value)
    if unit == "quarters":
        return round(Fraction(value).limit_denominator(1 << 16) * score.ticks_per_quarter)
    return _measure_tick(value, score.measures)


def _measure_tick(value: float | Fraction, measures: Sequence[Measure]) -> int:
    """Tick of a measure index; past the end, measures go on like the last one."""
    if value != int(value):
        raise RegionError(f"Measures are counted in whole numbers; got {value}.")
    index, count = int(value), len(measures)
    if not count:
        raise RegionError("This score has no measures.")
    if index < count:
        return measures[index].start
    return measures[-1].end + (index - count) * measures[-1].length


_DASH = re.compile(r"\s*(?:[\u2010-\u2015\u2212]|\.\.+|\bto\b)\s*")  # what else people type
_PIECE = re.compile(r"^\s*(#?)([^\s#-]+)\s*(?:-\s*#?([^\s#-]+)\s*)?$")


def _measure_span(score: Score, piece: str) -> tuple[int, int]:
    match = _PIECE.match(_DASH.sub("-", piece))
    if not match:
        raise RegionError(f'"{piece.strip()}" is not a range of measures; write 7-10, 3 or 1-2,5.')
    ordinal, first, last = bool(match[1]), match[2], match[3] or match[2]
    start, end = (_measure_index(score, number, ordinal) for number in (first, last))
    if end < start:
        raise RegionError(f"Measure {last} comes before measure {first}; write the earlier first.")
    return start, end + 1


def _check_count(*counts: int) -> None:
    if max(counts) > MAX_PIECES:
        raise RegionError(
            f"A region has at most {MAX_PIECES:,} boxes or kept notes; got {max(counts):,}."
        )


def _measure_index(score: Score, number: str, ordinal: bool) -> int:
    count = len(score.measures)
    if ordinal:
        if number.isdecimal() and len(number) < 10 and 1 <= int(number) <= count:
            return int(number) - 1
        raise RegionError(f"#{number} is not one of the {count} measures of this score.")
    found = score.measures_by_number.get(number, ())
    if len(found) == 1:
        return found[0]
    if found:
        places = ", ".join(f"#{i + 1}" for i in found[:6])
        raise RegionError(f"{len(found)} measures are numbered {number}; say which: {places}.")
    printed = f"{score.measures[0].number} to {score.measures[-1].number}" if count else "none"
    raise RegionError(f"There is no measure {number} in this score; it has {printed}.")


def _box_to_json(box: Box) -> dict[str, Any]:
    plain = {"start": box.start, "end": box.end, "unit": box.unit, "part": box.part}
    for name in ("start", "end"):
        if isinstance(plain[name], Fraction):
            plain[name] = float(plain[name])  # type: ignore[arg-type]
    return plain | {"low": box.low, "high": box.high}


def _box_from_json(value: Mapping[str, Any]) -> Box:
    if not isinstance(value, Mapping):
        raise RegionError(f'A box is an object such as {{"start": 0, "end": 4}}; got {value!r}.')
    _known_keys(value, ("start", "end", "unit", "part", "low", "high"), "box")
    missing = [name for name in ("start", "end") if name not in value]
    if missing:
        raise RegionError(f'A box needs "start" and "end"; {" and ".join(missing)} is missing.')
    numbers = {name: value[name] for name in ("start", "end", "low", "high") if name in value}
    for name, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, int | float) or number != number:
            raise RegionError(f'A box\'s "{name}" is a number; got {number!r}.')
    part = value.get("part")
    return Box(
        **numbers, unit=value.get("unit", "measures"), part=None if part is None else str(part)
    )


def _known_keys(value: Mapping[str, Any], known: Sequence[str], what: str) -> None:
    for key in value:
        if key not in known:
            raise RegionError(
                f'A {what} has no "{key}".{suggestion(str(key), known)} Known: {", ".join(known)}.'
            )
