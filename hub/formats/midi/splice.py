"""Edit a MIDI file in place: only the note events that the edit names go or come.

Everything between two edits is copied as one slice, so the cost follows the edit, not the file.
Where a slice begins after an edit its first event gets a new delta time and, if running status
does not carry over, its status byte; an end-of-track event moves only when a new note outlasts it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from hub.errors import SpliceError
from hub.formats import Edit
from hub.formats.midi.events import END_OF_TRACK, MAX_DELTA, META, Events, quantity, varlen
from hub.formats.midi.file import MAX_LENGTH, MidiIndex
from hub.limits import LIMITS
from hub.score import Note, Notes, Score

RELEASE_VELOCITY = 64
_NEVER = 1 << 62
_BLOCK = 64


class NewEvent(NamedTuple):
    """A note-on or note-off to insert before event row `row`; sorts into playing order."""

    row: int
    tick: int
    is_on: bool
    message: bytes


def splice(score: Score, edit: Edit) -> bytes:
    """The file with the removed rows gone and the added notes in it. Raises SpliceError."""
    source, index = index_of(score)
    fitted = fit(score, edit)
    removed = np.asarray(edit.removed, dtype=np.int64)
    gone = np.concatenate([index.on[removed], index.off[removed]])
    gone = np.sort(gone[gone >= 0])
    pieces: list[bytes] = []
    copied = growth = 0
    tracks = index.container.tracks
    for number in sorted(touched_tracks(score, edit)):
        chunk = tracks[number]
        low, high = index.events.bounds[number : number + 2]
        rows = gone[np.searchsorted(gone, low) : np.searchsorted(gone, high)]
        new = _new_events(score, index, fitted, number)
        if not len(rows) and not new:
            continue
        content = _track(source, index.events, number, rows.tolist(), new)
        stop = int(index.events.stops[number])
        grown = len(content) - (stop - chunk.start)
        length = min(chunk.declared + grown, MAX_LENGTH).to_bytes(4, "big")
        pieces += [source[copied : chunk.start - 4], length, content]
        copied, growth = stop, growth + grown
    pieces.append(source[copied:])
    return _rewrap(b"".join(pieces), index, growth)


def index_of(score: Score) -> tuple[bytes, MidiIndex]:
    """The bytes that `read` got, and where the notes stand in them."""
    if score.source is None or not isinstance(score.source.index, MidiIndex):
        raise SpliceError("This score was not read from a MIDI file, so it cannot be edited there.")
    return score.source.data, score.source.index


def touched_tracks(score: Score, edit: Edit) -> set[int]:
    """The numbers of the tracks in which the edit names a note."""
    _, index = index_of(score)
    parts = {*score.notes.part[edit.removed].tolist(), *edit.added.part.tolist()}
    return {index.part_tracks[part] for part in parts}


def fit(score: Score, edit: Edit) -> Notes:
    """The added notes as the file can hold them.

    In MIDI a note-off names only a pitch, so notes of equal pitch in one part must not tangle. A
    new note ends where the next note of its pitch begins, and is left out where an older one of
    its pitch (or a longer new one with the same onset) sounds all the time that it would.
    """
    _check(score, edit.added)
    if not len(edit.added):
        return edit.added
    wanted: dict[tuple[int, int], list[Note]] = defaultdict(list)
    for note in edit.added:
        wanted[note.part, note.pitch].append(note)
    kept = _neighbours(score, edit, wanted)
    return Notes.of(note for key, notes in wanted.items() for note in _fit_key(notes, kept[key]))


def _check(score: Score, added: Notes) -> None:
    if not len(added):
        return
    for name, low, high in (
        ("onset", 0, _NEVER),
        ("duration", 1, _NEVER),
        ("pitch", 0, 127),
        ("velocity", 1, 127),
        ("part", 0, len(score.parts) - 1),
    ):
        column = getattr(added, name)
        bad = column[(column < low) | (column > high)]
        if len(bad):
            raise SpliceError(
                f"A new note has {name} {bad[0]}, which a MIDI file cannot hold; "
                f"at least {low}{f' and at most {high}' if high < _NEVER else ''} is needed."
            )
    quarters = int(added.end.max()) / score.ticks_per_quarter
    if quarters > LIMITS.total_quarters:
        raise SpliceError(
            f"A new note would end {quarters:,.0f} quarter notes after the beginning; at most "
            f"{LIMITS.total_quarters:,} are accepted. Put the new notes nearer to the music."
        )


def _neighbours(
    score: Score, edit: Edit, keys: Iterable[tuple[int, int]]
) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Kept (on tick, off tick) by (part, pitch), where they come near the added notes.

    A note that is never ended has an off tick of _NEVER. A stray note-off, which must stay
    stray, stands as a note of no length.
    """
    _, index = index_of(score)
    notes, events, wanted = score.notes, index.events, set(keys)
    start, end = int(edit.added.onset.min()), int(edit.added.end.max())
    near = (notes.onset < end) & ((notes.end >= start) | (index.off < 0))
    near[edit.removed] = False
    rows = np.flatnonzero(near)
    off = np.where(index.off[rows] < 0, _NEVER, events.tick[index.off[rows]])
    found: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    columns = (notes.part[rows], notes.pitch[rows], notes.onset[rows], off)
    for part, pitch, on_tick, off_tick in zip(*(c.tolist() for c in columns), strict=True):
        if (part, pitch) in wanted:
            found[part, pitch].append((on_tick, off_tick))
    for part, pitch, tick in _strays(score, index, start, end):
        found[part, pitch].append((tick, tick))
    return found


