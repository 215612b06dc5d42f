"""What a Space has beside its files: settings that are kept, and a runtime that never starts."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.local_hub import shapes
from hub.local_hub.http import Refusal, context, read_json, text, visible, writable
from hub.local_hub.store import Repository

_MAX_SETTINGS = 100


async def runtime(request: Request) -> Response:
    return JSONResponse(shapes.runtime(visible(request)))


async def host(request: Request) -> Response:
    return JSONResponse(shapes.space_address(visible(request)))


async def set_hardware(request: Request) -> Response:
    found, body = writable(request), await read_json(request)
    wanted = {**found.runtime, "hardware": text(body, "flavor")}
    return JSONResponse(shapes.runtime(context(request).store.update(found, runtime=wanted)))


async def list_secrets(request: Request) -> Response:
    """Their names; what is secret is not kept."""
    return JSONResponse({name: {} for name in writable(request).secret_names})


async def add_secret(request: Request) -> Response:
    found, body = writable(request), await read_json(request)
    names = {*found.secret_names, text(body, "key")}
    return _keep(request, found, secret_names=tuple(sorted(names)))


async def drop_secret(request: Request) -> Response:
    found, body = writable(request), await read_json(request)
    names = {*found.secret_names} - {text(body, "key")}
    return _keep(request, found, secret_names=tuple(sorted(names)))


async def list_variables(request: Request) -> Response:
    return JSONResponse(_variables(writable(request)))


async def add_variable(request: Request) -> Response:
    found, body = writable(request), await read_json(request)
    changed = {**found.variables, text(body, "key"): text(body, "value")}
    return _keep(request, found, variables=changed)


async def drop_variable(request: Request) -> Response:
    found, body = writable(request), await read_json(request)
    key = text(body, "key")
    kept = {name: value for name, value in found.variables.items() if name != key}
    return _keep(request, found, variables=kept)


def _keep(request: Request, found: Repository, **settings: Any) -> Response:
    if any(len(value) > _MAX_SETTINGS for value in settings.values()):
        raise Refusal(400, f"A Space has at most {_MAX_SETTINGS} of these.")
    return JSONResponse(_variables(context(request).store.update(found, **settings)))


def _variables(found: Repository) -> dict[str, Any]:
    return {key: {"value": value} for key, value in found.variables.items()}


_ONE = "/api/{segment:spaces}/{owner}/{name}"

ROUTES = [
    Route(f"{_ONE}/runtime", runtime),
    Route(f"{_ONE}/host", host),
    Route(f"{_ONE}/hardware", set_hardware, methods=["POST"]),
    Route(f"{_ONE}/secrets", list_secrets),
    Route(f"{_ONE}/secrets", add_secret, methods=["POST"]),
    Route(f"{_ONE}/secrets", drop_secret, methods=["DELETE"]),
    Route(f"{_ONE}/variables", list_variables),
    Route(f"{_ONE}/variables", add_variable, methods=["POST"]),
    Route(f"{_ONE}/variables", drop_variable, methods=["DELETE"]),
]
