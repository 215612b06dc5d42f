"""A model elsewhere, used as if it were here: real apps of `hub.ui`, over real HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hub
from hub import formats, ui
from hub.errors import (
    CancelledError,
    CardError,
    DeadlineError,
    LoadError,
    OfflineError,
    RemoteError,
    ScorehubError,
    UnavailableError,
)
from hub.handle import SpaceHandle, parse_handle
from hub.model import Progress, Take
from hub.region import Box, Region
from hub.remote import space_model
from hub.remote.space_model import SpaceModel, connect
from tests import tiny_models
from tests.hub_server import HubServer
from tests.remote.hostile_app import ECHO, HostileApp, Reply, drip

pytestmark = pytest.mark.filterwarnings("ignore")  # Gradio's own, of the app that is served

INPAINTNET = Path(__file__).resolve().parents[2] / "models" / "inpaintnet"
TUNE = ECHO / "examples" / "tune.mid"


class Recorder:
    """ASGI middleware that keeps every request: (path, headers, body)."""

    def __init__(self, app: Any, log: list[tuple[str, dict[bytes, bytes], bytes]]) -> None:
        self.app, self.log = app, log

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        body = bytearray()
        self.log.append((scope["path"], dict(scope["headers"]), body))

        async def heard() -> Any:
            message = await receive()
            body.extend(message.get("body", b""))
            return message

        await self.app(scope, heard, send)


@pytest.fixture(scope="module")
def log() -> list[tuple[str, dict[bytes, bytes], bytes]]:
    return []


@pytest.fixture(scope="module")
def echo_url(log: Any) -> Iterator[str]:
    demo = ui.build([ECHO])
    kwargs = {"middleware": [(Recorder, (), {"log": log})]}
    _, url, _ = ui.launch(demo, prevent_thread_lock=True, quiet=True, app_kwargs=kwargs)
    yield url
    demo.close()


@pytest.fixture(scope="module")
def gallery_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("models")
    demo = ui.build([ECHO, tiny_models.write_model(folder / "tiny")], with_gallery=True)
    _, url, _ = ui.launch(demo, prevent_thread_lock=True, quiet=True)
    yield url
    demo.close()


@pytest.fixture(scope="module")
def remote(echo_url: str) -> SpaceModel:
    model = hub.load("space:" + echo_url)
    assert isinstance(model, SpaceModel)
    return model


@pytest.fixture(scope="module")
def local() -> hub.Model:
    return hub.load(ECHO)


def scores() -> dict[str, hub.Score]:
    tune = hub.open_score(TUNE)
    chart = "X:1\nT:Tune\nM:4/4\nL:1/4\nK:C\nCDEF|GABc|cBAG|FEDC|CDEF|GABc|cBAG|FEDC|\n"
    return {
        "midi": tune,
        "musicxml": formats.read_score(hub.write_score(tune, "musicxml"), "a.musicxml"),
        "mxl": formats.read_score(hub.write_score(tune, "mxl"), "a.mxl"),
        "abc": formats.read_score(chart.encode(), "a.abc"),
        "made": tiny_models.tune(),
    }


# --- the same as here -------------------------------------------------------------------------


def test_the_card_comes_from_the_app(remote: SpaceModel, local: hub.Model) -> None:
    assert remote.card.title == "Echo" and remote.card.params == local.card.params
    assert remote.card.accepts == local.card.accepts
    assert remote.folder is None


@pytest.mark.parametrize("kind", ["midi", "musicxml", "mxl", "abc", "made"])
@pytest.mark.parametrize("measures", ["#3-4", "#7-8", "#1-8"])
def test_the_same_seed_gives_the_same_notes_as_here(
    remote: SpaceModel, local: hub.Model, kind: str, measures: str
) -> None:
    score = scores()[kind]
    region = Region.measures(score, measures, [score.parts[0].id])
    params = {"fast": True, "loudness": {score.parts[0].id: 33}, "shift": 2}
    for n in (1, 2):
        there = hub.inpaint(remote, score, region, params, n=n, seed=7)
        here = hub.inpaint(local, score, region, params, n=n, seed=7)
        assert [t.seed for t in there] == [t.seed for t in here]
        assert [t.data for t in there] == [t.data for t in here]
        assert [t.receipt for t in there] == [t.receipt for t in here]
        if kind in ("midi", "made"):  # MusicXML does not say velocities in numbers
            assert [t.notes for t in there] == [t.notes for t in here]


def test_a_region_at_the_end_of_a_midi_file(remote: SpaceModel, local: hub.Model) -> None:
    """Without its last notes the file would have fewer measures, and a part less."""
    score = scores()["midi"]
    for region in (
        Region.measures(score, "9-16", ["P1", "P2"]),
        Region.measures(score, "16", ["P2"]),
        Region(boxes=(Box(start=12, end=16, part="P1"),), hide=(Box(start=0, end=16, part="P2"),)),
    ):
        (there,) = hub.inpaint(remote, score, region, seed=3)
        (here,) = hub.inpaint(local, score, region, seed=3)
        assert there.data == here.data and there.notes == here.notes


def test_parts_with_names_of_their_own_are_found(remote: SpaceModel, local: hub.Model) -> None:
    made = tiny_models.tune()
    parts = tuple(hub.Part(id=f"my {p.id}", name=p.name, is_drums=p.is_drums) for p in made.parts)
    score = hub.Score(ticks_per_quarter=480, parts=parts, measures=made.measures, notes=made.notes)
    region = Region.measures(score, "2-3", ["my P2"])
    (there,) = hub.inpaint(remote, score, region, {"loudness": {"my P2": 5}}, seed=3)
    (here,) = hub.inpaint(local, score, region, {"loudness": {"my P2": 5}}, seed=3)
    assert there.notes == here.notes and set(there.notes.velocity.tolist()) == {5}


@pytest.mark.slow
def test_a_model_with_weights_gives_the_same_notes_as_here() -> None:
    demo = ui.build([INPAINTNET])
    _, url, _ = ui.launch(demo, prevent_thread_lock=True, quiet=True)
    try:
        remote, local = hub.load("space:" + url), hub.load(INPAINTNET)
        score = hub.open_score(next((INPAINTNET / "examples").glob("*.mid")))
        region = Region.measures(score, "5-6")
        there = hub.inpaint(remote, score, region, n=3, seed=11)
        here = hub.inpaint(local, score, region, n=3, seed=11)
        assert [t.data for t in there] == [t.data for t in here]
        single = [hub.inpaint(remote, score, region, seed=11 + i)[0].data for i in range(3)]
        assert single == [t.data for t in here]
    finally:
        demo.close()


def test_several_takes_are_one_call(remote: SpaceModel, log: Any) -> None:
    score = scores()["midi"]
    log.clear()
    takes = hub.inpaint(remote, score, Region.measures(score, "3", ["P1"]), n=3, seed=2**31 - 2)
    assert [t.seed for t in takes] == [2**31 - 2, 2**31 - 1, 0]
    assert sum(path.endswith("queue/join") for path, _, _ in log) == 1


def test_one_of_several_models_is_chosen_by_name(gallery_url: str) -> None:
    with pytest.raises(RemoteError, match="Say which model to use.*Models: echo, tiny.*#name"):
        hub.load(f"space:{gallery_url}")
    with pytest.raises(RemoteError, match='no model "tinny" here. Did you mean "tiny"?'):
        hub.load(f"space:{gallery_url}#tinny")
    model = hub.load(f"space:{gallery_url}#tiny")
    assert model.card.name == "tiny"
    score = tiny_models.tune()
    (take,) = hub.inpaint(model, score, Region.measures(score, "2", ["P1"]), seed=1)
    assert len(take.notes) == 4


HUMANISE = """
import hub

