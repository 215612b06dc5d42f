"""What an app may say and do, and what becomes of it: a sentence, soon, and nothing on the disk."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.errors import (
    AccessError,
    CancelledError,
    IntegrityError,
    NotFoundError,
    QuotaError,
    RemoteError,
    ScorehubError,
    UnavailableError,
)
from hub.handle import SpaceHandle
from hub.region import Region
from hub.remote.guard import Guard
from hub.remote.space_model import SpaceModel, connect
from tests.remote.hostile_app import ECHO, FILE, HOLD, HostileApp, Reply, config, endless

SCORE = hub.open_score(ECHO / "examples" / "tune.mid")
REGION = Region.measures(SCORE, "3", ["P1"])


@pytest.fixture
def model(app: HostileApp, clean: Path) -> Iterator[SpaceModel]:
    yield connect(SpaceHandle(place=app.url))
    assert soon(lambda: list(clean.rglob("*")) == []), "something was written"


def soon(is_true: Callable[[], bool]) -> bool:
    """Is it true within five seconds? The threads of a call that was left need a moment."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if is_true():
            return True
        time.sleep(0.05)
    return False


def ask(model: SpaceModel, **options: Any) -> list[hub.Take]:
    return hub.inpaint(model, SCORE, REGION, seed=1, **options)


def test_an_honest_app_is_heard_to_its_end(app: HostileApp, model: SpaceModel) -> None:
    (take,) = ask(model)
    assert take.receipt.removed == 4 and not len(take.notes)
    assert app.paths().count("/config") == 1


# --- configs ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        b"<!doctype html><title>Welcome</title>",
        b"[]", b"null", b"{}", b"[" * 100_000, b"{" * 3, b'{"dependencies": 7}',
        config(dependencies=[]),
        config(dependencies=config()["dependencies"][:1]),
        config(dependencies=config()["dependencies"][1:]),
        config(dependencies=[None]),
        config(dependencies=[{"id": "3", "api_name": "inpaint", "inputs": [], "outputs": []}]),
        config(protocol="ws"), config(version="new"), config(version=None),
        config(api_prefix="//evil.example"), config(api_prefix="/../../x?y#z"),
        config(api_prefix=["x"]),
    ],
    ids=lambda said: str(said)[:24],
)  # fmt: skip
def test_an_app_that_is_none_of_ours_is_called_that(app: HostileApp, said: Any) -> None:
    app.config = said
    with pytest.raises(IntegrityError, match="is no Scorehub app"):
        connect(SpaceHandle(place=app.url))


def test_an_app_of_another_version_is_called_that(app: HostileApp, model: SpaceModel) -> None:
    for row in app.config["dependencies"]:
        row["inputs"].append(99)
    with pytest.raises(UnavailableError, match="another version of Scorehub"):
        connect(SpaceHandle(place=app.url))


def test_a_config_without_an_end_is_cut_off(app: HostileApp) -> None:
    app.override["/config"] = Reply(body=endless())
    with pytest.raises(IntegrityError, match="longer than 16,777,216 bytes"):
        connect(SpaceHandle(place=app.url))


@pytest.mark.parametrize(
    ("status", "error", "sentence"),
    [
        (401, AccessError, "not open to everybody"),
        (403, AccessError, "not open to everybody"),
        (404, NotFoundError, "no Scorehub app at"),
        (413, RemoteError, "too large for"),
        (422, UnavailableError, "another version"),
        (429, QuotaError, "too many requests"),
        (500, UnavailableError, "failed to answer \\(500\\)"),
        (503, UnavailableError, "failed to answer \\(503\\)"),
    ],
)
def test_a_status_is_a_sentence(
    app: HostileApp, status: int, error: type[ScorehubError], sentence: str
) -> None:
    app.override["/config"] = Reply(status=status, body=b"<h1>no</h1>")
    with pytest.raises(error, match=sentence):
        connect(SpaceHandle(place=app.url))


