"""Who am I, is this card valid, and what the client asks of its own accord."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.local_hub import shapes
from hub.local_hub.http import KIND_BY_SEGMENT, Refusal, read_json, text, who


async def whoami(request: Request) -> Response:
    name = who(request)
    if name is None:
        raise Refusal(401, "Invalid username or password.")
    return JSONResponse(
        {
            "type": "user", "id": name, "name": name, "fullname": name, "isPro": False,
            "canPay": False, "periodEnd": None, "emailVerified": True, "orgs": [],
            "auth": {
                "type": "access_token",
                "accessToken": {"displayName": "token", "role": "write"},
            },
        }
    )  # fmt: skip


async def validate_card(request: Request) -> Response:
    body = await read_json(request)
    kind = text(body, "repoType", "model")
    if kind not in KIND_BY_SEGMENT.values():
        raise Refusal(400, "This hub has models and Spaces.")
    content = text(body, "content")
    faults = [{"message": fault} for fault in shapes.faults_of_card(content, kind)]
    is_bare = not content.lstrip("\ufeff").startswith("---")
    warnings = [{"message": "empty or missing yaml metadata in repo card"}] if is_bare else []
    answer = {"errors": faults, "warnings": warnings}
    return JSONResponse(answer, 400 if faults else 200)


async def client_registry(request: Request) -> Response:
    """The client asks once a day for names that it may add to its User-Agent: none here."""
    return JSONResponse({"standardEnvVars": [], "harnesses": {}})


ROUTES = [
    Route("/api/whoami-v2", whoami),
    Route("/api/validate-yaml", validate_card, methods=["POST"]),
    Route("/api/agent-harnesses", client_registry),
]
