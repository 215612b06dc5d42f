"""The shell of a MIDI file: header, chunks, an optional RIFF wrapper; and what `read` remembers."""

from __future__ import annotations

from dataclasses import dataclass

from hub import limits
from hub.errors import BadFileError
from hub.formats.midi.events import Chunk, Events, chunks
from hub.score import IntArray

MAX_LENGTH = 0xFFFF_FFFF  # what the length field of a chunk can hold


@dataclass(frozen=True, kw_only=True)
class Container:
    """Where things lie in the file: `wrapper` is the [start, stop) of the MIDI in a RIFF file."""

    type: int
    ticks_per_quarter: int
    chunks: tuple[Chunk, ...]
    wrapper: tuple[int, int] | None = None

    @property
    def tracks(self) -> tuple[Chunk, ...]:
        return tuple(chunk for chunk in self.chunks if chunk.kind == b"MTrk")


@dataclass(frozen=True, kw_only=True, eq=False)
class MidiIndex:
    """Where each row of `Score.notes` stands: rows of `events`, aligned with the notes.

    off             -1 for a note that no note-off ends
    stray           rows of note-offs that end no note, ascending
    part_tracks     track number of each part
    """

    container: Container
    events: Events
    on: IntArray
    off: IntArray
    stray: IntArray
    part_tracks: tuple[int, ...]


def open_container(data: bytes, name: str) -> Container:
    """Header and chunks of a MIDI file. Raises BadFileError for what the hub cannot edit."""
    wrapper = _unwrap(data, name)
    start, stop = wrapper or (0, len(data))
    found = []
    for chunk in chunks(data, start, stop):
        found.append(chunk)
        limits.check("tracks", len(found) - 1)
    if not found or found[0].kind != b"MThd" or found[0].stop - found[0].start < 6:
        raise BadFileError(
            f'"{name}" does not begin with a MIDI header; it may be damaged or another kind of '
            "file. Export it again as a Standard MIDI File."
        )
    header = data[found[0].start : found[0].stop]
    kind, division = (int.from_bytes(header[i : i + 2], "big") for i in (0, 4))
    _check_header(kind, division, name)
    container = Container(
        type=kind, ticks_per_quarter=division, chunks=tuple(found), wrapper=wrapper
    )
    if not container.tracks:
        raise BadFileError(f'"{name}" has a MIDI header but no tracks. Export it again.')
    return container


def _check_header(kind: int, division: int, name: str) -> None:
    if kind > 1:
        raise BadFileError(
            f'"{name}" is a type {kind} MIDI file; the hub reads types 0 and 1. '
            "Save it as type 1 in your sequencer."
        )
    if division & 0x8000:
        raise BadFileError(
            f'"{name}" counts time in SMPTE frames, so it has no beats or measures. '
            "Export it with ticks per quarter note (PPQ) instead."
        )
    if not division:
        raise BadFileError(
            f'"{name}" says that a quarter note has 0 ticks; at least 1 is needed. Export it again.'
        )
    limits.check("ticks_per_quarter", division)


def _unwrap(data: bytes, name: str) -> tuple[int, int] | None:
    """[start, stop) of the "data" chunk of a RIFF/RMID file; None for a bare MIDI file."""
    if data[:4] != b"RIFF":
        return None
    at = 12
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        if data[at : at + 4] == b"data":
            return at + 8, min(len(data), at + 8 + length)
        at += 8 + length + (length & 1)
    raise BadFileError(f'"{name}" is a RIFF file without MIDI data in it. Export it as plain MIDI.')
