"""What the MusicXML reader remembers about a file, so that a splice can find every note again.

A *segment* is one `<note>` element that sounds. Tied segments make one note of the score, so every
row of `Score.notes` owns a chain of one or more segments.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from hub.formats.musicxml.measure import Drums, PartState, Timeline
from hub.formats.musicxml.text import XmlText
from hub.numerals import whole_number
from hub.score import DEFAULT_VELOCITY, IntArray, Notes

TIE_START, TIE_STOP = 1, 2


@dataclass(frozen=True, eq=False)
class Segments:
    """Columns (S,) int64, in document order.

    part, measure   indices; a measure's index counts from 0 in its part
    start, end      byte span of the element in the body
    onset, duration in ticks of the score; pitch sounds; velocity 0 where the note states none
    voice, staff    voice is an index into `Index.voices`
    ties            TIE_START | TIE_STOP
    """

    part: IntArray
    measure: IntArray
    start: IntArray
    end: IntArray
    onset: IntArray
    duration: IntArray
    pitch: IntArray
    velocity: IntArray
    voice: IntArray
    staff: IntArray
    ties: IntArray

    @classmethod
    def of(cls, rows: Sequence[tuple[int, ...]]) -> Segments:
        width = len(fields(cls))
        table = np.array(rows, dtype=np.int64).reshape(-1, width)
        return cls(*np.ascontiguousarray(table.T))

    def __len__(self) -> int:
        return len(self.part)

    def take(self, rows: IntArray) -> Segments:
        return Segments(*(getattr(self, f.name)[rows] for f in fields(self)))

    def __add__(self, other: Segments) -> Segments:
        return Segments(
            *(np.concatenate([getattr(self, f.name), getattr(other, f.name)]) for f in fields(self))
        )


def segment_rows(
    line: Timeline, measure: int, start: int, part: int, voices: dict[str, int]
) -> Iterable[tuple[int, ...]]:
    """Rows for `Segments` from a measure that begins at tick `start`; new voices are numbered."""
    for item in line.items:
        if item.pitch is None:
            continue
        ties = TIE_START * item.tie_start | TIE_STOP * item.tie_stop
        voice = voices.setdefault(item.voice, len(voices))
        element = item.element
        yield (
            part,
            measure,
            element.start,
            element.end,
            start + item.tick,
            item.duration,
            item.pitch,
            item.velocity,
            voice,
            item.staff,
            ties,
        )


@dataclass(frozen=True, eq=False)
class Chains:
    """Row r of the notes owns segments `members[pointers[r] : pointers[r + 1]]`, in time order."""

    pointers: IntArray
    members: IntArray

    def of(self, row: int) -> list[int]:
        members: list[int] = self.members[self.pointers[row] : self.pointers[row + 1]].tolist()
        return members

    def heads(self) -> IntArray:
        """The first segment (N,) of every note."""
        return self.members[self.pointers[:-1]]


@dataclass(frozen=True, kw_only=True, eq=False)
class PartIndex:
    """One part: byte spans of its measures; `states`: at each measure's start, and at the end.

    dynamics    (tick, velocity) from which on notes that state no velocity have it
    """

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    states: tuple[PartState, ...]
    dynamics: tuple[tuple[int, int], ...]
    drums: Drums

    @property
    def last_state(self) -> PartState:
        """In force after the last measure."""
        return self.states[-1]


@dataclass(frozen=True, kw_only=True, eq=False)
class Index:
    text: XmlText
    parts: tuple[PartIndex, ...]
    voices: tuple[str, ...]
    segments: Segments
    chains: Chains


class _Tied(NamedTuple):
    """A segment with a tie; `line` is its voice and staff."""

    row: int
    part: int
    pitch: int
    onset: int
    end: int
    line: tuple[int, int]
    ties: int


def merge_ties(segments: Segments) -> list[list[int]]:
    """Chains of segment rows: a tie start and a tie stop of one part and pitch that meet in time.

    Segments of one voice and staff find each other first, then those of different ones; a start
    or stop without partner is a note of its own.
    """
    chains = [[row] for row in np.flatnonzero(segments.ties == 0).tolist()]
    waiting: dict[tuple[int, int, int], list[tuple[tuple[int, int], list[int]]]] = {}
    for _, together in itertools.groupby(_tied(segments), key=lambda t: t.onset):
        group = list(together)
        found: dict[int, list[int]] = {}
        for is_same_line in (True, False):
            for tied in group:
                if tied.ties & TIE_STOP and tied.row not in found:
                    open_ = waiting.get((tied.part, tied.pitch, tied.onset), [])
                    chain = _take(open_, tied.line if is_same_line else None)
                    if chain is not None:
                        found[tied.row] = chain
        for tied in group:
            chain = found.get(tied.row)
            if chain is None:
                chain = []
                chains.append(chain)
            chain.append(tied.row)
            if tied.ties & TIE_START:
                key = (tied.part, tied.pitch, tied.end)
                waiting.setdefault(key, []).append((tied.line, chain))
    return chains


def _tied(segments: Segments) -> list[_Tied]:
    """The segments with ties, in order of time, then of the file."""
    rows = np.flatnonzero(segments.ties)
    rows = rows[np.lexsort((rows, segments.onset[rows]))]
    names = ("part", "pitch", "onset", "duration", "voice", "staff", "ties")
    columns = [getattr(segments, name)[rows].tolist() for name in names]
    return [
        _Tied(row, part, pitch, onset, onset + duration, (voice, staff), ties)
        for row, part, pitch, onset, duration, voice, staff, ties in zip(
            rows.tolist(), *columns, strict=True
        )
    ]


def _take(
    open_: list[tuple[tuple[int, int], list[int]]], line: tuple[int, int] | None
) -> list[int] | None:
    """Take the first open chain, of this line if one is given, out of the list."""
    for k, (own, chain) in enumerate(open_):
        if line is None or own == line:
            del open_[k]
            return chain
    return None


def notes_of(
    segments: Segments,
    dynamics: Sequence[Sequence[tuple[int, int]]],
    voices: Sequence[str],
) -> tuple[Notes, Chains]:
    """The notes that the segments make, sorted as a Score wants them, and their chains."""
    merged = merge_ties(segments)
    heads = np.array([chain[0] for chain in merged], dtype=np.int64)
    lengths = np.array([len(chain) for chain in merged], dtype=np.int64)
    members = np.array([row for chain in merged for row in chain], dtype=np.int64)
    begins = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
    durations = segments.duration[members]
    total = np.add.reduceat(durations, begins) if len(members) else durations
    onset, part, pitch = segments.onset[heads], segments.part[heads], segments.pitch[heads]
    order = np.lexsort((heads, pitch, part, onset))
    numbers = voice_numbers(voices)[segments.voice[heads]]
    velocity = _velocities(segments.velocity[heads], onset, part, dynamics)
    notes = Notes(onset, total, pitch, velocity, part, numbers)[order]
    rows = [merged[row] for row in order.tolist()]
    pointers = np.concatenate([[0], np.cumsum(lengths[order])]).astype(np.int64)
    flat = np.array([row for chain in rows for row in chain], dtype=np.int64)
    return notes, Chains(pointers, flat)


def voice_numbers(voices: Sequence[str]) -> IntArray:
    """A number for every voice label: its own where it is one, else the next free one."""
    own = [whole_number(label) if len(label) < 6 else None for label in voices]
    numbers, following = [], max((n for n in own if n is not None), default=0)
    for number in own:
        if number is None:
            following += 1
            number = following
        numbers.append(number)
    return np.array(numbers, dtype=np.int64)


def _velocities(
    stated: IntArray,
    onset: IntArray,
    part: IntArray,
    dynamics: Sequence[Sequence[tuple[int, int]]],
) -> IntArray:
    """A note's own velocity, else that of the last dynamics of its part, else the default."""
    result = np.where(stated > 0, stated, DEFAULT_VELOCITY)
    for index, marks in enumerate(dynamics):
        if not marks:
            continue
        silent = (part == index) & (stated == 0)
        ticks = np.array([tick for tick, _ in marks], dtype=np.int64)
        values = np.array([DEFAULT_VELOCITY, *(value for _, value in marks)], dtype=np.int64)
        result[silent] = values[np.searchsorted(ticks, onset[silent], side="right")]
    return result


def ambient_velocity(dynamics: Sequence[tuple[int, int]], tick: int) -> int:
    """The velocity that a note which states none has at `tick`."""
    past = [value for at, value in dynamics if at <= tick]
    return past[-1] if past else DEFAULT_VELOCITY