def test_the_apps_description_is_never_asked_for(app: HostileApp, model: SpaceModel) -> None:
    """gradio_client would upload the file that a default in it names."""
    ask(model)
    assert set(app.paths()) == {
        "/config", "/gradio_api/upload", "/gradio_api/queue/join", "/gradio_api/queue/data",
        f"/gradio_api/file={FILE}",
    }  # fmt: skip


def test_what_an_app_adds_to_its_config_sends_no_more_of_ours(
    app: HostileApp, model: SpaceModel, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a secret of the user's")
    default = {"path": str(secret), "meta": {"_type": "gradio.FileData"}}
    app.override["/gradio_api/info"] = Reply(
        body=json.dumps({"named_endpoints": {"/inpaint": {"parameters": [
            {"parameter_name": "x", "parameter_has_default": True, "parameter_default": default}
        ] * 9, "returns": []}}, "unnamed_endpoints": {}}).encode()
    )  # fmt: skip
    for row in app.config["dependencies"]:
        row["default"] = default
    ask(model)
    assert all(b"a secret" not in asked.body for asked in app.asked)


# --- redirects, compression, addresses ------------------------------------------------------------


@pytest.mark.parametrize("path", ["/config", "/gradio_api/upload", "/gradio_api/queue/join",
                                  "/gradio_api/queue/data", "/gradio_api/file="])  # fmt: skip
def test_nothing_leads_elsewhere(app: HostileApp, model: SpaceModel, path: str) -> None:
    other = HostileApp()
    try:
        app.override[path] = Reply(status=307, headers={"location": other.url + "/x"})
        with pytest.raises(RemoteError, match="leads to another place"):
            ask(connect(SpaceHandle(place=app.url)))
        assert other.asked == []
    finally:
        other.close()


def test_a_file_has_no_address_but_its_path(app: HostileApp, model: SpaceModel) -> None:
    other = HostileApp()
    try:
        app.files = lambda: [
            {"path": FILE, "url": other.url + "/x", "is_stream": True,
             "orig_name": "../../../../tmp/evil.sh", "meta": {"_type": "gradio.FileData"}}
        ]  # fmt: skip
        ask(model)
        assert other.asked == []
        assert app.paths()[-1] == f"/gradio_api/file={FILE}"
    finally:
        other.close()


def test_a_packed_reply_is_refused_unread(app: HostileApp, model: SpaceModel) -> None:
    bomb = gzip.compress(b"MThd" + b"\0" * (32 << 20))
    app.answer = lambda path: Reply(body=bomb, headers={"content-encoding": "gzip"})
    with pytest.raises(IntegrityError, match="compressed although nobody asked"):
        ask(model)


# --- answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ([], "asked for 1 takes"),
        ([{"path": FILE}] * 2, "asked for 1 takes"),
        ("text", "asked for 1 takes"),
        (None, "asked for 1 takes"),
        ([None], "no file where one was expected"),
        ([{"path": 7}], "no file where one was expected"),
        ([{"path": "x" * 5_000}], "no file where one was expected"),
        ([{"name": "x"}], "no file where one was expected"),
        ([{"path": "/tmp/../../config"}], "no file where one was expected"),
    ],
)
def test_answers_that_are_none(
    app: HostileApp, model: SpaceModel, files: Any, sentence: str
) -> None:
    app.files = lambda: files
    with pytest.raises(IntegrityError, match=sentence):
        ask(model)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"<html><script>alert(1)</script>", "no MIDI"),
        (b"PK\x03\x04" + b"\0" * 100, "no MIDI"),
        (b"MThd" + b"\xff" * 100, "refused"),
    ],
)
def test_files_that_are_none(
    app: HostileApp, model: SpaceModel, body: bytes, sentence: str
) -> None:
    app.answer = lambda path: Reply(body=body)
    with pytest.raises(IntegrityError, match=sentence):
        ask(model)


def test_a_file_without_an_end_is_cut_off(app: HostileApp, model: SpaceModel) -> None:
    app.answer = lambda path: Reply(body=endless())
    with pytest.raises(IntegrityError, match="longer than 16,777,216 bytes"):
        ask(model)


