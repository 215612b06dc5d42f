"""Re-read an edited MIDI file and prove that nothing but the edit has changed.

Independent of how the splice worked: the shell, and all bytes before the first and after the last
difference, are compared as bytes; what lies between (and whatever the edit names) is decoded
again, and its events and notes are compared with what the original and the edit ask for.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hub.errors import BadFileError, FileError, PromiseError
from hub.formats import Edit
from hub.formats.midi.events import END_OF_TRACK, META, Chunk, Events, scan
from hub.formats.midi.file import MAX_LENGTH, Container, MidiIndex, open_container
from hub.formats.midi.splice import index_of, touched_tracks
from hub.score import BoolArray, IntArray, Note, Score

ByteArray = npt.NDArray[np.uint8]


class Event(NamedTuple):
    """An event as it sounds: running status written out, without its delta time."""

    tick: int
    message: bytes


@dataclass(frozen=True, kw_only=True, eq=False)
class Window:
    """Some events of one track as columns (E,); `body` and `stop` are offsets into `data`."""

    data: bytes
    tick: IntArray
    status: IntArray
    body: IntArray
    stop: IntArray

    @classmethod
    def of(cls, data: bytes, events: Events, first: int, last: int, base: int = 0) -> Window:
        """Rows [first, last) of one track; `base` is added to their ticks."""
        after = [events.stop_of(last - 1)] if first < last else []
        return cls(
            data=data,
            tick=events.tick[first:last] + base,
            status=events.status[first:last],
            body=events.body[first:last],
            stop=np.append(events.at[first + 1 : last], np.array(after, dtype=np.int64)),
        )

    def __len__(self) -> int:
        return len(self.tick)

    def __getitem__(self, rows: slice | BoolArray) -> Window:
        columns = {name: getattr(self, name)[rows] for name in ("tick", "status", "body", "stop")}
        return Window(data=self.data, **columns)

    def event(self, row: int) -> Event:
        message = self.data[int(self.body[row]) : int(self.stop[row])]
        if message[0] < 0x80:
            message = bytes((int(self.status[row]),)) + message
        return Event(int(self.tick[row]), message)

    @property
    def has_end_of_track(self) -> bool:
        """Is the last event the end of the track?"""
        return bool(len(self)) and self.event(-1).message[:2] == bytes((META, END_OF_TRACK))

    def keys(self, known: dict[bytes, int]) -> IntArray:
        """A number (E,) for every message, equal where messages are; `known` numbers long ones."""
        is_channel = self.status < 0xF0
        first, last = self._data_bytes()
        keys = np.where(is_channel, self.status << 16 | first << 8 | last, 0)
        for row in np.flatnonzero(~is_channel).tolist():
            message = self.event(row).message
            keys[row] = -1 - known.setdefault(message, len(known))
        return keys

    def _data_bytes(self) -> tuple[IntArray, IntArray]:
        """The first and the last data byte (E,) of channel messages."""
        raw = np.frombuffer(self.data, dtype=np.uint8)
        start = self.body + (raw[self.body] >= 0x80)
        first = raw[np.minimum(start, self.stop - 1)].astype(np.int64)
        return first, raw[self.stop - 1].astype(np.int64)

    def notes(self) -> list[tuple[int, int, int, int]]:
        """(tick, status, pitch, velocity) of every note-on and note-off."""
        chosen = self[(self.status >> 4 == 0x8) | (self.status >> 4 == 0x9)]
        pitch, velocity = (np.minimum(column, 127) for column in chosen._data_bytes())
        columns = (chosen.tick, chosen.status, pitch, velocity)
        return list(zip(*(column.tolist() for column in columns), strict=True))


class Sounding(NamedTuple):
    """A note as its events say it; `status` is that of the note-on."""

    status: int
    pitch: int
    velocity: int
    onset: int
    end: int


def verify(score: Score, edit: Edit, data: bytes) -> None:
    """Raise PromiseError unless `data` is the score's file with exactly this edit."""
    source, index = index_of(score)
    try:
        container = open_container(data, "the edited file")
        _compare_shell(source, index.container, data, container)
        extra: list[Note] = []
        named = touched_tracks(score, edit)
        for number, (before, after) in enumerate(
            zip(index.container.tracks, container.tracks, strict=True)
        ):
            if number in named:
                extra += _compare_track(score, edit, number, data, after)
            elif source[before.start : before.stop] != data[after.start : after.stop]:
                raise PromiseError(
                    f"Track {number + 1} of the edited file has changed, "
                    "though the edit does not name it."
                )
    except FileError as error:
        raise PromiseError(f"The edited file cannot be read again. {error}") from error
    _compare_added(score, edit, extra)


