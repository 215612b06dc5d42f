"""Models on the Hub as a visitor finds and opens them; and what a hostile card can do: nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, Page, Request, expect

from tests.browser.conftest import ECHO, free_port, wait_until_served
from tests.hub_server import HubServer, point_client_at

pytestmark = pytest.mark.browser

# The app as `python app.py` starts it, where echo's code is installed as an architecture.
START = """
import sys, app
from hub import architectures
architectures.register("echo_code", sys.argv[1])
app.main([sys.argv[1], "--port", sys.argv[2]])
"""

# What the card of echo says → what a hostile card says there instead.
EVIL_FIELDS = {
    "license: apache-2.0": "license: '<img src=x onerror=owned(1)>'",
    "[none-at-all]": "['<script>owned(2)</script>', '](javascript:owned(3))']",
    "title: Echo": "title: '</title></script><script>owned(4)</script>${owned(5)}{{7*7}}'",
    "summary: A tiny": "summary: '<svg onload=owned(6)> ![i](http://evil.example/s.png)' #",
    "entry: model.py:Echo": "entry: echo_code",
    "label: Lowest step": "label: '<img src=x onerror=owned(8)>'",
    "help: The first pitch.": "help: '${owned(9)} [x](javascript:owned(10))'",
    "[major, minor]": "['<img src=x onerror=owned(11)>', minor]",
    "title: Little tune": "title: '<b onmouseover=owned(12)>x</b>\"><img src=x onerror=owned(13)>'",
}
EVIL_PROSE = """
\\`<div style="position:fixed;inset:0;z-index:99999"><a href="http://evil.example/g">Log in</a>\\`
<div style="position:fixed;inset:0" class="sh-opening" id="owned">over</div>

# Prose <script>owned(14)</script>
[link](javascript:owned(15)) [entity](&#106;avascript:owned(16))
<a href="javascript:owned(17)">a</a>
[data](data:text/html;base64,PHNjcmlwdD5vcGVuZXIub3duZWQoMTgpPC9zY3JpcHQ+) <javascript:owned(18)>
![image](http://evil.example/a.png) <img src="http://evil.example/b.png" onerror="owned(19)">
![reference][r] <iframe src="http://evil.example/"></iframe> <base href="http://evil.example/">

[r]: http://evil.example/c.png

$\\href{javascript:owned(20)}{math}$ $$\\includegraphics{http://evil.example/d.png}$$ ${owned(21)}

```mermaid
graph TD; A-->B; click A "javascript:owned(22)"; click B href "http://evil.example/e"
```

```html
<script>owned(23)</script><img src="http://evil.example/f.png">
```

<details open ontoggle=owned(24)><meta http-equiv="refresh" content="0;url=http://evil.example/">
<form action="http://evil.example/"><input autofocus onfocus=owned(25)></form></details>
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    """A Hub with a data-only model, one with its own code, and a hostile one."""
    folder = tmp_path_factory.mktemp("hub")
    with pytest.MonkeyPatch.context() as patch:
        server = HubServer(folder / "served")
        point_client_at(server.url, folder, patch)
        server.start()
        card = (ECHO / "README.md").read_text().replace("---\n", "---\ntags: [scorehub]\n", 1)
        tune = (ECHO / "examples/tune.mid").read_bytes()
        data = {"examples/tune.mid": tune, "README.md": card.replace("model.py:Echo", "echo_code")}
        server.commit("alice/data", data)
        server.set("alice/data", downloads=1234)
        code = (ECHO / "model.py").read_text()
        server.commit("alice/code", {**data, "README.md": card, "model.py": code})
        server.commit("bob/evil", {**data, "README.md": evil(card)})
        yield server
        server.stop()


def evil(card: str) -> str:
    """The card with something hostile wherever it has words."""
    front = card.rpartition("---\n")[0]
    for words, bad in EVIL_FIELDS.items():
        assert words in front, words
        front = front.replace(words, bad)
    return f"{front}---\n{EVIL_PROSE}"


# An author's app with one model, as their Space runs it.
START_ONE = """
import sys
from hub import ui
ui.launch(ui.build([sys.argv[1]]), port=int(sys.argv[2]))
"""


class App:
    """The app in a process of its own, which can be ended and started again."""

    def __init__(self, project: Path, folder: Path, program: str = START) -> None:
        self.project, self.folder, self.program = project, folder, program
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        log = self.folder / "log.txt"
        with log.open("wb") as out:
            self.server = subprocess.Popen(
                [sys.executable, "-c", self.program, str(ECHO), str(self.port)],
                stdout=out, stderr=subprocess.STDOUT, cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(self.project)},
            )  # fmt: skip
        wait_until_served(self.url, self.server, log)

    def stop(self) -> None:
        assert self.server is not None
        self.server.terminate()
        self.server.wait(20)


@pytest.fixture(scope="module")
def app(project: Path, hub: HubServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    made = App(project, tmp_path_factory.mktemp("work"))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def visit(
    browser: Browser, app: App, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Page]]:
    """Open a page; no script of a card may run, and nothing may be asked of another server."""
    foreign: list[str] = []
    ran: list[str] = []
    contexts = []

    def look(sent: Request) -> None:
        if not sent.url.startswith((app.url, "data:", "blob:")):
            foreign.append(sent.url)

    def dismiss(dialog: Dialog) -> None:
        ran.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def open_(path: str, width: int = 1280) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900})
        contexts.append(context)
        context.on("request", look)
        context.on("page", lambda page: page.on("dialog", dismiss))
        context.expose_function("owned", lambda number: ran.append(f"script {number}"))
        page = context.new_page()
        page.set_default_timeout(45_000)
        page.goto(app.url + path)
        return page

    yield open_
    for number, context in enumerate(contexts):
        if kept := os.environ.get("SCOREHUB_SCREENSHOTS"):
            name = f"{request.node.name}-{number}.png".replace("/", "_")
            context.pages[-1].screenshot(path=Path(kept) / name, full_page=True)
        context.close()
    assert ran == [] and foreign == []


