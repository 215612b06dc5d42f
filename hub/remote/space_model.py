"""Somebody's running Scorehub app, used as if its model were here: no code, no token, no trust.

    hub.load("space:user/name")                   the author's Space on the Hub
    hub.load("space:http://127.0.0.1:7860")       any app; "#name" says which of its models

What is sent: the user's file without the region's notes and hidden ones (`hub.blank_file`), under
a neutral name, the region, the controls and the seed. What comes back is read as a hostile file
(`hub.remote.reply`), and only notes in the region are taken from it.
"""

from __future__ import annotations

import queue
import tempfile
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hub.card import MAX_CARD_BYTES, ModelCard, parse_card
from hub.errors import (
    CardError,
    IntegrityError,
    NotFoundError,
    OfflineError,
    RemoteError,
    UnavailableError,
)
from hub.handle import SpaceHandle
from hub.limits import LIMITS
from hub.model import Model, Progress, Request
from hub.params import Params, ParamSpec
from hub.region import Region
from hub.remote import client, space_state
from hub.remote.reply import Sent, new_notes
from hub.score import Notes, Score

if TYPE_CHECKING:
    from hub.remote.gradio_app import App, Heard
    from hub.remote.guard import Guard

HEARTBEAT_SECONDS = 0.15  # cancel and deadline are looked at so often
CONNECT_SECONDS = 60.0  # for an app that runs to show its card
ENDPOINTS = ("inpaint", "card")

Tell = Callable[[str], None]


def connect(handle: SpaceHandle, *, tell: Tell | None = None) -> SpaceModel:
    """The model of a Space or an app, once its card has come. Raises RemoteError, CardError.

    A Space that sleeps is woken, which may take minutes; `tell` hears of it.
    """
    line = Line(handle)
    stop = threading.Event()
    tell = tell or (lambda text: None)
    try:
        address = line.find(tell, stop)
        card = _in_time(lambda: line.card(address, stop), line.place)
    finally:
        stop.set()
    return SpaceModel(card, line)


class SpaceModel(Model):
    """A hub.Model whose `inpaint` asks an app elsewhere. It keeps nothing open."""

    wants_file = True

    def __init__(self, card: ModelCard, line: Line) -> None:
        self.card = card
        self.folder = None
        self.line = line

    @property
    def handle(self) -> SpaceHandle:
        return self.line.handle

    def inpaint(
        self, score: Score, region: Region, params: Params
    ) -> Generator[Progress, None, Notes]:
        (notes,) = yield from self._ask([Request(score, region, params)])
        return notes

    def inpaint_batch(self, requests: Sequence[Request]) -> Generator[Progress, None, list[Notes]]:
        """All takes in one call: the app gives the i-th the seed of the first + i."""
        return (yield from self._ask(requests))

    def _ask(self, requests: Sequence[Request]) -> Generator[Progress, None, list[Notes]]:
        """Follow the call in its thread; when nobody follows any more it is cancelled."""
        call = Call(line=self.line, requests=requests, specs=self.card.params)
        threading.Thread(target=call.run, daemon=True, name="scorehub-space").start()
        last = Progress(0.0, "sending")
        try:
            while True:
                with suppress(queue.Empty):
                    event = call.events.get(timeout=HEARTBEAT_SECONDS)
                    if isinstance(event, BaseException):
                        raise event
                    if not isinstance(event, Progress):
                        return list(event)
                    last = event
                yield last
        finally:
            call.stop()


@dataclass(eq=False)
class Line:
    """The way to an app: its handle, and what is known of the app since it was last asked."""

    handle: SpaceHandle
    _app: App | None = None

    @property
    def place(self) -> str:
        return str(self.handle).partition("#")[0]

    def find(self, tell: Tell, stop: threading.Event) -> str:
        """The app's address; the Hub is asked for that of a Space. Raises RemoteError."""
        if self.handle.is_address:
            _check_online(self.place)
            return self.handle.place
        return space_state.awake(self.handle.place, tell, stop)

    def guard(self, address: str, stop: threading.Event) -> Guard:
        """For one call, which ends when `stop` is set."""
        from hub.remote.guard import Guard

        return Guard(address, is_closed=stop)

    def app(self, address: str, guard: Guard) -> App:
        """The app there, asked once for what it offers, until something goes wrong."""
        from hub.remote.gradio_app import open_app

        if self._app is None or self._app.address != address:
            self._app = open_app(self.place, address, guard, ENDPOINTS)
        return self._app

    def forget(self) -> None:
        self._app = None

    def known_address(self) -> str | None:
        return self._app.address if self._app is not None else None

    def card(self, address: str, stop: threading.Event) -> ModelCard:
        """The model's card, a stranger's text. Raises CardError."""
        from hub.remote.gradio_app import call

        guard = self.guard(address, stop)
        app = self.app(address, guard)
        try:
            (text,) = call(app, "card", [self.handle.model], guard, lambda heard: None)
        except RemoteError as error:
            if self.handle.model or type(error) is not RemoteError:
                raise
            raise RemoteError(f"{error} Name one of its models so: {self.place}#name") from None
        if not isinstance(text, str) or len(text.encode("utf-8", "replace")) > MAX_CARD_BYTES:
            raise CardError(
                f"The card that {self.place} shows is no text of at most "
                f"{MAX_CARD_BYTES >> 10} KiB."
            )
        return parse_card(text, self._name())

    def _name(self) -> str:
        """What files are called by: the model's name, else the Space's or the host's."""
        end = self.handle.place.rstrip("/").rpartition("/")[2]
        return self.handle.model or "".join(c if c.isalnum() or c in "._-" else "-" for c in end)


