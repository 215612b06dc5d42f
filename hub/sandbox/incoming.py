"""What comes from a child, and is read as a stranger's: frames, progress, words."""

from __future__ import annotations

import queue
import subprocess
from typing import Any, BinaryIO

from hub import errors
from hub.errors import ModelError, ScorehubError
from hub.model import Progress
from hub.transfer import MAX_ANSWER_BYTES
from hub.wire import read_frame

MAX_HEADER_BYTES = 64 << 10
MAX_WORDS = 400
# What a model may say is wrong; every other class of the hub's would be the hub speaking.
_ITS_ERRORS = ("AcceptError", "AnswerError", "CardError", "LoadError", "ParamError", "RegionError")

Frame = tuple[dict[str, Any], bytes] | Exception


def read_frames(process: subprocess.Popen[bytes], frames: queue.Queue[Frame]) -> None:
    """Runs in a thread of its own until the child ends or says what is no frame."""
    assert process.stdout is not None
    with process.stdout:
        frame: Frame | None = None
        while not isinstance(frame, Exception):
            frame = _read_frame(process.stdout)  # type: ignore[arg-type]
            while not _put(frames, frame):
                if process.poll() is not None:
                    return


def _read_frame(stream: BinaryIO) -> Frame:
    try:
        header, body = read_frame(
            stream, max_header_bytes=MAX_HEADER_BYTES, max_body_bytes=MAX_ANSWER_BYTES
        )
        if body and "progress" in header:
            raise ValueError("Progress has no body.")
        return header, body
    except (OSError, EOFError, ValueError, RecursionError, MemoryError) as error:
        return error


def _put(frames: queue.Queue[Frame], frame: Frame) -> bool:
    try:
        frames.put(frame, timeout=1)
    except queue.Full:
        return False
    return True


def progress(value: Any, last: Progress) -> Progress:
    """[fraction, text], if it is that."""
    if not (isinstance(value, list) and len(value) == 2):
        return last
    fraction, text = value
    if not (isinstance(fraction, int | float) and 0 <= fraction <= 1):
        fraction = last.fraction
    return Progress(float(fraction), words(text)[:80] if text else "")


def words(text: Any) -> str:
    """A stranger's words: one line, bounded, nothing that a terminal or a page would obey."""
    line = " ".join(str(text)[: 4 * MAX_WORDS].split())
    return "".join(c for c in line if c.isprintable())[:MAX_WORDS] or "(nothing)"


def stopped(what: str) -> str:
    return f"The model's program was stopped: it {what}. The hub and your score are unharmed."


def reported(reply: dict[str, Any], otherwise: type[ModelError]) -> ScorehubError:
    """The error that a child reports, in its own words and marked as such."""
    name = reply["error"]
    kind = getattr(errors, name) if name in _ITS_ERRORS else otherwise
    found: ScorehubError = kind(
        f"The model reports, in its own words: {words(reply.get('message'))}"
    )
    return found
