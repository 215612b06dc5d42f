"""MIDI files for tests: put together from bytes, or made at random by hypothesis.

The random ones have several channels, few pitches (so that notes collide), running status, sysex
with and without its end, meta events, controllers, padded delta times, bytes after the end.
"""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from midi_oracle import Added, notes, parse

from hub.formats import Edit
from hub.score import Note, Notes, Score

END = b"\x00\xff\x2f\x00"


def smf(*tracks: bytes, kind: int = 1, division: int = 96, between: bytes = b"") -> bytes:
    """A file from tracks' bytes; `between` stands after each track."""
    head = b"MThd" + bytes([0, 0, 0, 6, 0, kind, 0, len(tracks)]) + division.to_bytes(2, "big")
    return head + b"".join(b"MTrk" + len(t).to_bytes(4, "big") + t + between for t in tracks)


def varlen(value: int) -> bytes:
    """A variable-length quantity, below 2 ** 21."""
    digits = [0x80 | value >> 14, 0x80 | value >> 7 & 127, value & 127]
    return bytes(digits[(value < 1 << 14) + (value < 1 << 7) :])


CHANNELS = (0, 1, 9)
PITCHES = st.integers(59, 62)
messages = st.one_of(
    st.builds(lambda s, c, p, v: bytes([s | c, p, v]), st.sampled_from((0x80, 0x90)),
              st.sampled_from(CHANNELS), PITCHES, st.sampled_from((0, 1, 64, 127))),
    st.builds(lambda c, p, v: bytes([0x90 | c, p, v]),
              st.sampled_from(CHANNELS), PITCHES, st.integers(1, 127)),
    st.builds(lambda s, c, a, b: bytes([s | c, a, b]), st.sampled_from((0xA0, 0xB0, 0xE0)),
              st.sampled_from(CHANNELS), st.integers(0, 127), st.integers(0, 127)),
    st.builds(lambda s, c, a: bytes([s | c, a]), st.sampled_from((0xC0, 0xD0)),
              st.sampled_from(CHANNELS), st.integers(0, 127)),
    st.builds(lambda k, b: b"\xff" + bytes([k]) + varlen(len(b)) + b,
              st.sampled_from((1, 5, 6, 0x7F)), st.binary(max_size=4)),
    st.builds(lambda b: b"\xf0" + varlen(len(b)) + bytes(x & 127 for x in b),
              st.binary(max_size=4)),
    st.builds(lambda b: b"\xf7" + varlen(len(b)) + b, st.binary(max_size=4)),
)  # fmt: skip
deltas = st.sampled_from((0, 0, 0, 1, 5, 24, 96, 127, 128, 200, 20_000))


@st.composite
def tracks(draw: st.DrawFn) -> bytes:
    out, running = b"", 0
    rows = st.tuples(deltas, messages, st.integers(0, 9), st.booleans())
    for delta, message, oddity, is_short in draw(st.lists(rows, max_size=30)):
        number = (b"\x80" if oddity == 9 else b"") + varlen(delta)
        status = message[0]
        may_run = is_short and status == running and status < 0xF0
        out += number + (message[1:] if may_run else message)
        if status != 0xFF:
            running = status if status < 0xF0 else 0
    if draw(st.booleans()):
        out += varlen(draw(deltas)) + b"\xff\x2f\x00"
        out += draw(st.sampled_from((b"", b"", b"\x00junk")))
    return out


@st.composite
def files(draw: st.DrawFn) -> bytes:
    kind = draw(st.integers(0, 1))
    found = draw(st.lists(tracks(), min_size=1, max_size=1 if kind == 0 else 3))
    between = draw(st.sampled_from((b"", b"", b"XFIH\0\0\0\3abc")))
    return smf(*found, kind=kind, division=draw(st.sampled_from((24, 96, 480))), between=between)


def draw_edit(draw: st.DrawFn, score: Score) -> Edit:
    rows = st.lists(st.integers(0, max(0, len(score.notes) - 1)), unique=True, max_size=12)
    removed = sorted(draw(rows)) if len(score.notes) else []
    onsets = sorted({0, 7, *score.notes.onset.tolist(), *score.notes.end.tolist()})
    new_note = st.builds(
        lambda onset, shift, *rest: Note(max(0, onset + shift), *rest),
        st.sampled_from(onsets),
        st.integers(-2, 2),
        st.sampled_from((1, 2, 24, 96, 300)),
        PITCHES,
        st.integers(1, 127),
        st.integers(0, len(score.parts) - 1),
    )
    added = draw(st.lists(new_note, max_size=8)) if score.parts else []
    return Edit(removed=np.array(removed, dtype=np.int64), added=Notes.of(added))


def in_oracle_words(data: bytes, score: Score, edit: Edit) -> tuple[dict, list[Added]]:
    """The edit by (track, place in the oracle's notes), found by part order and sort order."""
    rows: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
    for track, events in enumerate(parse(data).tracks):
        for place, note in enumerate(notes(events)[0]):
            rows.setdefault((track, note.channel), []).append((note.onset, note.pitch, place))
    gone: dict[int, set[int]] = {}
    keys = list(rows)
    for number, key in enumerate(keys):
        of_part = np.flatnonzero(score.notes.part == number).tolist()
        for row, (*_, place) in zip(of_part, sorted(rows[key]), strict=True):
            if row in edit.removed:
                gone.setdefault(key[0], set()).add(place)
    new = [Added(*keys[n.part], n.onset, n.duration, n.pitch, n.velocity) for n in edit.added]
    return gone, new
