"""Frames, progress and words of a stranger."""

from __future__ import annotations

import io
import queue
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import errors
from hub.errors import AnswerError, LoadError
from hub.model import Progress
from hub.sandbox import incoming
from hub.wire import write_frame

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


class Process:
    """As much of a Popen as a reader looks at."""

    def __init__(self, data: bytes) -> None:
        self.stdout = io.BytesIO(data)

    def poll(self) -> int | None:
        return 0


def frames(data: bytes) -> list[Any]:
    found: queue.Queue[incoming.Frame] = queue.Queue()
    process = Process(data)
    incoming.read_frames(process, found)  # type: ignore[arg-type]
    assert process.stdout.closed
    return list(found.queue)


def written(header: dict[str, Any], body: bytes = b"") -> bytes:
    stream = io.BytesIO()
    write_frame(stream, header, body)
    return stream.getvalue()


def test_frames_and_then_the_end() -> None:
    *found, end = frames(written({"id": "1"}) + written({"id": "2"}, b"body"))
    assert found == [({"id": "1"}, b""), ({"id": "2"}, b"body")]
    assert isinstance(end, EOFError)


@pytest.mark.parametrize(
    "data",
    [
        b"garbage" * 99,
        written({"progress": [0, ""]}, b"body"),
        written({"x": "y" * incoming.MAX_HEADER_BYTES}),
        written({}).replace(b"{}", b"[]"),
        written({"x": 1}).replace(b'{"x":1}', b"\xff" * 7),
    ],
)
def test_what_is_no_frame_ends_it(data: bytes) -> None:
    (end,) = frames(data + written({"id": "1"}))
    assert isinstance(end, ValueError)


@given(st.binary(max_size=60))
def test_no_bytes_hurt(data: bytes) -> None:
    assert isinstance(frames(data)[-1], Exception)


def test_a_queue_that_nobody_empties_does_not_hold_the_reader() -> None:
    full: queue.Queue[incoming.Frame] = queue.Queue(maxsize=1)
    full.put(({}, b""))
    incoming.read_frames(Process(written({"id": "1"})), full)  # type: ignore[arg-type]
    assert full.qsize() == 1


@given(json_values)
def test_any_progress_is_progress(value: Any) -> None:
    found = incoming.progress(value, Progress(0.25, "before"))
    assert 0 <= found.fraction <= 1 and len(found.text) <= 80
    assert not found.text or found.text.isprintable()


def test_progress_is_taken_as_it_is() -> None:
    assert incoming.progress([0.5, "half"], Progress(0.25)) == Progress(0.5, "half")
    assert incoming.progress([7, "x"], Progress(0.25)) == Progress(0.25, "x")


@given(json_values)
def test_words_are_one_printable_line(value: Any) -> None:
    found = incoming.words(value)
    assert 0 < len(found) <= incoming.MAX_WORDS and found.isprintable()


def test_words_cannot_act() -> None:
    assert incoming.words("a\x1b[31m\n b\u202e\u2066\0") == "a[31m b"


@pytest.mark.parametrize("name", [name for name in vars(errors) if name.endswith("Error")])
def test_only_some_errors_are_for_a_model_to_raise(name: str) -> None:
    error = incoming.reported({"error": name, "message": "why"}, LoadError)
    may = ("AcceptError", "AnswerError", "CardError", "LoadError", "ParamError", "RegionError")
    assert type(error).__name__ == (name if name in may else "LoadError")
    assert str(error) == "The model reports, in its own words: why"


@given(json_values, json_values)
def test_any_report_is_an_error(name: Any, message: Any) -> None:
    reply = {"error": name, "message": message}
    assert isinstance(incoming.reported(reply, AnswerError), errors.ScorehubError)
