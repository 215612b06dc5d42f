"""The headers that every response carries."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub import ui
from hub.ui.headers import HEADERS, POLICY, Headers

pytestmark = pytest.mark.filterwarnings("ignore")  # Gradio's own

ECHO = Path(__file__).resolve().parent.parent / "data" / "models" / "echo"


def test_nothing_is_allowed_from_another_server() -> None:
    sources = {word for rule in POLICY.split("; ") for word in rule.split()[1:]}
    assert sources == {"'self'", "'none'", "'unsafe-inline'", "'unsafe-eval'", "data:", "blob:"}


def test_what_the_app_sends_is_kept() -> None:
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
        await send({"type": "http.response.body", "body": b"hello"})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    with ThreadPoolExecutor(1) as pool:  # the main thread may have a loop already
        pool.submit(asyncio.run, Headers(app)({"type": "http"}, None, send)).result()
    assert sent[0]["headers"] == [(b"a", b"b"), *HEADERS]
    assert sent[1] == {"type": "http.response.body", "body": b"hello"}


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
