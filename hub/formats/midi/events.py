"""Standard MIDI File bytes ↔ events as columns: chunks, one scan, FIFO note pairing.

Conventions
    byte offsets    absolute, into the whole file
    tick            absolute, counted from the start of the track
    row             index of an event in `Events`; rows follow the file, track after track

How the scan is fast in plain Python: channel messages with two data bytes (notes, controllers,
bends), running status included, form runs that one regular expression crosses in C. In such a
run each event has exactly three bytes below 0x80 (the end of its delta time and two data bytes),
so NumPy splits all runs at once. Everything else is read event by event.

Tolerated, and kept byte for byte: running status that continues after meta and system events,
system messages F1..FE, data bytes above 127 (read as 127), a missing end-of-track event, bytes
after end-of-track, a last track shorter than its header says, as long as its events are whole.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hub import limits
from hub.errors import BadFileError
from hub.score import BoolArray, IntArray

END_OF_TRACK = 0x2F
META = 0xFF
MAX_DELTA = 0x0FFF_FFFF

_NUMBER = re.compile(rb"[\x80-\xff]{0,3}+[\x00-\x7f]")
_TWO_BYTE_RUN = re.compile(
    rb"(?:[\x80-\xff]{0,3}+[\x00-\x7f][\x80-\xbf\xe0-\xef]?+[\x00-\x7f][\x00-\x7f])++"
)
_ONE_BYTE_RUN = re.compile(rb"(?:[\x80-\xff]{0,3}+[\x00-\x7f][\xc0-\xdf]?+[\x00-\x7f])++")
_RUNS = {1: _ONE_BYTE_RUN, 2: _TWO_BYTE_RUN}
# Data bytes of the system messages that have no business in a file but occur.
_SYSTEM_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0, 0xF8: 0, 0xFA: 0, 0xFB: 0, 0xFC: 0, 0xFE: 0}


class Chunk(NamedTuple):
    """One chunk: its 4-letter kind, its content as [start, stop), and the length it declares."""

    kind: bytes
    start: int
    stop: int
    declared: int


class Meta(NamedTuple):
    """A meta event: the offset of its delta time, its type, its content as [start, stop)."""

    at: int
    type: int
    start: int
    stop: int


@dataclass(frozen=True, eq=False)
class Events:
    """All events of all tracks as columns (E,), in file order.

    at          offset of the delta time; body: of the first byte after it
    tick        absolute tick in its track
    status      in force: 0x80..0xEF with channel, 0xFF meta, 0xF0..0xFE system
    data1, data2    clipped to 0..127; 0 where there is none
    bounds      (T+1,) rows: track k has the rows bounds[k]:bounds[k+1]
    stops       (T,) offset after the last event of each track
    metas       all meta events, in file order
    """

    at: IntArray
    body: IntArray
    tick: IntArray
    status: IntArray
    data1: IntArray
    data2: IntArray
    bounds: IntArray
    stops: IntArray
    metas: tuple[Meta, ...]

    def __len__(self) -> int:
        return len(self.at)

    def track_of(self, rows: IntArray) -> IntArray:
        return np.searchsorted(self.bounds, rows, side="right") - 1

    def stop_of(self, row: int) -> int:
        """Offset after this event."""
        track = int(np.searchsorted(self.bounds, row, side="right")) - 1
        last = row + 1 == self.bounds[track + 1]
        return int(self.stops[track] if last else self.at[row + 1])

    def is_note_on(self) -> BoolArray:
        mask: BoolArray = (self.status >> 4 == 0x9) & (self.data2 > 0)
        return mask

    def is_note_off(self) -> BoolArray:
        mask: BoolArray = (self.status >> 4 == 0x8) | (
            (self.status >> 4 == 0x9) & (self.data2 == 0)
        )
        return mask


def varlen(value: int) -> bytes:
    """A variable-length quantity of 1 to 4 bytes; ValueError outside 0..MAX_DELTA."""
    if not 0 <= value <= MAX_DELTA:
        raise ValueError(f"{value} is no variable-length quantity (0 to {MAX_DELTA}).")
    out = [value & 0x7F]
    while value := value >> 7:
        out.append(0x80 | (value & 0x7F))
    return bytes(reversed(out))


def chunks(data: bytes, start: int, stop: int) -> Iterator[Chunk]:
    """The chunks in [start, stop), header included; the last one may be cut short."""
    while start + 8 <= stop:
        declared = int.from_bytes(data[start + 4 : start + 8], "big")
        end = min(stop, start + 8 + declared)
        yield Chunk(data[start : start + 4], start + 8, end, declared)
        start = end


def scan(data: bytes, spans: Sequence[tuple[int, int]], running: int = 0) -> Events:
    """Every event of the tracks whose bytes lie in `spans`, ascending and apart.

    `running` is the running status with which the (only) span begins, where it begins in the
    middle of a track. Raises BadFileError where the bytes are no MIDI events, and LimitError.
    """
    finder = _Finder(data)
    for number, (start, stop) in enumerate(spans):
        finder.track(number, start, stop, running)
    return finder.events(running)


def _data_bytes(status: int) -> int:
    return 1 if status & 0xE0 == 0xC0 else 2


@dataclass
class _Finder:
    """Collects runs of channel messages by kind, and single events, of all tracks.

    runs        width → start, stop, start, stop …
    singles     at, body, status or 0, data1, data2, at, body …
    steps       runs and single events so far, on which the time spent depends
    """

    data: bytes
    runs: dict[int, array[int]] = field(default_factory=lambda: {1: array("q"), 2: array("q")})
    singles: array[int] = field(default_factory=lambda: array("q"))
    steps: int = 0
    metas: list[Meta] = field(default_factory=list)
    firsts: list[int] = field(default_factory=list)
    stops: list[int] = field(default_factory=list)

    def track(self, number: int, start: int, stop: int, running: int) -> None:
        data = self.data
        width = _data_bytes(running) if running else 0
        self.firsts.append(start)
        at = start
        while at < stop:
            self.steps += 1
            if self.steps & 0xFFF == 0:
                limits.check("event_runs", self.steps)
            delta = _NUMBER.match(data, at, stop)
            if delta is None or delta.end() == stop:
                raise _damaged(number, at, stop)
            body = delta.end()
            first = data[body]
            if first >= 0xF0:
                after = self._system(number, at, body, stop)
                self.singles.extend((at, body, first, 0, 0))
                at = after
                if first == META and data[body + 1] == END_OF_TRACK:
                    break
                continue
            if first >= 0x80:
                width = _data_bytes(first)
            elif not width:
                raise _damaged(number, at, stop)
            run = _RUNS[width].match(data, at, stop)
            if run is not None:
                self.runs[width].extend((at, run.end()))
                at = run.end()
            else:
                at = self._odd(number, at, body, stop, width)
        self.stops.append(at)

    def _system(self, number: int, at: int, body: int, stop: int) -> int:
        """Offset after a meta, sysex or other system event."""
        data, first = self.data, self.data[body]
        if first in _SYSTEM_BYTES:
            after = body + 1 + _SYSTEM_BYTES[first]
            if after > stop:
                raise _damaged(number, at, stop)
            return after
        if first not in (META, 0xF0, 0xF7):
            raise _damaged(number, at, stop)
        length = _NUMBER.match(data, body + (2 if first == META else 1), stop)
        if length is None:
            raise _damaged(number, at, stop)
        start = length.end()
        after = start + quantity(length.group())
        if after > stop:
            raise _damaged(number, at, stop)
        if first == META:
            self.metas.append(Meta(at, data[body + 1], start, after))
        return after

    def _odd(self, number: int, at: int, body: int, stop: int, width: int) -> int:
        """A channel message with data bytes above 127: taken as mido's `clip` takes them."""
        data = self.data
        explicit = data[body] >= 0x80
        start = body + explicit
        if start + width > stop:
            raise _damaged(number, at, stop)
        one, two = (*(min(127, b) for b in data[start : start + width]), 0)[:2]
        self.singles.extend((at, body, data[body] if explicit else 0, one, two))
        return start + width

    def events(self, running: int) -> Events:
        """The columns of everything found, in file order. `running`: status before the start."""
        tables = [self._run_table(width) for width in (1, 2)]
        singles = np.array(self.singles, dtype=np.int64).reshape(-1, 5)
        tables.append(_with_deltas(self.data, singles))
        limits.check("events", sum(len(t) for t in tables))
        table = np.concatenate(tables)
        if sum(bool(len(t)) for t in tables) > 1:
            table = table[np.argsort(table[:, 0], kind="stable")]
        at, body, status, data1, data2, delta = np.ascontiguousarray(table.T)
        bounds = np.append(np.searchsorted(at, self.firsts), len(at))
        return Events(
            at=at,
            body=body,
            tick=_ticks(delta, bounds),
            status=_fill_running(status, running),
            data1=data1,
            data2=data2,
            bounds=bounds,
            stops=np.array(self.stops, dtype=np.int64),
            metas=tuple(self.metas),
        )

    def _run_table(self, width: int) -> IntArray:
        """Rows (at, body, status or 0, data1, data2, delta) of all runs of one kind."""
        starts, stops = np.array(self.runs[width], dtype=np.int64).reshape(-1, 2).T
        runs = zip(starts.tolist(), stops.tolist(), strict=True)
        joined = np.frombuffer(b"".join([self.data[a:b] for a, b in runs]), dtype=np.uint8)
        is_low = joined < 0x80
        limits.check("events", int(np.count_nonzero(is_low)) // (width + 1))
        low = np.flatnonzero(is_low).reshape(-1, width + 1)
        delta_end, first = low[:, 0], low[:, 1]
        start = np.concatenate([[0], low[:-1, -1] + 1])[: len(low)]
        table = np.zeros((len(low), 6), dtype=np.int64)
        ends = np.cumsum(stops - starts)
        counts = np.diff(np.searchsorted(start, ends), prepend=0)
        shift = np.repeat(stops - ends, counts)
        table[:, 0] = start + shift
        table[:, 1] = delta_end + 1 + shift
        table[:, 2] = np.where(first - delta_end == 2, joined[first - 1], 0)
        table[:, 3] = joined[first]
        table[:, 4] = joined[low[:, 2]] if width == 2 else 0
        table[:, 5] = _numbers(joined, start, delta_end)
        return table


def quantity(digits: bytes) -> int:
    """The value of a variable-length quantity."""
    value = 0
    for byte in digits:
        value = value << 7 | byte & 0x7F
    return value


def _numbers(raw: npt.NDArray[np.uint8], start: IntArray, last: IntArray) -> IntArray:
    """The variable-length quantities whose bytes go from `start` to `last` inclusive."""
    value = raw[last].astype(np.int64)
    for back in (1, 2, 3):
        rows = np.flatnonzero(last - start >= back)
        if not len(rows):
            break
        value[rows] += (raw[last[rows] - back].astype(np.int64) & 0x7F) << (7 * back)
    return value


def _with_deltas(data: bytes, singles: IntArray) -> IntArray:
    raw = np.frombuffer(data, dtype=np.uint8)
    deltas = _numbers(raw, singles[:, 0], singles[:, 1] - 1)
    return np.column_stack([singles, deltas])


def _ticks(delta: IntArray, bounds: IntArray) -> IntArray:
    """Absolute ticks: deltas summed, from 0 again in each track."""
    total = np.cumsum(delta)
    before = np.concatenate([[0], total])[bounds[:-1]]
    ticks: IntArray = total - np.repeat(before, np.diff(bounds))
    return ticks


def _fill_running(status: IntArray, running: int) -> IntArray:
    """Replace each 0 by the last channel status before it (`running` at the start)."""
    if not np.any(status == 0):
        return status
    explicit = (status >= 0x80) & (status < 0xF0)
    last = np.maximum.accumulate(np.where(explicit, np.arange(len(status)), -1))
    filled = np.where(last < 0, running, status[np.maximum(last, 0)])
    return np.where(status == 0, filled, status)


def _damaged(number: int, at: int, stop: int) -> BadFileError:
    return BadFileError(
        f"Track {number + 1} is damaged or cut off near byte {at:,} (it should go on to byte "
        f"{stop:,}). Export or download the MIDI file again."
    )


@dataclass(frozen=True, eq=False)
class Pairs:
    """Notes (N,) of all tracks as event rows, ordered by pitch and channel, not by time.

    on, off     rows of the note-on and of its note-off; off is -1 for a note never ended
    stray       rows of the note-offs that end nothing, ascending
    """

    on: IntArray
    off: IntArray
    stray: IntArray


def pair_notes(events: Events) -> Pairs:
    """First in, first out: a note-off ends the longest sounding note of its pitch and channel.

    Within one track. Vectorised: in each group of equal (track, channel, pitch) the number of
    open notes is a walk that is reflected at zero; a note-off at which it is reflected is stray,
    and the k-th of the others ends the k-th note-on.
    """
    on_mask = events.is_note_on()
    limits.check("notes", int(np.count_nonzero(on_mask)))
    rows = np.flatnonzero(on_mask | events.is_note_off())
    key = (events.track_of(rows) << 11) | ((events.status[rows] & 15) << 7) | events.data1[rows]
    order = np.argsort(key, kind="stable")
    rows, key = rows[order], key[order]
    is_on = on_mask[rows]
    stray = _reflected(key, is_on)
    kept_off = ~is_on & ~stray
    on, off, on_key = rows[is_on], rows[kept_off], key[is_on]
    rank = np.arange(len(on)) - np.searchsorted(on_key, on_key)
    match = np.searchsorted(key[kept_off], on_key) + rank
    has_off = match < np.searchsorted(key[kept_off], on_key, side="right")
    ends = np.full(len(on), -1, dtype=np.int64)
    ends[has_off] = off[match[has_off]]
    return Pairs(on, ends, np.sort(rows[stray]))


def _reflected(key: IntArray, is_on: BoolArray) -> BoolArray:
    """Mask of the steps down at zero, in walks of +1/-1 that begin anew with each key."""
    count = len(key)
    if not count:
        return np.zeros(0, dtype=bool)
    first = np.append(True, key[1:] != key[:-1])
    group = np.cumsum(first) - 1
    step = np.where(is_on, 1, -1)
    walk = np.cumsum(step)
    walk -= (walk - step)[first][group]
    deep = group * (2 * count)
    lowest = np.minimum(np.minimum.accumulate(walk - deep) + deep, 0)
    before = np.where(first, 0, np.append(0, lowest[:-1]))
    return (walk < before) & ~is_on