def test_receipts_without_an_end_are_cut_off(app: HostileApp, model: SpaceModel) -> None:
    app.receipts = [{"sentence": "x" * (5 << 20)}]
    with pytest.raises(IntegrityError, match="longer than 4,194,304 bytes"):
        ask(model)


@pytest.mark.parametrize(
    "event",
    [
        b"data: {not json\n\n",
        b"data: " + b"[" * 200_000 + b"\n\n",
        b"data: \xff\xfe\n\n",
        {"msg": "process_completed", "event_id": "event", "success": True, "output": 7},
        {"msg": "process_completed", "event_id": "event", "success": True, "output": {"data": [1]}},
        {"msg": "process_completed", "event_id": "event", "success": True},
    ],
    ids=lambda event: str(event)[:20],
)
def test_messages_that_make_no_sense(app: HostileApp, model: SpaceModel, event: Any) -> None:
    app.events = lambda event_id: iter([event])
    with pytest.raises(IntegrityError, match="is no Scorehub app"):
        ask(model)


@pytest.mark.parametrize(
    "said",
    [
        {"rank": -1}, {"rank": "first"}, {"rank": 10**30}, {"rank": True}, {},
        {"msg": "progress", "progress_data": "x"}, {"msg": "progress", "progress_data": [7]},
        {"msg": "progress", "progress_data": [{"progress": float("nan"), "desc": "\u202e<b>\n"}]},
        {"msg": "progress", "progress_data": [{"progress": -7, "desc": "x" * 10_000}]},
        {"msg": "log", "log": "x", "level": "info"}, {"msg": "process_generating"}, {"msg": 7},
    ],
)  # fmt: skip
def test_odd_news_do_no_harm(app: HostileApp, model: SpaceModel, said: dict[str, Any]) -> None:
    def events(event_id: str) -> Iterator[Any]:
        yield {"msg": "estimation", "event_id": event_id} | said
        yield app.completed(event_id)

    app.events = events
    steps = list(hub.stream(model, SCORE, REGION, seed=1))
    assert isinstance(steps.pop(), hub.Take)
    for step in steps:
        assert isinstance(step, hub.Progress)
        assert 0 <= step.fraction <= 1 and len(step.text) <= 80 and step.text.isprintable()


@pytest.mark.parametrize(
    ("text", "error", "sentence"),
    [
        ("There is no measure 99 in this score.", RemoteError, "answered: \"There is no measure"),
        ("<b>\x1b[31mred\u202e</b>\n\nTraceback", RemoteError, 'answered: "<b> \\[31mred </b> Tra'),
        ("x" * 10_000, RemoteError, "x…\""),
        ("You have exceeded your GPU quota (60s requested vs. 12s left).", QuotaError, "GPU quota"),
        ("No GPU was available after 60s. Retry later", QuotaError, "no computing time left"),
        ("You have exceeded your ZeroGPU runs limit.", QuotaError, "no computing time left"),
        (None, UnavailableError, "failed without saying why"),
        ("", UnavailableError, "failed without saying why"),
    ],
)  # fmt: skip
def test_what_the_app_says_went_wrong_is_quoted(
    app: HostileApp, model: SpaceModel, text: str | None, error: type[ScorehubError], sentence: str
) -> None:
    app.fails_with(text)
    with pytest.raises(error, match=sentence) as caught:
        ask(model)
    assert type(caught.value) is error
    assert len(str(caught.value)) < 700 and "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_a_full_queue(app: HostileApp, model: SpaceModel) -> None:
    app.override["/gradio_api/queue/join"] = Reply(status=503, body=b'{"detail": "full"}')
    with pytest.raises(QuotaError, match="too many requests are waiting there"):
        ask(model)


@pytest.mark.parametrize(
    "events",
    [
        [], [{"msg": "process_starts", "event_id": "event"}],
        [{"msg": "unexpected_error", "message": "Server stopped unexpectedly."}],
        [{"msg": "Server stopped unexpectedly.", "message": ""}],
    ],
)  # fmt: skip
def test_an_app_that_stops_in_the_middle(
    app: HostileApp, model: SpaceModel, events: list[Any]
) -> None:
    app.events = lambda event_id: iter(events)
    with pytest.raises(UnavailableError, match="stopped in the middle"):
        ask(model)


