"""Bytes → events as columns → note pairs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from midi_files import END, files, varlen
from midi_oracle import Event, notes, parse

from hub.errors import BadFileError, LimitError
from hub.formats.midi.events import Events, chunks, pair_notes, scan
from hub.formats.midi.events import varlen as hub_varlen


def scanned(text: str, running: int = 0) -> Events:
    data = bytes.fromhex(text)
    return scan(data, [(0, len(data))], running)


def rows(events: Events) -> list[tuple[int, ...]]:
    columns = (events.tick, events.status, events.data1, events.data2)
    return list(zip(*(c.tolist() for c in columns), strict=True))


def test_two_byte_and_one_byte_messages_with_and_without_status() -> None:
    events = scanned("00 90 3c 50  81 00 3c 00  00 c5 07  01 08  02 b0 40 7f  00 d0 11")
    assert rows(events) == [
        (0, 0x90, 60, 80),
        (128, 0x90, 60, 0),
        (128, 0xC5, 7, 0),
        (129, 0xC5, 8, 0),
        (131, 0xB0, 64, 127),
        (131, 0xD0, 17, 0),
    ]
    assert events.at.tolist() == [0, 4, 8, 11, 13, 17]
    assert events.body.tolist() == [1, 6, 9, 12, 14, 18]


def test_meta_sysex_and_escapes_are_one_event_each() -> None:
    events = scanned("00 ff 01 02 90 3c  00 f0 03 90 3c f7  05 f7 02 ff 2f  00 90 3c 50")
    assert events.status.tolist() == [0xFF, 0xF0, 0xF7, 0x90]
    assert events.tick.tolist() == [0, 0, 5, 5]
    assert [(m.type, m.start, m.stop) for m in events.metas] == [(1, 4, 6)]


def test_running_status_goes_on_after_meta_and_system_events() -> None:
    events = scanned("00 90 3c 50  00 ff 01 00  00 3e 51  00 f0 00  00 40 52  00 fe  00 41 53")
    notes_on = [row for row in rows(events) if row[1] == 0x90]
    assert [row[2] for row in notes_on] == [60, 62, 64, 65]


def test_nothing_behind_the_end_of_the_track_is_read() -> None:
    events = scanned("00 90 3c 50  00 ff 2f 00  00 90 3e 50")
    assert len(events) == 2
    assert events.stops.tolist() == [8]


def test_delta_times_may_be_padded_to_four_bytes() -> None:
    assert scanned("80 80 80 05 90 3c 50  ff ff ff 7f 3c 00").tick.tolist() == [5, 5 + 0xFFFFFFF]


def test_data_bytes_above_127_are_read_as_127() -> None:
    assert rows(scanned("00 90 3c ff  00 b0 a8 01  00 c0 c8")) == [
        (0, 0x90, 60, 127),
        (0, 0xB0, 127, 1),
        (0, 0xC0, 127, 0),
    ]


def test_a_window_begins_with_the_running_status_it_is_given() -> None:
    assert rows(scanned("00 3c 50", running=0x93)) == [(0, 0x93, 60, 80)]
    assert rows(scanned("00 3c  00 3d", running=0xC3)) == [(0, 0xC3, 60, 0), (0, 0xC3, 61, 0)]


@pytest.mark.parametrize(
    "text",
    [
        "00 3c 50",  # no status to run on
        "00 90 3c",  # cut in a message
        "00",
        "00 90",
        "80 80 80 80 00 90 3c 50",  # five bytes of delta time
        "00 ff 01 05 41",  # cut in a meta event
        "00 ff 01",
        "00 f0 05 41",
        "00 f4",  # no such status
        "00 f2 01",
    ],
)
def test_what_is_no_midi_is_refused_with_the_place(text: str) -> None:
    with pytest.raises(BadFileError, match=r"Track 1 is damaged or cut off near byte \d+ "):
        scanned(text)


def test_ticks_begin_anew_in_each_track() -> None:
    data = bytes.fromhex("05 90 3c 50 05 3c 00") * 2
    events = scan(data, [(0, 7), (7, 14)])
    assert events.tick.tolist() == [5, 10, 5, 10]
    assert events.bounds.tolist() == [0, 2, 4]
    assert events.track_of(np.arange(4)).tolist() == [0, 0, 1, 1]
    assert [events.stop_of(row) for row in range(4)] == [4, 7, 11, 14]


def test_running_status_does_not_cross_into_the_next_track() -> None:
    with pytest.raises(BadFileError, match="Track 2"):
        scan(bytes.fromhex("00 90 3c 50 00 3c 00"), [(0, 4), (4, 7)])


def test_an_empty_track_has_no_events() -> None:
    events = scan(END, [(0, 0), (0, 4)])
    assert events.bounds.tolist() == [0, 0, 1]


def test_too_many_events_are_refused_before_the_columns_are_built() -> None:
    with pytest.raises(LimitError, match=r"4,000,001 events"):
        data = b"\0\x90\x3c\x01" + b"\0\x3c\0" * 4_000_000
        scan(data, [(0, len(data))])
    with pytest.raises(LimitError, match="singular events"):
        data = b"\0\xff\x01\0" * 1_000_000
        scan(data, [(0, len(data))])


@pytest.mark.parametrize("value", [0, 1, 127, 128, 200, 16_383, 16_384, 1_000_000])
def test_variable_length_quantities(value: int) -> None:
    assert hub_varlen(value) == varlen(value)


def test_chunks_stop_where_the_file_stops() -> None:
    data = b"MThd\0\0\0\2abMTrk\0\0\0\x63xyz"
    first, last = chunks(data, 0, len(data))
    assert (first.kind, first.start, first.stop) == (b"MThd", 8, 10)
    assert (last.start, last.stop, last.declared) == (18, 21, 0x63)


# Pairing


def pairs(text: str) -> tuple[list[tuple[int, int]], list[int]]:
    found = pair_notes(scanned(text))
    both = sorted(zip(found.on.tolist(), found.off.tolist(), strict=True))
    return both, found.stray.tolist()


def test_equal_pitches_end_first_in_first_out() -> None:
    text = "00 90 3c 50  05 90 3c 51  05 80 3c 40  05 90 3c 00"
    assert pairs(text) == ([(0, 2), (1, 3)], [])


def test_channels_and_pitches_are_kept_apart() -> None:
    text = "00 90 3c 50  00 91 3c 51  00 90 3d 51  05 81 3c 40  05 90 3d 00  05 80 3c 00"
    assert pairs(text) == ([(0, 5), (1, 3), (2, 4)], [])


def test_stray_note_offs_and_notes_without_end() -> None:
    text = "00 80 3c 40  00 90 3c 50  05 80 3c 40  00 80 3c 40  05 90 3c 50"
    assert pairs(text) == ([(1, 2), (4, -1)], [0, 3])


@settings(max_examples=200, deadline=None)
@given(files())
def test_random_files_read_as_the_oracle_reads_them(data: bytes) -> None:
    spans = [(c.start, c.stop) for c in chunks(data, 0, len(data)) if c.kind == b"MTrk"]
    events = scan(data, spans)
    parsed = parse(data)
    found = pair_notes(events)
    for number, track in enumerate(parsed.tracks):
        low, high = events.bounds[number : number + 2].tolist()
        mine = [
            Event(int(events.tick[row]), _message(data, events, row)) for row in range(low, high)
        ]
        assert mine == track
        wanted, strays = notes(track)
        here = (found.on >= low) & (found.on < high)
        off = np.where(found.off[here] < 0, -1, found.off[here] - low)
        assert sorted(zip((found.on[here] - low).tolist(), off.tolist(), strict=True)) == [
            (note.on, -1 if note.off is None else note.off) for note in wanted
        ]
        assert [s - low for s in found.stray.tolist() if low <= s < high] == strays


def _message(data: bytes, events: Events, row: int) -> bytes:
    raw = data[int(events.body[row]) : events.stop_of(row)]
    return raw if raw[0] >= 0x80 else bytes([int(events.status[row])]) + raw


@pytest.mark.parametrize("value", [-1, 1 << 28])
def test_a_delta_time_that_cannot_be_written_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match="no variable-length quantity"):
        hub_varlen(value)
