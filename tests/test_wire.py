"""Frames between the hub and its children."""

from __future__ import annotations

import io

import pytest

from hub import wire


def frame(header: dict[str, object], body: bytes = b"") -> bytes:
    stream = io.BytesIO()
    wire.write_frame(stream, header, body)
    return stream.getvalue()


def test_frames_come_back_as_they_were() -> None:
    stream = io.BytesIO(frame({"a": "é", "n": [1, None]}, b"\0\xff") + frame({}, b""))
    assert wire.read_frame(stream) == ({"a": "é", "n": [1, None]}, b"\0\xff")
    assert wire.read_frame(stream) == ({}, b"")


@pytest.mark.parametrize("cut", [0, 3, 12, 14, -1])
def test_a_cut_frame_is_the_end(cut: int) -> None:
    with pytest.raises(EOFError):
        wire.read_frame(io.BytesIO(frame({"a": 1}, b"body")[:cut]))


def test_a_header_is_an_object() -> None:
    raw = frame({"a": 1}).replace(b'{"a":1}', b"[12345]")
    with pytest.raises(ValueError, match="object"):
        wire.read_frame(io.BytesIO(raw))


def test_absurd_lengths_are_refused_before_they_are_read() -> None:
    with pytest.raises(ValueError, match="too large"):
        wire.read_frame(io.BytesIO(b"\xff" * 12))


def test_nothing_is_written_of_what_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_BODY_BYTES", 10)
    stream = io.BytesIO()
    with pytest.raises(ValueError, match="too large"):
        wire.write_frame(stream, {}, b"x" * 11)
    assert stream.getvalue() == b""


def test_a_reader_may_want_smaller_frames() -> None:
    raw = frame({"a": 1}, b"body")
    assert wire.read_frame(io.BytesIO(raw), max_header_bytes=7, max_body_bytes=4)[1] == b"body"
    for bounds in ({"max_header_bytes": 6}, {"max_body_bytes": 3}):
        with pytest.raises(ValueError, match="too large"):
            wire.read_frame(io.BytesIO(raw), **bounds)
