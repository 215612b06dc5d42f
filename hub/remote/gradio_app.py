"""One call to a running Gradio app that nobody vouches for, through gradio_client.

gradio_client trusts the app it talks to. Here it must not:

    it sends the user's saved token, to the app and to the Hub      it is given none, an address
                                                                    and not a name, and `Guard`
                                                                    strips what carries one
    it fills in arguments from the app's own description, and       the description is never asked
    uploads any file of this disk that such a default names         for; all arguments are given
    it reads replies to their end, wherever they lead               `Guard` bounds them
    it builds its endpoints from whatever the app calls its config  the few fields that are needed
    it downloads files, reports its use, prints tracebacks          none of that

It imports gradio_client at its top, so it is imported only where an app is called.
"""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import gradio_client
import httpx
from gradio_client.exceptions import AppError

from hub.errors import IntegrityError
from hub.remote.app_errors import broken_off, no_app, other_version, plain, speaking_of
from hub.remote.guard import Guard, certificates

CONFIG_BYTES = 16 << 20  # of an app's description of itself: that of a gallery is large
CANCEL_SECONDS = 3.0
POLL_SECONDS = 0.1
MAX_EVENTS = 100_000

_PREFIX = re.compile(r"(?:/[A-Za-z0-9_.~-]{1,64}){0,8}/?")
_VERSION = re.compile(r"\d{1,4}\.\d{1,4}\.\d{1,4}")
_PROTOCOLS = ("sse_v1", "sse_v2", "sse_v2.1", "sse_v3")
_ENDS = ("process_completed", "unexpected_error", "Server stopped unexpectedly.")
_LONGEST_PATH = 4_096


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One function of an app: its number there, and how many values go in and come out."""

    number: int
    inputs: int
    outputs: int


@dataclass(frozen=True, kw_only=True)
class App:
    """What is kept of an app's config.

    place       how its user calls it, for messages
    address     "http://host:port/path", without a slash at its end
    prefix      what stands before its API's paths, without slashes
    endpoints   by name, without a slash
    """

    place: str
    address: str
    version: str
    protocol: str
    prefix: str
    endpoints: dict[str, Endpoint]

    def url(self, path: str) -> str:
        return "/".join(piece for piece in (self.address, self.prefix, path) if piece)


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What an app says of our call. before_us: calls that wait before it; fraction: 0..1."""

    before_us: int | None = None
    fraction: float | None = None
    text: str = ""


Hear = Callable[[Heard], None]


# ------------------------------------------------------------------------------------- the app


def open_app(place: str, address: str, guard: Guard, wanted: Sequence[str]) -> App:
    """The app at an address, with the endpoints `wanted`. Raises RemoteError."""
    with speaking_of(place):
        config = json.loads(guard.get(f"{address}/config", CONFIG_BYTES))
        version = _VERSION.match(str(config.get("version", "")))
        protocol, prefix = config.get("protocol"), config.get("api_prefix", "")
        endpoints = dict(_endpoints(config["dependencies"], wanted))
        is_known = protocol in _PROTOCOLS and _PREFIX.fullmatch(prefix)
        if version is None or not is_known or set(endpoints) != set(wanted):
            raise no_app(place)
    return App(
        place=place,
        address=address,
        version=version[0],
        protocol=protocol,
        prefix=prefix.strip("/"),
        endpoints=endpoints,
    )


def _endpoints(rows: list[Any], wanted: Sequence[str]) -> Iterator[tuple[str, Endpoint]]:
    for row in rows:
        if row.get("api_name") in wanted and type(row["id"]) is int:
            counts = {"inputs": len(row["inputs"]), "outputs": len(row["outputs"])}
            yield row["api_name"], Endpoint(number=row["id"], **counts)


def fetch_file(app: App, value: Any, guard: Guard, bound_bytes: int) -> bytes:
    """The bytes of a file that an app returned. Only its path *there* is used, never its name."""
    path = value.get("path") if isinstance(value, dict) else None
    if not isinstance(path, str) or not _is_path(path):
        raise IntegrityError(f"{app.place} returned no file where one was expected.")
    with speaking_of(app.place):
        return guard.get(app.url(f"file={quote(path, safe='/')}"), bound_bytes)


def _is_path(path: str) -> bool:
    return 0 < len(path) <= _LONGEST_PATH and ".." not in path.split("/")


# ------------------------------------------------------------------------------------ one call


def call(app: App, name: str, values: Sequence[Any], guard: Guard, hear: Hear) -> list[Any]:
    """The values that an endpoint returns. Raises CancelledError once `guard` is closed.

    `values` are all of its arguments, in order: none is left for the app to fill in.
    """
    endpoint = app.endpoints[name]
    if len(values) != endpoint.inputs:
        raise other_version(app.place)
    with speaking_of(app.place):
        client = _Client(app, guard, hear)
        job = client.submit(*values, api_name=f"/{name}")
        job.future.add_done_callback(lambda _: client.end())
        try:
            answer = _wait(client, job, guard)
        except BaseException:
            _give_up(client, job, endpoint)
            raise
        if len(answer) != endpoint.outputs:
            raise no_app(app.place)
        return answer


def _wait(client: _Client, job: Any, guard: Guard) -> list[Any]:
    while not client.is_over.wait(POLL_SECONDS):
        guard.check_open()
        if job.future.done():  # it could not even be sent
            job.future.result()
    if client.failure is not None:
        raise client.failure
    return client.answer


