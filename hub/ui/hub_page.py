"""The page of models on the Hub: find one by name, page by page, and open it in a click."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import gradio as gr

from hub.errors import ScorehubError
from hub.remote import client
from hub.remote.search import MAX_SEARCH, search
from hub.ui import listed, pictures
from hub.ui.errors import sentence
from hub.ui.opener import MAX_NAME, Opener
from hub.ui.opening import PAGE
from hub.ui.panel import Panel
from hub.ui.wiring import QUIET

if TYPE_CHECKING:
    from hub.remote.fetch import Snapshot

TITLE = "Models on the Hub"
SEARCHES_AT_ONCE = 4
OPENINGS_AT_ONCE = 4

Updates = dict[Any, Any]

# The address is made here from a checked name; the browser goes nowhere else with it.
_GO = """(address) => {
  if (/^hub\\/[\\w.:@\\/-]+\\/$/.test(address || "")) window.location.assign(address);
}"""

# The buttons stand below the list, and the next page begins above it.
_TO_START = """() => document.querySelector(".sh-find")?.scrollIntoView({ block: "start" })"""


@dataclass(frozen=True, kw_only=True)
class Trail:
    """Where a visitor is in the list: the cursors of the pages up to this one, the first's None."""

    text: str = ""
    cursors: tuple[str | None, ...] = (None,)
    following: str | None = None


@dataclass(frozen=True, kw_only=True)
class Widgets:
    """Everything on the page, by name."""

    text: gr.Textbox
    look: gr.Button
    name: gr.Textbox
    open: gr.Button
    status: Panel
    found: Panel
    earlier: gr.Button
    later: gr.Button
    here: Panel
    trail: gr.State
    address: gr.Textbox


def lay_out(demo: gr.Blocks, opener: Opener) -> None:
    """The page in the current Blocks, `demo`, with what its widgets do."""
    Panel(_header())
    with gr.Row(elem_classes="sh-find"):
        with gr.Row(elem_classes="sh-ask"):
            text = gr.Textbox(
                label="Search", info="A part of user/name, such as inpaint. Empty: all of them.",
                max_lines=1, max_length=MAX_SEARCH, scale=3, min_width=160,
            )  # fmt: skip
            look = gr.Button("Search", scale=0, min_width=100)
        with gr.Row(elem_classes="sh-ask"):
            name = gr.Textbox(
                label="Open by name",
                info="user/name, user/name@revision, space:user/name or space:http://…",
                max_lines=1, max_length=MAX_NAME, scale=3, min_width=160,
            )  # fmt: skip
            button = gr.Button("Open", scale=0, min_width=100)
    status = Panel(role="status", name="What is being opened", elem_classes="sh-opening")
    found = Panel(pictures.progress(None, "Asking the Hub …"), opens=True, name="Models")
    with gr.Row():
        earlier = gr.Button("← Earlier", size="sm", min_width=90, visible=False)
        later = gr.Button("More →", size="sm", min_width=90, visible=False)
    here = Panel(opens=True, name="Models on this disk")
    _wire(demo, opener, Widgets(
        text=text, look=look, name=name, open=button, status=status, found=found,
        earlier=earlier, later=later, here=here, trail=gr.State(Trail()),
        address=gr.Textbox(visible="hidden", label="Address"),
    ))  # fmt: skip


def _header() -> str:
    return (
        '<header class="sh-header"><a class="sh-back" href="./">← Models here</a>'
        f"<h1>{TITLE}</h1><p>Published on {escape(client.host())} with the tag scorehub. Opening "
        "one downloads and verifies it; a model that brings its own program does not run before "
        "it has been trusted.</p></header>"
    )


