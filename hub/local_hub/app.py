"""The local hub as one ASGI application, strict about what it does not know.

Everything that is not an endpoint is a 404 with a sentence, and is noted in `state.unknown`, so
that a test can say that the client asked for nothing that this hub does not offer.
"""

from __future__ import annotations

import logging
import secrets
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.local_hub.access import Access, WrongTokenError, fault_of_asker
from hub.local_hub.http import SAFE_HEADERS, Context, Refusal
from hub.local_hub.routes import (
    account,
    commits,
    files,
    listing,
    pages,
    repositories,
    spaces,
    uploads,
)
from hub.local_hub.store import Store

LOG = logging.getLogger("scorehub.local_hub")


def build(store: Store, access: Access, *, served_as: str = "127.0.0.1") -> Starlette:
    """The application for the repositories of a store. `served_as`: the address it listens at."""
    app = Starlette(
        routes=[
            *account.ROUTES, *uploads.ROUTES, *commits.ROUTES, *files.ROUTES, *spaces.ROUTES,
            *repositories.ROUTES, *listing.ROUTES, *pages.ROUTES, *uploads.BATCH_ROUTES,
            *files.RESOLVE_ROUTES, *pages.REPOSITORY_ROUTES,
        ],
        middleware=[Middleware(_Guard, served_as=served_as)],
        exception_handlers={
            Refusal: _refused,
            WrongTokenError: _wrong_token,
            HTTPException: _unknown,
            ClientDisconnect: _left,
            OSError: _storage_failed,
            Exception: _failed,
        },
    )  # fmt: skip
    app.router.redirect_slashes = False
    app.state.context = Context(store=store, access=access, key=secrets.token_bytes(32))
    app.state.unknown = []
    return app


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return error.response()


async def _wrong_token(request: Request, error: Exception) -> Response:
    return Refusal(401, "Invalid credentials in Authorization header").response()


async def _unknown(request: Request, error: Exception) -> Response:
    asked = f"{request.method} {request.url.path}"
    request.app.state.unknown.append(asked)
    return Refusal(404, f"This hub does not know {asked[:300]}.").response()


async def _left(request: Request, error: Exception) -> Response:
    """Nobody reads this any more; what was half received has been thrown away."""
    return Refusal(400, "The request broke off.").response()


async def _storage_failed(request: Request, error: Exception) -> Response:
    LOG.error("The folder failed: %s", getattr(error, "strerror", None) or type(error).__name__)
    return Refusal(507, "This hub's folder cannot be read or written.").response()


async def _failed(request: Request, error: Exception) -> Response:
    return Refusal(500, "This hub failed; its log says where.").response()


class _Guard:
    """Refuses pages of other sites, makes answers inert for browsers, and keeps the log.

    The log has no query, because addresses for uploads are signed there, and no header.
    """

    def __init__(self, app: ASGIApp, served_as: str) -> None:
        self.app = app
        self.served_as = served_as

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SAFE_HEADERS)
                LOG.info("%s %s %s", scope["method"], _path(scope), message["status"])
            await send(message)

        if fault := fault_of_asker(Headers(scope=scope), self.served_as):
            return await Refusal(403, fault).response()(scope, receive, guarded)
        return await self.app(scope, receive, guarded)


def _path(scope: Scope) -> str:
    """As it was sent, so without letters that could forge a line of the log."""
    raw: Any = scope.get("raw_path") or b""
    return str(raw[:300].decode("ascii", "backslashreplace"))
