"""New notes as notation: which note values, ties, triplets and beams write a line of a measure.

Conventions
    tick        within the measure, in ticks of the score
    line        what one voice plays in one measure: sounds and rests that do not overlap
    glyph       one written value (a note, a chord or a rest); tied glyphs make one sound

Every glyph's duration is exact. Where no written value has that length, the glyph looks like the
longest one that is not longer.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hub.formats.musicxml.measure import STEPS, PartState

_TYPES = ("breve", "whole", "half", "quarter", "eighth", "16th", "32nd", "64th")
_TRIPLET = (3, 2)
_FLAGS = {"eighth": 1, "16th": 2, "32nd": 3, "64th": 4}
ACCIDENTALS = {
    -3: "triple-flat",
    -2: "flat-flat",
    -1: "flat",
    0: "natural",
    1: "sharp",
    2: "double-sharp",
    3: "triple-sharp",
}


@dataclass(frozen=True, kw_only=True)
class Sound:
    """What one voice plays from `tick` for `duration`: sounding pitches, none for a rest.

    tie_in, tie_out     it goes on from the measure before, into the measure after
    """

    tick: int
    duration: int
    pitches: tuple[int, ...] = ()
    velocities: tuple[int, ...] = ()
    tie_in: bool = False
    tie_out: bool = False

    @property
    def end(self) -> int:
        return self.tick + self.duration


@dataclass(frozen=True, kw_only=True)
class Glyph:
    """One written value of a sound.

    ratio       (actual, normal) notes of its tuplet; `beams[k]` is the text of beam number k + 1
    marks       further elements for its `<notations>`
    """

    sound: Sound
    tick: int
    duration: int
    type: str
    dots: int = 0
    ratio: tuple[int, int] | None = None
    tuplet: tuple[str, ...] = ()
    beams: tuple[str, ...] = ()
    tie_in: bool = False
    tie_out: bool = False
    marks: tuple[str, ...] = ()

    @property
    def end(self) -> int:
        return self.tick + self.duration

    @property
    def flags(self) -> int:
        return _FLAGS.get(self.type, 0) if self.sound.pitches else 0

    @property
    def is_short(self) -> bool:
        """Can it stand under a beam? (short rests can)"""
        return self.type in _FLAGS


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The meter of one measure, in ticks."""

    ticks_per_quarter: int
    length: int
    beat: int
    values: dict[int, tuple[str, int]] = field(repr=False)

    @classmethod
    def of(cls, state: PartState, length: int, ticks_per_quarter: int) -> Grid:
        unit = max(1, 4 * ticks_per_quarter // state.beat_type)
        is_compound = state.beat_type >= 8 and state.beats % 3 == 0
        beat = 3 * unit if is_compound else max(unit, ticks_per_quarter)
        return cls(
            ticks_per_quarter=ticks_per_quarter,
            length=length,
            beat=beat,
            values=_values(ticks_per_quarter),
        )


def _values(ticks_per_quarter: int) -> dict[int, tuple[str, int]]:
    """Ticks → (note type, dots) for all plain and dotted values that are whole ticks."""
    table: dict[int, tuple[str, int]] = {}
    for power, name in enumerate(_TYPES):
        plain, rest = divmod(8 * ticks_per_quarter, 1 << power)
        if rest:
            break
        table[plain] = (name, 0)
        if plain % 2 == 0 and name != "breve":
            table[plain + plain // 2] = (name, 1)
    return table


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a note of an uncommon tuplet was written, for what takes exactly its place."""

    type: str
    dots: int
    ratio: tuple[int, int]


Looks = Mapping[tuple[int, int], Look]


def notate(line: Sequence[Sound], grid: Grid, looks: Looks | None = None) -> list[Glyph]:
    """The glyphs, in time order, that write a line; they fill exactly the time of its sounds.

    looks       (tick, duration) → how a sound of just that span is to be written
    """
    looks = looks or {}
    free = [s for s in line if (s.tick, s.duration) not in looks]
    windows = triplet_windows({t for s in free for t in (s.tick, s.end)}, grid)
    glyphs: list[Glyph] = []
    for sound in line:
        look = looks.get((sound.tick, sound.duration))
        written = [_as_before(sound, look)] if look else _write(sound, windows, grid)
        glyphs += _tied(written, sound)
    return _beamed(_bracketed(glyphs, windows), windows, grid)


# ---------------------------------------------------------------------------------------- triplets


def triplet_windows(edges: Iterable[int], grid: Grid) -> list[tuple[int, int]]:
    """Spans [start, end) that have to be written in triplets for sounds with these edges."""
    inner = sorted(set(edges))
    quarter = grid.ticks_per_quarter
    size = 2 * quarter if grid.beat % quarter == 0 else quarter // 2
    found: list[tuple[int, int]] = []
    for start in range(0, grid.length if size else 0, size or 1):
        found += _triplets(inner, start, size, quarter)
    return found


def _triplets(edges: list[int], start: int, size: int, quarter: int) -> list[tuple[int, int]]:
    low, high = bisect_right(edges, start), bisect_left(edges, start + size)
    inside = [edge - start for edge in edges[low:high]]
    if all(edge * 16 % quarter == 0 for edge in inside):
        return []
    thirds = all(edge * 3 % size == 0 for edge in inside)
    half = size // 2
    if not thirds and size > quarter // 2 and (size > quarter or half in inside) and size % 2 == 0:
        return [w for s in (start, start + half) for w in _triplets(edges, s, half, quarter)]
    if all(edge * 24 % size == 0 for edge in inside):
        return [(start, start + size)]
    return []


def _tick(glyph: Glyph) -> int:
    return glyph.tick


def _bracketed(glyphs: list[Glyph], windows: list[tuple[int, int]]) -> list[Glyph]:
    result = list(glyphs)
    for start, end in windows:
        low = bisect_left(result, start, key=_tick)
        high = bisect_left(result, end, key=_tick)
        inside = [k for k in range(low, high) if result[k].end <= end]
        if len(inside) > 1 and all(result[k].ratio == _TRIPLET for k in inside):
            first, last = inside[0], inside[-1]
            result[first] = replace(result[first], tuplet=("start",))
            result[last] = replace(result[last], tuplet=("stop",))
    return result


# --------------------------------------------------------------------------------------- the values


def _write(sound: Sound, windows: list[tuple[int, int]], grid: Grid) -> list[Glyph]:
    if not sound.pitches and sound.tick == 0 and sound.duration == grid.length:
        return [Glyph(sound=sound, tick=0, duration=sound.duration, type="")]
    glyphs = []
    for start, end, is_triplet in _cut(sound, windows):
        tick = start
        while tick < end:
            if is_triplet:
                step = _triplet_step(end - tick, grid)
            else:
                step = _step(tick, end - tick, bool(sound.pitches), grid)
            glyphs.append(_glyph(sound, tick, step, is_triplet, grid))
            tick += step
    return glyphs


def _as_before(sound: Sound, look: Look) -> Glyph:
    return Glyph(
        sound=sound,
        tick=sound.tick,
        duration=sound.duration,
        type=look.type,
        dots=look.dots,
        ratio=look.ratio,
    )


def _cut(sound: Sound, windows: list[tuple[int, int]]) -> list[tuple[int, int, bool]]:
    """The sound cut at the borders of triplet windows in which it begins or ends."""
    pieces = []
    tick = sound.tick
    for start, end in windows:
        covers = sound.tick <= start and end <= sound.end
        if end <= tick or start >= sound.end or covers:
            continue
        if start > tick:
            pieces.append((tick, start, False))
            tick = start
        pieces.append((tick, min(end, sound.end), True))
        tick = min(end, sound.end)
    if tick < sound.end:
        pieces.append((tick, sound.end, False))
    return pieces


def _step(tick: int, duration: int, is_note: bool, grid: Grid) -> int:
    """The first written value of a span that begins at `tick`."""
    beat = grid.beat
    offset = tick % beat
    if not is_note:
        return _rest_step(tick, duration, grid)
    if duration in grid.values and _fits(offset, duration, beat):
        return duration
    if offset == 0:
        usable = [v for v in grid.values if v <= duration and (v < beat or v % beat == 0)]
        usable = [v for v in usable if grid.values[v][1] == 0] or usable
        return max(usable, default=duration)
    room = min(duration, beat - offset)
    return max((v for v in grid.values if v <= room), default=room)


def _rest_step(tick: int, duration: int, grid: Grid) -> int:
    """A rest stands on a multiple of its own length; dotted ones fill compound beats only."""
    usable = [
        v
        for v, (_, dots) in grid.values.items()
        if v <= duration and tick % v == 0 and (dots == 0 or v % grid.beat == 0)
    ]
    return max(usable, default=duration)


def _fits(offset: int, duration: int, beat: int) -> bool:
    """May a note stand here without hiding a beat? (an off-beat of one beat's length may)"""
    if offset == 0 or offset + duration <= beat:
        return True
    return duration == beat and 2 * offset == beat


def _triplet_step(duration: int, grid: Grid) -> int:
    usable = [v * 2 // 3 for v in grid.values if v * 2 % 3 == 0 and v * 2 // 3 <= duration]
    return max(usable, default=duration)


def _glyph(sound: Sound, tick: int, step: int, is_triplet: bool, grid: Grid) -> Glyph:
    length = step * 3 // 2 if is_triplet else step
    known = [v for v in grid.values if v <= length]
    name, dots = grid.values[max(known)] if known else ("64th", 0)
    return Glyph(
        sound=sound,
        tick=tick,
        duration=step,
        type=name,
        dots=dots,
        ratio=_TRIPLET if is_triplet else None,
    )


def _tied(glyphs: list[Glyph], sound: Sound) -> list[Glyph]:
    if not sound.pitches:
        return glyphs
    last = len(glyphs) - 1
    return [
        replace(g, tie_in=k > 0 or sound.tie_in, tie_out=k < last or sound.tie_out)
        for k, g in enumerate(glyphs)
    ]


# -------------------------------------------------------------------------------------------- beams


def _beamed(glyphs: list[Glyph], windows: list[tuple[int, int]], grid: Grid) -> list[Glyph]:
    result = list(glyphs)
    run: list[int] = []
    for k, glyph in enumerate([*glyphs, None]):
        if glyph is not None and glyph.flags:
            same = run and glyphs[run[-1]].end == glyph.tick
            if same and _group(glyphs[run[-1]], windows, grid) == _group(glyph, windows, grid):
                run.append(k)
                continue
        _beam(result, run)
        run = [k] if glyph is not None and glyph.flags else []
    return result


def _group(glyph: Glyph, windows: list[tuple[int, int]], grid: Grid) -> tuple[str, int]:
    for start, end in windows:
        if start <= glyph.tick < end:
            return "triplet", start
    return "beat", glyph.tick // grid.beat


def _beam(glyphs: list[Glyph], run: list[int]) -> None:
    """Write the beams of one group into its glyphs; a lone glyph keeps its flag."""
    if len(run) < 2:
        return
    flags = [glyphs[k].flags for k in run]
    for place, k in enumerate(run):
        beams = tuple(_beam_text(flags, place, level) for level in range(1, flags[place] + 1))
        glyphs[k] = replace(glyphs[k], beams=beams)


def _beam_text(flags: list[int], place: int, level: int) -> str:
    before = place > 0 and flags[place - 1] >= level
    after = place + 1 < len(flags) and flags[place + 1] >= level
    if before and after:
        return "continue"
    if before or after:
        return "end" if before else "begin"
    return "backward hook" if place else "forward hook"


# ----------------------------------------------------------------------------------------- spelling


def spell(pitch: int, fifths: int) -> tuple[str, int, int]:
    """(step, alter, octave) of a written MIDI pitch in a key: the nearest on the line of fifths.

    The key's own notes lie at fifths - 1 … fifths + 5 (F = -1, C = 0, G = 1); ties go to the
    sharp side, where raised leading notes are.
    """
    centre = fifths + 2
    place = min(
        (p for p in range(centre - 6, centre + 7) if p * 7 % 12 == pitch % 12),
        key=lambda p: (abs(p - centre), -p),
    )
    alter, position = divmod(place + 1, 7)
    step = "FCGDAEB"[position]
    return step, alter, (pitch - alter - STEPS[step]) // 12 - 1


def key_alter(step: str, fifths: int) -> int:
    """The alteration that the key signature gives a step."""
    rank = "FCGDAEB".index(step)
    return (fifths - rank + 6) // 7
