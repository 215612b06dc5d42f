"""Commits: one request that names every file that changes, all of it or nothing."""

from __future__ import annotations

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
    Refusal,
    commit_at,
    context,
    not_found,
    parse_json,
    read_bytes,
    text,
    who,
    writable,
)
from hub.local_hub.routes.uploads import check_path, decoded, is_for_lfs, oid_of
from hub.local_hub.store import CARD, ClashError, Commit, File, MissingError, Repository


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
        path = check_path({"path": text(value, "path", "").removesuffix("/")})
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
    data = decoded(value.get("content"))
    if data and is_for_lfs(path, len(data), b""):
        raise Refusal(400, f'"{path}" must go the way of LFS.')
    if path == CARD:
        faults = shapes.faults_of_card(data.decode("utf-8", "replace"), found.kind)
        if faults:
            raise Refusal(400, f"Invalid metadata in README.md: {'; '.join(faults)}")
    return context(request).store.add_blob(found, data)


def _large(request: Request, found: Repository, value: Mapping[str, Any]) -> File:
    try:
        file = context(request).store.lfs_file(found, oid_of(value))
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


ROUTES = [
    Route("/api/{segment:kind}/{owner}/{name}/commit/{revision}", commit, methods=["POST"]),
]
