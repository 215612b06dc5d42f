"""A Hub for tests: the product's local hub behind real HTTP, with faults, a log and a Xet store.

    def test_something(hub_server):
        commit = hub_server.commit("alice/tune", {"README.md": CARD})
        ...                                     # the real client, by $HF_ENDPOINT
        assert hub_server.paths("GET") == [...]

The fixture `hub_server` (registered for all tests in conftest.py) serves an empty folder at a free
port and points the client there: $HF_ENDPOINT, $HF_TOKEN (alice's), $HF_HOME and $SCOREHUB_HOME are
set, and the constants that the client made of them when it was imported. The client's waits between
retries are not slept, but noted in `naps`. `hub_server_xet` is the same with uploads and downloads
by Xet, its storage being a folder of this machine.
"""

from __future__ import annotations

import asyncio
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

TOKEN = "hf_CanaryOfAliceNeverToBeSeen1234567"
OTHER_TOKEN = "hf_CanaryOfBobNeverToBeSeen765432100"
OWNER, OTHER = "alice", "bob"


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A request as it came, and the status that it was answered with (0: cut off)."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    status: int = 0


@dataclass(kw_only=True)
class Fault:
    """What happens to the requests that `path` (a regular expression, searched) matches.

    times          how often; None: always
    status         answered instead, with `headers` (and `code` as X-Error-Code)
    before         called first, such as something that moves a branch
    delay_seconds  waited first
    cut            the connection ends after so many bytes of the answer
    shorten        the answer has only so many bytes, and says so
    flip           the byte at this place of the answer has its bits turned over
    replace        the answer's body, whatever it was
    """

    path: str
    method: str | None = None
    times: int | None = 1
    status: int | None = None
    code: str = ""
    message: str = "Injected by a test"
    headers: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], object] | None = None
    delay_seconds: float = 0.0
    cut: int | None = None
    shorten: int | None = None
    flip: int | None = None
    replace: bytes | None = None
    hits: int = 0

    def matches(self, method: str, path: str) -> bool:
        if self.times is not None and self.hits >= self.times:
            return False
        return self.method in (None, method) and bool(re.search(self.path, path))

    @property
    def changes_body(self) -> bool:
        return any(v is not None for v in (self.cut, self.shorten, self.flip, self.replace))


