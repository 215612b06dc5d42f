"""Piano roll: compact data for whoever draws, and a light picture of our own (SVG rectangles).

`note_data` is what a browser would be sent; `roll_svg` draws exactly that. Only the window asked
for is touched, and a picture holds at most MAX_DRAWN notes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from html import escape
from itertools import compress, islice
from typing import Any

import numpy as np

from hub.errors import PreviewError
from hub.region import Region
from hub.score import IntArray, Score

MAX_DRAWN = 6000
KEPT, REMOVED, NEW = "kept", "removed", "new"

# One colour a part, told apart by people who see colours differently (Okabe and Ito).
_PART_COLOURS = ("#0072b2", "#009e73", "#cc79a7", "#56b4e9", "#7a5195", "#5d7a00", "#8c6d31")
_REGION, _REMOVED, _NEW = "#e69f00", "#8a8a8a", "#d55e00"
_LEFT, _TOP, _BOTTOM, _LANE_GAP = 44.0, 32.0, 24.0, 16.0


def note_data(
    score: Score,
    *,
    measures: tuple[int, int] | None = None,
    region: Region | None = None,
    changed_rows: Iterable[int] = (),
    removed: Score | None = None,
    removed_rows: Iterable[int] = (),
    parts: Sequence[str] | None = None,
) -> dict[str, Any]:
    """JSON-able columns for a window of measures [a, b) (indices; default: the whole score).

    changed_rows    rows of `score.notes` that are new
    removed, removed_rows   another state of the same score, and its rows that are gone
    Returns {"ticks_per_quarter", "window": [start, end], "measures": {"start", "number"},
    "parts": [{"id", "name", "is_drums", "row", "onset", "duration", "pitch", "velocity",
    "state"}], "boxes": [{"part", "start", "end", "low", "high"}]}, all times in ticks.
    """
    first, last = _window(score, measures)
    start, end = score.measures[first].start, max(score.measures[last - 1].end, 1)
    if last == len(score.measures):
        end = max(end, score.end)
    shown = range(first, last)
    chosen = [score.part_index(part) for part in parts] if parts else range(len(score.parts))
    new = np.fromiter(changed_rows, dtype=np.int64)
    gone = np.fromiter(removed_rows, dtype=np.int64)
    return {
        "ticks_per_quarter": score.ticks_per_quarter,
        "window": [start, end],
        "measures": {
            "index": list(shown),
            "start": [score.measures[i].start for i in shown],
            "number": [score.measures[i].number for i in shown],
        },
        "parts": [_part_data(score, p, (start, end), new, removed, gone) for p in chosen],
        "boxes": _boxes(region.resolve(score), (start, end)) if region is not None else [],
    }


def _window(score: Score, measures: tuple[int, int] | None) -> tuple[int, int]:
    first, last = measures or (0, len(score.measures))
    first, last = max(0, first), min(last, len(score.measures))
    if first >= last:
        raise PreviewError("There are no measures to draw in this part of the score.")
    return first, last


def _part_data(
    score: Score,
    part: int,
    window: tuple[int, int],
    new: IntArray,
    removed: Score | None,
    gone: IntArray,
) -> dict[str, Any]:
    rows = _sounding(score, part, window)
    states = [NEW if is_new else KEPT for is_new in np.isin(rows, new).tolist()]
    columns = _columns(score, rows)
    if removed is not None:
        lost = np.intersect1d(_sounding(removed, part, window), gone)
        extra = _columns(removed, lost)
        columns = {name: values + extra[name] for name, values in columns.items()}
        rows = np.concatenate([rows, np.full(len(lost), -1)])
        states += [REMOVED] * len(lost)
    about = score.parts[part]
    return {
        "id": about.id,
        "name": about.name,
        "is_drums": about.is_drums,
        "row": rows.tolist(),
        **columns,
        "state": states,
    }


def _sounding(score: Score, part: int, window: tuple[int, int]) -> IntArray:
    """Rows of the part's notes that sound in the window."""
    stop = int(np.searchsorted(score.notes.onset, window[1]))
    notes = score.notes
    inside = (notes.part[:stop] == part) & (notes.end[:stop] > window[0])
    return np.flatnonzero(inside)


