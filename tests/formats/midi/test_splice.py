"""Edits in place: the details one by one, then the promise on files made at random."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from midi_files import END, draw_edit, files, in_oracle_words, smf
from midi_oracle import Event, check_promise, mido_events, notes, parse, without_lengths

from hub import formats
from hub.errors import SpliceError
from hub.formats import Edit, midi
from hub.formats.midi.splice import fit
from hub.score import Note, Notes


def edited(data: bytes, removed: list[int], *added: Note) -> bytes:
    """The file after `formats.splice`, which verifies."""
    score = midi.read(data, "test.mid")
    rows = np.array(removed, dtype=np.int64)
    return formats.splice(score, Edit(removed=rows, added=Notes.of(added)))


def track_of(data: bytes, number: int = 0) -> bytes:
    """The bytes of one track."""
    return [content for kind, content in parse(data).chunks if kind == b"MTrk"][number]


TWO_NOTES = bytes.fromhex("00 90 3c 50  60 80 3c 40  00 90 3e 51  60 80 3e 41") + END


def test_an_edit_of_nothing_gives_the_very_bytes() -> None:
    data = smf(TWO_NOTES)
    assert edited(data, []) == data
    score = midi.read(data)
    assert midi.FORMAT.splice is not None
    assert midi.FORMAT.splice(score, Edit(removed=np.array([], int), added=Notes.empty())) == data


def test_removing_a_note_joins_the_delta_times() -> None:
    removed = track_of(edited(smf(TWO_NOTES), [0]))
    assert removed == bytes.fromhex("60 90 3e 51 60 80 3e 41") + END


def test_removing_the_last_note_leaves_the_end_where_it_was() -> None:
    removed = track_of(edited(smf(TWO_NOTES), [1]))
    assert removed == bytes.fromhex("00 90 3c 50 60 80 3c 40 60 ff 2f 00")


def test_an_added_note_stands_between_and_its_delta_times_fit() -> None:
    after = track_of(edited(smf(TWO_NOTES), [], Note(0x10, 0x20, 70, 99)))
    assert after == (
        bytes.fromhex(
            "00 90 3c 50  10 90 46 63  20 80 46 40  30 80 3c 40  00 90 3e 51  60 80 3e 41"
        )
        + END
    )


def test_note_offs_come_first_and_note_ons_last_on_one_tick() -> None:
    busy = bytes.fromhex("00 90 3c 50  60 b0 40 7f  00 c0 05  00 80 3c 40  60 b0 40 00") + END
    events = parse(edited(smf(busy), [], Note(0, 96, 70), Note(96, 96, 70))).tracks[0]
    at_96 = [event.message.hex() for event in events if event.tick == 96]
    assert at_96 == ["804640", "b0407f", "c005", "803c40", "904650"]


def test_running_status_is_mended_where_an_edit_breaks_it() -> None:
    running = bytes.fromhex("00 90 3c 50  60 3c 00  00 3e 50  60 3e 00  00 40 50  60 40 00") + END
    after = edited(smf(running), [1])
    assert track_of(after) == (bytes.fromhex("00 90 3c 50  60 3c 00  60 40 50  60 40 00") + END)
    first_gone = track_of(edited(smf(running), [0]))
    assert first_gone == bytes.fromhex("60 90 3e 50  60 3e 00  00 40 50  60 40 00") + END
    between = track_of(edited(smf(running), [], Note(0, 48, 50)))
    assert between.hex().count("90") == 3


def test_running_status_over_a_meta_event_is_made_explicit_behind_an_edit() -> None:
    over_meta = bytes.fromhex("00 90 3c 50  60 3c 00  00 ff 01 01 41  00 3e 50  60 3e 00") + END
    after = edited(smf(over_meta), [0])
    assert track_of(after) == bytes.fromhex("60 ff 01 01 41  00 90 3e 50  60 3e 00") + END
    assert mido_events(after) == parse(after).tracks


def test_odd_delta_times_stay_where_nothing_happens() -> None:
    padded = bytes.fromhex("80 80 00 90 3c 50  80 60 80 3c 40  00 90 3e 51  80 60 80 3e 41") + END
    after = track_of(edited(smf(padded), [1]))
    assert after == bytes.fromhex("80 80 00 90 3c 50  80 60 80 3c 40  60 ff 2f 00")


def test_the_end_of_the_track_moves_only_if_it_must() -> None:
    late_end = TWO_NOTES[:-4] + bytes.fromhex("83 00 ff 2f 00")
    inside = parse(edited(smf(late_end), [], Note(200, 50, 70))).tracks[0]
    assert inside[-1] == Event(192 + 384, b"\xff\x2f\x00")
    beyond = parse(edited(smf(late_end), [], Note(1000, 50, 70))).tracks[0]
    assert beyond[-1] == Event(1050, b"\xff\x2f\x00")
    assert beyond[-2].tick == 1050


def test_bytes_behind_the_end_of_the_track_and_foreign_chunks_stay() -> None:
    foreign = b"XFIH\0\0\0\3abc"
    data = smf(TWO_NOTES + b"junk", TWO_NOTES, between=foreign) + b"tail"
    after = edited(data, [0], Note(0, 10, 50, 1, 1))
    assert after.count(foreign) == 2
    assert after.endswith(foreign + b"tail")
    assert track_of(after).endswith(END + b"junk")


def test_a_track_without_an_end_can_be_edited() -> None:
    after = edited(smf(TWO_NOTES[:-4]), [1], Note(500, 10, 50))
    assert track_of(after) == bytes.fromhex("00 90 3c 50 60 80 3c 40 83 14 90 32 50 0a 80 32 40")


def test_a_note_that_never_ends_can_be_removed() -> None:
    hanging = bytes.fromhex("00 90 3c 50  10 90 3e 50  10 80 3e 40") + END
    assert track_of(edited(smf(hanging), [0])) == bytes.fromhex("10 90 3e 50  10 80 3e 40") + END


def test_an_untouched_track_and_the_other_channels_stay() -> None:
    data = smf(TWO_NOTES, TWO_NOTES)
    after = edited(data, [], Note(0, 10, 50, 1, 1))
    assert track_of(after, 0) == TWO_NOTES
    assert track_of(after, 1) != TWO_NOTES


def test_a_part_keeps_its_channel_in_a_type_0_file() -> None:
    both = bytes.fromhex("00 93 3c 50  60 83 3c 40  00 99 24 51  60 89 24 41") + END
    after = parse(edited(smf(both, kind=0), [], Note(0, 10, 50, 7, 1))).tracks[0]
    assert Event(0, bytes([0x99, 50, 7])) in after


def test_a_riff_wrapper_keeps_its_sizes_true() -> None:
    body = smf(TWO_NOTES)
    for extra in (b"", b"LIST\4\0\0\0abcd"):
        pad = b"\0" * (len(body) & 1)
        chunk = b"data" + len(body).to_bytes(4, "little") + body + pad + extra
        data = b"RIFF" + (len(chunk) + 4).to_bytes(4, "little") + b"RMID" + chunk
        for added in ([Note(5, 5, 50)], [Note(5, 300, 50)]):
            after = edited(data, [], *added)
            assert int.from_bytes(after[4:8], "little") == len(after) - 8
            size = int.from_bytes(after[16:20], "little")
            assert after[20 : 20 + size] == edited(body, [], *added)
            assert after.endswith(extra)


# Equal pitches in one channel. The old note sounds from tick 100 to 200.

HELD = bytes.fromhex("64 90 3c 50  64 80 3c 40") + END


@pytest.mark.parametrize(
    ("onset", "duration", "written"),
    [
        (0, 100, 100),  # ends as the old one begins
        (0, 150, 100),  # would cut the old one: ends where it begins
        (0, 500, 100),
        (100, 50, None),  # inside the old one: its note-off would end the old one
        (120, 50, None),
        (120, 80, None),  # so would one that ends together with it
        (100, 100, None),
        (120, 200, 200),  # outlasts it: first in, first out holds
        (200, 50, 50),
    ],
)
def test_a_new_note_never_steals_the_note_off_of_an_old_one(
    onset: int, duration: int, written: int | None
) -> None:
    after = edited(smf(HELD), [], Note(onset, duration, 60, 33))
    found = {(n.onset, n.end, n.velocity) for n in notes(parse(after).tracks[0])[0]}
    new = set() if written is None else {(onset, onset + written, 33)}
    assert found == {(100, 200, 80)} | new


def test_new_notes_of_one_pitch_do_not_tangle_either() -> None:
    score = midi.read(smf(TWO_NOTES))
    new = [Note(300, 100, 60), Note(310, 10, 60), Note(310, 20, 60), Note(400, 5, 60)]
    fitted = fit(score, Edit(removed=np.array([], int), added=Notes.of(new)))
    assert [(n.onset, n.duration) for n in fitted] == [(300, 10), (310, 20), (400, 5)]


def test_a_stray_note_off_ends_no_new_note() -> None:
    stray = bytes.fromhex("00 90 3e 50  64 80 3c 40  64 80 3e 40") + END
    after = edited(smf(stray), [], Note(50, 100, 60, 33))
    assert (50, 100, 60) in {(n.onset, n.end, n.pitch) for n in notes(parse(after).tracks[0])[0]}


def test_no_new_note_of_its_pitch_follows_a_note_that_never_ends() -> None:
    hanging = bytes.fromhex("64 90 3c 50  64 90 3e 50  10 80 3e 40") + END
    after = edited(smf(hanging), [], Note(150, 10, 60), Note(0, 200, 60, 33))
    found = [(n.onset, n.end) for n in notes(parse(after).tracks[0])[0] if n.pitch == 60]
    assert found == [(0, 100), (100, None)]


@pytest.mark.parametrize(
    "row",
    [(-1, 1, 60), (0, 0, 60), (0, 1, 128), (0, 1, 60, 0), (0, 1, 60, 1, 3)],
)
def test_notes_that_no_midi_file_can_hold_are_refused(row: tuple[int, ...]) -> None:
    with pytest.raises(SpliceError, match="which a MIDI file cannot hold"):
        edited(smf(TWO_NOTES), [], Note(*row))


def test_a_note_absurdly_far_away_is_refused() -> None:
    with pytest.raises(SpliceError, match="quarter notes after the beginning.*nearer"):
        edited(smf(TWO_NOTES), [], Note(1 << 40, 1, 60))


def test_a_score_from_elsewhere_cannot_be_spliced() -> None:
    score = midi.read(smf(TWO_NOTES)).with_notes(Notes.empty())
    assert midi.FORMAT.splice is not None
    with pytest.raises(SpliceError, match="was not read from a MIDI file"):
        midi.FORMAT.splice(score, Edit(removed=np.array([0]), added=Notes.empty()))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_the_promise_holds_on_random_files(data: st.DataObject) -> None:
    before = data.draw(files())
    score = midi.read(before, "random.mid")
    edit = draw_edit(data.draw, score)
    after = formats.splice(score, edit)
    check_promise(before, after, *in_oracle_words(before, score, edit))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_two_edits_in_a_row_leave_what_neither_names(data: st.DataObject) -> None:
    """Removing what was added gives back every event that was there (bytes may differ)."""
    before = data.draw(files())
    score = midi.read(before, "random.mid")
    nothing = np.array([], dtype=np.int64)
    added = draw_edit(data.draw, score).added
    after = midi.read(formats.splice(score, Edit(removed=nothing, added=added)), "after.mid")
    wanted = set(fit(score, Edit(removed=nothing, added=added)))
    old = list(score.notes)
    extra = [row for row, note in enumerate(after.notes) if note not in old or note in wanted]
    # Where a new note equals an old one, which of the two goes is not defined.
    assume(len(after.notes) - len(extra) == len(old))
    again = formats.splice(after, Edit(removed=np.array(extra, int), added=Notes.empty()))
    without_end = [
        [e.message for e in track if e.message[:2] != b"\xff\x2f"] for track in parse(again).tracks
    ]
    assert without_end == [
        [e.message for e in track if e.message[:2] != b"\xff\x2f"] for track in parse(before).tracks
    ]


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_mido_reads_edited_random_files_alike(data: st.DataObject) -> None:
    """Where mido can read the file at all: it wants every track to end with its end."""
    before = data.draw(files())
    assume(b"XFIH" not in before and b"\xf7" not in before and not any(parse(before).tails))
    score = midi.read(before, "random.mid")
    after = formats.splice(score, draw_edit(data.draw, score))
    assert without_lengths(parse(after).tracks) == mido_events(after)


@pytest.mark.parametrize("whole", [0, 3, 0xFFFF_FFFF])
@pytest.mark.parametrize("inner", [None, 0xFFFF_FFFF])
def test_wrong_sizes_of_a_riff_wrapper_become_the_real_ones(whole: int, inner: int | None) -> None:
    body = smf(TWO_NOTES)
    size = len(body) if inner is None else inner
    data = b"RIFF" + whole.to_bytes(4, "little") + b"RMIDdata" + size.to_bytes(4, "little") + body
    for after in (edited(data, [0, 1]), edited(data, [], Note(0x10, 0x20, 70, 99))):
        assert int.from_bytes(after[4:8], "little") == len(after) - 8
        now = int.from_bytes(after[16:20], "little")
        assert now + now % 2 == len(after) - 20
        assert midi.read(after).source is not None


def test_a_track_that_declares_all_there_can_be_still_does() -> None:
    body = smf(TWO_NOTES)
    data = body.replace(len(TWO_NOTES).to_bytes(4, "big"), b"\xff\xff\xff\xff")
    after = edited(data, [], Note(0x10, 0x20, 70, 99))
    assert after[18:22] == b"\xff\xff\xff\xff" and len(midi.read(after).notes) == 3
