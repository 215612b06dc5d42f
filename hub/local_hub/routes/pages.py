"""For a person who opens one of the printed addresses in a browser: plain text, nothing more."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from hub.local_hub.http import commit_at, context, downloadable
from hub.local_hub.shapes import MAX_CARD_BYTES
from hub.local_hub.store import CARD, MAIN

_MAX_LISTED = 1000


async def front(request: Request) -> Response:
    public = [m.id for m in context(request).store.repositories("model") if not m.is_private]
    return _text(
        "A local hub of Scorehub. It is for the command line and the app:",
        "",
        f"    export HF_ENDPOINT={str(request.base_url).rstrip('/')}",
        "    scorehub list --hub",
        "",
        *(f"    {name}" for name in sorted(public)[:_MAX_LISTED]),
    )


async def repository(request: Request) -> Response:
    """What there is, how to open it, and its card as it was written."""
    found = downloadable(request)
    commit = commit_at(request, found, MAIN)
    how = f"    scorehub load {found.id}@{commit.hash}" if found.kind == "model" else ""
    files = [f"    {path}  ({file.size:,} bytes)" for path, file in commit.files.items()]
    card = ""
    if CARD in commit.files and commit.files[CARD].size <= MAX_CARD_BYTES:
        path = context(request).store.blob(found, commit.files[CARD].sha256)
        card = path.read_text(encoding="utf-8", errors="replace")
    title = f"{found.kind.capitalize()} {found.id}, last changed {commit.date}"
    return _text(title, "", how, "", *files[:_MAX_LISTED], "", card)


def _text(*lines: str) -> Response:
    return PlainTextResponse("\n".join(lines) + "\n")


ROUTES = [Route("/", front)]
# Matched last, as the addresses of files are.
REPOSITORY_ROUTES = [
    Route("/{segment:spaces}/{owner}/{name}", repository),
    Route("/{owner:owner}/{name}", repository),
]