def wait_for_list(page: Page) -> None:
    """What is typed before Gradio has set its page up is lost."""
    page.locator(".sh-card").first.wait_for()


def open_by_name(page: Page, name: str) -> None:
    wait_for_list(page)
    page.get_by_label("Open by name").fill(name)
    page.get_by_role("button", name="Open", exact=True).click()


def inpaint(page: Page) -> None:
    """The example, one take with its pictures."""
    page.get_by_role("button", name="Example").first.click()
    page.wait_for_selector(".sh-overview svg.piano-roll")
    run(page)


def run(page: Page) -> None:
    page.get_by_label("number input for Takes").fill("1")
    page.get_by_label("Seed").fill("7")
    page.get_by_role("button", name="Inpaint", exact=True).click()
    page.get_by_role("heading", name="Take 1 ").wait_for()
    page.wait_for_selector(".sh-waiting", state="detached")


def test_find_open_inpaint_and_take_home(visit: Callable[..., Page]) -> None:
    page = visit("/")
    page.get_by_role("link", name="Models on the Hub").click()
    wait_for_list(page)
    page.get_by_label("Search").fill("data")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".sh-card")).to_have_count(1)
    expect(page.locator(".sh-card")).to_contain_text("1,234 downloads")
    page.get_by_role("button", name="Echo").click()
    page.wait_for_url(re.compile(r"/hub/alice/data@[0-9a-f]{40}/$"))
    expect(page.locator(".sh-header")).to_contain_text("alice/data on 127.0.0.1")
    inpaint(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download take 1").click()
    assert waiting.value.suggested_filename == "tune.m3-4.data.seed7.mid"
    assert Path(waiting.value.path()).read_bytes().startswith(b"MThd")
    page.reload()
    page.get_by_text("Your score will appear here").wait_for()
    page.get_by_role("link", name="Models on the Hub").click()
    expect(page.locator(".sh-here")).to_contain_text("alice/data")


def test_cancel_works_on_an_opened_page(visit: Callable[..., Page]) -> None:
    page = visit("/hub")
    open_by_name(page, "alice/data")
    page.get_by_role("button", name="Example").first.click()
    page.wait_for_selector(".sh-overview svg.piano-roll")
    page.get_by_label("number input for Delay").fill("5")
    page.get_by_role("button", name="Inpaint", exact=True).click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Stopped, as you asked.")).to_be_visible()


def test_what_cannot_be_opened_says_why(visit: Callable[..., Page]) -> None:
    page = visit("/hub", width=390)
    for name, says in {
        "alice/missing": "misspelt, has been deleted, or is private",
        "./models": "no name of a model on the Hub",
    }.items():
        open_by_name(page, name)
        expect(page.get_by_role("alert")).to_contain_text(says)
    assert page.url.endswith("/hub")


def test_a_stranger_s_program_is_shown_and_runs_once_it_is_trusted(
    visit: Callable[..., Page], project: Path
) -> None:
    page = visit("/hub")
    open_by_name(page, "alice/code")
    expect(page.get_by_text("This model is a program.")).to_be_visible()
    expect(page.locator(".sh-code")).to_contain_text("class Echo(hub.Model)")
    command = page.locator(".sh-command").inner_text().split()
    assert command[:2] == ["scorehub", "trust"] and command[2] in page.url.replace("%40", "@")
    assert page.get_by_role("button", name="Inpaint").count() == 0
    subprocess.run([sys.executable, "-m", "hub", *command[1:], "--yes"], cwd=project, check=True)
    page.get_by_role("link", name="open it again").click()
    page.get_by_text("Your score will appear here").wait_for()
    expect(page.locator(".sh-header")).to_contain_text("sandbox")
    inpaint(page)


def test_two_visitors_of_an_opened_page_do_not_meet(visit: Callable[..., Page]) -> None:
    one, other = visit("/hub"), visit("/hub")
    for page in (one, other):
        open_by_name(page, "alice/data")
        page.wait_for_url("**/hub/alice/data@*/")
    assert one.url == other.url
    inpaint(one)
    expect(other.get_by_text("Your score will appear here")).to_be_visible()
    expect(other.get_by_role("heading", name="Take 1 ")).to_have_count(0)


@pytest.mark.slow
def test_an_author_s_running_app_is_used_from_here(
    visit: Callable[..., Page], project: Path, tmp_path: Path
) -> None:
    author = App(project, tmp_path, START_ONE)
    author.start()
    try:
        page = visit("/hub")
        open_by_name(page, f"space:{author.url}")
        page.get_by_text("Your score will appear here").wait_for()
        expect(page.locator(".sh-header")).to_contain_text("runs on its author's machine")
        assert page.get_by_role("button", name="Example").count() == 0
        page.locator("input[type=file]").first.set_input_files(ECHO / "examples/tune.mid")
        page.wait_for_selector(".sh-overview svg.piano-roll")
        run(page)
    finally:
        author.stop()
    page.get_by_role("button", name="Inpaint", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")


@pytest.mark.slow
def test_a_hostile_card_is_inert(visit: Callable[..., Page]) -> None:
    page = visit("/hub")
    expect(page.locator(".sh-card", has_text="bob/evil")).to_contain_text("owned(6)")
    open_by_name(page, "bob/evil")
    page.wait_for_url("**/hub/bob/evil@*/")
    page.get_by_text("About this model").click()
    page.get_by_text("Prose").wait_for()
    inpaint(page)
    before = page.url
    expect(page.locator("div.sh-prose pre").first).to_contain_text("graph TD")
    for link in page.locator(".sh-header a, .sh-prose a").all():
        for name in ("href", "xlink:href"):
            address = (link.get_attribute(name) or "").strip().lower()
            assert not address.startswith(("javascript:", "data:", "vbscript:")), address
    for element in page.locator("label, .sh-prose, .sh-prose *, button").all()[:80]:
        if element.is_visible():
            element.hover(timeout=2000, force=True)
    assert page.url == before
    held = ".sh-prose :is(iframe, base, meta, form, input, img, script, svg, style, div, details)"
    assert page.locator(held).count() == 0
    assert page.locator(".sh-prose :is([style], [id]), #owned").count() == 0
    expect(page.locator("div.sh-prose")).to_contain_text('<div style="position:fixed;inset:0;')


@pytest.mark.slow
def test_a_link_opens_again_after_a_restart_without_a_network(
    visit: Callable[..., Page], app: App, hub: HubServer
) -> None:
    page = visit("/hub")
    open_by_name(page, "alice/data")
    page.wait_for_url("**/hub/alice/data@*/")
    link = page.url
    app.stop()
    hub.stop()
    app.start()
    page.goto(link)
    page.wait_for_url(link)
    page.get_by_text("Your score will appear here").wait_for()
    page.goto(app.url + "/hub")
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    expect(page.locator(".sh-here")).to_contain_text("alice/data")
    hub.start()
    page.goto(app.url + "/hub/alice/never/")
    expect(page.get_by_text("alice/never is not open here")).to_be_visible()