def _give_up(client: _Client, job: Any, endpoint: Endpoint) -> None:
    """End gradio_client's own waiting, and tell the app, in a thread, that nobody waits."""
    with client.pending_lock:
        for messages in client.pending_messages_per_event.values():
            messages.append(None)
    event_id = job.communicator.event_id
    if event_id is None or client.has_ended:
        client.hang_up()
        return
    body = {
        "fn_index": endpoint.number,
        "session_hash": client.session_hash,
        "event_id": event_id,
    }
    options = Guard(client.app.address).options(CANCEL_SECONDS)

    def tell() -> None:
        with suppress(Exception):
            httpx.post(client.app.url("cancel"), json=body, verify=certificates(), **options)
        client.hang_up()

    threading.Thread(target=tell, daemon=True, name="scorehub-cancel").start()


class _Client(gradio_client.Client):  # type: ignore[misc]
    """gradio_client for one call, behind one guard; it asks for nothing but the call itself.

    is_over     nothing more will come: there is an `answer`, or `failure` says why not
    has_ended   the app itself has said that it is done, so there is nothing to cancel
    """

    def __init__(self, app: App, guard: Guard, hear: Hear) -> None:
        self.app, self.hear = app, hear
        self.is_over = threading.Event()
        self.has_ended = False
        self.answer: list[Any] = []
        self.failure: BaseException | None = None
        self._socket: socket.socket | None = None
        super().__init__(
            app.address,
            token=False,  # None would mean the saved one
            verbose=False,
            download_files=False,
            analytics_enabled=False,
            ssl_verify=certificates(),
            httpx_kwargs=guard.options(),
        )

    def _get_config(self) -> dict[str, Any]:
        """What a call needs to know of the app, and nothing that the app itself has written."""
        return {
            "version": self.app.version,
            "protocol": self.app.protocol,
            "api_prefix": self.app.prefix,
            "connect_heartbeat": False,
            "components": [{"id": 0, "type": "textbox"}],
            "dependencies": [
                {
                    "id": endpoint.number,
                    "api_name": name,
                    "inputs": [0] * endpoint.inputs,
                    "outputs": [0] * endpoint.outputs,
                    "cancels": [],
                }
                for name, endpoint in self.app.endpoints.items()
            ],
        }

    def _get_api_info(self) -> dict[str, Any]:
        """Never asked for: its defaults would be sent as if the user had given them."""
        return {"named_endpoints": {}, "unnamed_endpoints": {}}

    def _telemetry_thread(self) -> None:
        """Nobody is told; `analytics_enabled=False` alone does not stop it."""

    def stream_messages(self, protocol: str, session_hash: str) -> None:
        """Read what the app says of our one call until it is over."""
        try:
            for data in self._events(session_hash):
                if (message := _checked(data)) is not None and self._take(message):
                    return
            raise broken_off(self.app.place)
        except BaseException as error:
            self.failure = error
        finally:
            self.is_over.set()

    def _events(self, session_hash: str) -> Iterator[bytes]:
        with (
            httpx.Client(verify=certificates(), **self.httpx_kwargs) as session,
            session.stream(
                "GET", self.sse_url, params={"session_hash": session_hash}, headers=self.headers
            ) as response,
        ):
            response.raise_for_status()
            self._socket = response.extensions["network_stream"].get_extra_info("socket")
            yield from _events(response.iter_bytes())

    def end(self) -> None:
        """Let its threads end as soon as they have nothing to do."""
        for pool in (self.executor, self.helper_executor, self.stream_executor):
            pool.shutdown(wait=False)

    def hang_up(self) -> None:
        """Wake whoever still reads from the app, that its thread may end."""
        with suppress(OSError):
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)

    def _take(self, message: dict[str, Any]) -> bool:
        """Is this message the last? Raises what the app says went wrong."""
        kind = message.get("msg")
        self.has_ended = kind in _ENDS
        if kind == "process_completed":
            self.answer = _answer(message)
        elif self.has_ended:
            raise broken_off(self.app.place, str(message.get("message") or ""))
        if (heard := _heard(message)) is not None:
            self.hear(heard)
        return self.has_ended


def _events(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The data of each server-sent event."""
    rest, count = bytearray(), 0
    for chunk in chunks:
        looked_at = max(len(rest) - 1, 0)  # nothing is looked at twice, however small the chunks
        rest += chunk
        if rest.find(b"\n\n", looked_at) < 0:
            continue
        *whole, rest = rest.split(b"\n\n")
        count += len(whole)
        if count > MAX_EVENTS:
            raise ValueError("It talks without an end.")
        yield from (bytes(event[5:]) for event in whole if event.startswith(b"data:"))


def _checked(data: bytes) -> dict[str, Any] | None:
    message = json.loads(data)
    return message if isinstance(message, dict) else None


def _answer(message: dict[str, Any]) -> list[Any]:
    output = message.get("output")
    if not isinstance(output, dict):
        raise ValueError("no output")
    if message.get("success") is True and isinstance(output.get("data"), list):
        return list(output["data"])
    raise AppError(str(output.get("error") or ""))


def _heard(message: dict[str, Any]) -> Heard | None:
    kind = message.get("msg")
    if kind == "estimation":
        rank = message.get("rank")
        return Heard(before_us=rank if type(rank) is int and 0 <= rank < 1_000_000 else None)
    if kind == "process_starts":
        return Heard(fraction=0.0)
    units = message.get("progress_data")
    if kind != "progress" or not isinstance(units, list) or not units:
        return None
    unit = units[-1] if isinstance(units[-1], dict) else {}
    return Heard(fraction=_fraction(unit.get("progress")), text=plain(str(unit.get("desc")), 80))


def _fraction(value: Any) -> float:
    is_number = isinstance(value, int | float) and value == value
    return min(max(float(value), 0.0), 1.0) if is_number else 0.0
