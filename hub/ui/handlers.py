"""What the widgets of a model's page do. Every function returns updates by component.

An error is shown where the visitor looks and loses nothing: see `hub.ui.errors`. Which widget
calls what is in `hub.ui.wiring`.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from hub import formats
from hub.accepts import check_request
from hub.engines.local import LocalEngine
from hub.errors import CancelledError, ParamError
from hub.model import Progress, Take
from hub.region import Box, Region
from hub.score import Score
from hub.ui import controls, downloads, pictures, wording
from hub.ui.desk import Desk, Run
from hub.ui.errors import sentence
from hub.ui.page import Page, Slot
from hub.ui.selection import Fit, Selection, fit, for_example, text_of

Updates = dict[Any, Any]

PROGRESS_SECONDS = 0.3  # between two updates of the bar

# Changes no widget. At the end of a generator Gradio sends its last update once more; one that was
# outrun ends with this, lest its last update come on top of the newer ones.
NOTHING: Updates = gr.skip()


class Handlers:
    """The event functions of one page; they keep nothing between calls."""

    def __init__(self, page: Page, engine: LocalEngine) -> None:
        self.page = page
        self.engine = engine
        self.entry = page.entry
        self.accepts = page.entry.card.accepts

    # --- the score --------------------------------------------------------------------------------

    def open_upload(self, path: str | None, desk: Desk | None, run: Run | None) -> Updates:
        if not path:
            return {self.page.upload_message: ""}

        def read() -> tuple[Score, Fit]:
            score = formats.open_score(path)
            return score, fit(self.accepts, score)

        return self._open(read, desk, run)

    def open_example(self, index: int, desk: Desk | None, run: Run | None) -> Updates:
        example = self.entry.card.examples[index]

        def read() -> tuple[Score, Fit]:
            score = self.entry.example_score(example)
            return score, for_example(self.accepts, score, example.measures, example.parts)

        return self._open(read, desk, run) | {self.page.upload: None}

    def _open(
        self, read: Callable[[], tuple[Score, Fit]], desk: Desk | None, run: Run | None
    ) -> Updates:
        try:
            score, found = read()
        except Exception as error:
            stays = " The score you had is still here." if desk is not None else ""
            return {self.page.upload_message: pictures.message(sentence(error) + stays)}
        if run is not None:
            run.retire()
        self.entry.warm()
        return self._show(Desk(score=score, fit=found), ())

    def _show(self, desk: Desk, takes: tuple[Take, ...]) -> Updates:
        """The page for a desk that has just come: fields, notes, no pictures yet."""
        page = self.page
        return self._settled(len(takes)) | {
            page.desk: desk,
            page.takes: takes,
            page.run: None,
            page.results: gr.update(visible=bool(takes)),
            page.upload_message: wording.about_score(desk)
            + pictures.message(wording.nothing_fits(desk)),
            page.undo: gr.update(visible=desk.previous is not None),
            page.take_home: gr.update(visible=bool(desk.kept)),
            page.go: gr.update(interactive=desk.fit.region is not None),
            page.turns: gr.update(visible=len(desk.score.measures) > pictures.PAGE_MEASURES),
            page.marks.measures: self._measures_text(desk),
            page.marks.parts: self._part_choices(desk),
            page.parts_note: wording.parts_note(desk),
            page.message: "",
            page.progress: "",
            page.cancel: gr.update(visible=False),
        }

    def _measures_text(self, desk: Desk) -> str:
        region = desk.fit.region
        return text_of(desk.score, region) if region is not None else ""

    def _part_choices(self, desk: Desk) -> Any:
        region, score = desk.fit.region, desk.score
        labels = [(wording.part_label(score, i), i) for i in desk.fit.usable]
        chosen = list(region.parts()) if region is not None else []
        is_single = self.accepts.parts[1] == 1
        value: Any = (chosen[0] if chosen else None) if is_single else chosen
        return gr.update(choices=labels, value=value, visible=bool(labels))

    def keep(self, number: int, desk: Desk, takes: tuple[Take, ...], run: Run | None) -> Updates:
        try:
            take = takes[number - 1]
            if take.before is not desk.score:  # it came while its score was being replaced
                return {}
            kept = desk.keep(take, number, takes, self.accepts)
        except Exception as error:
            return {self.page.message: pictures.message(sentence(error))}
        if run is not None:
            run.retire()
        return self._show(kept, ())

    def undo(self, desk: Desk, takes: tuple[Take, ...], run: Run | None) -> Updates:
        if desk is None or desk.previous is None:
            return {self.page.undo: gr.update(visible=False)}
        if run is not None:
            run.retire()
        back = desk.previous
        updates = self._show(back, back.takes)
        if back.takes:
            updates[self.page.marks.measures] = text_of(back.score, back.takes[0].region)
        return updates

    # --- what to rewrite --------------------------------------------------------------------------

    def selection(self, fields: Sequence[Any]) -> Selection:
        """The marks of the page, given in the order of `Marks`."""
        measures, parts, low, high, change, first, last, beyond = fields
        return Selection(
            measures=measures or "",
            parts=(parts,) if isinstance(parts, str) else tuple(parts or ()),
            low=0 if low is None else int(low),
            high=127 if high is None else int(high),
            change=tuple(change or ()),
            first_quarter=first,
            last_quarter=last,
            beyond=int(beyond or 0),
        )

    def draw(self, desk: Desk | None, takes: tuple[Take, ...], *fields: Any) -> Updates:
        """The overview with the region in it, and what is wrong with the region, if anything."""
        if desk is None:
            return NOTHING
        page = self.page
        region, problem = self._marked(desk, fields)
        updates = {page.overview: pictures.overview(desk.score, region), page.view: None}
        updates[page.heading] = pictures.heading(takes, region)
        if desk.fit.region is not None:
            updates[page.message] = pictures.message(problem)
        return updates

    def turn(self, pages: int, desk: Desk | None, view: int | None, *fields: Any) -> Updates:
        """The overview some pages further on."""
        if desk is None:
            return NOTHING
        region, _ = self._marked(desk, fields)
        first = pictures.turned(desk.score, region, view, pages)
        drawn = pictures.overview(desk.score, region, first)
        return {self.page.overview: drawn, self.page.view: first}

    def _marked(self, desk: Desk, fields: Sequence[Any]) -> tuple[Region | None, str]:
        """The region to show, and what is wrong with what the fields say."""
        region, problem = None, ""
        try:
            region = self.selection(fields).region(desk.score)
            check_request(self.accepts, desk.score, region)
        except Exception as error:
            problem = sentence(error)
        return region or desk.fit.region, problem

    def pick(self, desk: Desk | None, event: gr.EventData) -> Any:
        """Measures pointed at in a picture → the measures field."""
        if desk is None:
            return gr.skip()
        data = getattr(event, "_data", None) or {}
        count = len(desk.score.measures)
        first, last = (int(data.get(key, 0)) for key in ("first", "last"))
        if not 0 <= first <= last < count:
            return gr.skip()
        marked = Region(boxes=(Box(start=first, end=last + 1),))
        return text_of(desk.score, marked.resolve(desk.score))

    # --- a run ------------------------------------------------------------------------------------

    def begin(self, run: Run | None) -> Updates:
        if run is not None:
            run.retire()
        page = self.page
        return {
            page.run: Run(),
            page.go: gr.update(interactive=False),
            page.cancel: gr.update(visible=True, interactive=True),
            page.progress: pictures.progress(None, "Waiting for its turn …"),
            page.message: "",
        }

    def stop(self, run: Run | None) -> Updates:
        if run is not None:
            run.stop.set()
        return {
            self.page.progress: pictures.progress(None, "Stopping …"),
            self.page.cancel: gr.update(interactive=False),
        }

    def inpaint(
        self, desk: Desk, run: Run, count: float, seed: str, *fields: Any
    ) -> Iterator[Updates]:
        page = self.page
        end: Updates = {
            page.go: gr.update(interactive=True),
            page.cancel: gr.update(visible=False),
            page.progress: "",
        }
        takes: list[Take] = []
        try:
            yield from self._stream(desk, run, takes, count, seed, fields)
        except CancelledError as error:
            end[page.message] = pictures.message(str(error), "note")
        except Exception as error:
            end[page.message] = pictures.message(sentence(error))
        if takes:
            end |= self._settled(len(takes))
            end[page.progress] = pictures.ready(len(takes))
        yield NOTHING if run.stale.is_set() else end

    def _settled(self, count: int) -> Updates:
        """Which frames of takes are seen. Leftover ones are hidden at the end of a run, not when
        its first take comes: a browser may lose one of two opposite updates in quick succession.
        """
        slots = enumerate(self.page.slots)
        return {slot.frame: gr.update(visible=place < count) for place, slot in slots}

    def _stream(
        self, desk: Desk, run: Run, takes: list[Take], count: float, seed: str,
        fields: Sequence[Any],
    ) -> Iterator[Updates]:  # fmt: skip
        """Updates while the model works; takes appear, and join `takes`, as they are ready."""
        marks = len(self.page.marks.components)
        region = self.selection(fields[:marks]).region(desk.score)
        params = controls.values(self.page.controls, fields[marks:], desk.score)
        model = self.entry.model()
        job = self.engine.submit(model, desk.score, region, params, n=int(count), seed=_seed(seed))
        shown_at = time.monotonic()
        for step in job:
            if run.stop.is_set():
                job.cancel()
            if run.stale.is_set():
                return
            if isinstance(step, Take):
                takes.append(step)
                yield self._arrived(desk, takes, int(count))
            elif time.monotonic() - shown_at > PROGRESS_SECONDS and not run.stop.is_set():
                shown_at = time.monotonic()
                yield {self.page.progress: _bar(step, len(takes), int(count))}

    def _arrived(self, desk: Desk, takes: Sequence[Take], count: int) -> Updates:
        """The newest take in its frame, the first one with the original beside it."""
        page, number = self.page, len(takes)
        updates = self._original(desk.score, takes[0].region) if number == 1 else {}
        updates |= self._framed(takes, number)
        updates[page.heading] = pictures.heading(takes, None)
        updates[page.takes] = tuple(takes)
        updates[page.results] = gr.update(visible=True)
        updates[page.progress] = pictures.progress(number / count, f"Take {number} of {count}")
        return updates

    def _framed(self, takes: Sequence[Take], number: int) -> Updates:
        """A take's frame before its picture and sound are made."""
        slot = self.page.slots[number - 1]
        kinds = downloads.choices(takes[0].before)
        return {
            slot.frame: gr.update(visible=True),
            slot.panel: pictures.take_head(takes, number) + pictures.waiting(),
            slot.audio: None,
            slot.kind: gr.update(choices=kinds, value=kinds[0][1]),
        }

    def _original(self, score: Score, region: Region) -> Updates:
        slot = self.page.original
        head = pictures.original_head(score, region)
        return {slot.panel: head + pictures.waiting(), slot.audio: None}

    # --- pictures and sounds, after the takes -----------------------------------------------------

    def draw_takes(
        self, desk: Desk | None, takes: tuple[Take, ...], run: Run | None, restored: bool = False
    ) -> Iterator[Updates]:
        """Pictures first, then the sound around the region, take by take, unless outrun."""
        if desk is None or not takes:
            return
        page = self.page
        pairs = list(zip(page.slots, takes, strict=False))
        if restored:
            yield self._frames(desk, takes)
        yield {page.original.panel: pictures.original(desk.score, takes[0].region)}
        for number, (slot, _) in enumerate(pairs, start=1):
            if run is not None and run.stale.is_set():
                yield NOTHING
                return
            yield {slot.panel: pictures.take(takes, number)}
        yield {page.original.audio: self._sound(desk.score, takes[0].region, "original")}
        for slot, take in pairs:
            if run is not None and run.stale.is_set():
                yield NOTHING
                return
            name = take.file_stem(self.entry.name)
            yield {slot.audio: self._sound(take.score, take.region, name)}

    def _frames(self, desk: Desk, takes: Sequence[Take]) -> Updates:
        """All frames of takes that are there already (after an undo), without pictures."""
        updates: Updates = {self.page.results: gr.update(visible=True)}
        updates |= self._original(desk.score, takes[0].region)
        for number in range(1, len(takes) + 1):
            updates |= self._framed(takes, number)
        return updates

    def _sound(self, score: Score, region: Region, name: str) -> Any:
        try:
            data = downloads.region_wav(score, region)
        except Exception as error:
            return gr.update(value=None, label=f"No sound: {sentence(error)}")
        return made_file(f"{downloads.safe_name(name)}.region.wav", data)

    def hear_take(self, number: int, takes: tuple[Take, ...]) -> Updates:
        take = takes[number - 1]
        name = take.file_stem(self.entry.name)
        return self._hear(self.page.slots[number - 1], take.score, name)

    def hear_original(self, desk: Desk) -> Updates:
        return self._hear(self.page.original, desk.score, "original")

    def _hear(self, slot: Slot, score: Score, name: str) -> Updates:
        from hub.preview import sound

        try:
            data = sound.wav(score)
        except Exception as error:
            return {self.page.message: pictures.message(sentence(error))}
        return {slot.audio: made_file(f"{downloads.safe_name(name)}.wav", data)}

    def download(self, number: int, takes: tuple[Take, ...], kind: str) -> Updates:
        try:
            name, data = downloads.make(takes[number - 1], kind, self.entry.name)
        except Exception as error:
            return {self.page.ready: None, self.page.message: pictures.message(sentence(error))}
        return {self.page.ready: made_file(name, data), self.page.message: ""}

    def download_kept(self, desk: Desk) -> Updates:
        """The score with the kept takes in it; the field of the upload still holds the old file."""
        try:
            name, data = downloads.kept_score(desk.score, len(desk.kept))
        except Exception as error:
            return {self.page.ready: None, self.page.message: pictures.message(sentence(error))}
        return {self.page.ready: made_file(name, data), self.page.message: ""}


def made_file(name: str, data: bytes) -> str:
    """A file of its own folder in Gradio's temporary directory, which is cleaned by age."""
    from gradio.utils import get_upload_folder

    Path(get_upload_folder()).mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(dir=get_upload_folder())) / name
    path.write_bytes(data)
    return str(path)


def _seed(written: str | None) -> int | None:
    """The seed field; empty asks for a new one. Raises ParamError."""
    text = (written or "").strip()
    if text and not text.isdigit():
        raise ParamError(f'Seed must be a whole number, or empty for a new one; got "{text[:40]}".')
    return int(text) if text else None


def _bar(step: Progress, done: int, count: int) -> str:
    take = f"take {min(done + 1, count)} of {count}"
    return pictures.progress(step.fraction, f"{step.text or 'Working'} ({take})")
