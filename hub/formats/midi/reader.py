"""Standard MIDI Files, types 0 and 1: bytes → Score, edited in place, or rendered anew.

Parts are (track, channel) pairs that have notes, in file order: "P1", "P2" … A note-off ends the
longest sounding note of its pitch and channel in its track (first in, first out). A note that is
never ended sounds until the end of its track; a note of no length counts one tick. The file's own
events are left as they are in both cases.
"""

from __future__ import annotations

import numpy as np

from hub import limits
from hub.formats.midi import time as midi_time
from hub.formats.midi.events import Events, Pairs, pair_notes, scan
from hub.formats.midi.file import Container, MidiIndex, open_container
from hub.general_midi import DRUM_CHANNEL, PROGRAMS
from hub.score import IntArray, Notes, Part, Score, Source


def sniff(data: bytes) -> bool:
    """A MIDI header, bare or in a RIFF wrapper."""
    return data[:4] == b"MThd" or (data[:4] == b"RIFF" and data[8:12] == b"RMID")


def read(data: bytes, name: str = "score.mid") -> Score:
    """The Score of a MIDI file; `name` is for messages and downloads. Raises FileError only."""
    limits.check("file_bytes", len(data))
    container = open_container(data, name)
    events = scan(data, [(chunk.start, chunk.stop) for chunk in container.tracks])
    longest = int(events.tick.max()) if len(events) else 0
    limits.check("total_quarters", longest / container.ticks_per_quarter)
    metas = midi_time.timed_metas(data, events)
    names = midi_time.track_names(metas)
    notes, index, codes = _note_table(container, events, pair_notes(events))
    score = Score(
        ticks_per_quarter=container.ticks_per_quarter,
        parts=_parts(events, codes, names),
        measures=midi_time.measures(
            metas,
            container.ticks_per_quarter,
            int(notes.end.max()) if len(notes) else 0,
        ),
        notes=notes,
        tempos=midi_time.tempos(metas),
        keys=midi_time.keys(metas),
        annotations=midi_time.timed_texts(metas),
        title=names.get(0, ""),
        source=Source(data=data, format="midi", name=name, index=index),
    )
    limits.check("total_seconds", float(score.seconds_at(longest)))
    return score


def part_keys(score: Score) -> tuple[tuple[int, int], ...]:
    """(track, channel) of each part of a score that was read from a MIDI file."""
    assert score.source is not None and isinstance(score.source.index, MidiIndex)
    channels = (part.channel or 0 for part in score.parts)
    return tuple(zip(score.source.index.part_tracks, channels, strict=True))


def _note_table(
    container: Container, events: Events, pairs: Pairs
) -> tuple[Notes, MidiIndex, list[int]]:
    """The notes as a Score orders them, where each stands, each part's code track·16+channel."""
    track = events.track_of(pairs.on)
    codes = track * 16 + (events.status[pairs.on] & 15)
    parts, part = _number_parts(codes, pairs.on)
    onset = events.tick[pairs.on]
    last_tick = events.tick[np.maximum(events.bounds[1:] - 1, 0)] if len(events) else onset
    end = np.where(pairs.off < 0, last_tick[track], events.tick[pairs.off])
    pitch = events.data1[pairs.on]
    order = np.argsort((onset * len(parts) + part) << 7 | pitch, kind="stable")
    rows = pairs.on[order]
    notes = Notes(
        onset=onset[order],
        duration=np.maximum(1, end - onset)[order],
        pitch=pitch[order],
        velocity=events.data2[rows],
        part=part[order],
        voice=np.ones(len(rows), dtype=np.int64),
    )
    index = MidiIndex(
        container=container,
        events=events,
        on=rows,
        off=pairs.off[order],
        stray=pairs.stray,
        part_tracks=tuple(code >> 4 for code in parts),
    )
    return notes, index, parts


def _number_parts(codes: IntArray, on: IntArray) -> tuple[list[int], IntArray]:
    """The distinct codes in the order of their first note-on, and each note's place in it."""
    distinct, inverse = np.unique(codes, return_inverse=True)
    limits.check("parts", len(distinct))
    first = np.full(len(distinct), np.iinfo(np.int64).max)
    np.minimum.at(first, inverse, on)
    order = np.argsort(first)
    place = np.argsort(order)
    return distinct[order].tolist(), place[inverse]


def _parts(events: Events, codes: list[int], names: dict[int, str]) -> tuple[Part, ...]:
    programs = _programs(events)
    tracks = [code >> 4 for code in codes]
    found = []
    for number, code in enumerate(codes, start=1):
        track, channel = divmod(code, 16)
        program = programs.get(code, programs.get(-1 - channel))
        instrument = _instrument(channel, program)
        name = names.get(track, "")
        if not name:
            name = instrument or f"Track {track + 1}"
        elif tracks.count(track) > 1:
            name = f"{name} ({instrument or f'ch {channel + 1}'})"
        found.append(
            Part(
                id=f"P{number}",
                name=name,
                program=program,
                is_drums=channel == DRUM_CHANNEL,
                channel=channel,
            )
        )
    return tuple(found)


def _instrument(channel: int, program: int | None) -> str:
    if channel == DRUM_CHANNEL:
        return "Drums"
    return "" if program is None else PROGRAMS[program]


def _programs(events: Events) -> dict[int, int]:
    """Code track·16+channel → its first program; -1-channel → the first in any track."""
    rows = np.flatnonzero(events.status >> 4 == 0xC)
    channels = (events.status[rows] & 15).tolist()
    found: dict[int, int] = {}
    columns = (events.track_of(rows).tolist(), channels, events.data1[rows].tolist())
    for track, channel, program in zip(*columns, strict=True):
        found.setdefault(track * 16 + channel, program)
        found.setdefault(-1 - channel, program)
    return found