class HubServer:
    """The server, and everything a test may do to it and ask of it afterwards."""

    token, other_token = TOKEN, OTHER_TOKEN
    owner, other = OWNER, OTHER

    def __init__(self, folder: Path, cas: Path | None = None) -> None:
        from hub.local_hub.access import Access, digest

        self.folder = folder
        self.cas = cas
        self.access = Access(users={digest(TOKEN): OWNER, digest(OTHER_TOKEN): OTHER})
        self.requests: list[Recorded] = []
        self.faults: list[Fault] = []
        self.naps: list[float] = []
        self.unknown: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.store: Any = None
        self._server: Any = None
        self._thread: threading.Thread | None = None

    # --- life -----------------------------------------------------------------------------------

    def start(self) -> None:
        import uvicorn

        from hub.local_hub.app import build
        from hub.local_hub.store import Store

        if self._socket is None:
            self._socket = socket.create_server(("127.0.0.1", self.port))
        self.store = Store(self.folder)
        app = build(self.store, self.access)
        app.state.unknown = self.unknown
        wrapped: Any = app
        if self.cas is not None:
            from tests.xet_store import Xet

            wrapped = Xet(app, self.store, self.cas)
        config = uvicorn.Config(
            _Faulty(wrapped, self), log_config=None, access_log=False, lifespan="off",
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, args=(self._socket,), daemon=True)
        self._thread.start()
        wait_for(lambda: self._server.started)

    def _run(self, listener: socket.socket) -> None:
        asyncio.run(self._server.serve(sockets=[listener]))

    def stop(self) -> None:
        """Be offline from now on; `start` continues at the same address with the same folder."""
        if self._thread is None:
            return
        self._server.should_exit = True
        self._thread.join(10)
        assert not self._thread.is_alive(), "the server does not stop"
        self._thread = None
        self._socket.close()
        self._socket = None
        self.store.close()
        _forget_connections()

    # --- doing ----------------------------------------------------------------------------------

    def fail(self, path: str, **what: Any) -> Fault:
        """Add a Fault; the newest that matches is taken."""
        fault = Fault(path=path, **what)
        self.faults.insert(0, fault)
        return fault

    def create(self, repo_id: str, repo_type: str = "model", **settings: Any) -> Any:
        """A repository, made without the client. `settings`: fields of store.Repository."""
        if repo_type == "space":
            settings.setdefault("sdk", "gradio")
        return self.store.create(repo_type, *repo_id.split("/"), **settings)

    def repository(self, repo_id: str, repo_type: str = "model") -> Any:
        return self.store.get(repo_type, *repo_id.split("/"))

    def set(self, repo_id: str, repo_type: str = "model", **settings: Any) -> None:
        """Change a repository's fields: is_private, gated="manual", downloads, likes, runtime."""
        self.store.update(self.repository(repo_id, repo_type), **settings)

    def commit(
        self,
        repo_id: str,
        files: Mapping[str, bytes | str | None],
        *,
        repo_type: str = "model",
        branch: str = "main",
        title: str = "",
        author: str = "",
    ) -> str:
        """Put files there (None deletes), unchecked, making the repository; the commit's hash."""
        from hub.local_hub.store import MissingError

        try:
            found = self.repository(repo_id, repo_type)
        except MissingError:
            found = self.create(repo_id, repo_type)
        changes = {
            path: None if data is None else self._file(found, path, data)
            for path, data in files.items()
        }
        return self.store.commit(
            found, changes, branch=branch, title=title or "Committed by a test",
            author=author or found.owner,
        ).hash  # fmt: skip

    def _file(self, found: Any, path: str, data: bytes | str) -> Any:
        from dataclasses import replace

        from hub.local_hub.store import LFS_SUFFIXES

        file = self.store.add_blob(found, data.encode() if isinstance(data, str) else data)
        if not path.endswith(LFS_SUFFIXES):
            return file
        return replace(self.store.lfs_file(found, file.sha256), is_lfs=True)

    def space_runs(self, repo_id: str, host: str = "", stage: str = "RUNNING") -> None:
        """Say where a Space can be opened, and what it is doing."""
        found = self.repository(repo_id, "space")
        self.store.update(found, runtime={**found.runtime, "host": host, "stage": stage})

    # --- asking ---------------------------------------------------------------------------------

    def head(self, repo_id: str, repo_type: str = "model", revision: str = "main") -> str:
        found = self.repository(repo_id, repo_type)
        return self.store.commit_of(found, revision).hash

    def files(
        self, repo_id: str, repo_type: str = "model", revision: str = "main"
    ) -> dict[str, bytes]:
        """What is in a repository now, as bytes; files that went by Xet are not on this disk."""
        found = self.repository(repo_id, repo_type)
        listed = self.store.commit_of(found, revision).files
        return {
            path: self.store.blob(found, file.sha256).read_bytes() for path, file in listed.items()
        }

    def history(self, repo_id: str, repo_type: str = "model") -> list[str]:
        """The titles of its commits, newest first."""
        found = self.repository(repo_id, repo_type)
        return [commit.title for commit in self.store.history(found, "main")]

    def paths(self, method: str | None = None) -> list[str]:
        """The paths that were asked for."""
        return [r.path for r in self.requests if method in (None, r.method)]

    @property
    def log(self) -> list[str]:
        return [f"{r.method} {r.path} {r.status}" for r in self.requests]


