"""Written time as note values: dots, ties, triplets and beams within one measure.

All positions are units (24 a quarter) from the beginning of the measure. A beat is a beam group:
a quarter, a dotted quarter in compound meters. A cell is the stretch that a triplet bracket spans.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from hub.engrave.quantise import Bar
from hub.engrave.voices import Chord, Tone

# Units → (type, dots), longest first.
BINARY = {
    192: ("breve", 0),
    144: ("whole", 1),
    96: ("whole", 0),
    72: ("half", 1),
    48: ("half", 0),
    36: ("quarter", 1),
    24: ("quarter", 0),
    18: ("eighth", 1),
    12: ("eighth", 0),
    9: ("16th", 1),
    6: ("16th", 0),
    3: ("32nd", 0),
}
TRIPLET = {
    32: ("half", 0),
    24: ("quarter", 1),
    16: ("quarter", 0),
    12: ("eighth", 1),
    8: ("eighth", 0),
    6: ("16th", 1),
    4: ("16th", 0),
    3: ("32nd", 1),
    2: ("32nd", 0),
    1: ("64th", 0),
}
FLAGS = {"eighth": 1, "16th": 2, "32nd": 3, "64th": 4}


class Cell(NamedTuple):
    """A stretch written in triplets."""

    start: int
    length: int

    @property
    def end(self) -> int:
        return self.start + self.length


class Piece(NamedTuple):
    """A chord or a rest within one measure, not yet a note value."""

    start: int
    end: int
    tones: tuple[Tone, ...]
    tied_before: bool = False
    tied_after: bool = False


@dataclass(kw_only=True)
class Value:
    """One written note value: a chord, or a rest where `tones` is empty.

    tied_before, tied_after     to the neighbouring values of the same chord
    beams       for each beam from the first: begin, continue, end, forward hook, backward hook
    tuplet      "" or start, stop, both
    """

    start: int
    length: int
    type: str
    dots: int
    tones: tuple[Tone, ...]
    tied_before: bool = False
    tied_after: bool = False
    is_triplet: bool = False
    beams: tuple[str, ...] = ()
    starts_tuplet: bool = False
    stops_tuplet: bool = False

    @property
    def end(self) -> int:
        return self.start + self.length


def beats(bar: Bar) -> list[int]:
    """Starts of the measure's beats, and its end."""
    meter, length = bar.measure, bar.length
    if meter.beat_type >= 8:
        eighth = 96 // meter.beat_type
        compound = meter.beats % 3 == 0
        sizes = [3 * eighth] * (meter.beats // 3) if compound else _uneven(meter.beats, eighth)
    else:
        sizes = [24] * (96 * meter.beats // meter.beat_type // 24)
    edges = [0]
    for size in sizes:
        edges.append(edges[-1] + size)
    edges = [edge - bar.phase for edge in edges]
    inside = [edge for edge in edges if 0 < edge < length]
    beyond = range((inside[-1] if inside else 0) + 24, length, 24) if edges[-1] < length else ()
    return [0, *inside, *beyond, length]


def _uneven(count: int, eighth: int) -> list[int]:
    """5/8 as 3+2, 7/8 as 2+2+3, others in twos."""
    if count == 5:
        return [3 * eighth, 2 * eighth]
    twos, odd = divmod(count, 2)
    return [2 * eighth] * (twos - odd) + [3 * eighth] * odd


def pieces_of(chords: Sequence[Chord], bar: Bar) -> list[Piece]:
    """A voice's chords (in the excerpt's units) cut to the measure, rests between them."""
    out: list[Piece] = []
    position = 0
    for chord in chords:
        start, end = max(0, chord.start - bar.start), min(bar.length, chord.end - bar.start)
        if start > position:
            out.append(Piece(position, start, ()))
        before, after = chord.start < bar.start, chord.end > bar.end
        out.append(Piece(start, end, chord.tones, before, after))
        position = end
    if position < bar.length:
        out.append(Piece(position, bar.length, ()))
    return out


def values_of(pieces: Sequence[Piece], bar: Bar) -> list[Value]:
    """The measure's note values, tied where one piece needs several, beamed, in brackets."""
    edges = beats(bar)
    cells = _triplet_cells(pieces, bar)
    out: list[Value] = []
    for piece in pieces:
        spelled = [
            value
            for start, end, cell in _stretches(piece, cells)
            for value in _spell(start, end, cell, edges, bar, is_rest=not piece.tones)
        ]
        for place, value in enumerate(spelled):
            value.tones = piece.tones
            value.tied_before = bool(piece.tones) and (place > 0 or piece.tied_before)
            value.tied_after = bool(piece.tones) and (place < len(spelled) - 1 or piece.tied_after)
        out += spelled
    _bracket(out, cells)
    _beam(out, edges, cells, bar)
    return out


def _triplet_cells(pieces: Sequence[Piece], bar: Bar) -> list[Cell]:
    """Where binary values do not reach: whole beats, their halves, or pairs of beats."""
    edges = sorted({piece.start for piece in pieces} | {piece.end for piece in pieces})
    size = bar.cell
    first = size - bar.phase % size
    starts = [0, *range(first, bar.length, size)]
    cells: list[Cell] = []
    for start, end in zip(starts, [*starts[1:], bar.length], strict=True):
        inside = [e - start for e in edges if start < e < end]
        found = _cells_within(start, end - start, inside)
        pair = _pair(cells, found, edges, bar)
        cells = cells[:-1] + pair if pair else cells + found
    return cells


def _cells_within(start: int, length: int, inside: Sequence[int]) -> list[Cell]:
    if all(edge % 3 == 0 for edge in inside):
        return []
    half = length // 2
    if length == 24 and half in inside and any(edge % 8 for edge in inside):
        early = [edge for edge in inside if edge < half]
        late = [edge - half for edge in inside if edge > half]
        return _cells_within(start, half, early) + _cells_within(start + half, half, late)
    return [Cell(start, length)]


def _pair(
    before: Sequence[Cell], found: Sequence[Cell], edges: Sequence[int], bar: Bar
) -> list[Cell]:
    """One bracket over two beats, for triplets of quarters."""
    if bar.cell != 24 or not before or len(found) != 1 or found[0].length != 24:
        return []
    start = before[-1].start
    whole = Cell(start, 48)
    if before[-1] != Cell(start, 24) or found[0].start != start + 24 or (start + bar.phase) % 48:
        return []
    inside = [edge - start for edge in edges if start < edge < start + 48]
    return [whole] if all(edge % 16 == 0 for edge in inside) else []


def _stretches(piece: Piece, cells: Sequence[Cell]) -> list[tuple[int, int, Cell | None]]:
    """The piece cut at the edges of triplet cells."""
    out: list[tuple[int, int, Cell | None]] = []
    position = piece.start
    for cell in cells:
        if cell.end <= position or cell.start >= piece.end:
            continue
        if cell.start > position:
            out.append((position, cell.start, None))
            position = cell.start
        end = min(cell.end, piece.end)
        out.append((position, end, cell))
        position = end
    if position < piece.end:
        out.append((position, piece.end, None))
    return out


def _spell(
    start: int, end: int, cell: Cell | None, edges: Sequence[int], bar: Bar, *, is_rest: bool
) -> list[Value]:
    out = []
    position = start
    while position < end:
        if cell is not None:
            length = _triplet_length(position - cell.start, end - position)
            kind, dots = TRIPLET[length]
        else:
            length = _binary_length(position, end - position, edges, bar, is_rest=is_rest)
            kind, dots = BINARY.get(length, ("64th", 0))
        out.append(
            Value(
                start=position,
                length=length,
                type=kind,
                dots=dots,
                tones=(),
                is_triplet=cell is not None,
            )
        )
        position += length
    return out


def _triplet_length(position: int, room: int) -> int:
    """Longest plain value that fits and starts where such values stand; dots only on beats."""
    for length, (_, dots) in TRIPLET.items():
        if length <= room and (position == 0 or (not dots and position % length == 0)):
            return length
    return 1


def _binary_length(
    position: int, room: int, edges: Sequence[int], bar: Bar, *, is_rest: bool
) -> int:
    index = bisect_right(edges, position) - 1
    beat_start = edges[index]
    to_next = edges[index + 1] - position
    if position == beat_start:
        spans = [edge - position for edge in edges[index + 1 :] if edge - position <= room]
        if is_rest:
            return _rest_on_beat(position, room, to_next, bar)
        whole_beats = [span for span in spans if span in BINARY]
        if to_next in (36, 18):
            return max(whole_beats) if whole_beats else _longest(min(room, to_next))
        return _longest(room)
    if not is_rest and _is_syncopated(position, room, to_next, bar):
        return 24
    return _within_beat(position - beat_start, min(room, to_next), is_rest=is_rest)


def _longest(room: int) -> int:
    return next((length for length in BINARY if length <= room), room)


def _rest_on_beat(position: int, room: int, to_next: int, bar: Bar) -> int:
    """Half rests only on strong beats; dotted ones only for a compound beat."""
    if room < to_next:
        plain = (length for length, (_, dots) in BINARY.items() if not dots)
        return next((length for length in plain if length <= room), room)
    if to_next == 24 and room >= 48 and (position + bar.phase) % 48 == 0:
        return 48
    return to_next if to_next in BINARY else _longest(to_next)


def _is_syncopated(position: int, room: int, to_next: int, bar: Bar) -> bool:
    """A quarter on the half beat, unless it would hide the middle of the measure."""
    middle = bar.measure.beats % 2 == 0 and (position + 12 + bar.phase) % 48 == 0
    return room == 24 and to_next == 12 and not middle


def _within_beat(offset: int, room: int, *, is_rest: bool) -> int:
    """Values inside a beat line up with their own size, so that the beat can be seen."""
    for length, (_, dots) in BINARY.items():
        if length > room:
            continue
        plain = not dots and offset % length == 0
        shifted = not is_rest and (
            (offset % 12 == 6 and length in (12, 18))
            or (length == 6 and offset % 12 <= 6 and offset % 3 == 0)
        )
        dotted = not is_rest and dots == 1 and offset % (length // 3 * 2) == 0
        late_quarter = not is_rest and length == 24 and offset % 12 == 0  # in a beat of three
        if plain or shifted or dotted or late_quarter:
            return length
    return min(room, 3)


def _bracket(values: Sequence[Value], cells: Sequence[Cell]) -> None:
    for cell in cells:
        inside = [v for v in values if cell.start <= v.start < cell.end]
        if inside:
            inside[0].starts_tuplet = inside[-1].stops_tuplet = True


def _beam(values: list[Value], edges: Sequence[int], cells: Sequence[Cell], bar: Bar) -> None:
    groups: dict[int, list[Value]] = {}
    for value in values:
        place = bisect_right(edges, value.start) - 1
        cell = next((c for c in cells if c.start <= value.start < c.end), None)
        is_whole_beat = cell is not None and cell.length >= edges[place + 1] - edges[place]
        key = cell.start if cell is not None and is_whole_beat else edges[place]
        groups.setdefault(key, []).append(value)
    for group in _joined(groups, bar):
        for run in _runs(group):
            _write_beams(run)


def _joined(groups: dict[int, list[Value]], bar: Bar) -> list[list[Value]]:
    """Plain eighths beam by half measures in 2/4, 4/4 and 2/2, through the whole of 3/4."""
    meter = bar.measure.meter
    span = {"2/4": 48, "4/4": 48, "2/2": 48, "3/4": 72}.get(meter)
    if span is None:
        return list(groups.values())
    out: dict[int, list[list[Value]]] = {}
    for start, group in groups.items():
        out.setdefault((start + bar.phase) // span, []).append(group)
    joined: list[list[Value]] = []
    for members in out.values():
        plain = all(
            v.type == "eighth" and not v.dots and v.tones and not v.is_triplet
            for group in members
            for v in group
        )
        joined += [list(chain.from_iterable(members))] if plain else members
    return joined


def _runs(group: Sequence[Value]) -> list[list[Value]]:
    """Neighbouring values with flags, two or more."""
    runs: list[list[Value]] = [[]]
    for value in group:
        if value.tones and value.type in FLAGS:
            runs[-1].append(value)
        else:
            runs.append([])
    return [run for run in runs if len(run) > 1]


def _write_beams(run: Sequence[Value]) -> None:
    counts = [FLAGS[value.type] for value in run]
    for place, value in enumerate(run):
        value.beams = tuple(
            _beam_state(counts, place, level) for level in range(1, counts[place] + 1)
        )


def _beam_state(counts: Sequence[int], place: int, level: int) -> str:
    before = place > 0 and counts[place - 1] >= level
    after = place + 1 < len(counts) and counts[place + 1] >= level
    if before and after:
        return "continue"
    if before or after:
        return "end" if before else "begin"
    return "backward hook" if place > 0 else "forward hook"
