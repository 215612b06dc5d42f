"""Score → what a synthesiser is to play: channel messages in milliseconds.

A MIDI file keeps its channels, programs, controllers and pitch bends; what was set before the
excerpt is set at its beginning. Other scores get a channel for each program, drums the tenth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hub.errors import PreviewError
from hub.formats.midi.file import MidiIndex
from hub.score import BoolArray, IntArray, Score

MAX_SECONDS = 300.0
DRUM_CHANNEL = 9
_SHORTEST_MS = 20
_NOTE_OFF, _NOTE_ON, _CONTROL, _PROGRAM, _BEND = 0x80, 0x90, 0xB0, 0xC0, 0xE0
# Bank selects are left out: the sound font that is at hand has one bank.
_CONTROLLERS = (1, 6, 7, 10, 11, 38, 64, 66, 67, 91, 93, 98, 99, 100, 101, 120, 121, 123)

Int32Array = npt.NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class Performance:
    """Messages ready for a synthesiser.

    messages    (N, 4) int32: milliseconds, status with channel, data 1, data 2; in playing order
    seconds     length without the tail in which the last notes die away
    """

    messages: Int32Array
    seconds: float


def perform(
    score: Score,
    start_tick: int | None = None,
    end_tick: int | None = None,
    parts: Sequence[str] | None = None,
) -> Performance:
    """What sounds in [start_tick, end_tick), at most MAX_SECONDS; `parts` are ids (default all).

    Notes that sound into the excerpt begin with it. Raises PreviewError where there are none.
    """
    chosen = [score.part_index(p) for p in parts] if parts is not None else range(len(score.parts))
    clock = _Clock.of(score, max(0, start_tick or 0), score.end if end_tick is None else end_tick)
    notes = _note_messages(score, clock, np.array(chosen, dtype=np.int64))
    if not len(notes):
        raise PreviewError("There are no notes to play in this excerpt.")
    messages = np.concatenate([_programs(score), _controls(score, clock, chosen), notes])
    order = np.lexsort((_rank(messages[:, 1]), messages[:, 0]))
    return Performance(
        messages=messages[order].astype(np.int32),
        seconds=min(max(float(notes[:, 0].max()) / 1000, 0.1), MAX_SECONDS),
    )


def _rank(status: IntArray) -> IntArray:
    """On equal times: notes end, settings change, notes begin."""
    kind = status & 0xF0
    rank: IntArray = np.where(kind == _NOTE_OFF, 0, np.where(kind == _NOTE_ON, 2, 1))
    return rank


@dataclass(frozen=True)
class _Clock:
    """The excerpt in ticks, and ticks as milliseconds from its beginning."""

    score: Score
    start: int
    end: int
    origin: float
    length_ms: int

    @classmethod
    def of(cls, score: Score, start: int, end: int) -> _Clock:
        origin = float(score.seconds_at(start))
        seconds = min(float(score.seconds_at(end)) - origin, MAX_SECONDS)
        return cls(score, start, end, origin, max(0, round(seconds * 1000)))

    def milliseconds(self, ticks: IntArray) -> IntArray:
        seconds = self.score.seconds_at(np.clip(ticks, self.start, self.end)) - self.origin
        rounded: IntArray = np.minimum(np.round(seconds * 1000), self.length_ms).astype(np.int64)
        return rounded


def _note_messages(score: Score, clock: _Clock, parts: IntArray) -> IntArray:
    notes = score.notes
    heard: BoolArray = (notes.onset < clock.end) & (notes.end > clock.start)
    rows = notes[heard & np.isin(notes.part, parts)]
    on = clock.milliseconds(rows.onset)
    rows, on = rows[on < clock.length_ms], on[on < clock.length_ms]
    off = np.maximum(clock.milliseconds(rows.end), on + _SHORTEST_MS)
    channels = _channels(score)[rows.part] if len(rows) else rows.part
    velocity = np.clip(rows.velocity, 1, 127)
    return np.concatenate(
        [
            np.column_stack([on, _NOTE_ON | channels, rows.pitch, velocity]),
            np.column_stack([off, _NOTE_OFF | channels, rows.pitch, np.zeros_like(velocity)]),
        ]
    )


def _midi_index(score: Score) -> MidiIndex | None:
    index = score.source.index if score.source is not None else None
    return index if isinstance(index, MidiIndex) else None


def _channels(score: Score) -> IntArray:
    """Channel (P,) of each part."""
    if _midi_index(score) is not None:
        return np.array([part.channel or 0 for part in score.parts], dtype=np.int64)
    melodic = [channel for channel in range(16) if channel != DRUM_CHANNEL]
    programs = dict.fromkeys(part.program or 0 for part in score.parts if not part.is_drums)
    order = {program: rank % len(melodic) for rank, program in enumerate(programs)}
    return np.array(
        [
            DRUM_CHANNEL if part.is_drums else melodic[order[part.program or 0]]
            for part in score.parts
        ],
        dtype=np.int64,
    )


def _programs(score: Score) -> IntArray:
    """Each channel's first program, at 0 ms. Channels that share a part keep the first one's."""
    first: dict[int, int] = {}
    for channel, part in zip(_channels(score).tolist(), score.parts, strict=True):
        first.setdefault(channel, part.program or 0)
    rows = [(0, _PROGRAM | channel, program, 0) for channel, program in first.items()]
    return np.array(rows, dtype=np.int64).reshape(-1, 4)


def _controls(score: Score, clock: _Clock, parts: Sequence[int]) -> IntArray:
    """Controllers, bends and program changes of a MIDI source, for the chosen parts' channels."""
    index = _midi_index(score)
    if index is None:
        return np.empty((0, 4), dtype=np.int64)
    events = index.events
    kind, channel = events.status & 0xF0, events.status & 0x0F
    wanted = (kind == _BEND) | (kind == _PROGRAM)
    wanted |= (kind == _CONTROL) & np.isin(events.data1, _CONTROLLERS)
    wanted &= np.isin(channel, _channels(score)[list(parts)]) & (events.status < 0xF0)
    wanted &= events.tick < clock.end
    rows = np.flatnonzero(wanted)
    rows = rows[np.argsort(events.tick[rows], kind="stable")]
    before = rows[events.tick[rows] < clock.start]
    inside = rows[events.tick[rows] >= clock.start]
    rows = np.concatenate([_last_of_each(before, events.status, events.data1), inside])
    columns = [clock.milliseconds(events.tick[rows]), events.status[rows]]
    return np.column_stack([*columns, events.data1[rows], events.data2[rows]])


def _last_of_each(rows: IntArray, status: IntArray, data1: IntArray) -> IntArray:
    """The last event of every controller, and the last bend and program of every channel."""
    is_control = (status[rows] & 0xF0) == _CONTROL
    key = status[rows] * 128 + np.where(is_control, data1[rows], 0)
    last = len(rows) - 1 - np.unique(key[::-1], return_index=True)[1]
    return rows[np.sort(last)]
