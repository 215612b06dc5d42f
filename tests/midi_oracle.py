"""A second, naive MIDI parser, and the promise in its words. It shares nothing with the hub.

Events are (tick, message): running status written out, delta times gone. It reads one byte after
the other, in the plainest way, so that it can be checked by eye and against mido.
"""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from functools import lru_cache
from typing import NamedTuple

import mido


class Event(NamedTuple):
    tick: int
    message: bytes


class Sounding(NamedTuple):
    """A note by first in, first out; `on` and `off` are places in the list of events."""

    onset: int
    end: int | None
    channel: int
    pitch: int
    velocity: int
    on: int
    off: int | None


class Parsed(NamedTuple):
    header: bytes
    chunks: list[tuple[bytes, bytes]]
    tracks: list[list[Event]]
    tails: list[bytes]
    rest: bytes


@lru_cache(maxsize=2)
def parse(data: bytes) -> Parsed:
    chunks: list[tuple[bytes, bytes]] = []
    tracks: list[list[Event]] = []
    tails: list[bytes] = []
    at = 0
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "big")
        kind, content = data[at : at + 4], data[at + 8 : at + 8 + length]
        chunks.append((kind, content))
        if kind == b"MTrk":
            events, tail = parse_track(content)
            tracks.append(events)
            tails.append(tail)
        at += 8 + length
    return Parsed(chunks[0][1], chunks, tracks, tails, data[at:])


