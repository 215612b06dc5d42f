"""A Space's states, asked of a Hub over real HTTP: each is a sentence that somebody can act on."""

from __future__ import annotations

import threading
import time

import pytest

import hub
from hub.errors import (
    AccessError,
    IntegrityError,
    NotFoundError,
    OfflineError,
    QuotaError,
    RemoteError,
    UnavailableError,
)
from hub.handle import SpaceHandle
from hub.region import Region
from hub.remote import space_state
from hub.remote.space_model import connect
from tests.hub_server import HubServer
from tests.remote.hostile_app import ECHO, HostileApp, Reply

NAME = "alice/echo"


@pytest.fixture
def space(hub_server: HubServer, app: HostileApp, monkeypatch: pytest.MonkeyPatch) -> HubServer:
    """A Space of the Hub whose app is `app`."""
    monkeypatch.setattr(space_state, "LOOK_SECONDS", 0.01)
    hub_server.commit(NAME, {"README.md": "---\nsdk: gradio\n---\n"}, repo_type="space")
    hub_server.space_runs(NAME, app.url)
    hub_server.requests.clear()
    return hub_server


def is_reached() -> hub.Model:
    return connect(SpaceHandle(place=NAME))


@pytest.mark.parametrize("stage", ["RUNNING", "RUNNING_BUILDING", "RUNNING_APP_STARTING"])
def test_one_that_runs_is_used(space: HubServer, app: HostileApp, stage: str) -> None:
    space.space_runs(NAME, app.url, stage)
    assert is_reached().card.title == "Echo"
    assert space.paths() == [f"/api/spaces/{NAME}"]


@pytest.mark.parametrize(
    ("stage", "error", "sentence"),
    [
        ("BUILDING", UnavailableError, "space:alice/echo is being built.*try again"),
        ("PAUSED", UnavailableError, "paused, and only its author can start it"),
        ("STOPPED", UnavailableError, "stopped, and only its author can start it"),
        ("RUNTIME_ERROR", UnavailableError, "broken: its program ends with an error"),
        ("BUILD_ERROR", UnavailableError, "broken: it cannot be built"),
        ("CONFIG_ERROR", UnavailableError, "broken: its settings"),
        ("NO_APP_FILE", UnavailableError, "broken: it has no program"),
        ("DELETING", NotFoundError, "is being deleted"),
        ("DANCING<b>", UnavailableError, 'this version does not know \\("DANCINGb"\\)'),
    ],
)
def test_one_that_does_not_run_says_why(
    space: HubServer, app: HostileApp, stage: str, error: type[RemoteError], sentence: str
) -> None:
    space.space_runs(NAME, app.url, stage)
    with pytest.raises(error, match=sentence):
        is_reached()
    assert app.asked == []


def test_one_that_sleeps_is_woken(space: HubServer, app: HostileApp) -> None:
    space.space_runs(NAME, app.url, "SLEEPING")
    looks = []

    def wakes() -> None:
        looks.append(len(app.asked))
        stages = {1: "SLEEPING", 2: "APP_STARTING", 3: "RUNNING"}
        space.space_runs(NAME, app.url, stages[min(len(looks), 3)])

    space.fail(f"/api/spaces/{NAME}$", times=None, before=wakes)
    told: list[str] = []
    model = connect(SpaceHandle(place=NAME), tell=told.append)
    assert model.card.title == "Echo"
    assert told == ["asleep; waking it", "waking"]
    assert app.paths()[0] == "/" and looks[1] >= 1  # it was knocked at


def test_waking_has_an_end(
    space: HubServer, app: HostileApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space_state, "WAKE_SECONDS", 0.1)
    space.space_runs(NAME, app.url, "SLEEPING")
    with pytest.raises(UnavailableError, match="still waking after 0 seconds"):
        is_reached()


def test_one_that_fell_asleep_since_is_woken_for_the_next_request(
    space: HubServer, app: HostileApp
) -> None:
    model = is_reached()
    app.override["/gradio_api/queue/join"] = Reply(status=503, body=b"<h1>sleeping</h1>")
    app.override["/gradio_api/upload"] = Reply(status=502)
    space.space_runs(NAME, app.url, "SLEEPING")
    looks: list[int] = []

    def wakes() -> None:
        looks.append(1)
        if len(looks) == 2:
            app.override.clear()
            space.space_runs(NAME, app.url, "RUNNING")

    space.fail(f"/api/spaces/{NAME}$", times=None, before=wakes)
    score = hub.open_score(ECHO / "examples" / "tune.mid")
    steps = list(hub.stream(model, score, Region.measures(score, "3", ["P1"]), seed=1))
    assert isinstance(steps[-1], hub.Take)
    assert "asleep; waking it" in {s.text for s in steps if isinstance(s, hub.Progress)}


