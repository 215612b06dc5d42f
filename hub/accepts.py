"""What a model accepts, as its card declares it, and whether a request fits.

Only the region and the context the model reads are looked at, so a score that fits somewhere is
usable there, and the cost does not grow with the score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hub.errors import AcceptError, CardError, suggestion
from hub.region import ATTRIBUTES, Region
from hub.score import Measure, Notes, Score

REGION_UNITS = ("measure", "beat", "tick")
READS = ("notes", "other_parts", "keys", "tempos", "chords", "fermatas", "lyrics")
WRITES = ("notes", "velocity")

# Notes of a melody played legato overlap a little; a chord or a second voice overlaps by more.
LEGATO_OVERLAP_QUARTERS = 0.25


@dataclass(frozen=True, kw_only=True)
class Accepts:
    """The card's `accepts:` block.

    parts           (least, most) parts one region may span
    polyphony       "monophonic": one note at a time in each part; "polyphonic": anything
    drums           "no", "yes" (both kinds of part) or "only"
    meters          ("4/4", …) of the measures in the region; empty: any
    grid            positions the model writes in a quarter, for information; None: any tick
    unit            what a region's edges snap to: "measure", "beat" or "tick"
    least, most     length of the region in a part, in units; most None: no limit
    before, after   measures of context the model reads on each side; None: all
    change          attributes a region may change; "notes" stands for all of them
    reads, writes   what besides fixed notes the model looks at, and what it makes; without
                    "velocity" a note written again as it was keeps the velocity that it had
    pitch           (lowest, highest) pitch it writes
    beyond_end      may a region end after the score does?
    """

    parts: tuple[int, int] = (1, 1)
    polyphony: str = "polyphonic"
    drums: str = "no"
    meters: tuple[str, ...] = ()
    grid: int | None = None
    unit: str = "measure"
    least: int = 1
    most: int | None = None
    before: int | None = None
    after: int | None = None
    change: tuple[str, ...] = ("notes",)
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ("notes",)
    pitch: tuple[int, int] = (0, 127)
    beyond_end: bool = False

    @property
    def reads_region(self) -> bool:
        """Does the model see the notes it is asked to replace (groove, variation)?"""
        return "notes" in self.reads

    @property
    def is_monophonic(self) -> bool:
        return self.polyphony == "monophonic"

    def sentences(self) -> list[str]:
        """The limits in words, for pages and `scorehub list`."""
        low, high = self.parts
        parts = f"{low}" if low == high else f"{low} to {high}"
        line = "one note at a time" if self.is_monophonic else "any number of notes at once"
        said = [f"Parts in a region: {parts}, {line}."]
        said.append(
            {"no": "No drum parts.", "yes": "Drum parts too.", "only": "Drum parts only."}[
                self.drums
            ]
        )
        if self.meters:
            said.append(f"Meters: {', '.join(self.meters)}.")
        most = f"{self.least} to {self.most}" if self.most else f"at least {self.least}"
        said.append(f"Length of a region: {most} {self.unit}s.")
        if self.before is not None or self.after is not None:
            said.append(f"Reads {self.before or 0} measures before and {self.after or 0} after.")
        if self.pitch != (0, 127):
            said.append(f"Writes pitches {self.pitch[0]} to {self.pitch[1]}.")
        return said


_KEYS = (
    "parts", "polyphony", "drums", "meters", "grid", "region", "context", "change", "reads",
    "writes", "pitch", "beyond_end",
)  # fmt: skip
_REGION_KEYS = {"unit": "unit", "min": "least", "max": "most"}
_CONTEXT_KEYS = {"before": "before", "after": "after"}
_WORDS: dict[str, tuple[str, ...]] = {
    "polyphony": ("monophonic", "polyphonic"),
    "drums": ("no", "yes", "only"),
    "unit": REGION_UNITS,
}
_LISTS = {"change": ATTRIBUTES, "reads": READS, "writes": WRITES}


def accepts_from_card(block: Mapping[str, Any]) -> Accepts:
    """From the card's `accepts:` mapping. Raises CardError for unknown keys and bad values."""
    flat = dict(_renamed(block, dict.fromkeys(_KEYS, ""), "accepts"))
    for name, keys in (("region", _REGION_KEYS), ("context", _CONTEXT_KEYS)):
        inner = flat.pop(name, {})
        if not isinstance(inner, Mapping):
            raise CardError(f"accepts.{name} is a mapping with {', '.join(keys)}.")
        flat.update(_renamed(inner, keys, f"accepts.{name}"))
    for name in ("parts", "pitch"):
        if name in flat:
            flat[name] = _pair(name, flat[name])
    if isinstance(flat.get("drums"), bool):  # YAML reads a bare yes or no as a boolean
        flat["drums"] = "yes" if flat["drums"] else "no"
    for name, words in _WORDS.items():
        if name in flat and flat[name] not in words:
            hint = suggestion(str(flat[name]), words)
            raise CardError(f"accepts: {name} is one of {', '.join(words)}.{hint}")
    for name in (*_LISTS, "meters"):
        if name in flat:
            flat[name] = _words(name, flat[name])
    for name in ("grid", "least", "most", "before", "after"):
        _check_count(name, flat.get(name))
    return Accepts(**flat)


