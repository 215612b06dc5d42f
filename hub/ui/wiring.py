"""Which widget of a model's page calls which function, with what, and what comes back where.

All events are private to the page; other programs use the one endpoint in `hub.ui.api`.
"""

from __future__ import annotations

import functools
from typing import Any

import gradio as gr

from hub.engines.local import LocalEngine
from hub.ui.handlers import Handlers
from hub.ui.page import Page, Slot

WAITING_PAGES = 32  # runs that may be followed at a time; the engine decides which of them work
QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}

# The browser fetches a made file by itself, under the name it was given.
_FETCH = """(file) => {
  const made = Array.isArray(file) ? file[0] : file;
  if (!made || !made.url) return;
  const link = document.createElement("a");
  link.href = made.url;
  link.download = made.orig_name || "";
  document.body.appendChild(link);
  link.click();
  link.remove();
}"""


# The takes are below the fields: bring their heading into view unless it is.
_SHOW_TAKES = """() => {
  const takes = document.querySelector(".sh-results");
  if (!takes) return;
  const top = takes.getBoundingClientRect().top;
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (top > window.innerHeight * 0.7)
    takes.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
}"""


def wire(page: Page, engine: LocalEngine) -> None:
    """Connect the widgets of a laid-out page; the engine runs its model."""
    acts = Handlers(page, engine)
    _wire_score(page, acts)
    _wire_marks(page, acts)
    _wire_run(page, acts)
    for number, slot in enumerate(page.slots, start=1):
        _wire_slot(page, acts, number, slot)
    page.original.whole.click(
        acts.hear_original, [page.desk], [page.original.audio, page.message], **QUIET
    )


def _wire_score(page: Page, acts: Handlers) -> None:
    opened = [
        page.desk, page.takes, page.run, page.upload_message, page.undo, page.go,
        page.take_home, *_score_outputs(page), page.results, page.upload,
        *(slot.frame for slot in page.slots),
    ]  # fmt: skip
    now = [page.desk, page.takes, page.run]
    marks = [page.desk, page.takes, *page.marks.components]
    drawn = {"fn": acts.draw, "inputs": marks, "outputs": _drawn(page)}
    asked = [page.upload, page.desk, page.run]
    uploaded = page.upload.upload(acts.open_upload, asked, opened, **QUIET)
    uploaded.then(**drawn, **QUIET)
    for index, button in enumerate(page.examples):
        load = functools.partial(acts.open_example, index)
        button.click(load, [page.desk, page.run], opened, **QUIET).then(**drawn, **QUIET)
    restore = functools.partial(acts.draw_takes, restored=True)
    undone = page.undo.click(acts.undo, now, opened, **QUIET).then(**drawn, **QUIET)
    undone.then(restore, now, _slot_outputs(page), **QUIET)
    page.take_home.click(
        acts.download_kept, [page.desk], [page.ready, page.message], **QUIET
    ).success(None, [page.ready], None, js=_FETCH, **QUIET)


def _wire_marks(page: Page, acts: Handlers) -> None:
    marks = page.marks
    triggers = [marks.measures.submit, marks.measures.blur, marks.parts.input, marks.change.input]
    for number in (marks.low, marks.high, marks.first_quarter, marks.last_quarter, marks.beyond):
        triggers += [number.blur, number.submit]
    inputs = [page.desk, page.takes, *marks.components]
    gr.on(triggers, acts.draw, inputs, _drawn(page), trigger_mode="always_last", **QUIET)
    page.overview.pick(
        acts.pick, [page.desk], [marks.measures], trigger_mode="always_last", **QUIET
    ).then(acts.draw, inputs, _drawn(page), **QUIET)
    page.to_region.click(acts.draw, inputs, _drawn(page), **QUIET)
    looked = [page.desk, page.view, *marks.components]
    for button, pages in ((page.earlier, -1), (page.later, 1)):
        turn = functools.partial(acts.turn, pages)
        button.click(turn, looked, [page.overview, page.view], **QUIET)


def _wire_run(page: Page, acts: Handlers) -> None:
    buttons = [page.run, page.go, page.cancel, page.progress, page.message]
    begun = page.go.click(acts.begin, [page.run], buttons, queue=False, **QUIET)
    shown = [
        page.takes, page.heading, page.go, page.cancel, page.progress, page.message,
        *_slot_outputs(page),
    ]  # fmt: skip
    inputs = [
        page.desk, page.run, page.count, page.seed, *page.marks.components,
        *page.control_components,
    ]  # fmt: skip
    now = [page.desk, page.takes, page.run]
    ended = begun.then(acts.inpaint, inputs, shown, concurrency_limit=WAITING_PAGES, **QUIET)
    ended.then(acts.draw_takes, now, _slot_outputs(page), **QUIET)
    ended.then(None, None, None, js=_SHOW_TAKES, **QUIET)
    page.cancel.click(acts.stop, [page.run], [page.progress, page.cancel], queue=False, **QUIET)


def _wire_slot(page: Page, acts: Handlers, number: int, slot: Slot) -> None:
    assert slot.download is not None and slot.kind is not None and slot.keep is not None
    whole = functools.partial(acts.hear_take, number)
    slot.whole.click(whole, [page.takes], [slot.audio, page.message], **QUIET)
    make = functools.partial(acts.download, number)
    slot.download.click(make, [page.takes, slot.kind], [page.ready, page.message], **QUIET).success(
        None, [page.ready], None, js=_FETCH, **QUIET
    )
    kept = [
        page.desk, page.takes, page.run, page.upload_message, page.undo, page.go,
        page.take_home, *_score_outputs(page), page.results, *(other.frame for other in page.slots),
    ]  # fmt: skip
    keep = functools.partial(acts.keep, number)
    slot.keep.click(keep, [page.desk, page.takes, page.run], kept, **QUIET).then(
        acts.draw, [page.desk, page.takes, *page.marks.components], _drawn(page), **QUIET
    )


def _score_outputs(page: Page) -> list[Any]:
    marks = [page.marks.measures, page.marks.parts, page.parts_note]
    return [*marks, page.message, page.progress, page.cancel, page.turns]


def _drawn(page: Page) -> list[Any]:
    return [page.overview, page.message, page.view, page.heading]


def _slot_outputs(page: Page) -> list[Any]:
    slots = (page.original, *page.slots)
    frames = [item for slot in slots for item in (slot.frame, slot.panel, slot.audio)]
    return [page.results, *frames, *(slot.kind for slot in page.slots)]