def _wire(demo: gr.Blocks, opener: Opener, page: Widgets) -> None:
    acts = Handlers(page, opener)
    shown = [page.found, page.earlier, page.later, page.trail]
    asking = {"concurrency_limit": SEARCHES_AT_ONCE, "concurrency_id": "search", **QUIET}
    opening = {"concurrency_limit": OPENINGS_AT_ONCE, "concurrency_id": "open", **QUIET}
    opened = [page.status, page.address]
    go = {"fn": None, "inputs": [page.address], "outputs": None, "js": _GO}

    demo.load(acts.list_here, None, [page.here], **QUIET)
    first = demo.load(acts.look, [page.text], shown, **asking)
    demo.load(acts.arrive, None, [page.name, *opened], **opening).then(**go, **QUIET)
    gr.on(
        [page.look.click, page.text.submit], acts.look, [page.text], shown,
        cancels=[first], **asking,  # a slow first page must not come after what was searched for
    )  # fmt: skip
    for button, turn in ((page.later, acts.later), (page.earlier, acts.earlier)):
        turned = button.click(turn, [page.trail], shown, **asking)
        turned.then(None, None, None, js=_TO_START, **QUIET)
    for panel in (page.found, page.here):
        panel.choose(acts.choose, None, opened, **opening).then(**go, **QUIET)
    gr.on([page.open.click, page.name.submit], acts.open, [page.name], opened, **opening).then(
        **go, **QUIET
    )


class Handlers:
    """The page's event functions; they keep nothing between calls."""

    def __init__(self, page: Widgets, opener: Opener) -> None:
        self.page = page
        self.opener = opener

    # --- the list ---------------------------------------------------------------------------------

    def look(self, text: str) -> Updates:
        return self._show(Trail(text=text or ""))

    def later(self, trail: Trail) -> Updates:
        if trail.following is None:
            return {self.page.later: gr.update(visible=False)}
        return self._show(Trail(text=trail.text, cursors=(*trail.cursors, trail.following)))

    def earlier(self, trail: Trail) -> Updates:
        return self._show(Trail(text=trail.text, cursors=trail.cursors[:-1] or (None,)))

    def _show(self, trail: Trail) -> Updates:
        page = self.page
        following, html = None, ""
        try:
            answer = search(
                trail.text, cursor=trail.cursors[-1], with_token=not self.opener.is_public
            )
            following = answer.next_cursor
            html = listed.cards(answer.results) if answer.results else _nothing(trail.text)
        except Exception as error:
            html = pictures.message(sentence(error))
        return {
            page.found: html,
            page.earlier: gr.update(visible=len(trail.cursors) > 1),
            page.later: gr.update(visible=following is not None),
            page.trail: Trail(text=trail.text, cursors=trail.cursors, following=following),
        }

    def list_here(self) -> str:
        """Downloaded models, which open without a network; not for strangers to see."""
        if self.opener.is_public:
            return ""
        try:
            return listed.here(_on_this_disk())
        except Exception as error:
            return pictures.message(sentence(error), "note")

    # --- opening ----------------------------------------------------------------------------------

    def arrive(self, request: gr.Request) -> Iterator[Updates]:
        """What the address asks for: opened at once if it costs nothing, else on a click."""
        wanted = str(request.query_params.get("open") or "")[:MAX_NAME]
        if not wanted:
            yield gr.skip()  # a generator that yields nothing would empty the fields
        elif self.opener.is_at_hand(wanted):
            yield {self.page.name: wanted}
            yield from self.open(wanted)
        else:
            note = f"{wanted} is not open here. Press Open to download it."
            yield {self.page.name: wanted, self.page.status: pictures.message(note, "note")}

    def choose(self, event: gr.EventData) -> Iterator[Updates]:
        data = getattr(event, "_data", None) or {}
        yield from self.open(str(data.get("handle") or ""))

    def open(self, name: str) -> Iterator[Updates]:
        page = self.page
        yield {page.status: pictures.progress(None, "Opening …"), page.address: ""}
        key = ""
        try:
            for key in self.opener.steps(name or ""):
                yield {page.status: pictures.progress(None, key)}
        except Exception as error:
            yield {page.status: pictures.message(sentence(error)), page.address: ""}
            return
        link = f"{PAGE}/{quote(key, safe='/:@')}/"
        opened = (
            f'<p class="sh-message sh-note"><a href="{escape(link)}">{escape(key)}</a> is open.</p>'
        )
        yield {page.status: opened, page.address: link}


def _nothing(text: str) -> str:
    if text.strip():
        note = f'No model on {client.host()} has "{text.strip()[:MAX_SEARCH]}" in its name.'
    else:
        note = f"No model has been published on {client.host()} yet."
    return pictures.message(note, "note")


def _on_this_disk() -> list[Snapshot]:
    from hub.remote.fetch import all_cached

    try:
        return all_cached()
    except ScorehubError:
        return []