def _renamed(block: Mapping[str, Any], keys: Mapping[str, str], where: str) -> dict[str, Any]:
    for key in block:
        if key not in keys:
            raise CardError(f'{where} has no key "{key}".{suggestion(str(key), keys)}')
    return {keys[key] or key: value for key, value in block.items()}


def _check_count(name: str, value: Any) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise CardError(f"accepts: {name} is a whole number; got {value!r}.")


def _pair(name: str, value: Any) -> tuple[int, int]:
    pair = (value, value) if isinstance(value, int) else value
    if isinstance(pair, Sequence) and len(pair) == 2 and all(isinstance(v, int) for v in pair):
        low, high = pair
        if 0 <= low <= high:
            return low, high
    raise CardError(f"accepts: {name} is one number or [least, most]; got {value!r}.")


def _words(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise CardError(f"accepts: {name} is a list; got {value!r}.")
    words = tuple(str(word) for word in value)
    for word in words:
        if name in _LISTS and word not in _LISTS[name]:
            known = _LISTS[name]
            raise CardError(f'accepts: {name} has no "{word}".{suggestion(word, known)}')
    return words


def check_request(accepts: Accepts, score: Score, region: Region) -> None:
    """Raise AcceptError, naming measures and parts, unless the (resolved) region fits the card."""
    for check in (_check_parts, _check_change, _check_extent, _check_meters, _check_polyphony):
        check(accepts, score, region)


def _check_parts(accepts: Accepts, score: Score, region: Region) -> None:
    ids = region.parts()
    low, high = accepts.parts
    if not low <= len(ids) <= high:
        wanted = f"{low}" if low == high else f"{low} to {high}"
        raise AcceptError(
            f"This model rewrites {wanted} part(s) at a time; the region spans {len(ids)} "
            f"({', '.join(ids)}). Choose {wanted} of them."
        )
    for part in (score.parts[score.part_index(i)] for i in ids):
        if part.is_drums and accepts.drums == "no":
            raise AcceptError(
                f'Part {part.id} ("{part.name}") is a drum part and this model does not write '
                "drums. Choose another part."
            )
        if not part.is_drums and accepts.drums == "only":
            raise AcceptError(
                f'Part {part.id} ("{part.name}") is not a drum part and this model writes only '
                "drums. Choose a drum part."
            )


def _check_change(accepts: Accepts, score: Score, region: Region) -> None:
    extra = sorted(region.change - set(accepts.change)) if "notes" not in accepts.change else []
    if extra:
        raise AcceptError(
            f"This model changes {', '.join(accepts.change)}, not {', '.join(extra)}."
        )
    if "notes" in accepts.change and region.change != {"notes"} and not accepts.reads_region:
        raise AcceptError(
            "This model writes new notes; it cannot change single attributes of them."
        )


def _check_extent(accepts: Accepts, score: Score, region: Region) -> None:
    end = score.measures[-1].end if score.measures else 0
    for part in region.parts():
        spans = region.spans(part)
        if spans[0][0] >= end and not accepts.beyond_end:
            raise AcceptError("The region begins after the end of the score; mark measures in it.")
        if spans[-1][1] > end and not accepts.beyond_end:
            raise AcceptError("The region ends after the score does; this model does not go on.")
        if accepts.unit == "measure":
            _check_aligned(score, spans, end)
        length = sum(_units(accepts.unit, score, *span) for span in spans)
        if length < accepts.least or (accepts.most and length > accepts.most):
            most = f" and at most {accepts.most}" if accepts.most else ""
            raise AcceptError(
                f"The region covers {length} {accepts.unit}(s); this model rewrites at least "
                f"{accepts.least}{most} at a time. Mark a region of that length."
            )


def _check_aligned(score: Score, spans: Sequence[tuple[int, int]], end: int) -> None:
    edges = {edge for span in spans for edge in span if edge < end}
    starts = {score.measures[score.measure_at(edge)].start for edge in edges}
    if not edges <= starts:
        raise AcceptError(
            "This model rewrites whole measures; the region begins or ends inside one. "
            "Move its edges to bar lines."
        )


def _units(unit: str, score: Score, start: int, end: int) -> int:
    """Length of [start, end) in measures, beats or ticks, begun ones counted."""
    if unit == "tick":
        return end - start
    if unit == "beat":
        return -(-(end - start) // score.ticks_per_quarter)
    inside = score.measure_at(end - 1) - score.measure_at(start) + 1
    past = end - score.measures[-1].end
    return inside + max(0, -(-past // score.measures[-1].length) if past > 0 else 0)


def _check_meters(accepts: Accepts, score: Score, region: Region) -> None:
    if not accepts.meters:
        return
    for measure in (score.measures[i] for i in region.measure_indices(score)):
        if measure.meter not in accepts.meters:
            raise AcceptError(
                f"Measure {measure.number} is in {measure.meter}; this model writes "
                f"{', '.join(accepts.meters)}. Choose measures in those meters."
            )
        if not is_whole(measure, score.ticks_per_quarter):
            raise AcceptError(
                f"Measure {measure.number} is not a whole {measure.meter} measure (a pickup or a "
                "split one); this model writes whole measures only."
            )


def is_whole(measure: Measure, ticks_per_quarter: int) -> bool:
    """Does the measure last as long as its meter says?"""
    return measure.length * measure.beat_type == measure.beats * 4 * ticks_per_quarter


def _check_polyphony(accepts: Accepts, score: Score, region: Region) -> None:
    if not accepts.is_monophonic:
        return
    allowed = score.ticks_per_quarter * LEGATO_OVERLAP_QUARTERS
    marked = set(region.measure_indices(score))
    for part in region.parts():
        start, end = context_window(accepts, score, region.spans(part))
        notes = score.notes_of(part)
        notes = notes[(notes.onset >= start) & (notes.onset < end)]
        where = first_overlap(notes, allowed)
        if where is not None:
            index = score.measure_at(where)
            around = "" if index in marked else ", which it reads as context"
            raise AcceptError(
                f"Part {part} plays several notes at once in measure "
                f"{score.measures[index].number}{around}; this model reads and writes one melody "
                "line. Choose another part, or measures further away."
            )


def context_window(
    accepts: Accepts, score: Score, spans: Sequence[tuple[int, int]]
) -> tuple[int, int]:
    """Ticks [start, end) from the first to the last measure that the model reads."""
    first = score.measure_at(spans[0][0]) - (accepts.before or 0)
    last = score.measure_at(spans[-1][1] - 1) + (accepts.after or 0)
    last = min(last, len(score.measures) - 1)
    return score.measures[max(0, first)].start, max(score.measures[last].end, spans[-1][1])


def first_overlap(notes: Notes, allowed_ticks: float = 0) -> int | None:
    """Onset of the first note that begins well before an earlier one ends; None: a single line."""
    if len(notes) < 2:
        return None
    sounding = np.maximum.accumulate(notes.end)[:-1]
    onsets = notes.onset[1:]
    clash = (sounding - onsets > allowed_ticks) | (np.diff(notes.onset) == 0)
    rows = np.flatnonzero(clash)
    return int(onsets[rows[0]]) if len(rows) else None
