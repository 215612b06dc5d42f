"""The real app in a process of its own, and a headless Chromium that looks at it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright
from served import free_port, wait_until_served

ECHO = Path(__file__).resolve().parent.parent / "data" / "models" / "echo"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
]


@pytest.fixture(scope="module")
def app_url(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`python app.py tests/data/models/echo`, as a user starts it, in an empty working folder."""
    port = free_port()
    log = tmp_path_factory.mktemp("app") / "log.txt"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, str(project / "app.py"), str(ECHO), "--port", str(port)],
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=tmp_path_factory.mktemp("work"),
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_served(url, server, log)
        yield url
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="module")  # Playwright holds the main thread's event loop while it lives
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def open_page(
    browser: Browser, app_url: str, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Page]]:
    """Open a page of the app in a fresh session. No test may ask another server for anything.

    With SCOREHUB_SCREENSHOTS=folder, what each test saw last is kept there, to be looked at.
    """
    foreign: list[str] = []
    contexts = []

    def look(sent: Request) -> None:
        if not sent.url.startswith((app_url, "data:", "blob:")):
            foreign.append(sent.url)

    def open_(path: str = "/echo", **options: object) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(45_000)
        page.on("request", look)
        page.goto(app_url + path)
        return page

    yield open_
    for number, context in enumerate(contexts):
        if kept := os.environ.get("SCOREHUB_SCREENSHOTS"):
            name = f"{request.node.name}-{number}.png".replace("/", "_")
            context.pages[0].screenshot(path=Path(kept) / name, full_page=True)
        context.close()
    assert foreign == []