class _Faulty:
    """The application, watched and tampered with."""

    def __init__(self, app: Any, server: HubServer) -> None:
        self.app = app
        self.server = server

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        body, statuses, noted = bytearray(), [0], list[bool]()

        async def heard() -> Any:
            message = await receive()
            body.extend(message.get("body", b""))
            return message

        async def said(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses[0] = message["status"]
                if (b"content-length", b"0") in message["headers"]:
                    note()  # the answer is complete without a body
            elif not message.get("more_body"):
                note()  # before the client has its answer and a test looks for it
            await send(message)

        def note() -> None:
            if not noted:
                noted.append(True)
                self._record(scope, bytes(body), statuses[0])

        fault = self._fault(scope)
        try:
            if fault is None:
                await self.app(scope, heard, said)
            else:
                await self._tamper(fault, scope, heard, said)
        finally:
            note()

    def _fault(self, scope: Any) -> Fault | None:
        found = (f for f in self.server.faults if f.matches(scope["method"], scope["path"]))
        fault = next(found, None)
        if fault is not None:
            fault.hits += 1
        return fault

    async def _tamper(self, fault: Fault, scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(fault.delay_seconds)
        if fault.before is not None:
            fault.before()
        if fault.status is not None:
            await _drain(receive)
            await _answer(fault, send)
        elif fault.changes_body:
            await self._spoil(fault, scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _spoil(self, fault: Fault, scope: Any, receive: Any, send: Any) -> None:
        start: dict[str, Any] = {}
        body = bytearray()

        async def held(message: Any) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                body.extend(message.get("body", b""))

        await self.app(scope, receive, held)
        spoiled = _spoiled(fault, bytes(body))
        if fault.cut is None:
            start["headers"] = [
                (b"content-length", str(len(spoiled)).encode()) if name == b"content-length"
                else (name, value)
                for name, value in start["headers"]
            ]  # fmt: skip
        await send(start)
        if fault.cut is not None:  # what is missing makes the server end the connection
            await send({"type": "http.response.body", "body": spoiled, "more_body": True})
            raise ConnectionAbortedError("cut off by a test")
        await send({"type": "http.response.body", "body": spoiled})

    def _record(self, scope: Any, body: bytes, status: int) -> None:
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        self.server.requests.append(
            Recorded(
                method=scope["method"], path=scope["path"], headers=headers, body=body,
                query=scope["query_string"].decode("latin-1"), status=status,
            )
        )  # fmt: skip


async def _drain(receive: Any) -> None:
    while (await receive()).get("more_body"):
        pass


async def _answer(fault: Fault, send: Any) -> None:
    from starlette.responses import JSONResponse

    headers = {"X-Error-Message": fault.message, **fault.headers}
    if fault.code:
        headers["X-Error-Code"] = fault.code
    response = JSONResponse({"error": fault.message}, fault.status or 500, headers=headers)
    await send(
        {"type": "http.response.start", "status": fault.status, "headers": response.raw_headers}
    )
    await send({"type": "http.response.body", "body": response.body})


def _spoiled(fault: Fault, body: bytes) -> bytes:
    if fault.replace is not None:
        return fault.replace
    if fault.flip is not None and body:
        at = fault.flip % len(body)
        return body[:at] + bytes([body[at] ^ 0xFF]) + body[at + 1 :]
    return body[: fault.cut if fault.cut is not None else fault.shorten]


def wait_for(is_true: Callable[[], object], seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.01)


def _forget_connections() -> None:
    from huggingface_hub.utils import close_session

    close_session()


# --- the client ---------------------------------------------------------------------------------


class _Clock:
    """The module `time` for the client's retries: naps are noted and not taken."""

    def __init__(self, naps: list[float]) -> None:
        self.naps = naps

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


def point_client_at(
    url: str, home: Path, patch: pytest.MonkeyPatch, *, has_xet: bool = False
) -> None:
    """Make `url` this process's Hub, and `home` the place of everything that is kept of it."""
    from huggingface_hub import constants

    patch.setenv("HF_ENDPOINT", url)
    patch.setenv("HF_TOKEN", TOKEN)
    patch.setenv("HF_HOME", str(home / "hf"))
    patch.setenv("SCOREHUB_HOME", str(home / "scorehub"))
    patch.setenv("HF_HUB_DISABLE_XET", "0" if has_xet else "1")
    patch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    patch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    patch.setenv("NO_PROXY", "127.0.0.1,localhost")
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HUGGING_FACE_HUB_TOKEN"):
        patch.delenv(name, raising=False)
    hf = home / "hf"
    for name, value in {
        "ENDPOINT": url,
        "HUGGINGFACE_CO_URL_TEMPLATE": url + "/{repo_id}/resolve/{revision}/{filename}",
        "HF_HOME": str(hf),
        "HF_HUB_CACHE": str(hf / "hub"),
        "HF_XET_CACHE": str(hf / "xet"),
        "HF_TOKEN_PATH": str(hf / "token"),
        "HF_STORED_TOKENS_PATH": str(hf / "stored_tokens"),
        "AGENT_HARNESSES_PATH": str(hf / "registry.json"),
        "HF_HUB_DISABLE_XET": not has_xet,
        "HF_HUB_DISABLE_TELEMETRY": True,
        "HF_HUB_OFFLINE": False,
    }.items():
        assert hasattr(constants, name), f"the client has no {name} any more"
        patch.setattr(constants, name, value)


def _serving(folder: Path, patch: pytest.MonkeyPatch, cas: Path | None) -> Iterator[HubServer]:
    from huggingface_hub import file_download
    from huggingface_hub.utils import _http

    server = HubServer(folder / "hub", cas)
    point_client_at(server.url, folder, patch, has_xet=cas is not None)
    for module in (_http, file_download):
        patch.setattr(module, "time", _Clock(server.naps))
    _forget_connections()
    server.start()
    try:
        yield server
    finally:
        server.stop()
        _forget_connections()


@pytest.fixture
def hub_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A local hub with the users alice ($HF_TOKEN) and bob; uploads go by plain LFS."""
    yield from _serving(tmp_path / "hub_server", monkeypatch, None)


@pytest.fixture
def hub_server_xet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """The same, but large files go by Xet."""
    folder = tmp_path / "hub_server"
    yield from _serving(folder, monkeypatch, folder / "cas")
