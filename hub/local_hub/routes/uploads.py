"""Commits, and the contents that go into LFS before them.

The client asks how each file is to go (preupload), sends the large ones to signed addresses (batch,
upload, verify), and then one commit that names everything.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.local_hub import shapes
from hub.local_hub.access import ANYBODY
from hub.local_hub.http import (
    MAX_COMMIT_BYTES,
    MAX_FILES,
    MAX_LFS_BYTES,
    MAX_REGULAR_BYTES,
    Refusal,
    commit_at,
    context,
    items,
    not_found,
    number,
    parse_json,
    read_bytes,
    read_json,
    text,
    who,
    writable,
)
from hub.local_hub.names import fault_of_path
from hub.local_hub.store import (
    CARD,
    LFS_SUFFIXES,
    ClashError,
    Commit,
    File,
    MissingError,
    Repository,
)

_SHA256 = re.compile(r"[0-9a-f]{64}")
_ADDRESS_SECONDS = 60 * 60  # how long an address for an upload is good


async def preupload(request: Request) -> Response:
    found, body = writable(request), await read_json(request)
    commit = commit_at(request, found, request.path_params["revision"])
    return JSONResponse({"files": [_way(item, commit) for item in items(body, "files")]})


def _way(item: dict[str, Any], commit: Commit) -> dict[str, Any]:
    path = _path(item)
    known = commit.files.get(path)
    return {
        "path": path,
        "uploadMode": "lfs"
        if _is_for_lfs(path, number(item, "size"), _sample(item))
        else "regular",
        "shouldIgnore": False,
        "oid": known and (known.sha256 if known.is_lfs else known.git_sha1),
    }


def _is_for_lfs(path: str, size: int, sample: bytes) -> bool:
    return path.endswith(LFS_SUFFIXES) or size > MAX_REGULAR_BYTES or b"\0" in sample


def _sample(item: dict[str, Any]) -> bytes:
    return _decoded(text(item, "sample", ""))


def _decoded(value: Any) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise Refusal(400, "The contents of a file are not base64.") from None


def _path(item: Mapping[str, Any]) -> str:
    path = item.get("path")
    if fault := fault_of_path(path):
        raise Refusal(400, fault)
    return str(path)


# --- LFS ----------------------------------------------------------------------------------------


async def batch(request: Request) -> Response:
    found, body = writable(request), await read_json(request)
    if body.get("operation") != "upload" or "basic" not in body.get("transfers", ["basic"]):
        raise Refusal(400, "This hub's LFS takes uploads by the basic transfer.")
    objects = [_action(request, found, item) for item in items(body, "objects")]
    answer = {"transfer": "basic", "objects": objects, "hash_algo": "sha256"}
    return JSONResponse(answer, media_type="application/vnd.git-lfs+json")


def _action(request: Request, found: Repository, item: dict[str, Any]) -> dict[str, Any]:
    oid, size = _oid(item), number(item, "size")
    if size > MAX_LFS_BYTES:
        message = f"A file has at most {MAX_LFS_BYTES:,} bytes."
        return {"oid": oid, "size": size, "error": {"code": 422, "message": message}}
    if context(request).store.blob(found, oid).is_file():
        return {"oid": oid, "size": size}
    start = f"{request.base_url}api/{found.kind}s/{found.id}/lfs"
    until = int(time.time()) + _ADDRESS_SECONDS
    signature = _sign(context(request).key, found, oid, size, until)
    actions = {
        "upload": {"href": f"{start}/{oid}?size={size}&until={until}&signature={signature}"},
        "verify": {"href": f"{start}/verify"},
    }
    return {"oid": oid, "size": size, "actions": actions}


def _oid(item: Mapping[str, Any]) -> str:
    oid = item.get("oid")
    if not isinstance(oid, str) or not _SHA256.fullmatch(oid):
        raise Refusal(400, '"oid" must be a SHA-256.')
    return oid


def _sign(key: bytes, found: Repository, oid: str, size: int, until: int) -> str:
    signed = f"{found.kind} {found.id} {oid} {size} {until}".encode()
    return hmac.new(key, signed, hashlib.sha256).hexdigest()


async def upload(request: Request) -> Response:
    """The contents of one file, without a token: the address was made for who may write here."""
    found, oid, size = _signed_for(request)
    store, digest, received = context(request).store, hashlib.sha256(), 0
    with store.receiving(found, oid) as stream:
        async for chunk in request.stream():
            received += len(chunk)
            if received > size:
                break
            digest.update(chunk)
            stream.write(chunk)
        if received != size or digest.hexdigest() != oid:
            raise Refusal(400, "What was uploaded is not what was announced.")
    return Response()


def _signed_for(request: Request) -> tuple[Repository, str, int]:
    query, oid = request.query_params, request.path_params["oid"]
    numbers = [query.get(key, "") for key in ("size", "until")]
    if not all(value.isascii() and value.isdecimal() and len(value) < 20 for value in numbers):
        raise Refusal(403, "This address is not one of this hub's.")
    size, until = map(int, numbers)
    names = request.path_params["owner"], request.path_params["name"]
    try:
        found = context(request).store.get(request.path_params["segment"][:-1], *names)
    except MissingError:
        raise Refusal(403, "This address is not one of this hub's.") from None
    signature = _sign(context(request).key, found, oid, size, until)
    if not hmac.compare_digest(signature.encode(), query.get("signature", "").encode()):
        raise Refusal(403, "This address is not one of this hub's.")
    if until < time.time():
        raise Refusal(403, "This address was good for an hour; ask for another.")
    return found, oid, size


async def verify(request: Request) -> Response:
    found, body = writable(request), await read_json(request)
    path = context(request).store.blob(found, _oid(body))
    if not path.is_file() or path.stat().st_size != number(body, "size"):
        raise not_found("Upload", "EntryNotFound")
    return Response()


async def no_xet(request: Request) -> Response:
    raise Refusal(404, "This hub has LFS and no Xet; set HF_HUB_DISABLE_XET=1 and try again.")


# --- commits ------------------------------------------------------------------------------------


async def commit(request: Request) -> Response:
    found = writable(request)
    if "create_pr" in request.query_params or "hot_reload" in request.query_params:
        raise Refusal(400, "This hub has no pull requests and runs no Spaces.")
    branch = request.path_params["revision"]
    before = commit_at(request, found, branch)
    lines = (await read_bytes(request, MAX_COMMIT_BYTES)).splitlines()
    if len(lines) > MAX_FILES:
        raise Refusal(413, f"A commit changes at most {MAX_FILES:,} files.")
    header, *changed = [_line(line) for line in lines] or [("", {})]
    if header[0] != "header":
        raise Refusal(400, "A commit begins with its header.")
    changes = _changes(request, found, before, changed)
    _check_result(found, before, changes, context(request).store)
    made = _commit(request, found, branch, header[1], changes)
    url = f"{request.base_url}{'' if found.kind == 'model' else 'spaces/'}{found.id}"
    answer = {"success": True, "commitOid": made.hash, "commitUrl": f"{url}/commit/{made.hash}"}
    return JSONResponse({**answer, "hookOutput": ""})


def _line(line: bytes) -> tuple[str, dict[str, Any]]:
    item = parse_json(line)
    if not isinstance(item.get("value"), dict):
        raise Refusal(400, "A line of a commit has a key and a value.")
    return text(item, "key"), item["value"]


def _changes(
    request: Request, found: Repository, before: Commit, lines: list[tuple[str, dict[str, Any]]]
) -> dict[str, File | None]:
    changes: dict[str, File | None] = {}
    for key, value in lines:
        path = _path({"path": text(value, "path", "").removesuffix("/")})
        if key == "file":
            changes[path] = _regular(request, found, path, value)
        elif key == "lfsFile":
            changes[path] = _large(request, found, value)
        elif key == "deletedFile":
            if path not in before.files:
                raise not_found("Entry", "EntryNotFound")
            changes[path] = None
        elif key == "deletedFolder":
            changes |= {name: None for name in before.files if name.startswith(f"{path}/")}
        else:
            raise Refusal(400, "A commit adds and deletes files.")
    return changes


def _regular(request: Request, found: Repository, path: str, value: Mapping[str, Any]) -> File:
    if value.get("encoding") != "base64":
        raise Refusal(400, "The contents of a file are sent as base64.")
    data = _decoded(value.get("content"))
    if data and _is_for_lfs(path, len(data), b""):
        raise Refusal(400, f'"{path}" must go the way of LFS.')
    if path == CARD:
        faults = shapes.faults_of_card(data.decode("utf-8", "replace"), found.kind)
        if faults:
            raise Refusal(400, f"Invalid metadata in README.md: {'; '.join(faults)}")
    return context(request).store.add_blob(found, data)


def _large(request: Request, found: Repository, value: Mapping[str, Any]) -> File:
    try:
        file = context(request).store.lfs_file(found, _oid(value))
    except MissingError:
        raise Refusal(400, "A file in LFS must be uploaded before it is committed.") from None
    if value.get("size", file.size) != file.size:
        raise Refusal(400, "A file in LFS has another size than the commit says.")
    return file


def _check_result(
    found: Repository, before: Commit, changes: Mapping[str, File | None], store: Any
) -> None:
    names = {*before.files, *changes} - {path for path, file in changes.items() if file is None}
    if len(names) > MAX_FILES:
        raise Refusal(413, f"A repository has at most {MAX_FILES:,} files.")
    folders = {
        path.rsplit("/", depth)[0] for path in names for depth in range(1, path.count("/") + 1)
    }
    if both := sorted(names & folders):
        raise Refusal(400, f'"{both[0]}" cannot be a file and a folder.')


def _commit(
    request: Request, found: Repository, branch: str, header: Mapping[str, Any],
    changes: Mapping[str, File | None],
) -> Commit:  # fmt: skip
    try:
        return context(request).store.commit(
            found, changes, branch=branch, title=text(header, "summary"),
            description=text(header, "description", ""), author=who(request) or ANYBODY,
            parent=text(header, "parentCommit", "") or None,
        )  # fmt: skip
    except ClashError:
        message = "Somebody has committed since. Look at what they did and try again."
        raise Refusal(412, message) from None
    except MissingError:
        raise Refusal(400, f'Commits are made to a branch, and "{branch}" is none.') from None


_ONE = "/api/{segment:kind}/{owner}/{name}"

ROUTES = [
    Route(f"{_ONE}/preupload/{{revision}}", preupload, methods=["POST"]),
    Route(f"{_ONE}/commit/{{revision}}", commit, methods=["POST"]),
    Route(f"{_ONE}/xet-write-token/{{revision}}", no_xet),
    Route(f"{_ONE}/xet-read-token/{{revision}}", no_xet),
    Route(f"{_ONE}/lfs/verify", verify, methods=["POST"]),
    Route(f"{_ONE}/lfs/{{oid}}", upload, methods=["PUT"]),
]
BATCH_ROUTES = [
    Route("/{segment:kind}/{owner}/{name}.git/info/lfs/objects/batch", batch, methods=["POST"]),
    Route("/{owner}/{name}.git/info/lfs/objects/batch", batch, methods=["POST"]),
]
