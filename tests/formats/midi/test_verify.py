"""The verifier lets nothing pass that the oracle would not."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from midi_files import END, draw_edit, files, in_oracle_words, smf
from midi_oracle import check_promise

from hub import formats
from hub.errors import PromiseError
from hub.formats import Edit, midi
from hub.formats.midi.verify import verify
from hub.score import Note, Notes

SONG = (
    bytes.fromhex("00 c0 05  00 90 3c 50  30 b0 40 7f  30 80 3c 40  00 90 3e 51  60 80 3e 41") + END
)
EDIT = Edit(removed=np.array([1]), added=Notes.of([Note(100, 20, 70, 90)]))


def spliced() -> tuple[bytes, bytes]:
    data = smf(SONG, SONG)
    return data, formats.splice(midi.read(data), EDIT)


def check(data: bytes, after: bytes, edit: Edit = EDIT) -> None:
    verify(midi.read(data), edit, after)


def test_the_result_of_a_splice_passes() -> None:
    check(*spliced())


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ("00 c0 05", "00 c0 06", "is lost"),
        ("30 b0 40 7f", "30 b0 40 7e", "is lost"),
        ("30 b0 40 7f", "31 b0 40 7f", "is lost"),
        ("00 90 3c 50", "00 90 3c 51", "is lost"),
        ("46 5a", "46 5b", "nobody asked for"),
        ("46 5a", "47 5a", "has changed|nobody asked for|asks? for"),
    ],
)
def test_any_other_change_in_the_track_is_found(was: str, now: str, says: str) -> None:
    data, after = spliced()
    before, behind = bytes.fromhex(was), bytes.fromhex(now)
    assert after.find(before) > 0
    with pytest.raises(PromiseError, match=says):
        check(data, after.replace(before, behind, 1))


def test_a_note_that_was_not_removed_is_found() -> None:
    data, _ = spliced()
    with pytest.raises(PromiseError):
        check(data, data)
    with pytest.raises(PromiseError, match="missing"):
        check(data, data, Edit(removed=np.array([], int), added=EDIT.added))
    with pytest.raises(PromiseError, match=r"does not ask for|nobody asked for"):
        check(data, data, Edit(removed=np.array([0]), added=Notes.empty()))


def test_a_change_in_another_track_is_found() -> None:
    data, after = spliced()
    place = after.rfind(bytes.fromhex("00 c0 05"))
    other = after[:place] + bytes.fromhex("00 c0 07") + after[place + 3 :]
    with pytest.raises(PromiseError, match="Track 2"):
        check(data, other)


def test_a_change_of_the_header_or_of_the_chunks_is_found() -> None:
    data, after = spliced()
    with pytest.raises(PromiseError, match="no track"):
        check(data, after[:13] + b"\x61" + after[14:])
    with pytest.raises(PromiseError, match="chunks"):
        check(data, after + b"XFIH\0\0\0\0")
    with pytest.raises(PromiseError, match="around"):
        check(data, after + b"x")
    with pytest.raises(PromiseError):
        check(data, after[:40])
    with pytest.raises(PromiseError, match="read again"):
        check(data, b"nothing of the sort")


def test_a_note_cut_short_without_need_is_found() -> None:
    data, after = spliced()
    cut = after.replace(bytes.fromhex("14 80 46 40"), bytes.fromhex("13 80 46 40"), 1)
    assert cut != after
    with pytest.raises(PromiseError):
        check(data, cut)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_what_passes_keeps_the_promise(data: st.DataObject) -> None:
    """One byte of a result is changed: either the verifier objects, or the oracle does not."""
    before = data.draw(files())
    score = midi.read(before, "random.mid")
    edit = draw_edit(data.draw, score)
    after = bytearray(formats.splice(score, edit))
    place = data.draw(st.integers(14, len(after) - 1))
    after[place] ^= data.draw(st.sampled_from((1, 2, 16, 64, 128, 255)))
    try:
        verify(score, edit, bytes(after))
    except PromiseError:
        return
    assume(len(edit.removed) or len(edit.added) or bytes(after) != before)
    check_promise(before, bytes(after), *in_oracle_words(before, score, edit))


NOTE = bytes.fromhex("00 90 3c 50  10 80 3c 40")
BETWEEN = {
    "aftertouch": b"\0\xd0\1" + b"\0\1" * 1_000_000,
    "markers": b"\0\xff\x06\x01a" * 190_000,
}


@pytest.mark.parametrize("kind", BETWEEN)
def test_dense_events_between_far_edits_are_compared_soon_and_well(kind: str) -> None:
    data = smf(NOTE + BETWEEN[kind] + NOTE + END)
    score = midi.read(data)
    edit = Edit(removed=np.array([0, 1]), added=Notes.of([Note(0, 4, 70), Note(16, 4, 70)]))
    begun = time.process_time()
    after = formats.splice(score, edit)
    assert time.process_time() - begun < 3.5, "event by event: 7 to 10 s"
    middle = len(after) // 2
    with pytest.raises(PromiseError):
        verify(score, edit, after[:middle] + bytes([after[middle] ^ 2]) + after[middle + 1 :])
