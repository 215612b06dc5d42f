"""Repositories: create, delete, settings, branches, tags, and what is known of them."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.local_hub import shapes
from hub.local_hub.access import ANYBODY
from hub.local_hub.http import (
    KIND_BY_SEGMENT,
    Refusal,
    check_may_write,
    commit_at,
    context,
    items,
    not_found,
    read_json,
    text,
    visible,
    who,
    writable,
)
from hub.local_hub.names import fault_of_name, fault_of_owner, fault_of_revision
from hub.local_hub.store import MAIN, ClashError, MissingError, Repository

SDKS = ("gradio", "docker", "static", "streamlit")
_GATES = {False: "", "auto": "auto", "manual": "manual"}
_COMMITS_PER_PAGE = 50


async def create(request: Request) -> Response:
    body = await read_json(request)
    kind, owner, name = _named(body, who(request))
    if fault := fault_of_owner(owner) or fault_of_name(name):
        raise Refusal(400, fault)
    check_may_write(request, owner)
    settings = {"is_private": _is_private(body), **(_space(body) if kind == "space" else {})}
    store = context(request).store
    try:
        made = store.create(kind, owner, name, **settings)
    except ClashError as error:
        url = _url(request, kind, f"{owner}/{name}")
        raise Refusal(409, f"There is a {kind} {owner}/{name} already", url=url) from error
    return JSONResponse({"url": _url(request, kind, made.id), "name": made.id, "id": made.id})


def _named(body: dict[str, Any], asker: str | None) -> tuple[str, str, str]:
    kind = text(body, "type", "model")
    if kind not in KIND_BY_SEGMENT.values():
        raise Refusal(400, f'This hub has models and Spaces, no "{kind[:40]}".')
    for key in ("template", "volumes", "region", "resourceGroupId"):
        if body.get(key) is not None:
            raise Refusal(400, f'This hub has no "{key}".')
    return kind, text(body, "organization", asker or ANYBODY), text(body, "name")


def _is_private(body: dict[str, Any]) -> bool:
    visibility = body.get("visibility") or ("private" if body.get("private") else "public")
    if visibility not in ("private", "public"):
        raise Refusal(400, "A repository of this hub is public or private.")
    return bool(visibility == "private")


def _space(body: dict[str, Any]) -> dict[str, Any]:
    """A Space's settings; of its secrets the names only, since nothing here needs the values."""
    if text(body, "sdk", "") not in SDKS:
        raise Refusal(400, f'A Space needs an "sdk": one of {", ".join(SDKS)}.')
    given = {"secrets": [], "variables": [], **body}
    return {
        "sdk": body["sdk"],
        "runtime": {"hardware": text(body, "hardware", "cpu-basic")},
        "secret_names": tuple(sorted({text(item, "key") for item in items(given, "secrets")})),
        "variables": {text(item, "key"): text(item, "value") for item in items(given, "variables")},
    }


async def delete(request: Request) -> Response:
    body = await read_json(request)
    asker = who(request)
    kind, owner, name = _named(body, asker)
    known = context(request)
    try:
        found = known.store.get(kind, owner, name)
        if not known.access.may_see(asker, found):
            raise MissingError
    except MissingError:
        raise not_found("Repository", "RepoNotFound", asker) from None
    check_may_write(request, owner)
    known.store.delete(found)
    return Response()


async def change_settings(request: Request) -> Response:
    found, body = writable(request), await read_json(request)
    changes: dict[str, Any] = {}
    if "visibility" in body or "private" in body:
        changes["is_private"] = _is_private(body)
    if "gated" in body:
        if isinstance(body["gated"], list | dict) or body["gated"] not in _GATES:
            raise Refusal(400, '"gated" is "auto", "manual" or false.')
        changes["gated"] = _GATES[body["gated"]]
    if not changes or set(body) - {"visibility", "private", "gated"}:
        raise Refusal(400, 'Only "visibility" and "gated" can be set here.')
    changed = context(request).store.update(found, **changes)
    return JSONResponse({"private": changed.is_private, "gated": changed.gated or False})