def _strays(score: Score, index: MidiIndex, start: int, end: int) -> list[tuple[int, int, int]]:
    """(part, pitch, tick) of the note-offs that end nothing, between two ticks."""
    events = index.events
    ticks = events.tick[index.stray]
    rows = index.stray[(ticks >= start) & (ticks <= end)]
    channels = (part.channel for part in score.parts)
    parts = {key: n for n, key in enumerate(zip(index.part_tracks, channels, strict=True))}
    columns = (events.track_of(rows), events.status[rows] & 15, events.data1[rows])
    keyed = zip(*(c.tolist() for c in (*columns, events.tick[rows])), strict=True)
    return [
        (parts[track, channel], pitch, tick)
        for track, channel, pitch, tick in keyed
        if (track, channel) in parts
    ]


def _fit_key(wanted: Sequence[Note], kept: list[tuple[int, int]]) -> list[Note]:
    """The new notes of one part and pitch that fit between the kept ones, latest first."""
    kept = sorted(kept)
    onsets = [on for on, _ in kept]
    latest_off = np.maximum.accumulate([off for _, off in kept]).tolist() if kept else []
    longest = {note.onset: note for note in sorted(wanted, key=lambda n: n.duration)}
    following = _NEVER
    fitted: list[Note] = []
    for onset in sorted(longest, reverse=True):
        begun = bisect_right(onsets, onset)
        limit = min(following, onsets[begun] if begun < len(kept) else _NEVER)
        note = longest[onset]
        end = min(onset + note.duration, limit)
        if begun and latest_off[begun - 1] >= end:
            continue
        fitted.append(note._replace(duration=end - onset))
        following = onset
    return fitted


def _new_events(score: Score, index: MidiIndex, fitted: Notes, track: int) -> list[NewEvent]:
    """The note-ons and note-offs for one track, in playing order."""
    events = index.events
    low, high = (int(row) for row in events.bounds[track : track + 2])
    mine = [part for part, number in enumerate(index.part_tracks) if number == track]
    notes = fitted[np.isin(fitted.part, mine)] if len(fitted) else fitted
    if not len(notes):
        return []
    last = high - 1 if _ends_track(score, events, high - 1) else high
    ticks = events.tick[low:last]
    on_rows = (np.searchsorted(ticks, notes.onset, side="right") + low).tolist()
    off_rows = (np.searchsorted(ticks, notes.end, side="left") + low).tolist()
    found = []
    for note, on_row, off_row in zip(notes, on_rows, off_rows, strict=True):
        channel = score.parts[note.part].channel or 0
        on = bytes((0x90 | channel, note.pitch, note.velocity))
        off = bytes((0x80 | channel, note.pitch, RELEASE_VELOCITY))
        found.append(NewEvent(on_row, note.onset, True, on))
        found.append(NewEvent(off_row, note.onset + note.duration, False, off))
    return sorted(found)


def _ends_track(score: Score, events: Events, row: int) -> bool:
    assert score.source is not None
    data, body = score.source.data, int(events.body[row])
    return data[body] == META and data[body + 1] == END_OF_TRACK


