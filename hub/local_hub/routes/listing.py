"""Which models and Spaces are there: filtered, sorted, in pages.

A page's cursor says after which repository it begins, so that pages stay right while others
publish.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.local_hub import shapes
from hub.local_hub.http import MAX_PAGE, Refusal, context, kind_of, who
from hub.local_hub.store import MAIN

# What may be sorted by → the value that a repository without it has.
_SORTS: dict[str, Any] = {
    "createdAt": "", "lastModified": "", "downloads": 0, "likes": 0, "trendingScore": 0,
}  # fmt: skip
_KNOWN = {
    "filter", "search", "author", "pipeline_tag", "sort", "direction", "limit", "cursor", "full",
    "cardData", "config", "expand",
}  # fmt: skip
_MAX_FILTERS = 50

Place = tuple[Any, str]  # value sorted by, id: newest or largest first


async def listing(request: Request) -> Response:
    query = request.query_params
    if unknown := sorted(set(query) - _KNOWN):
        raise Refusal(400, f"This hub cannot list by {', '.join(unknown)[:200]}.")
    sort, most = query.get("sort", "createdAt"), _limit(query.get("limit"))
    if sort not in _SORTS:
        raise Refusal(400, f"This hub sorts by {', '.join(_SORTS)}.")
    found = _matching(request)
    places: dict[Place, dict[str, Any]] = {(i.get(sort, _SORTS[sort]), i["id"]): i for i in found}
    order = sorted(places, reverse=True)
    if "cursor" in query:
        last = _parse(query["cursor"], type(_SORTS[sort]))
        order = [place for place in order if place < last]
    page, headers = order[:most], {}
    if len(order) > len(page):
        following = request.url.include_query_params(cursor=_cursor(page[-1]))
        headers["Link"] = f'<{following}>; rel="next"'
    return JSONResponse([places[place] for place in page], headers=headers)


def _matching(request: Request) -> list[dict[str, Any]]:
    """What who asks may know of, and asked for."""
    known, asker, query = context(request), who(request), request.query_params
    wanted = query.getlist("filter")[:_MAX_FILTERS]
    is_full = any(key in query for key in ("full", "cardData", "expand"))
    infos = []
    for repository in known.store.repositories(kind_of(request)):
        if not known.access.may_see(asker, repository):
            continue
        if query.get("author") not in (None, repository.owner):
            continue
        if query.get("search", "").lower() not in repository.id.lower():
            continue
        commit = known.store.commit_of(repository, MAIN)
        info = shapes.repository_info(known.store, repository, commit, is_full=is_full)
        has_tag = query.get("pipeline_tag") in (None, info.get("pipeline_tag"))
        if has_tag and set(wanted) <= set(info["tags"]):
            infos.append(info)
    return infos


def _limit(value: str | None) -> int:
    if value is None:
        return MAX_PAGE
    if not value.isdecimal() or not 1 <= len(value) <= 9:
        raise Refusal(400, '"limit" is a whole number.')
    return max(1, min(int(value), MAX_PAGE))


def _cursor(place: Place) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _parse(cursor: str, kind: type) -> Place:
    try:
        value, name = json.loads(base64.urlsafe_b64decode(cursor))
    except (ValueError, TypeError, RecursionError):
        raise Refusal(400, "The cursor is not one of this hub's.") from None
    if type(value) is not kind or not isinstance(name, str):
        raise Refusal(400, "The cursor is not one of this hub's.")
    return value, name


ROUTES = [Route("/api/{segment:kind}", listing)]
