"""Header, chunks and wrapper: what is opened, and what is refused in which words."""

from __future__ import annotations

import pytest
from midi_files import END, smf

from hub.errors import BadFileError, LimitError
from hub.formats.midi.file import open_container


def header(kind: int = 1, division: int = 96, length: int = 6) -> bytes:
    values = (length, 4), (kind, 2), (1, 2), (division, 2)
    return b"MThd" + b"".join(value.to_bytes(size, "big") for value, size in values)


TRACK = b"MTrk\0\0\0\4" + END


def test_tracks_foreign_chunks_and_a_long_header() -> None:
    data = header(length=8) + b"\0\0" + b"XFIH\0\0\0\1x" + TRACK + TRACK
    container = open_container(data, "a.mid")
    assert container.ticks_per_quarter == 96
    assert [c.kind for c in container.chunks] == [b"MThd", b"XFIH", b"MTrk", b"MTrk"]
    assert [data[c.start : c.stop] for c in container.tracks] == [END, END]


def test_a_riff_wrapper_is_opened() -> None:
    body = smf(END)
    data = b"RIFF\0\0\0\0RMID" + b"INFO\3\0\0\0abc\0" + b"data"
    data += len(body).to_bytes(4, "little") + body
    container = open_container(data, "a.rmi")
    assert container.wrapper == (32, 32 + len(body))
    assert len(container.tracks) == 1


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (header(kind=2) + TRACK, "type 2 MIDI file.*Save it as type 1"),
        (header(division=0xE728) + TRACK, "SMPTE frames.*ticks per quarter"),
        (header(division=0) + TRACK, "0 ticks"),
        (header(), "no tracks"),
        (header(length=4)[:12], "does not begin with a MIDI header"),
        (b"MThd\0\0", "does not begin with a MIDI header"),
        (b"", "does not begin with a MIDI header"),
        (b"RIFF\0\0\0\0RMIDfmt \0\0\0\0", "RIFF file without MIDI data"),
    ],
)
def test_what_cannot_be_edited_is_refused_in_a_sentence(data: bytes, says: str) -> None:
    with pytest.raises(BadFileError, match=f'^"song.mid" .*{says}.*[.]$'):
        open_container(data, "song.mid")


def test_too_many_tracks_are_refused() -> None:
    assert len(open_container(header() + TRACK * 512, "a.mid").tracks) == 512
    with pytest.raises(LimitError, match="513 tracks"):
        open_container(header() + TRACK * 600, "a.mid")