def _track(
    data: bytes, events: Events, number: int, gone: list[int], new: Sequence[NewEvent]
) -> bytes:
    """The track's bytes from its first event to its last, edited."""
    low, high = (int(row) for row in events.bounds[number : number + 2])
    out = _TrackWriter(data, events, low)
    at = low
    steps = sorted([(row, 1, None) for row in gone] + [(e.row, 0, e) for e in new], key=_step_key)
    for row, _, event in steps:
        out.keep(at, row)
        at = row
        if event is None:
            at = row + 1
        else:
            out.add(event)
    out.keep(at, high)
    return b"".join(out.pieces)


def _step_key(step: tuple[int, int, NewEvent | None]) -> tuple[int, int]:
    return step[:2]


class _TrackWriter:
    """Puts a track together from slices of the old one and new events."""

    def __init__(self, data: bytes, events: Events, first_row: int) -> None:
        self.data, self.events = data, events
        self.pieces: list[bytes] = []
        self.tick = 0
        self.running = 0
        self.next_row = first_row

    def add(self, event: NewEvent) -> None:
        self.pieces += [_delta(event.tick - self.tick), event.message]
        self.tick, self.running = event.tick, event.message[0]
        self.next_row = -1

    def keep(self, start: int, stop: int) -> None:
        """Copy event rows [start, stop); mend the seam if the row before `start` is not there."""
        if start >= stop:
            return
        if start != self.next_row:
            start = self._mend(start, stop)
        if start < stop:
            events = self.events
            last = stop - 1
            end = events.stop_of(last)
            self.pieces.append(self.data[int(events.at[start]) : end])
            self.tick = int(events.tick[last])
            self.running = _channel_status(int(events.status[last]))
        self.next_row = stop

    def _mend(self, row: int, stop: int) -> int:
        """Write rows one by one up to the first channel message, from which status carries on."""
        events = self.events
        while row < stop:
            at, body, status = (int(c[row]) for c in (events.at, events.body, events.status))
            tick = max(self.tick, int(events.tick[row]))
            raw = self.data[at:body]
            same = quantity(raw) == tick - self.tick
            self.pieces.append(raw if same else _delta(tick - self.tick))
            message = self.data[body : events.stop_of(row)]
            if message[0] < 0x80 and self.running != status:
                self.pieces.append(bytes((status,)))
            self.pieces.append(message)
            self.tick, self.running = tick, _channel_status(status)
            row += 1
            if self.running:
                break
            if tick == events.tick[row - 1]:
                row = self._copy_system(row, stop)
        return row

    def _copy_system(self, row: int, stop: int) -> int:
        """Copy rows as they are up to the next channel message, the first that may need mending."""
        events, first = self.events, row
        while row < stop:
            is_channel = events.status[row : min(stop, row + _BLOCK)] < 0xF0
            if is_channel.any():
                row += int(is_channel.argmax())
                break
            row += len(is_channel)
        if first < row:
            self.pieces.append(self.data[int(events.at[first]) : events.stop_of(row - 1)])
            self.tick = int(events.tick[row - 1])
        return row


def _channel_status(status: int) -> int:
    """What may run on after an event of this status: itself, or nothing."""
    return status if status < 0xF0 else 0


def _delta(ticks: int) -> bytes:
    if ticks > MAX_DELTA:
        raise SpliceError(
            f"Two events would be {ticks:,} ticks apart, and a MIDI file can hold {MAX_DELTA:,} at "
            "most. Put the new notes nearer to the music."
        )
    return varlen(ticks)


def _rewrap(data: bytes, index: MidiIndex, growth: int) -> bytes:
    """Correct the sizes of the RIFF wrapper, and its padding, where there is one.

    A size of the whole that was wrong before becomes the real one.
    """
    if index.container.wrapper is None:
        return data
    start, stop = index.container.wrapper
    size, padded = stop - start, stop + ((stop - start) & 1)
    midi = data[start : stop + growth]
    rest = data[padded + growth :]
    pad = b"\0" * (len(midi) & 1)
    declared = int.from_bytes(data[4:8], "little")
    grown = len(midi) + len(pad) - size - (size & 1)
    if stop <= declared + 8 <= len(data) - growth:
        declared += grown
    else:
        declared = start - 8 + len(midi) + len(pad) + len(rest)
    head = data[:4] + declared.to_bytes(4, "little") + data[8 : start - 4]
    return b"".join([head, len(midi).to_bytes(4, "little"), midi, pad, rest])
