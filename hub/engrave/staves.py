"""How a part is laid out: one staff or two, clefs by range, drums on a percussion staff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hub.score import IntArray, Part, Score


class Clef(NamedTuple):
    """`octave` 1 or −1: an 8 above or below the clef."""

    sign: str
    line: int
    octave: int = 0


class Stroke(NamedTuple):
    """Where a drum is written on the five lines, and its notehead ("" is the normal one)."""

    step: str
    octave: int
    head: str = ""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """index into `Score.parts`; one clef a staff; drums: the pitches that occur."""

    index: int
    clefs: tuple[Clef, ...]
    drums: tuple[int, ...] = ()

    @property
    def is_drums(self) -> bool:
        return self.clefs[0].sign == "percussion"


TREBLE, BASS = Clef("G", 2), Clef("F", 4)
TREBLE_8VB, TREBLE_8VA, BASS_8VB = Clef("G", 2, -1), Clef("G", 2, 1), Clef("F", 4, -1)
PERCUSSION = Clef("percussion", 2)

_KEYBOARDS = frozenset({*range(0, 8), *range(16, 24), 46})
_GUITARS = range(24, 32)

# N. Weinberg, Guidelines for Drumset Notation (1998): the places most drummers read.
STROKES = {
    35: Stroke("F", 4), 36: Stroke("F", 4), 37: Stroke("C", 5, "x"), 38: Stroke("C", 5),
    39: Stroke("C", 5, "x"), 40: Stroke("C", 5), 41: Stroke("G", 4), 42: Stroke("G", 5, "x"),
    43: Stroke("A", 4), 44: Stroke("D", 4, "x"), 45: Stroke("B", 4), 46: Stroke("G", 5, "circle-x"),
    47: Stroke("D", 5), 48: Stroke("E", 5), 49: Stroke("A", 5, "x"), 50: Stroke("E", 5),
    51: Stroke("F", 5, "x"), 52: Stroke("B", 5, "x"), 53: Stroke("F", 5, "diamond"),
    54: Stroke("B", 4, "x"), 55: Stroke("B", 5, "x"), 56: Stroke("E", 5, "triangle"),
    57: Stroke("A", 5, "x"), 59: Stroke("F", 5, "x"), 69: Stroke("B", 4, "x"),
    70: Stroke("B", 4, "x"), 82: Stroke("B", 4, "x"),
}  # fmt: skip


def stroke(pitch: int) -> Stroke:
    """The usual place of a General MIDI drum; the rarer ones share the middle lines."""
    rare = (Stroke("B", 4, "diamond"), Stroke("D", 5, "diamond"), Stroke("A", 4, "diamond"))
    return STROKES.get(pitch) or rare[pitch % 3]


def layout(score: Score, index: int) -> Layout:
    """The layout of part `index`, from all its notes, so that every excerpt looks alike."""
    part = score.parts[index]
    pitches = score.notes.pitch[score.notes.part == index]
    if part.is_drums:
        drums = tuple(int(p) for p in np.unique(pitches))
        return Layout(index=index, clefs=(PERCUSSION,), drums=drums)
    if not len(pitches):
        return Layout(index=index, clefs=(TREBLE,))
    if _needs_two_staves(part, pitches):
        upper, lower = pitches[pitches >= 60], pitches[pitches < 60]
        top = BASS if len(upper) == 0 else TREBLE
        bottom = TREBLE if len(lower) == 0 else BASS
        return Layout(index=index, clefs=(top, bottom))
    return Layout(index=index, clefs=(_clef(part, pitches),))


def _needs_two_staves(part: Part, pitches: IntArray) -> bool:
    if part.staves >= 2:
        return True
    keyboard = part.program is None or part.program in _KEYBOARDS
    low, high = np.percentile(pitches, [4, 96])
    return bool(keyboard and low < 53 and high > 65 and high - low > 21)


def _clef(part: Part, pitches: IntArray) -> Clef:
    middle = float(np.median(pitches))
    if part.program in _GUITARS and 45 <= middle < 67:
        return TREBLE_8VB
    if middle < 40:
        return BASS_8VB
    if middle < 57:
        return BASS
    return TREBLE if middle < 90 else TREBLE_8VA
