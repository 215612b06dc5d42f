"""The headers that every response carries."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub import ui
from hub.ui.headers import FOR_EVER, HEADERS, POLICY, Headers

pytestmark = pytest.mark.filterwarnings("ignore")  # Gradio's own

ECHO = Path(__file__).resolve().parent.parent / "data" / "models" / "echo"


def test_nothing_is_allowed_from_another_server() -> None:
    sources = {word for rule in POLICY.split("; ") for word in rule.split()[1:]}
    assert sources == {"'self'", "'none'", "'unsafe-inline'", "'unsafe-eval'", "data:", "blob:"}


def test_workers_and_webassembly_need_no_rule_of_their_own() -> None:
    rules = {rule.split()[0]: rule.split()[1:] for rule in POLICY.split("; ")}
    assert not {"worker-src", "child-src", "connect-src"} & set(rules)  # script-src, default-src
    assert {"'self'", "blob:", "'unsafe-eval'"} <= set(rules["script-src"])


def _answered(scope: dict[str, Any], status: int = 200) -> list[Any]:
    """The headers of an answer through the middleware."""
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": [(b"a", b"b")]})
        await send({"type": "http.response.body", "body": b"hello"})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    with ThreadPoolExecutor(1) as pool:  # the main thread may have a loop already
        pool.submit(asyncio.run, Headers(app)({"type": "http"} | scope, None, send)).result()
    assert sent[1] == {"type": "http.response.body", "body": b"hello"}
    headers: list[Any] = sent[0]["headers"]
    return headers


def test_what_the_app_sends_is_kept() -> None:
    assert _answered({}) == [(b"a", b"b"), *HEADERS]


def test_only_built_files_asked_for_by_their_hash_are_kept_for_ever() -> None:
    built = "/x/gradio_api/file=/home/me/hub/ui/assets/built/sounds/sonivox.sf3"
    by_hash = b"v=0123456789abcdef"
    assert FOR_EVER in _answered({"path": built, "query_string": by_hash})
    assert FOR_EVER not in _answered({"path": built, "query_string": b""})
    assert FOR_EVER not in _answered({"path": built, "query_string": by_hash}, status=403)
    for path in ("/file=/home/me/hub/ui/assets/panel.js", "/echo"):
        assert FOR_EVER not in _answered({"path": path, "query_string": by_hash})


def test_the_served_page_and_its_scripts_carry_them() -> None:
    demo = ui.build([ECHO])
    _, url, _ = ui.launch(demo, prevent_thread_lock=True, quiet=True)
    try:
        for path in ("", "theme.css", "gradio_api/file=/etc/passwd"):
            reply = httpx.get(url + path)
            assert reply.headers["content-security-policy"] == POLICY, path
            assert reply.headers["x-content-type-options"] == "nosniff"
    finally:
        demo.close()