def _columns(score: Score, rows: IntArray) -> dict[str, list[int]]:
    names = ("onset", "duration", "pitch", "velocity")
    return {name: getattr(score.notes, name)[rows].tolist() for name in names}


def _boxes(region: Region, window: tuple[int, int]) -> list[dict[str, Any]]:
    return [
        {
            "part": box.part,
            "start": max(box.start_tick, window[0]),
            "end": min(box.end_tick, window[1]),
            "low": box.low,
            "high": box.high,
        }
        for box in region.boxes
        if box.end_tick > window[0] and box.start_tick < window[1]
    ]


def roll_svg(
    score: Score,
    *,
    measures: tuple[int, int] | None = None,
    region: Region | None = None,
    changed_rows: Iterable[int] = (),
    removed: Score | None = None,
    removed_rows: Iterable[int] = (),
    parts: Sequence[str] | None = None,
    width: int = 960,
    title: str = "",
) -> str:
    """A piano roll as one SVG string: a lane a part that has notes; arguments as `note_data`."""
    data = note_data(
        score,
        measures=measures,
        region=region,
        changed_rows=changed_rows,
        removed=removed,
        removed_rows=removed_rows,
        parts=parts,
    )
    return draw(data, width=width, title=title)


@dataclass(frozen=True, kw_only=True)
class _Lane:
    """One part's strip of the picture: pitches low..high, `step` pixels each, from y `top`."""

    part: dict[str, Any]
    colour: str
    top: float
    low: int
    high: int
    step: float

    @property
    def height(self) -> float:
        return (self.high - self.low + 1) * self.step

    def y(self, pitch: int) -> float:
        """Upper edge of a pitch's row."""
        return self.top + (self.high - pitch) * self.step


@dataclass(frozen=True, kw_only=True)
class _Scale:
    """Ticks → pixels."""

    start: int
    end: int
    width: float

    def x(self, tick: float) -> float:
        share = (tick - self.start) / max(1, self.end - self.start)
        return round(_LEFT + share * (self.width - _LEFT - 6), 2)


def draw(data: dict[str, Any], *, width: int = 960, title: str = "") -> str:
    """The SVG of what `note_data` returned. Safe to put into a page: all text is escaped."""
    lanes = _lanes(data)
    scale = _Scale(start=data["window"][0], end=data["window"][1], width=width)
    bottom = lanes[-1].top + lanes[-1].height if lanes else _TOP + 40
    hatch = _hatch_name(data)
    pieces = [_head(width, bottom + _BOTTOM, title or "Piano roll"), _hatch(hatch)]
    for lane in lanes:
        pieces += _lane_back(lane, scale)
        pieces += _region_boxes(lane, data["boxes"], scale)
    pieces += _measure_lines(data["measures"], scale, bottom)
    budget = MAX_DRAWN
    for lane in lanes:
        notes = _lane_notes(lane, scale, hatch, at_most=budget)
        budget -= len(notes)
        pieces += notes
    states = {state: _note_style(state, _PART_COLOURS[0], hatch) for state in _states(data)}
    pieces += _legend(bottom, bool(data["boxes"]), states, is_cut=budget <= 0)
    pieces += _measure_targets(data["measures"], scale, bottom)
    return "".join([*pieces, "</svg>"])


def _lanes(data: dict[str, Any]) -> list[_Lane]:
    """Parts with notes or a region; pitch rows get thinner when there are many parts."""
    marked = {box["part"] for box in data["boxes"]}
    parts = [(i, p) for i, p in enumerate(data["parts"]) if p["pitch"] or p["id"] in marked]
    spans = [_pitch_span(part) for _, part in parts]
    rows = sum(high - low + 1 for low, high in spans)
    step = min(6.0, max(2.5, 420 / max(1, rows)))
    lanes, top = [], _TOP
    for (index, part), (low, high) in zip(parts, spans, strict=True):
        colour = _PART_COLOURS[index % len(_PART_COLOURS)]
        lane = _Lane(part=part, colour=colour, top=top, low=low, high=high, step=step)
        lanes.append(lane)
        top += lane.height + _LANE_GAP
    return lanes


