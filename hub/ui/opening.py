"""Models of a Hub, opened while the app runs: each gets a page of its own at its own address.

    hub/user/name@<commit>/     a model of the Hub; the full commit hash, so that an address means
                                the same for ever and needs no network once it is on this disk
    hub/space:user/name/        the author's Space, used remotely
    hub/space:user/name:model/  one of the models of a Space that has several

A Gradio app cannot grow pages, and what it renders for one visitor has no address. So every opened
model is a small Gradio app of its own, with the page that all models have, its own queue and
files, mounted by Gradio's own means; `Addresses`, a layer around the main app, passes requests
below hub/ to it. Pages are built on the server's event loop: Gradio keeps what is being built in
global variables, and nothing else builds while the loop is busy with it (it takes half a second).

At most MOST_OPEN are kept. To make room, the one goes that nobody has looked at for longest; a
page that somebody has in front of them stays. An address that is not open leads to the page where
it can be opened again.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from hub.errors import BusyError
from hub.handle import SPACE, Handle, SpaceHandle

PAGE = "hub"  # the address of the list; opened models lie below it
MOST_OPEN = 12
START_SECONDS = 60.0

_ADDRESS = re.compile(rf"/{PAGE}/((?:space:)?[^/@]+/[^/@]+(?:@[^/@]+)?)(/.*)?", re.S)


def key_of(handle: Handle) -> str:
    """What stands behind hub/ in the address of an opened model; never the same for two."""
    if not isinstance(handle, SpaceHandle):
        return str(handle)
    place = f"at/{_word(handle.place)}" if handle.is_address else handle.place
    return SPACE + place + (f":{_word(handle.model)}" if handle.model else "")


def _word(text: str) -> str:
    """As it is, if an address can hold it; else what can be read of it, and its hash."""
    word = re.sub(r"[^A-Za-z0-9._-]+", "-", text)
    return word if word == text else f"{word}-{sha256(text.encode()).hexdigest()[:12]}"


@dataclass(eq=False, kw_only=True)
class _Opened:
    """One opened model. `close` frees what it holds; `looking` counts requests being answered."""

    app: Any
    close: Callable[[], None]
    is_final: bool
    looking: int = 0
    looked_at: float = field(default_factory=time.monotonic)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    async def live(self, started: asyncio.Future[None]) -> None:
        """Run the app's queue and its cleaning up until it is put away."""
        try:
            async with self.app.router.lifespan_context(self.app):
                started.set_result(None)
                await self.ended.wait()
        except Exception as error:
            if started.done():
                raise
            started.set_exception(error)
        finally:
            threading.Thread(target=self.close, daemon=True, name="scorehub-close").start()


Mount = Callable[[str, Callable[[], Any], str], Any]


class OpenModels:
    """The opened models of one app. `mount`: (title, lay_out, address) → the app to serve there."""

    def __init__(self, mount: Mount, most: int = MOST_OPEN) -> None:
        self._mount = mount
        self._most = most
        self._opened: dict[str, _Opened] = {}
        self.loop: asyncio.AbstractEventLoop | None = None

    def is_open(self, key: str) -> bool:
        """Is its page there, as one that stays?"""
        return key in self._opened and self._opened[key].is_final

    def open(
        self,
        key: str,
        title: str,
        lay_out: Callable[[], Any],
        close: Callable[[], None] = lambda: None,
        *,
        is_final: bool = True,
    ) -> None:
        """Serve what `lay_out` builds at hub/<key>/; from any thread but the server's own.

        A page that is not final gives way to the next one of its key. Raises BusyError.
        """
        assert self.loop is not None, "nothing has been asked of this app yet"

        def build() -> _Opened:
            app = self._mount(title, lay_out, f"/{PAGE}/{key}")
            return _Opened(app=app, close=close, is_final=is_final)

        started = asyncio.run_coroutine_threadsafe(self._start(key, build), self.loop)
        try:
            is_used = started.result(START_SECONDS)
        except BaseException:
            close()
            raise
        if not is_used:
            close()

    async def _start(self, key: str, build: Callable[[], _Opened]) -> bool:
        """Build and serve it; False if somebody else has just done so."""
        if self.is_open(key):
            return False
        if key not in self._opened:
            self._make_room()
        opened = build()
        self._put_away(key)
        self._opened[key] = opened
        started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        opened.task = asyncio.create_task(opened.live(started))
        try:
            await started
        except BaseException:
            self._put_away(key)
            raise
        return True

    def _make_room(self) -> None:
        if len(self._opened) < self._most:
            return
        idle = [key for key, opened in self._opened.items() if not opened.looking]
        if not idle:
            raise BusyError(
                f"{self._most} models of the Hub are in use here, and no more are opened at a "
                "time. Close the page of one that you no longer need, or try again later."
            )
        self._put_away(min(idle, key=lambda key: self._opened[key].looked_at))

    def _put_away(self, key: str) -> None:
        if (opened := self._opened.pop(key, None)) is not None:
            opened.ended.set()

    async def serve(self, key: str, scope: Any, receive: Any, send: Any) -> bool:
        """Answer a request by the model's own app; False if it is not open."""
        opened = self._opened.get(key)
        if opened is None:
            return False
        opened.looking += 1
        try:
            await opened.app(scope, receive, send)
        finally:
            opened.looking -= 1
            opened.looked_at = time.monotonic()
        return True


class Addresses:
    """ASGI middleware: what is asked below hub/ goes to the opened model's own app."""

    def __init__(self, app: Any, models: OpenModels) -> None:
        self.app = app
        self.models = models

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self.models.loop = asyncio.get_running_loop()
        inside = scope["path"].removeprefix(scope.get("root_path", ""))
        match = _ADDRESS.fullmatch(inside)
        if match is None:
            await self.app(scope, receive, send)
        elif match[2] is None:
            await _redirect(send, f"./{quote(inside.rpartition('/')[2])}/")
        elif not await self.models.serve(match[1], _plain(scope), receive, send):
            await _lead_back(match[1], match[2], scope, send)


def _plain(scope: Any) -> Any:
    """The request without its wish for compression, which the layer around both apps fulfils."""
    kept = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
    return {**scope, "headers": kept}


async def _lead_back(key: str, rest: str, scope: Any, send: Any) -> None:
    """To the page where it can be opened again; a program is told that there is nothing."""
    if rest == "/" and scope["method"] in ("GET", "HEAD"):
        space, colon, model = key.removeprefix(SPACE).partition(":")
        name = f"{SPACE}{space}#{model}" if colon else key
        await _redirect(send, f"../../../{PAGE}?open={quote(name)}")
    else:
        await _answer(send, 404, [(b"content-type", b"text/plain")], b"This model is not open.")


async def _redirect(send: Any, to: str) -> None:
    await _answer(send, 303, [(b"location", to.encode()), (b"cache-control", b"no-store")], b"")


async def _answer(send: Any, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