def number(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    while True:
        value = value * 128 + data[at] % 128
        at += 1
        if data[at - 1] < 128:
            return value, at


def parse_track(data: bytes) -> tuple[list[Event], bytes]:
    at = tick = running = 0
    events: list[Event] = []
    while at < len(data):
        delta, at = number(data, at)
        tick += delta
        first = data[at]
        if first == 0xFF:
            length, start = number(data, at + 2)
            events.append(Event(tick, data[at : start + length]))
            at = start + length
            if events[-1].message[1] == 0x2F:
                break
        elif first in (0xF0, 0xF7):
            length, start = number(data, at + 1)
            events.append(Event(tick, data[at : start + length]))
            at = start + length
        else:
            if first >= 0x80:
                running = first
                at += 1
            width = 1 if 0xC0 <= running < 0xE0 else 2
            events.append(Event(tick, bytes([running]) + data[at : at + width]))
            at += width
    return events, data[at:]


def notes(events: list[Event]) -> tuple[list[Sounding], list[int]]:
    """Notes in the order of their note-ons, and the places of note-offs that end nothing."""
    waiting: dict[tuple[int, int], list[int]] = defaultdict(list)
    found: list[Sounding] = []
    stray: list[int] = []
    for place, (tick, message) in enumerate(events):
        kind, channel = message[0] // 16, message[0] % 16
        if kind not in (8, 9):
            continue
        pitch, velocity = min(message[1], 127), min(message[2], 127)
        if kind == 9 and velocity > 0:
            waiting[channel, pitch].append(len(found))
            found.append(Sounding(tick, None, channel, pitch, velocity, place, None))
        elif waiting[channel, pitch]:
            index = waiting[channel, pitch].pop(0)
            found[index] = found[index]._replace(end=tick, off=place)
        else:
            stray.append(place)
    return found, stray


@lru_cache(maxsize=2)
def notes_of(data: bytes) -> list[tuple[list[Sounding], list[int]]]:
    """`notes` of each track."""
    return [notes(events) for events in parse(data).tracks]


def mido_events(data: bytes) -> list[list[Event]]:
    """The events of `without_lengths`, by mido."""
    tracks = []
    for track in mido.MidiFile(file=io.BytesIO(data), clip=True).tracks:
        tick, events = 0, []
        for message in track:
            tick += message.time
            events.append(Event(tick, bytes(message.bin())))
        tracks.append(events)
    return tracks


def without_lengths(tracks: list[list[Event]]) -> list[list[Event]]:
    """Events as mido shows them: sysex without its length, framed by F0 and F7."""

    def shown(event: Event) -> Event:
        if event.message[0] != 0xF0:
            return event
        _, start = number(event.message, 1)
        return event._replace(message=b"\xf0" + event.message[start:].rstrip(b"\xf7") + b"\xf7")

    return [[shown(event) for event in track] for track in tracks]


class Added(NamedTuple):
    """A note that was asked for."""

    track: int
    channel: int
    onset: int
    duration: int
    pitch: int
    velocity: int


def check_promise(
    before: bytes, after: bytes, removed: dict[int, set[int]], added: list[Added]
) -> int:
    """Assert the promise; the number of new notes that are there in full.

    `removed` names, for each track, the notes that go by their place in `notes(track)`.
    """
    old, new = parse(before), parse(after)
    assert old.header == new.header
    assert (old.tails, old.rest) == (new.tails, new.rest)
    assert [kind for kind, _ in old.chunks] == [kind for kind, _ in new.chunks]
    touched = {t for t, rows in removed.items() if rows} | {a.track for a in added}
    track = in_full = 0
    for (kind, was), (_, now) in zip(old.chunks, new.chunks, strict=True):
        if kind != b"MTrk":
            assert was == now
            continue
        if track in touched:
            mine = [a for a in added if a.track == track]
            sounding = notes_of(before)[track]
            gone = removed.get(track, set())
            in_full += check_track(old.tracks[track], sounding, new.tracks[track], gone, mine)
        else:
            assert was == now, f"track {track} was not touched but has changed"
        track += 1
    return in_full


def check_track(
    old: list[Event],
    sounding: tuple[list[Sounding], list[int]],
    new: list[Event],
    removed: set[int],
    added: list[Added],
) -> int:
    """Assert the promise for one track; `sounding` is `notes(old)`."""
    old_notes, strays = sounding
    gone = {n.on for i, n in enumerate(old_notes) if i in removed}
    gone |= {n.off for i, n in enumerate(old_notes) if i in removed and n.off is not None}
    kept = [event for place, event in enumerate(old) if place not in gone]
    left_over = _left_over(kept, new)

    def plain(note: Sounding) -> tuple[int | None, ...]:
        return note.onset, note.end, note.channel, note.pitch, note.velocity

    kept_notes = [n for i, n in enumerate(old_notes) if i not in removed]
    new_notes, _ = notes(new)
    extra = Counter(map(plain, new_notes))
    extra.subtract(Counter(map(plain, kept_notes)))
    assert min(extra.values(), default=0) >= 0, "a note that should stay has changed"
    events: Counter[Event] = Counter()
    for onset, end, channel, pitch, velocity in extra.elements():
        assert end is not None
        events[Event(onset, bytes([0x90 + channel, pitch, velocity]))] += 1
        events[Event(end, bytes([0x80 + channel, pitch, 64]))] += 1
    assert left_over == events, "events came that are no part of a new note"
    spans = [(n.onset, n.end, n.channel, n.pitch) for n in kept_notes]
    spans += [(old[s].tick, old[s].tick, old[s].message[0] % 16, old[s].message[1]) for s in strays]
    return _check_added(list(extra.elements()), added, spans)


def _left_over(kept: list[Event], new: list[Event]) -> Counter[Event]:
    """What `new` has over `kept`, which must all be in it, in order. Only the end may move."""
    left_over: Counter[Event] = Counter()
    place = 0
    for event in new:
        expected = kept[place] if place < len(kept) else None
        if expected is not None and expected.message[:2] == b"\xff\x2f":
            latest = max([e.tick for e in new if e.message[:2] != b"\xff\x2f"], default=0)
            expected = Event(max(expected.tick, latest), expected.message)
        if event == expected:
            place += 1
        else:
            left_over[event] += 1
    assert place == len(kept), f"{kept[place]} is lost"
    return left_over


def _check_added(extra: list, added: list[Added], spans: list) -> int:
    """Each extra note was asked for; each one asked for is there unless its pitch is taken."""
    asked = sorted(added, key=lambda a: a.duration)
    exact = 0
    for note in sorted(extra, key=lambda n: n[0] - n[1]):
        onset, end, channel, pitch, velocity = note
        fitting = [
            a
            for a in asked
            if (a.onset, a.channel, a.pitch, a.velocity) == (onset, channel, pitch, velocity)
            and a.duration >= end - onset
        ]
        assert fitting, f"{note} was not asked for"
        if fitting[0].duration == end - onset:
            exact += 1
            asked.remove(fitting[0])
    for one in asked:
        stop = one.onset + one.duration
        rivals = [
            s
            for s in spans
            if s[2:] == (one.channel, one.pitch)
            and s[0] < stop
            and (s[1] is None or s[1] >= one.onset)
        ]
        twins = [
            a
            for a in added
            if (a.channel, a.pitch) == (one.channel, one.pitch)
            and a.onset < stop
            and a.onset + a.duration > one.onset
        ]
        assert rivals or len(twins) > 1, f"{one} is missing or shorter, and nothing is in its way"
    return exact