@dataclass(eq=False, kw_only=True)
class Call:
    """One question under way in a thread of its own. `events`: Progress, then answers or error."""

    line: Line
    requests: Sequence[Request]
    specs: Sequence[ParamSpec]
    events: queue.SimpleQueue[Any] = field(default_factory=queue.SimpleQueue)
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        try:
            self.events.put(self._answers())
        except BaseException as error:
            self.line.forget()
            self.events.put(error)

    def stop(self) -> None:
        self._stop.set()

    def _answers(self) -> list[Notes]:
        sent = Sent(score=self.requests[0].score, region=self.requests[0].region)
        address = self.line.known_address()
        if address is None:
            return self._exchange(sent, self.line.find(self._tell, self._stop))
        try:
            return self._exchange(sent, address)
        except (UnavailableError, OfflineError, NotFoundError) as error:
            return self._exchange(sent, self._awake(error))

    def _awake(self, error: RemoteError) -> str:
        """The address of a Space that has fallen asleep since; `error` if it has not."""
        self.line.forget()
        if self.line.handle.is_address or self._stop.is_set():
            raise error
        told: list[str] = []

        def tell(text: str) -> None:
            told.append(text)
            self._tell(text)

        address = self.line.find(tell, self._stop)
        if not told:
            raise error
        return address

    def _exchange(self, sent: Sent, address: str) -> list[Notes]:
        from hub.remote import gradio_app

        guard = self.line.guard(address, self._stop)
        app = self.line.app(address, guard)
        with tempfile.TemporaryDirectory(prefix="scorehub-send-") as folder:
            values = self._values(sent, Path(folder))
            files, _receipts = gradio_app.call(app, "inpaint", values, guard, self._hear)
        if not isinstance(files, list) or len(files) != len(self.requests):
            raise IntegrityError(
                f"{app.place} was asked for {len(self.requests)} takes and returned others."
            )
        bound = LIMITS.file_bytes
        contents = (gradio_app.fetch_file(app, file, guard, bound) for file in files)
        return [new_notes(data, sent, app.place) for data in contents]

    def _values(self, sent: Sent, folder: Path) -> list[Any]:
        """All arguments of /inpaint, in their order; see `hub.ui.api`."""
        path = folder / sent.source.name
        path.write_bytes(sent.source.data)
        params = self.requests[0].params
        return [
            {"path": str(path), "meta": {"_type": "gradio.FileData"}},
            self.line.handle.model,
            "",
            "",
            sent.region_json(),
            sent.params_json(params, self.specs),
            len(self.requests),
            params.seed,
        ]

    def _hear(self, heard: Heard) -> None:
        if heard.before_us is not None:
            self.events.put(Progress(0.0, _queued(heard.before_us)))
        elif heard.fraction is not None:
            self.events.put(Progress(heard.fraction, heard.text or "working"))

    def _tell(self, text: str) -> None:
        self.events.put(Progress(0.0, text))


def _queued(before_us: int) -> str:
    return f"waiting, {before_us} before this" if before_us else "waiting, next in line"


def _check_online(place: str) -> None:
    """The user's wish to stay offline; this machine is no network."""
    host = urlsplit(place.removeprefix("space:")).hostname
    if client.is_offline() and host not in ("127.0.0.1", "localhost", "::1"):
        raise OfflineError(
            f"{place} needs the network, and HF_HUB_OFFLINE forbids it; unset it and try again."
        )


def _in_time(job: Callable[[], ModelCard], place: str) -> ModelCard:
    """What `job` returns, if it does within CONNECT_SECONDS, however slowly bytes drip in."""
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def work() -> None:
        try:
            answers.put(job())
        except BaseException as error:
            answers.put(error)

    threading.Thread(target=work, daemon=True, name="scorehub-space").start()
    try:
        answer = answers.get(timeout=CONNECT_SECONDS)
    except queue.Empty:
        raise UnavailableError(f"{place} took too long to answer; try again in a minute.") from None
    if isinstance(answer, BaseException):
        raise answer
    assert isinstance(answer, ModelCard)
    return answer
