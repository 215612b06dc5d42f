"""What a synthesiser is told to play."""

from __future__ import annotations

import pytest

from hub.errors import PreviewError
from hub.formats import midi
from hub.preview.performance import MAX_SECONDS, Performance, perform
from hub.score import Measure, Notes, Part, Score, Tempo

TPQ = 480
PARTS = (
    Part(id="P1", name="Piano", program=0),
    Part(id="P2", name="Drums", is_drums=True, channel=9),
    Part(id="P3", name="Violin", program=40),
)


def score_of(rows: list[tuple[int, ...]], *tempos: tuple[int, float]) -> Score:
    return Score(
        ticks_per_quarter=TPQ,
        parts=PARTS,
        measures=tuple(Measure(number=str(i + 1), start=i * 1920, length=1920) for i in range(4)),
        notes=Notes.of(rows),
        tempos=tuple(Tempo(*tempo) for tempo in tempos) or (Tempo(0, 120.0),),
    )


def heard(performance: Performance) -> list[tuple[int, int, int, int]]:
    """(start ms, end ms, channel, pitch), by start; equal pitches do not overlap here."""
    open_notes: dict[tuple[int, int], int] = {}
    out = []
    for ms, status, pitch, _ in performance.messages.tolist():
        key = (status & 15, pitch)
        if status & 0xF0 == 0x90:
            open_notes[key] = ms
        elif status & 0xF0 == 0x80:
            out.append((open_notes.pop(key), ms, *key))
    assert not open_notes
    return sorted(out)


SCALE = score_of([(i * 480, 440, 60 + i, 40 + 10 * i, 0) for i in range(8)])


def test_excerpts_and_parts() -> None:
    assert [row[3] for row in heard(perform(SCALE, 960, 1920))] == [62, 63]
    both = score_of([(0, 480, 60, 80, 0), (0, 480, 67, 80, 2)])
    assert [row[3] for row in heard(perform(both, parts=["P3"]))] == [67]


def test_tempos_are_honoured() -> None:
    rows = [(0, 480, 60), (480, 480, 62), (960, 480, 64)]
    played = heard(perform(score_of(rows, (0, 240.0), (480, 60.0))))
    assert [row[:2] for row in played] == [(0, 250), (250, 1250), (1250, 2250)]


def test_a_note_held_into_the_excerpt_sounds_from_its_beginning() -> None:
    assert heard(perform(score_of([(0, 1920, 60)]), 960, 1440)) == [(0, 500, 0, 60)]


def test_velocities_are_kept() -> None:
    on = [row for row in perform(SCALE).messages.tolist() if row[1] & 0xF0 == 0x90]
    assert [row[3] for row in on] == [40 + 10 * i for i in range(8)]


def test_the_length_is_capped() -> None:
    performance = perform(score_of([(0, 480, 60), (10_000_000, 480, 62)]))
    assert [row[3] for row in heard(performance)] == [60]
    assert performance.seconds <= MAX_SECONDS


def test_a_channel_a_program_and_drums_the_tenth() -> None:
    performance = perform(score_of([(0, 9, 60, 80, 0), (0, 9, 38, 80, 1), (0, 9, 61, 80, 2)]))
    assert {row[2:] for row in heard(performance)} == {(0, 60), (9, 38), (1, 61)}
    programs = [row[1:3] for row in performance.messages.tolist() if row[1] & 0xF0 == 0xC0]
    assert sorted(programs) == [[0xC0, 0], [0xC1, 40], [0xC9, 0]]


def test_a_note_ends_before_the_same_pitch_begins_again() -> None:
    messages = perform(score_of([(0, 480, 60), (480, 480, 60)])).messages.tolist()
    kinds = [row[1] & 0xF0 for row in messages if row[0] == 500]
    assert kinds == [0x80, 0x90]


def test_silence_is_a_sentence() -> None:
    with pytest.raises(PreviewError, match="no notes"):
        perform(SCALE, 5000, 6000)


def midi_bytes(*events: bytes) -> bytes:
    track = b"".join(events) + b"\0\xff\x2f\0"
    head = b"MThd\0\0\0\6\0\0\0\1\x01\xe0"
    return head + b"MTrk" + len(track).to_bytes(4, "big") + track


QUARTER = b"\x83\x60"  # 480 ticks


def test_a_midi_files_pedal_bends_and_programs_are_played() -> None:
    data = midi_bytes(
        b"\0\xc3\x05",
        b"\0\xb3\x40\x7f",
        b"\0\x93\x3c\x50",
        QUARTER + b"\xe3\0\x50",
        b"\0\x83\x3c\0",
        b"\0\xb3\x40\0",
        b"\0\x93\x3e\x50",
        QUARTER + b"\x83\x3e\0",
    )
    score = midi.read(data)
    rows = [row for row in perform(score).messages.tolist() if row[1] & 0xF0 in (0xB0, 0xE0)]
    assert rows == [[0, 0xB3, 64, 127], [500, 0xE3, 0, 80], [500, 0xB3, 64, 0]]
    # An excerpt begins with what was set before it: here no pedal any more, but the bend.
    later = [row for row in perform(score, 481).messages.tolist() if row[1] & 0xF0 != 0x80]
    assert [row[:3] for row in later] == [
        [0, 0xC3, 5], [0, 0xC3, 5], [0, 0xE3, 0], [0, 0xB3, 64], [0, 0x93, 62],
    ]  # fmt: skip