def test_one_that_was_paused_since_says_so(space: HubServer, app: HostileApp) -> None:
    model = is_reached()
    app.override["/"] = Reply(status=503)
    space.space_runs(NAME, app.url, "PAUSED")
    score = hub.open_score(ECHO / "examples" / "tune.mid")
    with pytest.raises(UnavailableError, match="paused"):
        hub.inpaint(model, score, Region.measures(score, "3", ["P1"]), seed=1)


def test_one_that_runs_and_fails_is_not_asked_twice(space: HubServer, app: HostileApp) -> None:
    """The second time would cost its author, or one's own quota, as much as the first."""
    model = is_reached()
    app.override["/gradio_api/queue/join"] = Reply(status=500)
    score = hub.open_score(ECHO / "examples" / "tune.mid")
    with pytest.raises(UnavailableError, match="failed to answer \\(500\\)"):
        hub.inpaint(model, score, Region.measures(score, "3", ["P1"]), seed=1)
    assert app.paths().count("/gradio_api/queue/join") == 2  # the card, and the one that failed


def test_waking_can_be_left(space: HubServer, app: HostileApp) -> None:
    model = is_reached()
    app.override["/"] = Reply(status=503)
    space.space_runs(NAME, app.url, "SLEEPING")
    cancel = threading.Event()
    threading.Timer(0.4, cancel.set).start()
    score = hub.open_score(ECHO / "examples" / "tune.mid")
    started = time.monotonic()
    with pytest.raises(hub.ScorehubError):
        hub.inpaint(model, score, Region.measures(score, "3", ["P1"]), seed=1, cancel=cancel)
    assert time.monotonic() - started < 1.0


def test_private_ones_are_told_from_nothing(space: HubServer) -> None:
    space.set(NAME, "space", is_private=True)
    with pytest.raises((AccessError, NotFoundError), match="private"):
        is_reached()


def test_gone(space: HubServer) -> None:
    with pytest.raises((AccessError, NotFoundError), match="space:alice/other"):
        connect(SpaceHandle(place="alice/other"))


@pytest.mark.parametrize(
    ("fault", "error", "sentence"),
    [
        ({"status": 401, "code": "RepoNotFound"}, AccessError, "does not exist or is private"),
        ({"status": 404, "code": "RepoNotFound"}, NotFoundError, "deleted, or is private"),
        ({"status": 403, "code": "GatedRepo"}, AccessError, "is gated. Spaces are asked without"),
        ({"status": 403, "message": "Access to this resource is disabled."}, RemoteError,
         "disabled|may not"),
        ({"status": 429, "headers": {"Retry-After": "7"}}, QuotaError, "too many requests"),
        ({"status": 500}, UnavailableError, "failed to answer"),
        ({"replace": b"<html>"}, RemoteError, "makes no sense|failed"),
    ],
)  # fmt: skip
def test_a_hub_that_will_not_tell(
    space: HubServer, fault: dict[str, object], error: type[RemoteError], sentence: str
) -> None:
    space.fail(f"/api/spaces/{NAME}$", times=None, **fault)
    with pytest.raises(error, match=sentence):
        is_reached()


def test_a_space_of_another_kind(space: HubServer, app: HostileApp) -> None:
    space.set(NAME, "space", sdk="docker")
    with pytest.raises(IntegrityError, match="is no Scorehub app: it is made with docker"):
        is_reached()


@pytest.mark.parametrize("host", ["", "ftp://x.example", "javascript:alert(1)", "file:///etc"])
def test_an_address_that_is_none(space: HubServer, host: str) -> None:
    space.space_runs(NAME, host)
    with pytest.raises(UnavailableError, match="does not say where"):
        is_reached()


def test_no_network(space: HubServer) -> None:
    space.stop()
    with pytest.raises(OfflineError, match="cannot be reached"):
        is_reached()


def test_the_hub_is_not_told_who_asks(space: HubServer) -> None:
    is_reached()
    assert all("authorization" not in asked.headers for asked in space.requests)
    assert all(space.token not in str(asked) for asked in space.requests)
