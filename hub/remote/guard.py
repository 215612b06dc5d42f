"""What every request to a stranger's app goes through: one origin, no secrets, bounded replies.

httpx calls an `Auth` around each request, whoever makes it; that is the one hook that gradio_client
leaves open in all of its own requests. It imports httpx at its top, so it is imported only where
an app is called.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import httpx

REPLY_BYTES = 4 << 20
CONNECT_SECONDS = 15.0
SILENCE_SECONDS = 60.0  # Gradio says "still here" every 15
_SECRET_HEADERS = ("authorization", "x-hf-authorization", "proxy-authorization", "x-ip-token")


class Refused(httpx.TransportError):
    """A reply that is not read on; its text is a sentence."""


class Stopped(httpx.TransportError):
    """Nobody waits for this any more."""


@dataclass(eq=False)
class Guard(httpx.Auth):
    """The guard of one call. `close()` may be called from any thread; what is being read ends."""

    address: str
    bound_bytes: int = REPLY_BYTES
    is_closed: threading.Event = field(default_factory=threading.Event)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        self.check_open()
        if _origin(request.url) != _origin(httpx.URL(self.address)):
            raise Refused("It leads to another place.")
        for name in _SECRET_HEADERS:
            request.headers.pop(name, None)
        request.headers["accept-encoding"] = "identity"
        response = yield request
        if reason := _unreadable(response):
            response.close()
            raise Refused(reason)
        assert isinstance(response.stream, httpx.SyncByteStream)
        response.stream = _Bounded(response.stream, self)

    def check_open(self) -> None:
        if self.is_closed.is_set():
            raise Stopped("The call was stopped.")

    def close(self) -> None:
        self.is_closed.set()

    def options(self, seconds: float = SILENCE_SECONDS) -> dict[str, Any]:
        """For httpx's functions: this guard, its timeouts, no redirects."""
        timeout = httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS))
        return {"auth": self, "timeout": timeout, "follow_redirects": False}

    def get(
        self, url: str, bound_bytes: int = REPLY_BYTES, seconds: float = SILENCE_SECONDS
    ) -> bytes:
        """The body of a reply that succeeded. Raises httpx's errors."""
        guard = Guard(self.address, bound_bytes, self.is_closed)
        response = httpx.get(
            url, headers={"user-agent": "scorehub"}, verify=certificates(), **guard.options(seconds)
        )
        response.raise_for_status()
        return response.content


@lru_cache
def certificates() -> ssl.SSLContext:
    """Whom httpx believes by default; made once, since that takes longer than a request."""
    return httpx.create_ssl_context()


class _Bounded(httpx.SyncByteStream):
    """A reply's bytes, up to what the guard allows."""

    def __init__(self, stream: httpx.SyncByteStream, guard: Guard) -> None:
        self._stream, self._guard = stream, guard

    def __iter__(self) -> Iterator[bytes]:
        came = 0
        for chunk in self._stream:
            came += len(chunk)
            self._guard.check_open()
            if came > self._guard.bound_bytes:
                raise Refused(f"It is longer than {self._guard.bound_bytes:,} bytes.")
            yield chunk

    def close(self) -> None:
        self._stream.close()


def _unreadable(response: httpx.Response) -> str:
    if response.is_redirect:
        return "It leads to another place."
    if response.headers.get("content-encoding", "identity") != "identity":
        return "It came compressed although nobody asked for that."
    return ""


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
