"""What is in a repository, and its files as they are: whole, or a range of them."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from hub.local_hub import shapes
from hub.local_hub.http import (
    MAX_JSON_BYTES,
    MAX_PAGE,
    Refusal,
    commit_at,
    context,
    downloadable,
    file_at,
    not_found,
    read_bytes,
    visible,
)


async def tree(request: Request) -> Response:
    found = visible(request)
    commit = commit_at(request, found, request.path_params["revision"])
    query, folder = request.query_params, request.path_params.get("path", "")
    if query.get("expand", "false").lower() != "false":
        raise Refusal(400, "This hub does not expand its listings.")
    is_recursive = query.get("recursive", "false").lower() in ("true", "1")
    entries = shapes.tree(commit.files, folder.strip("/"), is_recursive=is_recursive)
    if folder and not entries:
        raise not_found("Entry", "EntryNotFound")
    following = [entry for entry in entries if entry["path"] > query.get("cursor", "")]
    page, headers = following[:MAX_PAGE], {}
    if len(following) > len(page):
        url = request.url.include_query_params(cursor=page[-1]["path"])
        headers["Link"] = f'<{url}>; rel="next"'
    return JSONResponse(page, headers=headers)


async def paths_info(request: Request) -> Response:
    """Entries for the paths that were asked for; those that do not exist are left out."""
    found = visible(request)
    commit = commit_at(request, found, request.path_params["revision"])
    data = await read_bytes(request, MAX_JSON_BYTES)
    asked = set(parse_qs(data.decode("utf-8", "replace")).get("paths", ()))
    entries = shapes.tree(commit.files, "", is_recursive=True)
    return JSONResponse([entry for entry in entries if entry["path"] in asked])


async def resolve(request: Request) -> Response:
    """A file's contents. They are a stranger's, so no browser shows them as a page."""
    found = downloadable(request)
    commit = commit_at(request, found, request.path_params["revision"])
    file = file_at(commit, request.path_params["path"])
    name = file.sha256 if file.is_lfs else file.git_sha1
    headers = {"X-Repo-Commit": commit.hash, "ETag": f'"{name}"'}
    if file.is_lfs:
        headers |= {"X-Linked-ETag": f'"{name}"', "X-Linked-Size": str(file.size)}
    return FileResponse(
        context(request).store.blob(found, file.sha256),
        headers=headers,
        media_type="application/octet-stream",
        filename=request.path_params["path"].rpartition("/")[2],
    )


_ONE = "/api/{segment:kind}/{owner}/{name}"

ROUTES = [
    Route(f"{_ONE}/tree/{{revision}}", tree),
    Route(f"{_ONE}/tree/{{revision}}/{{path:path}}", tree),
    Route(f"{_ONE}/paths-info/{{revision}}", paths_info, methods=["POST"]),
]
# Matched last: their beginnings are names that anybody may choose.
RESOLVE_ROUTES = [
    Route("/{segment:kind}/{owner}/{name}/resolve/{revision}/{path:path}", resolve),
    Route("/{owner}/{name}/resolve/{revision}/{path:path}", resolve),
]
