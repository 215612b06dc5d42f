"""Music made by arithmetic, so that everyone measures on the same files.

`song` looks like a pop song to a parser: a conductor track with tempos and meters, six parts with
controllers, pitch bends and running status, a note density that varies. `melody` is one line.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from hub import Measure, Note, Notes, Part, Score, Tempo, write_score

TICKS_PER_QUARTER = 480
MEASURE = 4 * TICKS_PER_QUARTER
PROGRAMS = (0, 24, 33, 48, 81)
DRUMS = (36, 42, 38, 42, 46)
DORIAN = (0, 2, 3, 5, 7, 9, 10)


def song(notes: int) -> bytes:
    """A MIDI file of about `notes` notes in six parts, drums among them, with controllers."""
    measures = -(-notes // NOTES_PER_MEASURE)
    tracks = [_conductor(measures)]
    for number, program in enumerate(PROGRAMS):
        tracks.append(_track(_part_events(number, program, measures)))
    tracks.append(_track(_drum_events(measures)))
    header = b"MThd" + (6).to_bytes(4, "big") + (1).to_bytes(2, "big")
    header += len(tracks).to_bytes(2, "big") + TICKS_PER_QUARTER.to_bytes(2, "big")
    return header + b"".join(b"MTrk" + len(t).to_bytes(4, "big") + t for t in tracks)


# Eighths in three parts, halves in two chordal ones, sixteen drum strokes.
NOTES_PER_MEASURE = 3 * 8 + 2 * 2 * 3 + 16


def melody(measures: int) -> bytes:
    """One monophonic part in 4/4, a note on every eighth, two of them dotted, as a MIDI file."""
    rows = []
    for index in range(measures):
        degrees = _degrees(index)
        onset = index * MEASURE
        for length in (3, 1, 2, 2, 2, 2, 3, 1):
            duration = length * TICKS_PER_QUARTER // 4
            rows.append(Note(onset, duration, 69 + DORIAN[next(degrees)], 80))
            onset += duration
    score = Score(
        ticks_per_quarter=TICKS_PER_QUARTER,
        parts=(Part(id="P1", name="Melody", program=73, channel=0),),
        measures=tuple(
            Measure(number=str(i + 1), start=i * MEASURE, length=MEASURE) for i in range(measures)
        ),
        notes=Notes.of(rows),
        tempos=(Tempo(0, 112.0),),
    )
    return write_score(score, "midi")


def _degrees(seed: int) -> Iterator[int]:
    """Scale degrees 0..6 that repeat only after hundreds of measures."""
    return ((seed * seed + 3 * seed + 2 * step + step * step) % 7 for step in count())


def _conductor(measures: int) -> bytes:
    events = [(0, b"\xff\x58\x04\x04\x02\x18\x08"), (0, b"\xff\x59\x02\x00\x01")]
    for index in range(0, measures, 16):
        microseconds = 500_000 + 4_000 * (index % 48)
        events.append((index * MEASURE, b"\xff\x51\x03" + microseconds.to_bytes(3, "big")))
    return _track(events)


def _part_events(number: int, program: int, measures: int) -> list[tuple[int, bytes]]:
    chordal = number >= 3
    events = [(0, bytes([0xC0 | number, program])), (0, bytes([0xB0 | number, 7, 100]))]
    for index in range(measures):
        start, degrees = index * MEASURE, _degrees(index * 5 + number)
        events.append((start, bytes([0xB0 | number, 64, 127 if index % 2 else 0])))
        events.append((start + 11, bytes([0xE0 | number, index % 128, 64])))
        for step in range(2 if chordal else 8):
            length = MEASURE // (2 if chordal else 8)
            for voice in range(3 if chordal else 1):
                pitch = 45 + 7 * number + DORIAN[next(degrees)] + 4 * voice
                events += _note(start + step * length, length - 10, number, pitch, 70 + step)
    return events


def _drum_events(measures: int) -> list[tuple[int, bytes]]:
    events = []
    for step in range(16 * measures):
        pitch = DRUMS[step * step % 5]
        events += _note(step * MEASURE // 16, 60, 9, pitch, 60 + step % 40)
    return events


def _note(
    onset: int, duration: int, channel: int, pitch: int, velocity: int
) -> list[tuple[int, bytes]]:
    on = bytes([0x90 | channel, pitch, velocity])
    return [(onset, on), (onset + duration, bytes([0x90 | channel, pitch, 0]))]


def _track(events: list[tuple[int, bytes]]) -> bytes:
    """Delta times, running status, end of track."""
    data, tick, running = bytearray(), 0, -1
    for at, message in sorted(events, key=lambda event: event[0]):
        data += _variable(at - tick)
        keeps = message[0] == running and message[0] < 0xF0
        data += message[1:] if keeps else message
        tick, running = at, message[0] if message[0] < 0xF0 else -1
    return bytes(data) + b"\x00\xff\x2f\x00"


def _variable(value: int) -> bytes:
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))
