"""From a visitor's words to an open model: what is asked of the Hub, and what is refused."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from hub import architectures, trust
from hub.errors import (
    AccessError,
    BusyError,
    LoadError,
    NotFoundError,
    OfflineError,
    ScorehubError,
)
from hub.handle import ModelHandle, SpaceHandle
from hub.remote.fetch import Snapshot, fetch
from hub.ui import opener as opener_module
from hub.ui.library import Entry
from hub.ui.opener import Opener, handle_of
from hub.ui.opening import OpenModels

ECHO = Path(__file__).resolve().parents[1] / "data/models/echo"


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    thread = threading.Thread(target=made.run_forever)
    thread.start()
    yield made
    asyncio.run_coroutine_threadsafe(end_tasks(), made).result(10)
    made.call_soon_threadsafe(made.stop)
    thread.join()
    made.close()


async def end_tasks() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Desk:
    """An Opener whose pages are only noted down."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, is_public: bool = False) -> None:
        self.entries: list[Entry] = []
        self.strangers: list[Snapshot] = []
        self.prose: list[str] = []

        def mount(title: str, lay_out: Any, address: str) -> Any:
            lay_out()
            return Starlette()

        def lay_out_stranger(snapshot: Snapshot, prose: str) -> None:
            self.strangers.append(snapshot)
            self.prose.append(prose)

        models = OpenModels(mount)
        models.loop = loop
        self.opener = Opener(models, self.lay_out, lay_out_stranger, is_public=is_public)

    def lay_out(self, entry: Entry) -> None:
        """Where pages are built nothing takes long: a card's prose has been rendered before."""
        self.prose.append(vars(entry)["prose"])
        self.entries.append(entry)

    def open(self, text: str) -> list[str]:
        return list(self.opener.steps(text))


@pytest.fixture
def desk(loop: asyncio.AbstractEventLoop, hub_server: Any) -> Desk:
    return Desk(loop)


@pytest.fixture
def public(loop: asyncio.AbstractEventLoop, hub_server: Any) -> Desk:
    return Desk(loop, is_public=True)


@pytest.fixture
def data_only(hub_server: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """alice/data: a card and an example for an architecture that is installed; its commit."""
    monkeypatch.setitem(architectures._registered, "echo_code", ECHO)
    card = (ECHO / "README.md").read_text().replace("model.py:Echo", "echo_code")
    files = {"README.md": card, "examples/tune.mid": (ECHO / "examples/tune.mid").read_bytes()}
    return str(hub_server.commit("alice/data", files))


@pytest.fixture
def with_code(hub_server: Any) -> str:
    """alice/code: brings a program that says so when it runs; its commit."""
    card = (ECHO / "README.md").read_text()
    code = (ECHO / "model.py").read_text()
    return str(hub_server.commit("alice/code", {"README.md": card, "model.py": code}))


def test_a_data_only_model_opens_at_once_under_its_commit(desk: Desk, data_only: str) -> None:
    *words, key = desk.open("alice/data")
    assert key == f"alice/data@{data_only}"
    assert words[0].startswith("Asking 127.0.0.1") and words[-1] == "Loading alice/data …"
    (entry,) = desk.entries
    assert entry.name == "data" and f"commit {data_only[:12]}" in entry.origin
    assert len(entry.example_score(entry.card.examples[0]).parts) == 2


def test_what_is_open_asks_nobody(desk: Desk, hub_server: Any, data_only: str) -> None:
    key = desk.open("alice/data")[-1]
    hub_server.stop()
    assert desk.opener.is_at_hand(key) and desk.open(key) == [key] and len(desk.entries) == 1


def test_what_is_on_this_disk_opens_without_a_network(
    desk: Desk, hub_server: Any, data_only: str
) -> None:
    fetch(ModelHandle(owner="alice", name="data"))
    hub_server.stop()
    key = f"alice/data@{data_only}"
    assert desk.opener.is_at_hand(key) and not desk.opener.is_at_hand("alice/data")
    assert desk.open(key)[-1] == key


def test_code_is_shown_and_not_run_until_it_is_trusted(desk: Desk, with_code: str) -> None:
    key = desk.open("alice/code")[-1]
    assert desk.entries == [] and [s.commit for s in desk.strangers] == [with_code]
    assert not desk.opener.models.is_open(key)
    (snapshot,) = desk.strangers
    assert "<h1>Echo</h1>" in desk.prose[0]
    trust.trust(trust.review(snapshot.handle, snapshot.folder, snapshot.host))
    assert desk.open(key)[-1] == key
    (entry,) = desk.entries
    assert "sandbox" in entry.origin
    entry.close()


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("alice/missing", NotFoundError, "is not on"),
        ("alice/data@nowhere", NotFoundError, "no such branch"),
        ("", LoadError, "user/name"),
        ("x" * 500, LoadError, "user/name"),
        ("models", LoadError, "no name of a model on the Hub"),
        ("./models/inpaintnet", LoadError, "no name of a model on the Hub"),
        ("/etc", LoadError, "no name of a model on the Hub"),
        ("space:nothing", LoadError, "names no Space"),
    ],
)
def test_failures_are_sentences(
    desk: Desk, data_only: str, text: str, error: type[ScorehubError], says: str
) -> None:
    with pytest.raises(error, match=says):
        desk.open(text)


def test_offline_is_a_sentence(desk: Desk, hub_server: Any) -> None:
    hub_server.stop()
    with pytest.raises(OfflineError, match="cannot be reached"):
        desk.open("alice/data")


def test_no_name_means_a_folder_of_this_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "alice/data").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert handle_of("alice/data", is_public=False) == ModelHandle(owner="alice", name="data")


# --- where strangers come -----------------------------------------------------------------------


def test_strangers_open_only_what_anybody_may_see(
    public: Desk, hub_server: Any, data_only: str
) -> None:
    """The token is that of whoever runs the page: not even a downloaded private model is shown."""
    fetch(ModelHandle(owner="alice", name="data"))
    hub_server.set("alice/data", is_private=True)
    with pytest.raises((AccessError, NotFoundError)):
        public.open(f"alice/data@{data_only}")
    hub_server.set("alice/data", is_private=False)
    assert public.open("alice/data")[-1] == f"alice/data@{data_only}"


def test_strangers_name_no_addresses(public: Desk) -> None:
    with pytest.raises(LoadError, match="by its name"):
        public.open("space:http://127.0.0.1:1")
    assert handle_of("space:ann/x", is_public=True) == SpaceHandle(place="ann/x")


def test_strangers_fill_no_disk(
    public: Desk, data_only: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    public.open("alice/data")
    monkeypatch.setattr(opener_module, "MAX_PUBLIC_BYTES", 10)
    with pytest.raises(BusyError, match="as many models as it may keep"):
        public.open("alice/data")


def test_a_few_downloads_at_a_time(desk: Desk) -> None:
    for _ in range(opener_module.DOWNLOADS_AT_ONCE):
        desk.opener._downloads.acquire()
    with pytest.raises(BusyError, match="just being downloaded"):
        desk.open("alice/data")
