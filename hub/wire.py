"""Messages between the hub and its child processes: a JSON header and raw bytes, never pickle.

A frame is the header's length (4 bytes), the body's length (8 bytes), both big-endian, the header
as UTF-8 JSON (an object), and the body.
"""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

_LENGTHS = struct.Struct(">IQ")
MAX_HEADER_BYTES = 4 << 20
MAX_BODY_BYTES = 512 << 20


def write_frame(stream: BinaryIO, header: dict[str, Any], body: bytes = b"") -> None:
    """Raises OSError when the other side is gone, ValueError when the frame is too large."""
    text = json.dumps(header, separators=(",", ":")).encode()
    if len(text) > MAX_HEADER_BYTES or len(body) > MAX_BODY_BYTES:
        raise ValueError(f"A frame of {len(text)} + {len(body)} bytes is too large.")
    stream.write(_LENGTHS.pack(len(text), len(body)) + text)
    stream.write(body)
    stream.flush()


def read_frame(
    stream: BinaryIO,
    *,
    max_header_bytes: int = MAX_HEADER_BYTES,
    max_body_bytes: int = MAX_BODY_BYTES,
) -> tuple[dict[str, Any], bytes]:
    """Raises EOFError when the other side is gone, ValueError for anything but a frame."""
    header_bytes, body_bytes = _LENGTHS.unpack(_read_exactly(stream, _LENGTHS.size))
    if header_bytes > max_header_bytes or body_bytes > max_body_bytes:
        raise ValueError(f"A frame of {header_bytes} + {body_bytes} bytes is too large.")
    header = json.loads(_read_exactly(stream, header_bytes))
    if not isinstance(header, dict):
        raise ValueError("A frame's header is a JSON object.")
    return header, _read_exactly(stream, body_bytes)


def _read_exactly(stream: BinaryIO, count: int) -> bytes:
    data = stream.read(count)
    if data is None or len(data) < count:
        raise EOFError("The other side closed the pipe.")
    return data