async def may_access(request: Request) -> Response:
    visible(request)
    return Response()


async def info(request: Request) -> Response:
    found = visible(request)
    commit = commit_at(request, found, request.path_params.get("revision", MAIN))
    store, blobs = (
        context(request).store,
        request.query_params.get("blobs") in ("true", "True", "1"),
    )
    return JSONResponse(shapes.repository_info(store, found, commit, blobs=blobs))


async def list_refs(request: Request) -> Response:
    return JSONResponse(shapes.refs(visible(request)))


async def list_commits(request: Request) -> Response:
    found, revision = visible(request), request.path_params["revision"]
    commit_at(request, found, revision)
    page = request.query_params.get("p", "0")
    if not page.isdecimal() or len(page) > 6:
        raise Refusal(400, '"p" is the number of a page.')
    start = int(page) * _COMMITS_PER_PAGE
    history = list(context(request).store.history(found, revision))
    shown = history[start : start + _COMMITS_PER_PAGE]
    headers = {}
    if start + len(shown) < len(history):
        following = request.url.include_query_params(p=int(page) + 1)
        headers["Link"] = f'<{following}>; rel="next"'
    return JSONResponse([shapes.commit_entry(commit) for commit in shown], headers=headers)


# --- branches and tags --------------------------------------------------------------------------


async def add_tag(request: Request) -> Response:
    found, body = writable(request), await read_json(request)
    commit = commit_at(request, found, request.path_params["revision"])
    return _with_ref(request, found, "tags", text(body, "tag"), commit.hash)


async def add_branch(request: Request) -> Response:
    found, body = writable(request), await read_json(request)
    commit = commit_at(request, found, text(body, "startingPoint", MAIN))
    return _with_ref(request, found, "branches", request.path_params["revision"], commit.hash)


def _with_ref(request: Request, found: Repository, where: str, name: str, commit: str) -> Response:
    if fault := fault_of_revision(name):
        raise Refusal(400, fault)
    if name in found.tags or name in found.branches:
        raise Refusal(409, f"Reference {name} exists already")
    named = {**getattr(found, where), name: commit}
    context(request).store.update(found, **{where: named})
    return Response(status_code=201)


async def drop_tag(request: Request) -> Response:
    return _without_ref(request, "tags")


async def drop_branch(request: Request) -> Response:
    if request.path_params["revision"] == MAIN:
        raise Refusal(403, f"The branch {MAIN} stays.")
    return _without_ref(request, "branches")


def _without_ref(request: Request, where: str) -> Response:
    found, name = writable(request), request.path_params["revision"]
    named = dict(getattr(found, where))
    if named.pop(name, None) is None:
        raise not_found("Revision", "RevisionNotFound")
    context(request).store.update(found, **{where: named})
    return Response()


def _url(request: Request, kind: str, name: str) -> str:
    return f"{request.base_url}{'' if kind == 'model' else kind + 's/'}{name}"


_ONE = "/api/{segment:kind}/{owner}/{name}"

ROUTES = [
    Route("/api/repos/create", create, methods=["POST"]),
    Route("/api/repos/delete", delete, methods=["DELETE"]),
    Route(f"{_ONE}/settings", change_settings, methods=["PUT"]),
    Route(f"{_ONE}/auth-check", may_access),
    Route(f"{_ONE}/refs", list_refs),
    Route(f"{_ONE}/revision/{{revision:path}}", info),
    Route(f"{_ONE}/commits/{{revision}}", list_commits),
    Route(f"{_ONE}/tag/{{revision}}", add_tag, methods=["POST"]),
    Route(f"{_ONE}/tag/{{revision}}", drop_tag, methods=["DELETE"]),
    Route(f"{_ONE}/branch/{{revision}}", add_branch, methods=["POST"]),
    Route(f"{_ONE}/branch/{{revision}}", drop_branch, methods=["DELETE"]),
    Route(_ONE, info),
]