def _compare_shell(source: bytes, old: Container, data: bytes, new: Container) -> None:
    """Header, foreign chunks, declared lengths, wrapper and whatever stands around them."""
    if [c.kind for c in old.chunks] != [c.kind for c in new.chunks]:
        raise PromiseError("The edited file is not made of the same chunks as the original.")
    for before, after in zip(old.chunks, new.chunks, strict=True):
        grown = (after.stop - after.start) - (before.stop - before.start)
        if after.declared != min(before.declared + grown, MAX_LENGTH):
            raise PromiseError("A chunk of the edited file declares a wrong length.")
        if before.kind != b"MTrk" and (
            source[before.start : before.stop] != data[after.start : after.stop]
        ):
            raise PromiseError("The edit has changed a part of the file that is no track.")
    if _surroundings(source, old) != _surroundings(data, new):
        raise PromiseError("The edit has changed bytes around the tracks.")
    if new.wrapper and not _is_wrapped_well(source, old, data, new.wrapper):
        raise PromiseError("The RIFF wrapper of the edited file declares a wrong length.")


def _surroundings(data: bytes, container: Container) -> tuple[bytes, ...]:
    start, stop = container.wrapper or (0, len(data))
    between = data[container.chunks[-1].stop : stop]
    if container.wrapper is None:
        return (between,)
    rest = data[stop + ((stop - start) & 1) :]
    return between, data[:4], data[8 : start - 4], rest


def _is_wrapped_well(source: bytes, old: Container, data: bytes, wrapper: tuple[int, int]) -> bool:
    """Are the sizes real, or that of the whole as far from it as a possible one was before?"""
    start, stop = wrapper
    if int.from_bytes(data[start - 4 : start], "little") != stop - start:
        return False
    before, after = (int.from_bytes(d[4:8], "little") + 8 for d in (source, data))
    was_possible = old.wrapper is not None and old.wrapper[1] <= before <= len(source)
    return after - len(data) == (before - len(source) if was_possible else 0)


def _compare_track(score: Score, edit: Edit, number: int, data: bytes, after: Chunk) -> list[Note]:
    """The notes that the edited track has over the kept ones; PromiseError for what it lacks."""
    source, index = index_of(score)
    before = index.container.tracks[number]
    track = _Track(score, edit, number)
    stop = after.stop - (before.stop - track.stop)
    old, new = source[before.start : track.stop], data[after.start : stop]
    if source[track.stop : before.stop] != data[stop : after.stop]:
        raise PromiseError(f"The edit has changed bytes after the end of track {number + 1}.")
    first, last = track.window(old, new)
    window = _decode(track, data, after.start, stop, first, last)
    if window is None:
        last = track.high
        window = _decode(track, data, after.start, stop, first, last)
    if window is None:
        raise PromiseError(track.says("its events cannot be read to their end"))
    return track.compare(first, last, window)


