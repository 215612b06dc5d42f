"""Render any Score as a type 1 MIDI file: a conductor track, then one track a part."""

from __future__ import annotations

from collections.abc import Iterable

from hub.formats.midi.events import END_OF_TRACK, MAX_DELTA, META, varlen
from hub.general_midi import DRUM_CHANNEL
from hub.limits import LIMITS
from hub.score import Measure, Part, Score

_TRACK_NAME, _LYRIC, _MARKER, _TEMPO, _METER, _KEY = 0x03, 0x05, 0x06, 0x51, 0x58, 0x59
_MELODIC_CHANNELS = tuple(c for c in range(16) if c != DRUM_CHANNEL)
_RELEASE_VELOCITY = 64
_SLOWEST = 0xFF_FFFF

# (tick, rank at one tick, tie break, message): note-offs 0, then settings 1, then note-ons 2.
_Timed = tuple[int, int, int, bytes]


def write(score: Score) -> bytes:
    """The score's notes, tempos, meters, keys, names and texts as a new MIDI file.

    Ticks are the score's own; where its quarter has more than 32,767 of them, or the whole score
    more than a delta time can count, they are scaled.
    """
    quarters = 1 + score.end // score.ticks_per_quarter
    most = max(1, min(LIMITS.ticks_per_quarter, MAX_DELTA // quarters))
    division = min(score.ticks_per_quarter, most)
    scale = _Scale(score.ticks_per_quarter, division)
    notes: list[list[tuple[int, ...]]] = [[] for _ in score.parts]
    for note in score.notes:
        start, end = scale(note.onset), scale(note.onset + note.duration)
        notes[note.part].append((start, max(end, start + 1), note.pitch, note.velocity))
    tracks = [_conductor(score, scale)]
    channels = assign_channels(score.parts)
    for part, channel, rows in zip(score.parts, channels, notes, strict=True):
        tracks.append(_part_track(part, channel, rows) + _texts(score, part.id, scale))
    header = b"MThd" + b"".join(
        value.to_bytes(size, "big")
        for value, size in ((6, 4), (1, 2), (len(tracks), 2), (division, 2))
    )
    return header + b"".join(_chunk(track) for track in tracks)


class _Scale:
    """Ticks of the score → ticks of the file."""

    def __init__(self, source: int, target: int) -> None:
        self.source, self.target = source, target

    def __call__(self, tick: int) -> int:
        if self.source == self.target:
            return tick
        return (2 * tick * self.target + self.source) // (2 * self.source)


def assign_channels(parts: Iterable[Part]) -> list[int]:
    """A channel for each part: drums on 9, others their own where it is free.

    When the fifteen melodic channels are used up, a part shares with one of its own program,
    else the channel with the fewest parts.
    """
    parts = list(parts)
    users: dict[int, list[Part]] = {channel: [] for channel in _MELODIC_CHANNELS}
    assigned: dict[int, int] = {}
    for number, part in enumerate(parts):
        own = part.channel
        if part.is_drums:
            assigned[number] = DRUM_CHANNEL
        elif own in users and all(other.program == part.program for other in users[own]):
            assigned[number] = own
            users[own].append(part)
    for number, part in enumerate(parts):
        if number not in assigned:
            assigned[number] = min(users, key=lambda c: _unfitness(users[c], part))
            users[assigned[number]].append(part)
    return [assigned[number] for number in range(len(parts))]


def _unfitness(users: list[Part], part: Part) -> tuple[bool, bool, int]:
    """Sorts channels: empty ones first, then those of the same program, then the emptiest."""
    return bool(users), any(u.program != part.program for u in users), len(users)


def _conductor(score: Score, scale: _Scale) -> list[_Timed]:
    rows: list[_Timed] = []
    if score.title:
        rows.append((0, 1, 0, _meta(_TRACK_NAME, score.title.encode())))
    for tick, beats, beat_type in _meter_changes(score):
        content = bytes((min(beats, 255), beat_type.bit_length() - 1, 24, 8))
        rows.append((scale(tick), 1, 1, _meta(_METER, content)))
    for key in score.keys:
        content = bytes((key.fifths & 0xFF, key.mode == "minor"))
        rows.append((scale(key.tick), 1, 2, _meta(_KEY, content)))
    for tempo in score.tempos:
        microseconds = max(1, min(_SLOWEST, round(60e6 / tempo.qpm)))
        rows.append((scale(tempo.tick), 1, 3, _meta(_TEMPO, microseconds.to_bytes(3, "big"))))
    return rows + _texts(score, None, scale)


def _meter_changes(score: Score) -> list[tuple[int, int, int]]:
    """(tick, beats, beat type) wherever a time signature is due.

    A MIDI file has no other bar lines than those its signatures make: a pickup, or any measure of
    another length than its meter's, gets a signature of its own length where one can say it.
    """
    changes: list[tuple[int, int, int]] = []
    for measure in score.measures:
        meter = _sounding_meter(measure, score.ticks_per_quarter)
        if not changes or meter != changes[-1][1:]:
            changes.append((measure.start, *meter))
    return changes


def _sounding_meter(measure: Measure, ticks_per_quarter: int) -> tuple[int, int]:
    """The printed meter, or one of the measure's real length in its beat type or a finer one."""
    for beat_type in (measure.beat_type, 4, 8, 16, 32):
        beats, rest = divmod(measure.length * beat_type, 4 * ticks_per_quarter)
        if beat_type >= measure.beat_type and not rest and 0 < beats < 256:
            return beats, beat_type
    return measure.beats, measure.beat_type


def _texts(score: Score, part_id: str | None, scale: _Scale) -> list[_Timed]:
    types = {"lyric": _LYRIC, "marker": _MARKER}
    return [
        (scale(a.tick), 1, 4, _meta(types[a.kind], a.value.encode()))
        for a in score.annotations
        if a.kind in types and a.part == part_id
    ]


def _part_track(part: Part, channel: int, notes: Iterable[tuple[int, ...]]) -> list[_Timed]:
    rows: list[_Timed] = [(0, 1, 0, _meta(_TRACK_NAME, part.name.encode()))]
    if part.program is not None:
        rows.append((0, 1, 1, bytes((0xC0 | channel, part.program))))
    for start, end, pitch, velocity in notes:
        rows.append((start, 2, pitch, bytes((0x90 | channel, pitch, velocity))))
        rows.append((end, 0, pitch, bytes((0x80 | channel, pitch, _RELEASE_VELOCITY))))
    return rows


def _meta(kind: int, content: bytes) -> bytes:
    return bytes((META, kind)) + varlen(len(content)) + content


def _chunk(rows: list[_Timed]) -> bytes:
    content = bytearray()
    before = 0
    for tick, _, _, message in sorted(rows):
        content += varlen(tick - before) + message
        before = tick
    content += b"\0" + _meta(END_OF_TRACK, b"")
    return b"MTrk" + len(content).to_bytes(4, "big") + bytes(content)
