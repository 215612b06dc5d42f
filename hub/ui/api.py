"""The documented endpoints: `/inpaint`, the page's job for other programs, and `/card`.

client = gradio_client.Client(url)
files, receipts = client.predict(
    score=gradio_client.handle_file("tune.mid"), measures="7-10", api_name="/inpaint")

They are all that `hub.load("space:…")` needs of an app (`hub.remote.space_model`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import gradio as gr

from hub import formats
from hub.card import CARD_FILE, MAX_CARD_BYTES
from hub.engines.local import Job, LocalEngine
from hub.errors import ParamError, RegionError
from hub.model import Progress, Take
from hub.region import Region
from hub.score import Score
from hub.ui import downloads
from hub.ui.errors import sentence
from hub.ui.handlers import made_file
from hub.ui.library import Entry, Library
from hub.ui.wiring import WAITING_PAGES

_DESCRIPTION = """Rewrite a region of a score.

score: a MIDI or MusicXML file. model: its name; may be empty where there is only one.
measures: printed numbers such as "7-10" or "1-2,5". parts: part ids, comma separated; empty: the
score's only part. region: instead of measures and parts, a region as JSON, such as
{"boxes": [{"start": 6, "end": 10, "part": "P1"}]} with measures counted from 0.
params: the model's controls as JSON. n: number of takes, 1 to 16. seed: of the first take; empty: a
new one. Returns the takes' files, in the format that came in, and a receipt of each."""
_CARD_DESCRIPTION = """The card of a model: its README.md as text.

model: its name; may be empty where there is only one."""
_NO_PROGRESS = gr.Progress()


def add(library: Library, engine: LocalEngine) -> None:
    """The endpoint, in the current Blocks. Its widgets are never shown."""
    with gr.Column(visible=False):
        inputs = [
            gr.File(label="Score", type="filepath"),
            gr.Textbox("", label="Model name"),
            gr.Textbox("", label="Measures as printed, such as 7-10"),
            gr.Textbox("", label="Part ids, comma separated"),
            gr.JSON(None, label="Region"),
            gr.JSON(None, label="The model's controls"),
            gr.Number(1, label="Number of takes", precision=0),
            gr.Number(None, label="Seed", precision=0),
        ]
        outputs = [gr.File(label="Takes", file_count="multiple"), gr.JSON(label="Receipts")]
        ask = gr.Button("Inpaint")
    ask.click(
        endpoint(library, engine), inputs, outputs, api_name="inpaint",
        api_description=_DESCRIPTION, concurrency_limit=WAITING_PAGES,
    )  # fmt: skip
    with gr.Column(visible=False):
        name = gr.Textbox("", label="Model name")
        card = gr.Textbox(label="Card")
        show = gr.Button("Card")
    show.click(
        card_endpoint(library), [name], [card], api_name="card", api_description=_CARD_DESCRIPTION
    )


def card_endpoint(library: Library) -> Any:
    """The endpoint's function: a model's README.md as text."""

    def card(model: str = "") -> str:
        try:
            return _card_text(library.get((model or "").strip()))
        except Exception as error:
            raise gr.Error(sentence(error), print_exception=False) from None

    return card


def _card_text(entry: Entry) -> str:
    if entry.folder is None:
        return entry.card.to_readme()
    with (entry.folder / CARD_FILE).open("rb") as stream:
        return stream.read(MAX_CARD_BYTES).decode("utf-8", "replace")


def endpoint(library: Library, engine: LocalEngine) -> Any:
    """The endpoint's function; every failure is a gr.Error with the hub's sentence.

    It is asynchronous so that it ends when its caller cancels it or goes away, and the engine's
    job with it.
    """

    async def inpaint(
        score: str,
        model: str = "",
        measures: str = "",
        parts: str = "",
        region: dict[str, Any] | None = None,
        params: dict[str, Any] | None = None,
        n: int = 1,
        seed: int | None = None,
        progress: gr.Progress = _NO_PROGRESS,
    ) -> tuple[list[str], list[dict[str, Any]]]:
        question = (score, model, measures, parts, region, params, n, seed)
        try:
            return await _answer(library, engine, progress, question)
        except Exception as error:
            raise gr.Error(sentence(error), print_exception=False) from None

    return inpaint


async def _answer(
    library: Library, engine: LocalEngine, progress: gr.Progress, question: tuple[Any, ...]
) -> tuple[list[str], list[dict[str, Any]]]:
    submitted = asyncio.ensure_future(asyncio.to_thread(_submit, library, engine, *question))
    try:
        name, job = await asyncio.shield(submitted)
    except asyncio.CancelledError:  # the thread goes on, and its job must not
        submitted.add_done_callback(_call_off)
        raise
    try:
        takes = await _follow(job, progress)
    finally:
        job.cancel()
    return await asyncio.to_thread(_handed_over, takes, name)


def _call_off(submitted: asyncio.Future[tuple[str, Job]]) -> None:
    if not submitted.cancelled() and submitted.exception() is None:
        submitted.result()[1].cancel()


async def _follow(job: Job, tell: Callable[..., Any]) -> list[Take]:
    steps = iter(job)
    takes: list[Take] = []
    last = None
    while (step := await asyncio.to_thread(next, steps, None)) is not None:
        if isinstance(step, Take):
            takes.append(step)
        elif isinstance(step, Progress) and step != last:
            last = step
            tell(step.fraction, desc=step.text)
    return takes


def _submit(
    library: Library, engine: LocalEngine, path: str | None, model: str, measures: str, parts: str,
    region: Any, params: Any, n: int, seed: int | None,
) -> tuple[str, Job]:  # fmt: skip
    """The model's name and the job. Raises ScorehubError."""
    entry = library.get((model or "").strip())
    if not path:
        raise RegionError("Send a score: the file to rewrite is missing.")
    score = formats.open_score(path)
    where = _region(score, measures or "", parts or "", region)
    if params and not isinstance(params, dict):
        raise ParamError('The controls are an object such as {"temperature": 0.8}.')
    return entry.name, engine.submit(entry.model(), score, where, params or {}, n=n, seed=seed)


def _handed_over(takes: list[Take], name: str) -> tuple[list[str], list[dict[str, Any]]]:
    return [_take_file(take, name) for take in takes], [_receipt(take, name) for take in takes]


def _region(score: Score, measures: str, parts: str, region: Any) -> Region:
    if region:
        if measures or parts:
            raise RegionError("Give measures and parts, or a region, not both.")
        return Region.from_json(region)
    if not measures.strip():
        raise RegionError('Say which measures to rewrite, such as measures="7-10".')
    ids = [part.strip() for part in parts.split(",") if part.strip()]
    return Region.measures(score, measures, ids or None)


def _take_file(take: Take, model_name: str) -> str:
    return made_file(*downloads.make(take, "file", model_name))


def _receipt(take: Take, model_name: str) -> dict[str, Any]:
    return {
        "model": model_name,
        "seed": take.seed,
        "measures": take.measures_text(),
        "seconds": round(take.seconds, 4),
        "receipt": take.receipt.to_json(),
        "sentence": take.receipt.sentence(),
        "log": list(take.log),
    }
