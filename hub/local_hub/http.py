"""Requests read within bounds; refusals in the Hub's manner.

The Hub says why in a header (X-Error-Code), by which its client tells one 404 from another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub.local_hub.access import ANYBODY, Access
from hub.local_hub.names import RESERVED, fault_of_name
from hub.local_hub.store import Commit, File, MissingError, Repository, Store

MAX_JSON_BYTES = 4 << 20
MAX_COMMIT_BYTES = 64 << 20
MAX_REGULAR_BYTES = 10 << 20  # larger files go the way of LFS
MAX_LFS_BYTES = 8 << 30
MAX_FILES = 10_000
MAX_PAGE = 1000

KIND_BY_SEGMENT = {"models": "model", "spaces": "space"}
SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class _Kind(StringConvertor):
    """In a route's path: the part of an address that says which kind of repository."""

    regex = "models|spaces"


class _Spaces(StringConvertor):
    regex = "spaces"


class _Owner(StringConvertor):
    """The first part of an address that belongs to somebody, and not to the protocol."""

    regex = rf"(?!(?:{'|'.join(RESERVED)})/)[^/]+"


register_url_convertor("owner", _Owner())
register_url_convertor("kind", _Kind())
register_url_convertor("spaces", _Spaces())


class Refusal(Exception):
    """An answer other than what was asked for; `code` is the Hub's name for it."""

    def __init__(self, status: int, message: str, code: str = "", **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.more = more

    def response(self) -> Response:
        code = {"X-Error-Code": self.code} if self.code else {}
        headers = {"X-Error-Message": _in_a_header(str(self)), **code}
        return JSONResponse({"error": str(self), **self.more}, self.status, headers=headers)


def _in_a_header(text: str) -> str:
    """One line of ASCII: a message may repeat what was sent, and a new line would be a header."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return line.encode("ascii", "backslashreplace").decode()


@dataclass(frozen=True, kw_only=True)
class Context:
    """What every endpoint needs: `key` signs the addresses of uploads, for as long as it runs."""

    store: Store
    access: Access
    key: bytes


def context(request: Request) -> Context:
    found = request.app.state.context
    assert isinstance(found, Context)
    return found


# --- reading ------------------------------------------------------------------------------------


async def read_bytes(request: Request, most: int) -> bytes:
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > most:
            raise Refusal(413, f"A request like this has at most {most:,} bytes.")
    return bytes(data)


async def read_json(request: Request) -> dict[str, Any]:
    return parse_json(await read_bytes(request, MAX_JSON_BYTES))


def parse_json(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Refusal(400, "The request's body is not a JSON object.")
    return value


def text(body: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = body.get(key, default)
    value = default if value is None else value
    if not isinstance(value, str) or len(value) > 100_000 or not _is_encodable(value):
        raise Refusal(400, f'"{key}" must be a text.')
    return value


def _is_encodable(value: str) -> bool:
    """JSON can write halves of surrogate pairs, which no file can."""
    return not any("\ud800" <= letter <= "\udfff" for letter in value)


def number(body: Mapping[str, Any], key: str) -> int:
    value = body.get(key)
    if type(value) is not int or not 0 <= value < 1 << 53:
        raise Refusal(400, f'"{key}" must be a whole number.')
    return value


def items(body: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    value = body.get(key)
    if not isinstance(value, list) or len(value) > MAX_FILES:
        raise Refusal(400, f'"{key}" must be a list of at most {MAX_FILES:,}.')
    if not all(isinstance(item, dict) for item in value):
        raise Refusal(400, f'"{key}" must be a list of objects.')
    return value


# --- who and what -------------------------------------------------------------------------------


def who(request: Request) -> str | None:
    return context(request).access.who(request.headers.get("authorization", ""))


def kind_of(request: Request) -> str:
    """The kind that an address speaks of; addresses of models may leave it out."""
    return KIND_BY_SEGMENT[request.path_params.get("segment", "models")]


def visible(request: Request) -> Repository:
    """The repository that the address names, if who asks may know of it."""
    names = request.path_params["owner"], request.path_params["name"]
    asker, known = who(request), context(request)
    try:
        if any(map(fault_of_name, names)):
            raise MissingError
        found = known.store.get(kind_of(request), *names)
        if not known.access.may_see(asker, found):
            raise MissingError
    except MissingError:
        raise not_found("Repository", "RepoNotFound", asker) from None
    return found


def writable(request: Request) -> Repository:
    found = visible(request)
    check_may_write(request, found.owner)
    return found


def downloadable(request: Request) -> Repository:
    found, asker = visible(request), who(request)
    if not context(request).access.may_download(asker, found):
        raise Refusal(
            403 if asker else 401, f"Access to {found.kind} {found.id} is restricted.", "GatedRepo"
        )
    return found


def check_may_write(request: Request, owner: str) -> None:
    asker = who(request)
    if context(request).access.may_write(asker, owner):
        return
    if asker is None:
        raise Refusal(401, "Writing needs a token.")
    raise Refusal(403, f'{asker} may not write below "{owner}".')


def not_found(what: str, code: str, asker: str | None = ANYBODY) -> Refusal:
    """401 for who does not say who they are, as the Hub does: it may exist for others."""
    return Refusal(404 if asker else 401, f"{what} not found", code)


def commit_at(request: Request, repository: Repository, revision: str) -> Commit:
    try:
        return context(request).store.commit_of(repository, revision)
    except MissingError:
        raise not_found("Revision", "RevisionNotFound") from None


def file_at(commit: Commit, path: str) -> File:
    if path not in commit.files:
        raise not_found("Entry", "EntryNotFound")
    return commit.files[path]