class Tiny(hub.Model):
    def inpaint(self, score, region, params):
        notes = score.notes[region.contains(score.notes, score)]
        return notes.replace(velocity=params.rng().integers(1, 127, len(notes)))
"""


def test_single_attributes_may_be_changed_by_a_model_that_reads_the_notes(tmp_path: Path) -> None:
    accepts = tiny_models.ACCEPTS | {
        "change": ["velocity"], "reads": ["notes"], "writes": ["notes", "velocity"]
    }  # fmt: skip
    folder = tiny_models.write_model(tmp_path / "human", code=HUMANISE, accepts=accepts)
    demo = ui.build([folder])
    _, url, _ = ui.launch(demo, prevent_thread_lock=True, quiet=True)
    try:
        remote, local = hub.load("space:" + url), hub.load(folder)
        score = formats.read_score(tiny_models.tune_bytes(), "a.mid")
        region = Region(
            boxes=Region.measures(score, "3-4", ["P2"]).boxes, change=frozenset({"velocity"})
        )
        (there,) = hub.inpaint(remote, score, region, seed=3)
        (here,) = hub.inpaint(local, score, region, seed=3)
        assert there.data == here.data and there.notes == here.notes
        assert here.receipt.added
    finally:
        demo.close()


def test_what_the_model_there_refuses_is_its_own_sentence(remote: SpaceModel) -> None:
    score = scores()["midi"]
    with pytest.raises(RemoteError, match='127.0.0.1:.* answered: "The model failed while'):
        hub.inpaint(remote, score, Region.measures(score, "3", ["P1"]), {"words": "crash"})


# --- what is sent -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["midi", "musicxml", "mxl", "made"])
def test_neither_the_notes_nor_the_files_name_leave_the_house(
    remote: SpaceModel, log: Any, kind: str
) -> None:
    score = scores()[kind]
    if score.source is not None:
        score = formats.read_score(score.source.data, f"secret name.{score.source.format}")
    region = Region.measures(score, "3-4", ["P1"])
    log.clear()
    hub.inpaint(remote, score, region, seed=1)
    (upload,) = [bytes(body) for path, _, body in log if path.endswith("/upload")]
    sent = formats.read_score(upload[upload.index(b"\r\n\r\n") + 4 : upload.rindex(b"\r\n--")])
    inside = region.resolve(score)
    gone = score.notes[inside.contains(score.notes, score)]
    assert len(gone) and not inside.contains(sent.notes, sent).any()
    assert sorted(n[:3] for n in sent.notes) == sorted(
        n[:3] for n in score.notes[~inside.contains(score.notes, score)]
    )
    assert all(b"secret name" not in bytes(body) for _, _, body in log)


def test_no_token_leaves_the_house(
    echo_url: str, hub_server: HubServer, log: Any, capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """With a token in the environment and a saved one, by name and by address."""
    saved = Path(__import__("os").environ["HF_HOME"]) / "token"
    saved.parent.mkdir(parents=True, exist_ok=True)
    saved.write_text(hub_server.other_token)
    monkeypatch.setenv("HF_TOKEN_PATH", str(saved))
    hub_server.commit("alice/echo-space", {"README.md": "---\nsdk: gradio\n---\n"},
                      repo_type="space")  # fmt: skip
    hub_server.space_runs("alice/echo-space", echo_url.rstrip("/"))
    hub_server.requests.clear()
    log.clear()
    score = scores()["midi"]
    for text in ("space:alice/echo-space", "space:" + echo_url):
        model = hub.load(text)
        hub.inpaint(model, score, Region.measures(score, "3", ["P1"]), seed=1)
        with pytest.raises(CancelledError):
            cancelled(model, score)
    asked = [(r.path, r.headers, r.body) for r in hub_server.requests]
    asked += [(p, {k.decode(): v.decode() for k, v in h.items()}, bytes(b)) for p, h, b in log]
    assert {"/config", "/gradio_api/upload", "/gradio_api/queue/join"} <= {p for p, _, _ in asked}
    assert any(path.startswith("/api/spaces/") for path, _, _ in asked)
    for path, headers, body in asked:
        names = {name.lower() for name in headers}
        assert not names & {"authorization", "x-hf-authorization", "cookie"}, path
        for token in (hub_server.token, hub_server.other_token):
            assert token not in str(headers) + path and token.encode() not in body
    spoken = capfd.readouterr()
    assert spoken.out == "" and "Traceback" not in spoken.err
    places = {path for path, _, _ in asked}
    assert not any("info" in p or "heartbeat" in p or "telemetry" in p for p in places)


def cancelled(model: hub.Model, score: hub.Score) -> None:
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    region = Region.measures(score, "3", ["P1"])
    hub.inpaint(model, score, region, {"delay": 4}, seed=1, cancel=cancel)


def test_nothing_stays_on_the_disk(app: HostileApp, clean: Path) -> None:
    score = scores()["midi"]
    model = connect(SpaceHandle(place=app.url))
    hub.inpaint(model, score, Region.measures(score, "3", ["P1"]), n=2)
    app.fails_with("no")
    with pytest.raises(RemoteError):
        hub.inpaint(model, score, Region.measures(score, "3", ["P1"]), n=2)
    assert list(clean.iterdir()) == []


# --- time ---------------------------------------------------------------------------------------


def test_progress_is_the_models_own(remote: SpaceModel) -> None:
    score = scores()["midi"]
    region = Region.measures(score, "3", ["P1"])
    steps = list(hub.stream(remote, score, region, {"delay": 1.5}, seed=1))
    assert isinstance(steps[-1], Take)
    spoken = [step for step in steps if isinstance(step, Progress)]
    fractions = [step.fraction for step in spoken if step.text == "Echoing"]
    assert fractions == sorted(fractions) and 0 < fractions[0] < fractions[-1]


def test_cancelling_here_ends_the_work_there(remote: SpaceModel) -> None:
    score = scores()["midi"]
    started = time.monotonic()
    with pytest.raises(CancelledError):
        cancelled(remote, score)
    assert time.monotonic() - started < 1.0
    until = time.monotonic() + 3.0
    while at_work() and time.monotonic() < until:
        time.sleep(0.05)
    assert not at_work()


def at_work() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name == "scorehub-job"]


def test_the_deadline_holds(remote: SpaceModel) -> None:
    score = scores()["midi"]
    region = Region.measures(score, "3", ["P1"])
    started = time.monotonic()
    with pytest.raises(DeadlineError):
        hub.inpaint(remote, score, region, {"delay": 4}, seed=1, deadline_seconds=0.5)
    assert time.monotonic() - started < 1.2


def test_several_threads_may_ask_at_once(remote: SpaceModel, local: hub.Model) -> None:
    """Cancelling one of them leaves the others alone: each call has a session of its own."""
    score = scores()["midi"]
    region = Region.measures(score, "3", ["P1"])
    found: dict[int, bytes | None] = {}

    def ask(seed: int) -> None:
        found[seed] = hub.inpaint(remote, score, region, {"delay": 1}, seed=seed)[0].data

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    with pytest.raises(CancelledError):
        cancelled(remote, score)
    for thread in threads:
        thread.join(20)
    here = {s: hub.inpaint(local, score, region, seed=s)[0].data for s in range(2)}
    assert found == here


# --- what may be at the other end -----------------------------------------------------------------


def test_nobody_there() -> None:
    with pytest.raises(OfflineError, match="127.0.0.1:9 cannot be reached"):
        hub.load("space:http://127.0.0.1:9")


def test_offline_by_wish(monkeypatch: pytest.MonkeyPatch, echo_url: str) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for place in ("space:https://example.org", "space:http://127.0.0.1.example.org", "space:a/b"):
        with pytest.raises(OfflineError, match="HF_HUB_OFFLINE"):
            hub.load(place)
    assert hub.load("space:" + echo_url).card.title == "Echo"  # this machine is no network


def test_the_app_may_be_started_again_in_between(app: HostileApp) -> None:
    model = connect(SpaceHandle(place=app.url))
    score = scores()["midi"]
    region = Region.measures(score, "3", ["P1"])
    app.override["/gradio_api/queue/join"] = Reply(status=502)
    with pytest.raises(UnavailableError, match="failed to answer \\(502\\)"):
        hub.inpaint(model, score, region, seed=1)
    app.override.clear()
    before = app.paths().count("/config")
    hub.inpaint(model, score, region, seed=1)
    assert app.paths().count("/config") == before + 1  # what it offers is asked anew


def test_an_app_that_only_drips_is_given_up(
    app: HostileApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space_model, "CONNECT_SECONDS", 0.5)
    app.override["/config"] = Reply(body=drip())
    with pytest.raises(UnavailableError, match="took too long"):
        connect(SpaceHandle(place=app.url))


@pytest.mark.parametrize(
    ("card", "error", "sentence"),
    [
        ("x" * 600_000, CardError, "no text of at most"),
        ("no front matter", CardError, "must begin with YAML"),
        ("---\nscorehub: {version: 2}\n---\n", CardError, "version must be 1"),
        ("---\na: &a [x]\nb: *a\nscorehub: {}\n---\n", CardError, "alias"),
        (["a list"], CardError, "no text of at most"),
    ],
)
def test_a_strangers_card_is_a_strangers_text(
    app: HostileApp, card: Any, error: type[ScorehubError], sentence: str
) -> None:
    app.card = card
    with pytest.raises(error, match=sentence):
        connect(SpaceHandle(place=app.url))


def test_a_card_that_names_code_runs_none(app: HostileApp, clean: Path) -> None:
    """Wherever `entry` and `init` point to: the card only says what the app takes."""
    assert "model.py:Echo" in app.card
    model = connect(parse_handle(f"space:{app.url}"))  # type: ignore[arg-type]
    assert type(model) is SpaceModel and model.network is None


def test_what_the_queue_says_is_shown(app: HostileApp) -> None:
    model = connect(SpaceHandle(place=app.url))
    app.hangs()
    score = scores()["midi"]
    steps = hub.stream(model, score, Region.measures(score, "3", ["P1"]), seed=1)
    seen = set()
    for step in steps:
        assert isinstance(step, Progress)
        seen.add(step.text)
        if "waiting, 7 before this" in seen:
            break
    started = time.monotonic()
    steps.close()  # type: ignore[attr-defined]
    assert time.monotonic() - started < 0.3
    assert app.cancelled.wait(3)
    (cancel,) = [a for a in app.asked if a.path.endswith("/cancel")]
    assert b'"event"' in cancel.body and b'"fn_index":3' in cancel.body.replace(b" ", b"")


def test_a_handle_that_is_none() -> None:
    with pytest.raises(LoadError, match="names no Space"):
        hub.load("space:nothing")


def test_the_region_arrives_as_it_was_asked(app: HostileApp) -> None:
    model = connect(SpaceHandle(place=app.url))
    score = scores()["midi"]
    region = Region.measures(score, "3-4", ["P2"])
    hub.inpaint(model, score, region, {"temperature": 1.5}, seed=9)
    file, name, measures, parts, sent, params, n, seed = app.arguments
    assert Region.from_json(sent) == region.resolve(score)
    assert (name, measures, parts, n, seed) == ("", "", "", 1, 9)
    assert params["temperature"] == 1.5 and params["source"] == [0, 2]
    assert file["orig_name"] == "score.mid"
    assert isinstance(np.asarray(params["span"]), np.ndarray)
