"""The child's side of the conversation: load the model, then answer requests, one after another.

Everything here runs in the same process as the stranger's code, so the hub believes none of it.
It is written for the model that means well: what it prints goes nowhere, what it raises becomes a
sentence, what it returns becomes note columns.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from inspect import isgenerator
from pathlib import Path
from typing import Any, BinaryIO

from hub import folder, transfer
from hub.answer import as_notes
from hub.errors import AnswerError, LoadError, ScorehubError, describe
from hub.model import Model, Progress, Request
from hub.score import Notes
from hub.wire import read_frame, write_frame

PROGRESS_SECONDS = 0.1  # more often than this, nobody can see it
MEMORY = "memory"


def serve(requests: BinaryIO, replies: BinaryIO, model_folder: Path) -> None:
    """Answer frames until the input ends. The first one says: load."""
    header, _ = read_frame(requests)
    try:
        folder.allow_downloaded_code()
        model = folder.load(model_folder, name=header.get("name"))
    except BaseException as error:
        write_frame(replies, {"id": header["id"], **_failure(error, LoadError)})
        sys.exit(1)
    can_batch = model.inpaint_batch is not None
    write_frame(replies, {"id": header["id"], "can_batch": can_batch})
    while True:
        try:
            header, data = read_frame(requests)
        except EOFError:
            return
        reply, body = _answer(model, header, data, replies)
        write_frame(replies, {"id": header["id"], **reply}, body)


def _answer(
    model: Model, header: dict[str, Any], data: bytes, replies: BinaryIO
) -> tuple[dict[str, Any], bytes]:
    try:
        asked = transfer.unpack_requests(data)
        if header["batch"]:
            assert model.inpaint_batch is not None
            raw = _drain(model.inpaint_batch(asked), header["id"], replies)
            return {"ok": True}, transfer.pack_notes(_batch_notes(raw, asked))
        (request,) = asked
        raw = _drain(model.inpaint(*request), header["id"], replies)
        return {"ok": True}, transfer.pack_notes([_notes(raw, request)])
    except BaseException as error:  # a model may even call sys.exit()
        return _failure(error, AnswerError), b""


def _drain(answer: Any, number: str, replies: BinaryIO) -> Any:
    """What `hub.model` does with a model's generator, with progress as frames."""
    if not isgenerator(answer):
        return answer
    last, shown = None, 0.0
    while True:
        try:
            step = next(answer)
        except StopIteration as stop:
            return stop.value if stop.value is not None else last
        if not isinstance(step, Progress):
            last = step
        elif time.monotonic() - shown > PROGRESS_SECONDS:
            shown = time.monotonic()
            progress = [float(step.fraction), str(step.text)[:200]]
            write_frame(replies, {"id": number, "progress": progress})


def _batch_notes(answers: Any, asked: Sequence[Request]) -> list[Notes]:
    if not isinstance(answers, Sequence) or len(answers) != len(asked):
        raise AnswerError(f"It was asked for {len(asked)} takes and gave others.")
    return [_notes(answer, request) for answer, request in zip(answers, asked, strict=True)]


def _notes(answer: Any, request: Request) -> Notes:
    return as_notes(answer, request.score, request.region)


def _failure(error: BaseException, otherwise: type[ScorehubError]) -> dict[str, Any]:
    if isinstance(error, MemoryError) or isinstance(error.__cause__, MemoryError):
        return {"error": MEMORY, "message": ""}
    if isinstance(error, ScorehubError):
        return {"error": type(error).__name__, "message": str(error)[:2000]}
    return {"error": otherwise.__name__, "message": describe(error)}
