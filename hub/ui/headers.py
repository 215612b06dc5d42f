"""Response headers that hold whatever a card or a score says: the browser asks no other server.

What strangers write is shown as text by `hub.preview.prose` and `html.escape`; should one of them
or Gradio ever let something through, the policy still decides in the browser.
"""

from __future__ import annotations

import re
from typing import Any

# Gradio's own page needs inline scripts and styles, and builds functions from our panels' scripts.
# Nothing is said of workers and of the audio thread, so the rule for scripts holds: our files, and
# blobs (the player's timer). 'unsafe-eval' also lets them compile WebAssembly (notation, SF3).
POLICY = "; ".join(
    (
        "default-src 'self' data: blob:",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
    )
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
)

# What is built for the browser is asked for by the hash of its content: see hub/ui/web/build.mjs.
FOR_EVER = (b"cache-control", b"public, max-age=31536000, immutable")
_BUILT = re.compile(r"/file=.*/ui/assets/built/")
_HASH = re.compile(rb"(^|&)v=[0-9a-f]{16}(&|$)")


class Headers:
    """ASGI middleware that adds HEADERS to every response, and lets browsers keep built files."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                more = (*HEADERS, FOR_EVER) if _is_kept(scope, message) else HEADERS
                message = message | {"headers": [*message.get("headers", ()), *more]}
            await send(message)

        await self.app(scope, receive, send_with_headers)


def _is_kept(scope: Any, message: Any) -> bool:
    return (
        message.get("status") in (200, 304)
        and _BUILT.search(scope.get("path", "")) is not None
        and _HASH.search(scope.get("query_string", b"")) is not None
    )
