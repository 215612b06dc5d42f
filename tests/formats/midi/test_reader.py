"""MIDI bytes → Score."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from midi_files import END, files, smf
from midi_oracle import notes, parse

from hub import formats
from hub.errors import BadFileError, FileError, LimitError
from hub.formats import Edit, midi
from hub.score import Note, Notes, Tempo


def name(text: str) -> bytes:
    return b"\0\xff\x03" + bytes([len(text.encode())]) + text.encode()


def hexed(text: str) -> bytes:
    return bytes.fromhex(text) + END


def test_a_song_reads_as_a_score() -> None:
    conductor = name("Song") + hexed("00 ff 58 04 03 02 18 08  00 ff 51 03 0f 42 40")
    lead = name("Lead") + hexed("00 c0 49  00 90 3c 50  60 3c 00  00 90 3e 51  60 3e 00")
    kit = hexed("00 99 24 64  20 89 24 40")
    score = midi.read(smf(conductor, lead, kit), "song.mid")
    assert score.ticks_per_quarter == 96
    assert score.title == "Song"
    assert [(p.id, p.name, p.program, p.is_drums, p.channel) for p in score.parts] == [
        ("P1", "Lead", 73, False, 0),
        ("P2", "Drums", None, True, 9),
    ]
    assert list(score.notes) == [
        Note(0, 96, 60, 80, 0),
        Note(0, 32, 36, 100, 1),
        Note(96, 96, 62, 81, 0),
    ]
    assert [m.meter for m in score.measures] == ["3/4"]
    assert score.tempos == (Tempo(0, 60.0),)
    assert score.source is not None
    assert (score.source.format, score.source.name) == ("midi", "song.mid")


def test_parts_are_track_and_channel_in_the_order_of_their_first_note() -> None:
    first = name("Band") + hexed("00 c3 20  00 94 3c 50  10 84 3c 40  00 93 3c 50  10 83 3c 40")
    second = hexed("00 93 30 50  10 83 30 40")
    third = hexed("00 97 30 50  10 87 30 40")
    parts = midi.read(smf(first, second, third)).parts
    assert [(p.id, p.name, p.program) for p in parts] == [
        ("P1", "Band (ch 5)", None),
        ("P2", "Band (Acoustic Bass)", 32),
        ("P3", "Acoustic Bass", 32),
        ("P4", "Track 3", None),
    ]


def test_a_file_without_notes_is_a_score_without_parts() -> None:
    score = midi.read(smf(END))
    assert (len(score.parts), len(score.notes), len(score.measures)) == (0, 0, 1)


def test_a_note_without_an_end_lasts_to_the_end_of_its_track() -> None:
    score = midi.read(smf(hexed("10 90 3c 50  50 b0 40 00"), hexed("00 91 3c 50")))
    assert [(n.onset, n.duration) for n in score.notes] == [(0, 1), (16, 80)]


def test_a_note_of_no_length_counts_one_tick_and_stays_in_the_file() -> None:
    data = smf(hexed("00 90 3c 50  00 80 3c 40  10 90 3e 50  10 80 3e 40"))
    score = midi.read(data)
    assert score.notes[0].duration == 1
    after = formats.splice(score, Edit(removed=np.array([1]), added=Notes.empty()))
    assert parse(after).tracks[0][:2] == parse(data).tracks[0][:2]


def test_velocity_and_pitch_above_127_are_clipped() -> None:
    assert list(midi.read(smf(hexed("00 90 3c c8  10 80 3c 40"))).notes) == [Note(0, 16, 60, 127)]


def test_a_last_track_cut_between_two_events_is_read() -> None:
    whole = smf(hexed("00 90 3c 50  10 80 3c 40"))
    assert len(midi.read(whole[:-4]).notes) == 1
    with pytest.raises(BadFileError, match="Track 1 is damaged or cut off"):
        midi.read(whole[:-6])


def test_files_are_told_by_their_first_bytes() -> None:
    assert midi.sniff(smf(END))
    assert midi.sniff(b"RIFF\0\0\0\0RMID")
    assert not midi.sniff(b"RIFF\0\0\0\0WAVE")
    assert not midi.sniff(b"<score")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (smf(hexed("ff ff ff 7f 90 3c 50")), "quarter notes in length"),
        (smf(hexed("00 ff 51 03 ff ff ff  be 80 00 90 3c 50")), "seconds in length"),
        (smf(*[hexed("".join(f"00 9{c:x} 3c 50" for c in range(16)))] * 20), "320 parts"),
        (smf(hexed("00 90 3c 50" + " 00 3c 50" * 500_000)), "500,001 notes"),
        (smf(b"x" * (17 << 20)), "bytes; at most"),
    ],
    ids=["quarters", "seconds", "parts", "notes", "bytes"],
)
def test_what_is_too_large_is_refused_in_a_sentence(data: bytes, says: str) -> None:
    with pytest.raises(LimitError, match=says):
        midi.read(data)


@settings(max_examples=150, deadline=None)
@given(files())
def test_notes_of_random_files_are_those_of_the_oracle(data: bytes) -> None:
    score = midi.read(data)
    last = [max((e.tick for e in track), default=0) for track in parse(data).tracks]
    wanted = sorted(
        (n.onset, max(1, (last[t] if n.end is None else n.end) - n.onset), n.pitch, n.velocity)
        for t, track in enumerate(parse(data).tracks)
        for n in notes(track)[0]
    )
    assert sorted(tuple(n[:4]) for n in score.notes) == wanted
    assert score.measures[0].start == 0
    starts = [m.start for m in score.measures] + [score.measures[-1].end]
    assert starts == sorted(set(starts))


@settings(max_examples=150, deadline=None)
@given(files(), st.data())
def test_damaged_files_are_read_or_refused(data: bytes, more: st.DataObject) -> None:
    draw = more.draw
    broken = bytearray(data)
    for _ in range(draw(st.integers(0, 3))):
        broken[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    try:
        score = midi.read(bytes(broken[: draw(st.integers(0, len(data)))]), "x.mid")
    except FileError as error:
        assert str(error).endswith(".")
        return
    if score.parts:
        added = Notes.of([Note(3, 5, 61)])
        formats.splice(score, Edit(removed=np.arange(min(1, len(score.notes))), added=added))


def test_any_bytes_behind_a_header_are_read_or_refused() -> None:
    rng = random.Random(3)
    refused = 0
    for _ in range(300):
        try:
            midi.read(smf(rng.randbytes(rng.randrange(200))), "x.mid")
        except FileError:
            refused += 1
    assert refused > 200


@pytest.mark.slow
def test_reading_100_000_notes_takes_a_fraction_of_a_second() -> None:
    data = smf(b"\0\x90\x3c\x01" + b"\1\x3c\0\1\x3c\x50" * 100_000 + END)
    best = min(_seconds(data) for _ in range(3))
    assert best < 0.25


def _seconds(data: bytes) -> float:
    start = time.process_time()
    assert len(midi.read(data).notes) == 100_001
    return time.process_time() - start
