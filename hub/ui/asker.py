"""Which requests the app answers: not those that a page of another site has a browser send.

A browser reaches this machine's own addresses for any page that it shows. Such a page can send
requests across sites, which say where they come from (Origin, Sec-Fetch-Site), or have its own
name point here (DNS rebinding), which the Host header tells. Programs send neither.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

API = "/gradio_api"
_READING = ("GET", "HEAD")
_FOREIGN = "Pages of other sites may not use this app."


class Asker:
    """ASGI middleware that refuses such requests with 403 and a sentence.

    is_loopback      the app is served to this machine alone: then it goes by no other name, and
                     of its API other sites get nothing. Elsewhere nobody knows by what name it is
                     reached, and other sites may read and frame it, as a Space's page does.
    allowed_origins  sites that may use it all the same, such as "https://example.org"
    """

    def __init__(self, app: Any, *, is_loopback: bool, allowed_origins: Iterable[str] = ()) -> None:
        self.app = app
        self.is_loopback = is_loopback
        self.allowed_origins = frozenset(origin.lower() for origin in allowed_origins)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        fault = self._fault(scope) if scope["type"] in ("http", "websocket") else ""
        if not fault:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            headers = [(b"content-type", b"text/plain; charset=utf-8")]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": fault.encode()})

    def _fault(self, scope: Any) -> str:
        """Why this request is refused; "" if it is not."""
        headers = {
            name.decode("latin-1"): text.decode("latin-1") for name, text in scope["headers"]
        }
        if self.is_loopback and not _is_this_machine(headers.get("host", "")):
            return "This app runs for this machine alone: open it as http://127.0.0.1 or localhost."
        only_reads = scope.get("method") in _READING
        if only_reads and not (self.is_loopback and API in scope["path"]):
            return ""
        return _FOREIGN if self._is_foreign(headers) else ""

    def _is_foreign(self, headers: Mapping[str, str]) -> bool:
        origin = headers.get("origin", "").lower()
        if origin:
            return origin not in self.allowed_origins and _netloc(origin) not in self._own(headers)
        return headers.get("sec-fetch-site", "none") not in ("none", "same-origin")

    def _own(self, headers: Mapping[str, str]) -> set[str]:
        """What the app is called by who asks, and by the server in front of it if there is one."""
        names = {headers.get("host", "")}
        if not self.is_loopback:
            names |= set(headers.get("x-forwarded-host", "").split(","))
        return {name.strip().lower() for name in names} - {""}


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _is_this_machine(host: str) -> bool:
    """Is it "localhost" or an address of this machine in numbers, with or without a port?"""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