class _Track:
    """One track of the original, with the edit's rows in it."""

    def __init__(self, score: Score, edit: Edit, number: int) -> None:
        self.data, self.index = index_of(score)
        self.events: Events = self.index.events
        self.score, self.number = score, number
        self.low, self.high = (int(r) for r in self.events.bounds[number : number + 2])
        self.start = self.index.container.tracks[number].start
        self.stop = int(self.events.stops[number])
        self.parts = [p for p, k in enumerate(self.index.part_tracks) if k == number]
        self.on, self.off = self.index.on, self.index.off
        removed = np.zeros(len(self.on), dtype=bool)
        removed[edit.removed] = True
        here = (self.on >= self.low) & (self.on < self.high)
        self.kept: BoolArray = here & ~removed
        self.removed_rows = _rows(self.on, self.off, here & removed)
        mine = np.isin(edit.added.part, self.parts)
        self.added = edit.added[mine] if len(edit.added) else edit.added

    def window(self, old: bytes, new: bytes) -> tuple[int, int]:
        """Event rows [first, last) outside of which all bytes are the same and nothing is named."""
        low, high, at = self.low, self.high, self.events.at
        same_head, same_tail = _common(old, new)
        first = int(np.searchsorted(at[low:high], self.start + same_head, side="right")) + low - 1
        # One row more: the first alike may have a delta time that has grown at its front.
        last = int(np.searchsorted(at[low:high], self.stop - same_tail, side="left")) + low + 1
        if len(self.removed_rows):
            first = min(first, int(self.removed_rows.min()))
            last = max(last, int(self.removed_rows.max()) + 1)
        if len(self.added):
            ticks = self.events.tick[low:high]
            first = min(first, low + int(np.searchsorted(ticks, self.added.onset.min())))
            end = int(np.searchsorted(ticks, self.added.end.max(), side="right"))
            last = max(last, low + end)
        return max(low, min(first, high)), min(high, max(last, first))

    def running(self, row: int) -> int:
        """The channel status in force before this row; 0 for none."""
        while row > self.low:
            row -= 1
            if self.events.status[row] < 0xF0:
                return int(self.events.status[row])
        return 0

    def offset(self, row: int) -> int:
        return self.stop if row == self.high else int(self.events.at[row])

    def tick(self, row: int) -> int:
        """Tick of the last event before this row; 0 at the start of the track."""
        return int(self.events.tick[row - 1]) if row > self.low else 0

    def compare(self, first: int, last: int, window: Window) -> list[Note]:
        stays = np.ones(last - first, dtype=bool)
        stays[self.removed_rows - first] = False
        kept = Window.of(self.data, self.events, first, last)[stays]
        left_over = self._events_left_over(kept, window)
        closed, still_open = _play(window, self._open_before(first))
        expected = self._soundings(self.kept & (self.off >= first) & (self.off < last))
        if self._open_before(last) != still_open:
            raise PromiseError(self.says("a note that sounds on past the edit has changed"))
        extra = Counter(closed)
        extra.subtract(expected)
        if any(count < 0 for count in extra.values()):
            raise PromiseError(self.says("a note that should stay has changed"))
        added = list(extra.elements())
        if left_over != _note_events(added):
            raise PromiseError(self.says("it has note events that the edit does not ask for"))
        return [self._note(sounding) for sounding in added]

    def says(self, what: str) -> str:
        return f"Track {self.number + 1} of the edited file breaks the promise: {what}."

    def _events_left_over(self, kept: Window, found: Window) -> Counter[Event]:
        """The new events that are not old ones; each old one must be there, in order.

        Only the end of the track may be later: where the last new note has pushed it.
        """
        if kept.has_end_of_track:
            self._same_end(kept, found)
            kept, found = kept[:-1], found[:-1]
        matched, extra = _align(kept, found)
        if matched < len(kept):
            raise self._lost(kept.event(matched))
        return Counter(found.event(row) for row in extra)

    def _same_end(self, kept: Window, found: Window) -> None:
        tick, message = kept.event(-1)
        latest = int(found.tick[-2]) if len(found) > 1 else 0
        if not len(found) or found.event(-1) != (max(tick, latest), message):
            raise self._lost(kept.event(-1))

    def _lost(self, event: Event) -> PromiseError:
        start = event.message[:8].hex(" ")
        return PromiseError(self.says(f"the event {start} at tick {event.tick:,} is lost"))

    def _soundings(self, mask: BoolArray) -> Counter[Sounding]:
        on, off, events = self.on[mask], self.off[mask], self.events
        columns = (events.status[on], events.data1[on], events.data2[on], events.tick[on])
        ends = events.tick[off]
        return Counter(
            Sounding(*row) for row in zip(*(c.tolist() for c in (*columns, ends)), strict=True)
        )

    def _open_before(self, row: int) -> dict[tuple[int, int], list[tuple[int, int]]]:
        """(channel, pitch) → kept notes (onset, velocity) that sound when `row` comes."""
        mask = self.kept & (self.on < row) & ((self.off >= row) | (self.off < 0))
        rows, events = np.sort(self.on[mask]), self.events
        found: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
        columns = (events.status[rows], events.data1[rows], events.tick[rows], events.data2[rows])
        for status, pitch, tick, velocity in zip(*(c.tolist() for c in columns), strict=True):
            found[status & 15, pitch].append((tick, velocity))
        return dict(found)

    def _note(self, sounding: Sounding) -> Note:
        channel = sounding.status & 15
        parts = [p for p in self.parts if self.score.parts[p].channel == channel]
        if not parts:
            raise PromiseError(self.says(f"it has a note on channel {channel + 1}, a new one"))
        onset, end = sounding.onset, sounding.end
        return Note(onset, end - onset, sounding.pitch, sounding.velocity, parts[0])


