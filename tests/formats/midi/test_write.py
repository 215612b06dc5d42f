"""Any Score → a new MIDI file."""

from __future__ import annotations

import io

import mido
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.formats import midi
from hub.formats.midi.write import assign_channels, write
from hub.score import Annotation, Key, Measure, Note, Notes, Part, Score, Tempo


def song(notes: list[Note], parts: int = 2, ticks_per_quarter: int = 480) -> Score:
    return Score(
        ticks_per_quarter=ticks_per_quarter,
        parts=tuple(Part(id=f"P{n}", name=f"Part {n}", program=n) for n in range(parts)),
        measures=(
            Measure(number="0", start=0, length=480, beats=3),
            Measure(number="1", start=480, length=1440, beats=3),
            Measure(number="2", start=1920, length=1440, beats=6, beat_type=8),
        ),
        notes=Notes.of(notes),
        tempos=(Tempo(0, 100.0), Tempo(960, 50.0)),
        keys=(Key(0, -2, "minor"),),
        annotations=(Annotation(5, "lyric", "la", "P1"), Annotation(480, "marker", "Verse")),
        title="Söng",
    )


def test_everything_a_score_holds_is_read_back() -> None:
    score = song([Note(0, 480, 60, 70), Note(480, 240, 62, 71, 1), Note(480, 1, 60, 1, 1)])
    again = midi.read(write(score))
    assert again.notes == score.notes
    assert (again.title, again.ticks_per_quarter) == ("Söng", 480)
    assert [(p.name, p.program, p.channel) for p in again.parts] == [
        ("Part 0", 0, 0),
        ("Part 1", 1, 1),
    ]
    assert [m.start for m in again.measures] == [0, 480]
    assert again.tempos == score.tempos
    assert again.keys == score.keys
    assert [(a.tick, a.value) for a in again.annotations] == [(5, "la"), (480, "Verse")]


def test_mido_reads_it_as_a_type_1_file_with_a_conductor_track() -> None:
    file = mido.MidiFile(file=io.BytesIO(write(song([Note(0, 480, 60)]))))
    assert (file.type, file.ticks_per_beat, len(file.tracks)) == (1, 480, 3)
    kinds = [message.type for message in file.tracks[0]]
    meters = [m for m in file.tracks[0] if m.type == "time_signature"]
    assert [(m.numerator, m.denominator) for m in meters] == [(1, 4), (3, 4), (6, 8)]
    assert kinds.count("set_tempo") == 2
    assert [m.name for m in file.tracks[1] if m.type == "track_name"] == ["Part 0"]


def test_repeated_notes_do_not_swallow_each_other() -> None:
    notes = [Note(0, 100, 60), Note(100, 100, 60), Note(200, 100, 60)]
    assert midi.read(write(song(notes))).notes == Notes.of(notes)


def test_a_resolution_midi_cannot_hold_is_scaled_down() -> None:
    again = midi.read(write(song([Note(50_400, 25_200, 60)], ticks_per_quarter=50_400)))
    assert again.ticks_per_quarter == 32_767
    assert again.notes[0][:2] == (32_767, 16_384)


def test_drums_are_on_channel_10_and_nothing_else_is() -> None:
    parts = [Part(id=str(n), name="", program=n, is_drums=n == 3) for n in range(12)]
    channels = assign_channels(parts)
    assert channels[3] == 9
    assert channels.count(9) == 1
    assert len(set(channels)) == 12


def test_parts_keep_the_channel_they_have() -> None:
    parts = [Part(id="a", name="", program=1), Part(id="b", name="", program=2, channel=0)]
    assert assign_channels(parts) == [1, 0]


def test_more_parts_than_channels_share_by_program() -> None:
    parts = [Part(id=str(n), name="", program=n % 14) for n in range(40)]
    channels = assign_channels(parts)
    by_channel: dict[int, set[int | None]] = {}
    for part, channel in zip(parts, channels, strict=True):
        by_channel.setdefault(channel, set()).add(part.program)
    assert 9 not in by_channel
    assert all(len(programs) == 1 for programs in by_channel.values())


@pytest.mark.parametrize("notes", [[], [Note(0, 1, 0, 1)], [Note(99_999, 1, 127, 127)]])
def test_edges(notes: list[Note]) -> None:
    assert midi.read(write(song(notes))).notes.onset.tolist() == [n.onset for n in notes]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 5000), st.integers(0, 127), st.integers(1, 127), st.integers(0, 1)
        ),
        unique_by=lambda row: (row[0] // 50, row[1], row[3]),
    )
)
def test_notes_that_do_not_overlap_come_back_as_they_went(rows: list[tuple[int, ...]]) -> None:
    notes = [Note(on // 50 * 50, 50, pitch, velocity, part) for on, pitch, velocity, part in rows]
    again = midi.read(write(song(notes)))
    found = [(*n[:4], again.parts[n.part].channel) for n in again.notes]
    assert sorted(found) == sorted((*n[:4], n.part) for n in notes)


def test_silences_longer_than_a_delta_time_are_scaled() -> None:
    score = song([Note(12_000 * 30_000, 30_000, 60)], ticks_per_quarter=30_000)
    again = midi.read(write(score))
    assert again.notes.onset[0] == 12_000 * again.ticks_per_quarter
