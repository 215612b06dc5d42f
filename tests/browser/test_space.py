"""A Space as the Hub starts and shows it: a folder of its own, its page in a frame of another site.

The slow tests install what the Hub's builder installs, in an environment of their own. What
cannot be had here: Python 3.12 (this Python is used), Debian's packages.txt, a GPU.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, Page
from served import free_port, wait_until_served
from zero_gpu_server import ZeroGpu, zero_gpu_server

from hub import space
from hub.space.readme import GRADIO_VERSION

pytestmark = pytest.mark.browser

PROJECT = Path(__file__).resolve().parents[2]
ECHO = PROJECT / "tests" / "data" / "models" / "echo"
KEPT = PROJECT / "spaces" / "inpaintnet"

# The frame of a Space's page on the Hub.
FRAME = """<!doctype html><title>The Hub</title>
<iframe src="{url}" style="width: 100%; height: 850px" sandbox="allow-downloads allow-forms
 allow-modals allow-popups allow-popups-to-escape-sandbox allow-same-origin allow-scripts
 allow-storage-access-by-user-activation"></iframe>"""

# Forgets how to find this checkout, and tells whenever a file of it is opened all the same.
GUARD = """
import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in repr(finder)]
def watch(event, args):
    if event == "open" and str(args[0]).startswith({project!r}) and sys.prefix not in str(args[0]):
        print("A FILE OF THE CHECKOUT:", args[0], file=sys.stderr, flush=True)
sys.addaudithook(watch)
"""
NO_TORCH = """
import sys
sys.modules["torch"] = None
"""


@contextmanager
def started(folder: Path, python: str, home: Path, **variables: str) -> Iterator[tuple[str, Path]]:
    """(address, log) of `python app.py` in a Space's folder, with a Space's environment."""
    port, log = free_port(), home / "log.txt"
    home.mkdir(exist_ok=True)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "SYSTEM": "spaces",
        "SPACE_ID": "ada/a-space",
        "GRADIO_SERVER_NAME": "0.0.0.0",
        "GRADIO_SERVER_PORT": str(port),
        "PYTHONUNBUFFERED": "1",
    }
    with log.open("wb") as out:
        server = subprocess.Popen(
            [python, "app.py"], cwd=folder, env=environment | variables, stdout=out, stderr=out
        )
    try:
        wait_until_served(f"http://127.0.0.1:{port}", server, log)
        yield f"http://127.0.0.1:{port}", log
    finally:
        server.terminate()
        server.wait(20)


@contextmanager
def framed(url: str, folder: Path) -> Iterator[str]:
    """The address of a page on another site (localhost is not 127.0.0.1) that shows `url`."""
    folder.mkdir(exist_ok=True)
    (folder / "index.html").write_text(FRAME.format(url=url))

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


def run_example(place: Page | FrameLocator, title: str) -> None:
    """Choose the example, ask for two takes, wait until they are drawn."""
    place.get_by_role("button", name=f"Example: {title}").click()
    place.locator(".block.sh-overview svg.piano-roll").wait_for()
    place.get_by_label("number input for Takes").fill("2")
    place.get_by_role("button", name="Inpaint", exact=True).click()
    place.get_by_role("heading", name="Take 2 ").wait_for()
    place.locator(".sh-take").nth(2).locator("svg").first.wait_for()


def page_of(browser: Browser, **headers: str) -> Page:
    page = browser.new_context(extra_http_headers=headers).new_page()
    page.set_default_timeout(45_000)
    return page


def test_a_space_runs_by_itself_and_in_a_frame(
    browser: Browser, project: Path, tmp_path: Path
) -> None:
    space.write(ECHO, tmp_path / "space")
    guard = tmp_path / "guard"
    guard.mkdir()
    (guard / "sitecustomize.py").write_text(GUARD.format(project=str(PROJECT)))
    home = tmp_path / "home"
    with (
        started(tmp_path / "space", sys.executable, home, PYTHONPATH=str(guard)) as (url, log),
        framed(url, tmp_path / "site") as site,
    ):
        page = page_of(browser)
        asked, refused = set(), []
        page.on("request", lambda request: asked.add(request.url.split("/")[2]))
        page.on("console", lambda said: refused.append(said.text))
        page.goto(site)
        run_example(page.frame_locator("iframe"), "Little tune")
        page.context.close()
    hosts = {url.split("/")[2], site.split("/")[2], ""}
    assert {host for host in asked if ":" in host or "." in host} <= hosts
    assert not [text for text in refused if "Content Security Policy" in text]
    assert "A FILE OF THE CHECKOUT" not in log.read_text()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python with what the Hub's builder installs for the Space that is kept here."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    brought = [
        f"gradio[oauth,mcp]=={GRADIO_VERSION}",
        "uvicorn>=0.14.0",
        "websockets>=10.4",
        "spaces",
    ]
    subprocess.run(
        [python, "-m", "pip", "install", "-qq", "-r", KEPT / "requirements.txt", *brought],
        check=True, timeout=900,
    )  # fmt: skip
    yield str(python)
    shutil.rmtree(folder)


@pytest.mark.slow
def test_the_kept_space_starts_as_on_the_hub(
    browser: Browser, installed: str, tmp_path: Path
) -> None:
    shutil.copytree(
        KEPT, tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__", "*.pyi", ".*.json")
    )
    with started(tmp_path / "app", installed, tmp_path / "home") as (url, log):
        page = page_of(browser)
        page.goto(url)
        run_example(page, "Salamanca Reel")
        assert page.locator(".sh-take").nth(1).get_by_text("(verified)").count() == 1
        page.context.close()
    assert "incident" not in log.read_text()  # what the page says of unexpected failures


@pytest.mark.slow
def test_on_zero_gpu_the_model_works_in_the_borrowed_process(
    browser: Browser, installed: str, tmp_path: Path
) -> None:
    """The real `spaces`, which forks and pickles. Without a GPU, torch has to be hidden from it."""
    space.write(ECHO, tmp_path / "app")
    (tmp_path / "sitecustomize.py").write_text(NO_TORCH)
    with zero_gpu_server() as lender:
        variables = {
            "SPACES_ZERO_GPU": "true",
            "SPACES_ZERO_DEVICE_API_URL": lender.url,
            "PYTHONPATH": str(tmp_path),
        }
        with started(tmp_path / "app", installed, tmp_path / "home", **variables) as (url, _):
            page = page_of(browser, **{"x-ip-token": "visitor"})
            page.goto(url)
            run_example(page, "Little tune")
            check_what_was_lent(lender)
            stop_a_long_run(page)
            assert [call["fail"] for call in lender.named("/release")] == ["false", "false"]
            lender.is_used_up = True
            page.get_by_role("button", name="Inpaint", exact=True).click()
            page.get_by_text("quota").wait_for()
            page.context.close()


def stop_a_long_run(page: Page) -> None:
    page.get_by_label("number input for Delay").fill("5")
    page.get_by_role("button", name="Inpaint", exact=True).click()
    page.get_by_text("Echoing").last.wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Stopped, as you asked").wait_for()


def check_what_was_lent(lender: ZeroGpu) -> None:
    assert len(lender.named("/startup-report")) == 1
    (asked,) = lender.named("/schedule")
    assert (asked["durationSeconds"], asked["token"]) == ("15", "visitor")
    (allowed,) = lender.named("/allow")
    assert int(allowed["pid"]) != os.getpid()
    assert [call["fail"] for call in lender.named("/release")] == ["false"]
