"""The score editor as a musician uses it: mark, edit, undo, play on, come back after a reload."""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from midi_files import in_oracle_words
from midi_oracle import check_promise
from playwright.sync_api import Page, expect
from served import free_port, wait_until_served

from hub.formats import Edit, read_score
from hub.receipt import unchanged_rows
from hub.ui import session_file
from hub.ui.document import Document
from hub.ui.panel import ASSETS

pytestmark = pytest.mark.browser

Open = Callable[..., Page]
TUNE = Path(__file__).resolve().parent.parent / "data/models/echo/examples/tune.mid"
EDITOR = "document.querySelector('.sh-editor')?.editor"


class Served:
    """`python -m hub.ui.editing tune.mid` at one address, started and ended."""

    def __init__(self, project: Path, log: Path) -> None:
        self.project, self.log, self.port = project, log, free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        with self.log.open("ab") as out:
            command = [sys.executable, "-m", "hub.ui.editing", str(TUNE), str(self.port)]
            self.server = subprocess.Popen(
                command, stdout=out, stderr=subprocess.STDOUT, cwd=self.project
            )
        wait_until_served(self.url, self.server, self.log)

    def end(self) -> None:
        self.server.terminate()
        self.server.wait(20)


@pytest.fixture(scope="module")
def served(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Skipped where the editor has not been built."""
    if not (ASSETS / "built" / "editor.js").is_file():
        pytest.skip("the editor is not built (make app)")
    served = Served(project, tmp_path_factory.mktemp("editor") / "log.txt")
    try:
        served.start()
        yield served
    finally:
        served.end()


@pytest.fixture(scope="module")
def app_url(served: Served) -> str:
    return served.url


@pytest.fixture
def page(open_page: Open) -> Page:
    return ready(open_page("/"))


def ready(page: Page) -> Page:
    """The editor with its score, marked so that another mount would show."""
    page.wait_for_function(f"{EDITOR}?.score.notes.count > 0")
    page.wait_for_selector(".notation-content svg .note")
    page.evaluate("document.querySelector('.se-editor').dataset.mount = 'first'")
    return page


def said(page: Page, expression: str) -> Any:
    return page.evaluate(f"{EDITOR}.{expression}")


def document(page: Page) -> Document:
    """What the server holds for this page."""
    answer = page.evaluate(f"{EDITOR}.server.session({{key: {EDITOR}.key}})")
    return session_file.from_bytes(base64.b64decode(answer["session"]))


def edit_by_roll(page: Page, edit: str) -> None:
    """As the roll tells of an edit of a person: drawn at once, then sent."""
    before = said(page, "score.revision")
    page.evaluate(
        f"""() => {{
            const editor = {EDITOR}, edit = {edit};
            const {{ score }} = editor.score.withEdit(edit);
            editor.roll.emit("edit", {{ ...edit, revision: editor.score.revision, score }});
        }}"""
    )
    page.wait_for_function(f"{EDITOR}.score.revision !== {before} && !{EDITOR}.sending.isBusy")


def test_a_drag_in_the_roll_marks_measures_in_both_views(page: Page) -> None:
    stage = page.locator(".sr-stage").bounding_box()
    assert stage is not None
    page.mouse.move(stage["x"] + 180, stage["y"] + 80)
    page.mouse.down()
    page.mouse.move(stage["x"] + 400, stage["y"] + 120, steps=6)
    page.mouse.up()
    page.wait_for_function(f"!{EDITOR}.selection.isEmpty")
    region = said(page, "selection.toJSON()")
    assert region["boxes"][0]["unit"] == "ticks"
    assert said(page, f"notation.selection.equals({EDITOR}.roll.selection)")


def test_an_edit_is_spliced_into_the_file_and_undone_exactly(page: Page) -> None:
    before = document(page)
    added = "{part: 0, onset: 0, duration: 240, pitch: 100, velocity: 99}"
    edit_by_roll(page, f"{{removed: [3], added: [{added}]}}")
    after = document(page)
    assert [node.kind for node in after.way] == ["opened", "edit"]
    old, new = before.score, after.score
    stays, came = unchanged_rows(old.notes, new.notes)
    assert [note[:4] for note in new.notes[~came]] == [(0, 240, 100, 99)]
    edit = Edit(removed=(~stays).nonzero()[0], added=new.notes[~came])
    check_promise(
        TUNE.read_bytes(), after.node.data, *in_oracle_words(TUNE.read_bytes(), old, edit)
    )
    expect(page.get_by_role("button", name="Undo", exact=True)).to_be_enabled()
    page.locator(".sr-stage").focus()
    page.keyboard.press("ControlOrMeta+z")
    page.wait_for_function(f"{EDITOR}.score.revision === 0")
    assert document(page).node.data == TUNE.read_bytes()
    page.keyboard.press("ControlOrMeta+Shift+z")
    page.wait_for_function(f"{EDITOR}.score.revision !== 0")
    assert document(page).node.data == after.node.data


def test_edits_in_quick_succession_all_arrive(page: Page) -> None:
    page.evaluate(
        f"""() => {{
            const editor = {EDITOR};
            for (const pitch of [90, 91, 92]) {{
                const note = {{part: 0, onset: 960, duration: 100, pitch, velocity: 80}};
                const edit = {{removed: [], added: [note]}};
                const {{ score }} = editor.score.withEdit(edit);
                editor.roll.emit("edit", {{ ...edit, score }});
            }}
        }}"""
    )
    page.wait_for_function(f"!{EDITOR}.sending.isBusy")
    page.wait_for_function(f"{EDITOR}.bar.undo.disabled === false")
    assert {90, 91, 92} <= set(document(page).score.notes.pitch.tolist())
    assert len(document(page).way) == 4


def test_what_the_browser_sends_is_checked(page: Page) -> None:
    page.evaluate(f"{EDITOR}.trigger('edit', {{revision: 0, edit: {{removed: [99999]}}}})")
    expect(page.locator(".se-said")).to_contain_text("There is no note 99,999")
    page.evaluate(f"{EDITOR}.trigger('keep', {{take: 'x'}})")
    expect(page.locator(".se-said")).to_contain_text("whole number")
    page.evaluate(f"{EDITOR}.trigger('restore', {{session: 'AAAA'}})")
    expect(page.locator(".se-said")).to_contain_text("session file")
    assert document(page).node.data == TUNE.read_bytes()


def test_playing_goes_on_over_an_edit(page: Page) -> None:
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function(f"{EDITOR}.player.isPlaying && {EDITOR}.player.positionTick() > 100")
    stops = f"window.stops = 0; {EDITOR}.player.addEventListener('state', () => window.stops++)"
    page.evaluate(stops)
    where = said(page, "player.positionTick()")
    edit_by_roll(page, "{removed: [90], added: []}")
    assert said(page, "player.isPlaying")
    assert said(page, "player.positionTick()") > where
    assert page.evaluate("window.stops") == 0
    stats = said(page, "player.stats")
    assert stats["worstGapMs"] < stats["lookAheadMs"]
    assert page.locator(".se-editor[data-mount=first]").count() == 1
    page.get_by_role("button", name="Pause").click()
    page.wait_for_function(f"!{EDITOR}.player.isPlaying")


def test_a_reload_takes_the_session_up_again(page: Page) -> None:
    edit_by_roll(page, "{removed: [0, 1], added: []}")
    data = document(page).node.data
    page.wait_for_function(f"{EDITOR}.keptRevision === {EDITOR}.score.revision")
    page.reload()
    page.wait_for_function(f"{EDITOR}?.score.revision > 0")
    assert document(page).node.data == data
    assert document(page).can_undo


def test_two_sessions_do_not_see_each_other(open_page: Open) -> None:
    mine, other = ready(open_page("/")), ready(open_page("/"))
    edit_by_roll(mine, "{removed: [0], added: []}")
    assert said(mine, "key") != said(other, "key")
    assert document(other).node.data == TUNE.read_bytes()
    other.reload()
    ready(other)
    assert document(other).node.data == TUNE.read_bytes()
    answer = other.evaluate(f"{EDITOR}.server.session({{key: 'guess'}})")
    assert answer == {"error": "There is no session to keep."}


def test_the_score_is_what_the_server_reads(page: Page) -> None:
    assert said(page, "score.notes.count") == len(read_score(TUNE.read_bytes(), "x").notes)


def test_nothing_is_lost_when_the_server_starts_again(page: Page, served: Served) -> None:
    edit_by_roll(page, "{removed: [0, 1], added: []}")
    page.wait_for_function(f"{EDITOR}.keptRevision === {EDITOR}.score.revision")
    served.end()
    served.start()
    edit_by_roll(page, "{removed: [0], added: []}")
    assert [node.kind for node in document(page).way] == ["opened", "edit", "edit"]
    assert len(document(page).score.notes) == said(page, "score.notes.count") == 93
    assert page.locator(".se-editor[data-mount=first]").count() == 1