def _pitch_span(part: dict[str, Any]) -> tuple[int, int]:
    """Lowest and highest row of a lane: at least an octave, with a little air."""
    pitches = part["pitch"] or [60, 71]
    low, high = min(pitches), max(pitches)
    missing = max(0, 11 - (high - low))
    return max(0, low - 1 - missing // 2), min(127, high + 1 + (missing + 1) // 2)


def _head(width: float, height: float, title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="piano-roll" role="img" '
        f'viewBox="0 0 {width:g} {height:.1f}" width="100%" '
        f'style="color:var(--body-text-color,#222);max-width:{width}px;font:10px sans-serif" '
        f'aria-label="{escape(title)}"><title>{escape(title)}</title>'
    )


def _hatch_name(data: dict[str, Any]) -> str:
    """Another one for every picture that has removed notes: they may stand on one page."""
    gone = [
        list(compress(zip(p["onset"], p["pitch"], strict=True), (s == REMOVED for s in p["state"])))
        for p in data["parts"]
    ]
    return "roll-" + blake2b(repr((gone, data["window"])).encode(), digest_size=5).hexdigest()


def _hatch(name: str) -> str:
    """The pattern of removed notes; its name is the picture's own."""
    return (
        f'<defs><pattern id="{name}" width="4" height="4" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"><rect width="1.4" height="4" fill="{_REMOVED}"/>'
        "</pattern></defs>"
    )


def _lane_back(lane: _Lane, scale: _Scale) -> list[str]:
    """The strip, a shade for black keys, C lines with names, and the part's name."""
    left, right = scale.x(scale.start), scale.x(scale.end)
    across = right - left
    pieces = [
        f'<rect x="{left}" y="{lane.top:.1f}" width="{across:.1f}" height="{lane.height:.1f}" '
        'fill="currentColor" opacity="0.04"/>'
    ]
    if not lane.part["is_drums"]:
        for pitch in range(lane.low, lane.high + 1):
            if pitch % 12 == 0:
                pieces.append(_c_line(lane, pitch, left, right))
    name = escape(_shortened(lane.part["name"] or lane.part["id"]))
    pieces.append(
        f'<text x="{left + 2}" y="{lane.top - 3:.1f}" fill="currentColor" opacity="0.8" '
        f'font-weight="bold">{name}</text>'
    )
    return pieces


def _c_line(lane: _Lane, pitch: int, left: float, right: float) -> str:
    y = lane.y(pitch) + lane.step
    return (
        f'<path d="M{left} {y:.1f}H{right}" stroke="currentColor" opacity="0.25"/>'
        f'<text x="{_LEFT - 4}" y="{y:.1f}" text-anchor="end" fill="currentColor" '
        f'opacity="0.75">C{pitch // 12 - 1}</text>'
    )


def _shortened(name: str, length: int = 40) -> str:
    clean = "".join(c for c in " ".join(name.split()) if c.isprintable())
    return clean if len(clean) <= length else clean[: length - 1] + "…"


def _region_boxes(lane: _Lane, boxes: list[dict[str, Any]], scale: _Scale) -> list[str]:
    pieces = []
    for box in boxes:
        if box["part"] == lane.part["id"]:
            high, low = min(box["high"], lane.high), max(box["low"], lane.low)
            if high < low:
                continue
            x, y = scale.x(box["start"]), lane.y(high)
            wide, tall = scale.x(box["end"]) - x, (high - low + 1) * lane.step
            pieces.append(
                f'<rect class="region" x="{x}" y="{y:.1f}" width="{wide:.1f}" height="{tall:.1f}" '
                f'fill="{_REGION}" fill-opacity="0.22" stroke="{_REGION}" stroke-dasharray="4 2"/>'
            )
    return pieces


def _measure_lines(measures: dict[str, Any], scale: _Scale, bottom: float) -> list[str]:
    """A line a measure; as many printed numbers as have room."""
    every = max(1, round(28 * len(measures["start"]) / max(1, scale.width - _LEFT)))
    pieces = []
    for place, (tick, number) in enumerate(zip(measures["start"], measures["number"], strict=True)):
        x = scale.x(tick)
        if every < 8 or place % every == 0:
            pieces.append(
                f'<path d="M{x} {_TOP - 16}V{bottom:.1f}" stroke="currentColor" opacity="0.3"/>'
            )
        if place % every == 0:
            pieces.append(
                f'<text x="{x + 2}" y="{_TOP - 20}" fill="currentColor" opacity="0.8">'
                f"{escape(_shortened(number, 6))}</text>"
            )
    return pieces


def _measure_targets(measures: dict[str, Any], scale: _Scale, bottom: float) -> list[str]:
    """A see-through rectangle a measure, so that pages know which one is pointed at."""
    ends = [*measures["start"][1:], scale.end]
    return [
        f'<rect data-measure="{index}" x="{scale.x(start)}" y="{_TOP - 18}" '
        f'width="{scale.x(end) - scale.x(start):.2f}" height="{bottom - _TOP + 18:.1f}" '
        'fill="currentColor" fill-opacity="0"/>'
        for index, start, end in zip(measures["index"], measures["start"], ends, strict=True)
    ]


def _lane_notes(lane: _Lane, scale: _Scale, hatch: str, *, at_most: int) -> list[str]:
    part = lane.part
    columns = (part["onset"], part["duration"], part["pitch"], part["state"])
    pieces = []
    for onset, duration, pitch, state in islice(zip(*columns, strict=True), at_most):
        x = scale.x(max(onset, scale.start))
        wide = max(1.5, scale.x(min(onset + duration, scale.end)) - x - 0.4)
        place = f'x="{x}" y="{lane.y(pitch):.1f}" width="{wide:.1f}" height="{lane.step - 0.4:.1f}"'
        pieces.append(f"<rect {place} {_note_style(state, lane.colour, hatch)}/>")
    return pieces


def _note_style(state: str, colour: str, hatch: str) -> str:
    """Told apart by shape as well: new notes have an outline, removed ones are hatched."""
    if state == NEW:
        return f'class="new" rx="1" fill="{_NEW}" stroke="currentColor" stroke-width="0.9"'
    if state == REMOVED:
        return (
            f'class="removed" fill="url(#{hatch})" stroke="{_REMOVED}" stroke-width="0.5" '
            'stroke-dasharray="2 1"'
        )
    return f'class="kept" rx="1" fill="{colour}"'


def _states(data: dict[str, Any]) -> list[str]:
    seen = {state for part in data["parts"] for state in part["state"]}
    return [state for state in (KEPT, NEW, REMOVED) if state in seen]


def _legend(bottom: float, has_region: bool, styles: dict[str, str], *, is_cut: bool) -> list[str]:
    """What the colours and shapes mean, and a word when not all notes are drawn."""
    y = bottom + 9
    pieces, x = [], _LEFT
    if has_region:
        box = f'fill="{_REGION}" fill-opacity="0.22" stroke="{_REGION}" stroke-dasharray="4 2"'
        pieces.append(_legend_entry(x, y, box, "region"))
        x += 70
    for state, style in styles.items():
        pieces.append(_legend_entry(x, y, style, f"{state} notes"))
        x += 100
    if is_cut:
        words = f"only the first {MAX_DRAWN} notes are drawn"
        pieces.append(f'<text x="{x}" y="{y + 7}" fill="currentColor">{words}</text>')
    return pieces


def _legend_entry(x: float, y: float, style: str, words: str) -> str:
    return (
        f'<rect x="{x}" y="{y}" width="16" height="8" {style}/>'
        f'<text x="{x + 20}" y="{y + 8}" fill="currentColor">{words}</text>'
    )
