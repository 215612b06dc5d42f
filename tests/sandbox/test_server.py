"""The child's loop, here in this process, with a model of our own and frames in memory."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from tiny_models import GOOD_CODE, tune, write_model

import hub
from hub import folder, transfer
from hub.model import prepare
from hub.sandbox.server import MEMORY, serve
from hub.wire import read_frame, write_frame


@pytest.fixture(autouse=True)
def trusting(monkeypatch: pytest.MonkeyPatch) -> None:
    """`serve` allows what only a child may; forgotten after the test."""
    monkeypatch.setattr(folder, "_may_import_downloaded", False)


SCORE = tune()
REGION = hub.Region.measures(SCORE, "3", parts=["P1"])
BATCH = (
    GOOD_CODE
    + """
    def inpaint_batch(self, requests):
        return [list(self.inpaint(*request))[-1] for request in requests]
"""
)


def talk(path: Path, *headers: dict[str, Any], n: int = 1) -> list[tuple[dict[str, Any], bytes]]:
    """All replies to "load" and then to the same request under each header."""
    model_card = hub.read_card(path)
    requests = prepare(hub.Model(model_card), SCORE, REGION, n=n, seed=1)
    sent, replies = io.BytesIO(), io.BytesIO()
    write_frame(sent, {"id": "load"})
    for header in headers:
        write_frame(sent, header, transfer.pack_requests(requests))
    sent.seek(0)
    try:
        serve(sent, replies, path)
    except SystemExit as end:
        assert end.code == 1
    replies.seek(0)
    found = []
    while replies.tell() < len(replies.getvalue()):
        found.append(read_frame(replies))
    return found


def test_load_progress_and_notes(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m")
    loaded, progress, answer = talk(path, {"id": "a", "batch": False})
    assert loaded[0] == {"id": "load", "can_batch": False}
    assert progress[0] == {"id": "a", "progress": [0.5, "half way"]}
    assert answer[0] == {"id": "a", "ok": True}
    (notes,) = transfer.unpack_notes(answer[1], 1)
    (take,) = hub.inpaint(hub.load(path), SCORE, REGION, seed=1)
    assert (notes.onset.tolist(), notes.pitch.tolist()) == (
        take.notes.onset.tolist(),
        take.notes.pitch.tolist(),
    )


def test_a_batch(tmp_path: Path) -> None:
    code = BATCH.replace("[list(self.inpaint(*request))[-1]", "[[hub.Note(0, 1, 60)]")
    loaded, answer = talk(write_model(tmp_path / "m", code=code), {"id": "a", "batch": True}, n=3)
    assert loaded[0]["can_batch"] is True
    assert [len(notes) for notes in transfer.unpack_notes(answer[1], 3)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("code", "error", "words"),
    [
        ('raise hub.ScorehubError("no")', "ScorehubError", "no"),
        ("1 / 0", "AnswerError", "ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "AnswerError", "SystemExit: 3"),
        ("raise MemoryError", MEMORY, ""),
        ("return 7", "AnswerError", "The model returned int"),
        ("return None", "AnswerError", "The model returned NoneType"),
    ],
)
def test_failures_are_answers_and_the_next_request_is_served(
    tmp_path: Path, code: str, error: str, words: str
) -> None:
    body = GOOD_CODE.replace("        rng = params.rng()", f"        {code}").replace("yield", "#")
    path = write_model(tmp_path / "m", code=body)
    _, first, second = talk(path, {"id": "a", "batch": False}, {"id": "b", "batch": False})
    assert (first[0]["id"], second[0]["id"]) == ("a", "b")
    assert first[0]["error"] == second[0]["error"] == error
    assert first[0]["message"].startswith(words)


def test_a_model_that_does_not_load_ends_the_child(tmp_path: Path) -> None:
    ((reply, _),) = talk(write_model(tmp_path / "m", code="1 / 0"), {"id": "a", "batch": False})
    assert reply["id"] == "load" and reply["error"] == "LoadError"
    assert "ZeroDivisionError" in reply["message"]


def test_too_few_answers_of_a_batch(tmp_path: Path) -> None:
    code = BATCH.replace("for request in requests]", "for request in requests[:1]]")
    _, (reply, _) = talk(write_model(tmp_path / "m", code=code), {"id": "a", "batch": True}, n=3)
    assert reply["error"] == "AnswerError" and "3 takes" in reply["message"]