@pytest.mark.parametrize("path", ["/gradio_api/upload", "/gradio_api/queue/join"])
@pytest.mark.parametrize("body", [b"[]", b"{}", b"null", b"<html>", b'[{"path": 1}]', b"["])
def test_odd_answers_on_the_way(app: HostileApp, model: SpaceModel, path: str, body: bytes) -> None:
    app.override[path] = Reply(body=body)
    with pytest.raises((RemoteError, hub.ScorehubError)):
        ask(model, deadline_seconds=5)


# --- endings --------------------------------------------------------------------------------------


def test_an_app_that_says_nothing_can_be_left(app: HostileApp, model: SpaceModel) -> None:
    app.events = lambda event_id: iter([HOLD])
    cancel = threading.Event()
    threading.Timer(0.5, cancel.set).start()
    started = time.monotonic()
    with pytest.raises(CancelledError):
        ask(model, cancel=cancel)
    assert time.monotonic() - started < 0.5 + 0.4
    assert app.cancelled.wait(3)
    names = ("scorehub-space", "scorehub-cancel", "ThreadPoolExecutor")
    assert soon(lambda: not any(t.name.startswith(names) for t in threading.enumerate()))


def test_an_app_that_keeps_us_busy_can_be_left(app: HostileApp, model: SpaceModel) -> None:
    def events(event_id: str) -> Iterator[Any]:
        while not app.cancelled.is_set():
            time.sleep(0.001)
            yield {"msg": "estimation", "event_id": event_id, "rank": 1}

    app.events = events
    started = time.monotonic()
    with pytest.raises(hub.ScorehubError):
        ask(model, deadline_seconds=0.5)
    assert time.monotonic() - started < 1.0


# --- what gradio_client would do by itself -----------------------------------------------------


def test_gradio_client_is_given_no_token_and_reports_nothing(
    app: HostileApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gradio_client import client as theirs

    from hub.remote import gradio_app

    monkeypatch.setenv("HF_TOKEN", "hf_canary")
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "True")
    reported: list[object] = []
    monkeypatch.setattr(theirs, "send_telemetry", lambda **what: reported.append(what))
    guard = Guard(app.url)
    opened = gradio_app.open_app("here", app.url, guard, ["inpaint", "card"])
    ours = gradio_app._Client(opened, guard, lambda heard: None)
    ours.end()
    assert "hf_canary" not in str(vars(ours)) and "x-hf-authorization" not in ours.headers
    assert not any(t.name.endswith("(_telemetry_thread)") for t in threading.enumerate())
    assert reported == [] and app.paths() == ["/config"]


def test_an_app_that_erred_is_asked_anew_what_it_offers(app: HostileApp, model: SpaceModel) -> None:
    """It may have been exchanged for another one, with other numbers for its functions."""
    app.files = lambda: []
    with pytest.raises(IntegrityError):
        ask(model)
    for row in app.config["dependencies"]:
        row["id"] += 10
    asked = app.paths().count("/config")
    with pytest.raises(IntegrityError):
        ask(model)
    assert app.paths().count("/config") == asked + 1
    assert b'"fn_index": 13' in app.asked[-2].body or b'"fn_index":13' in app.asked[-2].body


def test_an_app_that_sends_letter_by_letter_costs_no_more_than_what_it_sends() -> None:
    from hub.remote.gradio_app import _events

    letters = b"data: 1\n\ndata: " + b"x" * 300_000 + b"\n\n"
    started = time.process_time()
    events = list(_events(letters[i : i + 1] for i in range(len(letters))))
    assert events == [b" 1", b" " + b"x" * 300_000]
    assert time.process_time() - started < 3


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_the_same_in_chunks_of_any_size(size: int) -> None:
    from hub.remote.gradio_app import _events

    sent = b"\n\ndata: a\nb\n\n\ndata: c\n\n: no data\n\ndata: d\n\ndata: cut off"
    chunks = (sent[i : i + size] for i in range(0, len(sent), size))
    assert list(_events(chunks)) == [b" a\nb", b" d"]