def _decode(
    track: _Track, data: bytes, start: int, stop: int, first: int, last: int
) -> Window | None:
    """What replaces rows [first, last); None unless the rows from `last` on mean what they meant.

    That needs an event to end just there, at the same tick, with the same running status where
    the next event relies on it. Bytes that look alike on both sides of an edit can pretend to it.
    """
    begin = start + track.offset(first) - track.start
    end = stop - (track.stop - track.offset(last))
    running, base = track.running(first), track.tick(first)
    try:
        events = scan(data, [(begin, end)], running)
    except BadFileError:
        return None
    if int(events.stops[0]) != end:
        return None
    found = Window.of(data, events, 0, len(events), base)
    if last == track.high:
        return found
    channel = found.status[found.status < 0xF0]
    is_explicit = 0x80 <= track.data[int(track.events.body[last])] < 0xF0
    is_same = (channel[-1] if len(channel) else running) == track.running(last)
    tick = int(found.tick[-1]) if len(found) else base
    return found if tick == track.tick(last) and (is_explicit or is_same) else None


def _align(kept: Window, found: Window) -> tuple[int, list[int]]:
    """How many kept events are found, in order, and the rows that were found between them."""
    known: dict[bytes, int] = {}
    old, new = ((window.tick, window.keys(known)) for window in (kept, found))
    place = row = 0
    extra: list[int] = []
    while row < len(found):
        same = _alike(old, new, place, row)
        place, row = place + same, row + same
        if row < len(found):
            extra.append(row)
            row += 1
    return place, extra


def _alike(old: Sequence[IntArray], new: Sequence[IntArray], place: int, row: int) -> int:
    """Number of equal rows from `place` in the old columns and `row` in the new ones on."""
    count, size = 0, 8
    while True:
        pairs = [
            (a[place + count :][:size], b[row + count :][:size])
            for a, b in zip(old, new, strict=True)
        ]
        length = min(len(part) for part in pairs[0])
        same = np.logical_and.reduce([a[:length] == b[:length] for a, b in pairs])
        if not same.all():
            return count + int(same.argmin())
        count += length
        if length < size:
            return count
        size *= 4


def _play(
    window: Window, sounding: dict[tuple[int, int], list[tuple[int, int]]]
) -> tuple[list[Sounding], dict[tuple[int, int], list[tuple[int, int]]]]:
    """First in, first out: the notes that end in the window, and those open after it."""
    open_notes: dict[tuple[int, int], deque[tuple[int, int]]] = defaultdict(deque)
    for key, notes in sounding.items():
        open_notes[key].extend(notes)
    closed: list[Sounding] = []
    for tick, status, pitch, velocity in window.notes():
        channel = status & 15
        queue = open_notes[channel, pitch]
        if status >> 4 == 0x9 and velocity:
            queue.append((tick, velocity))
        elif queue:
            onset, struck = queue.popleft()
            closed.append(Sounding(0x90 | channel, pitch, struck, onset, tick))
    return closed, {key: list(queue) for key, queue in open_notes.items() if queue}


