"""The contents that go into LFS, before a commit names them.

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

from hub.local_hub.http import (
    MAX_LFS_BYTES,
    MAX_REGULAR_BYTES,
    Refusal,
    commit_at,
    context,
    items,
    not_found,
    number,
    read_json,
    text,
    writable,
)
from hub.local_hub.names import fault_of_path
from hub.local_hub.store import (
    LFS_SUFFIXES,
    Commit,
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
    path = check_path(item)
    known = commit.files.get(path)
    return {
        "path": path,
        "uploadMode": "lfs" if is_for_lfs(path, number(item, "size"), _sample(item)) else "regular",
        "shouldIgnore": False,
        "oid": known and (known.sha256 if known.is_lfs else known.git_sha1),
    }


def is_for_lfs(path: str, size: int, sample: bytes) -> bool:
    return path.endswith(LFS_SUFFIXES) or size > MAX_REGULAR_BYTES or b"\0" in sample


def _sample(item: dict[str, Any]) -> bytes:
    return decoded(text(item, "sample", ""))


def decoded(value: Any) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise Refusal(400, "The contents of a file are not base64.") from None


def check_path(item: Mapping[str, Any]) -> str:
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
    oid, size = oid_of(item), number(item, "size")
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


def oid_of(item: Mapping[str, Any]) -> str:
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
    path = context(request).store.blob(found, oid_of(body))
    if not path.is_file() or path.stat().st_size != number(body, "size"):
        raise not_found("Upload", "EntryNotFound")
    return Response()


async def no_xet(request: Request) -> Response:
    raise Refusal(404, "This hub has LFS and no Xet; set HF_HUB_DISABLE_XET=1 and try again.")


_ONE = "/api/{segment:kind}/{owner}/{name}"

ROUTES = [
    Route(f"{_ONE}/preupload/{{revision}}", preupload, methods=["POST"]),
    Route(f"{_ONE}/xet-write-token/{{revision}}", no_xet),
    Route(f"{_ONE}/xet-read-token/{{revision}}", no_xet),
    Route(f"{_ONE}/lfs/verify", verify, methods=["POST"]),
    Route(f"{_ONE}/lfs/{{oid}}", upload, methods=["PUT"]),
]
BATCH_ROUTES = [
    Route("/{segment:kind}/{owner}/{name}.git/info/lfs/objects/batch", batch, methods=["POST"]),
    Route("/{owner}/{name}.git/info/lfs/objects/batch", batch, methods=["POST"]),
]