def _note_events(notes: Sequence[Sounding]) -> Counter[Event]:
    """The events that the splice writes for new notes."""
    events: Counter[Event] = Counter()
    for note in notes:
        events[Event(note.onset, bytes((note.status, note.pitch, note.velocity)))] += 1
        events[Event(note.end, bytes((note.status ^ 0x10, note.pitch, 64)))] += 1
    return events


def _rows(on: IntArray, off: IntArray, mask: BoolArray) -> IntArray:
    rows = np.concatenate([on[mask], off[mask]])
    return rows[rows >= 0]


def _common(old: bytes, new: bytes) -> tuple[int, int]:
    """Lengths of the common head and of the common tail, which do not overlap."""
    size = min(len(old), len(new))
    a, b = np.frombuffer(old, dtype=np.uint8), np.frombuffer(new, dtype=np.uint8)
    head = _first_difference(a[:size], b[:size])
    rest = size - head
    tail = _first_difference(a[len(a) - rest :][::-1], b[len(b) - rest :][::-1])
    return head, tail


def _first_difference(a: ByteArray, b: ByteArray) -> int:
    different = a != b
    place = int(different.argmax()) if len(different) else 0
    return place if len(different) and different[place] else len(different)


def _compare_added(score: Score, edit: Edit, extra: Sequence[Note]) -> None:
    """Each extra note is one that was asked for; only a rival of its pitch may cut or drop one."""
    wanted: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for note in edit.added:
        wanted[note.part, note.onset, note.pitch, note.velocity].append(note.duration)
    cut: list[tuple[int, int, int, int]] = []
    for note in sorted(extra, key=lambda n: -n.duration):
        key = (note.part, note.onset, note.pitch, note.velocity)
        longer = [d for d in wanted[key] if d >= note.duration]
        if not longer:
            raise PromiseError(f"The edited file has a note nobody asked for: {note}.")
        asked = min(longer)
        wanted[key].remove(asked)
        if asked > note.duration:
            cut.append((note.part, note.pitch, note.onset, asked))
    for (part, onset, pitch, _), durations in wanted.items():
        cut += [(part, pitch, onset, duration) for duration in durations]
    if cut:
        rivals = _Rivals(score, edit)
        for part, pitch, onset, duration in cut:
            if not rivals.has(part, pitch, onset, onset + duration):
                raise PromiseError(
                    f"A new note is missing or cut short without need: pitch {pitch} at tick "
                    f"{onset:,} in {score.parts[part].name}."
                )


class _Rivals:
    """Where notes of one part and pitch get in each other's way."""

    def __init__(self, score: Score, edit: Edit) -> None:
        _, index = index_of(score)
        notes, events = score.notes, index.events
        removed = np.zeros(len(notes), dtype=bool)
        removed[edit.removed] = True
        near = ~removed & (notes.onset <= edit.added.end.max())
        near &= (notes.end >= edit.added.onset.min()) | (index.off < 0)
        self.spans: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
        for note, off in zip(notes[near], index.off[near].tolist(), strict=True):
            end = note.onset + note.duration if off >= 0 else 1 << 62
            self.spans[note.part, note.pitch].append((note.onset, end))
        for note in edit.added:
            span = (note.onset, note.onset + note.duration)
            self.spans[note.part, note.pitch].append(span)
        self.strays = self._stray_ticks(score, index, events)

    @staticmethod
    def _stray_ticks(
        score: Score, index: MidiIndex, events: Events
    ) -> dict[tuple[int, int], set[int]]:
        found: dict[tuple[int, int], set[int]] = defaultdict(set)
        for row in index.stray.tolist():
            track = int(np.searchsorted(events.bounds, row, side="right")) - 1
            for number, part in enumerate(score.parts):
                same_track = index.part_tracks[number] == track
                if same_track and part.channel == events.status[row] & 15:
                    found[number, int(events.data1[row])].add(int(events.tick[row]))
        return found

    def has(self, part: int, pitch: int, onset: int, end: int) -> bool:
        """Is there something else of this part and pitch in [onset, end)?"""
        overlapping = [s for s in self.spans[part, pitch] if s[0] < end and s[1] >= onset]
        # The note itself is one of the spans.
        return len(overlapping) > 1 or any(onset < t < end for t in self.strays[part, pitch])
