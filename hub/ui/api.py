"""The one documented endpoint, `/inpaint`: the page's job for other programs.

client = gradio_client.Client(url)
files, receipts = client.predict(
    score=gradio_client.handle_file("tune.mid"), measures="7-10", api_name="/inpaint")
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from hub import formats
from hub.engines.local import LocalEngine
from hub.errors import ParamError, RegionError
from hub.model import Take
from hub.region import Region
from hub.score import Score
from hub.ui import downloads
from hub.ui.errors import sentence
from hub.ui.handlers import made_file
from hub.ui.library import Library
from hub.ui.wiring import WAITING_PAGES

_DESCRIPTION = """Rewrite a region of a score.

score: a MIDI or MusicXML file. model: its name; may be empty where there is only one.
measures: printed numbers such as "7-10" or "1-2,5". parts: part ids, comma separated; empty: the
score's only part. region: instead of measures and parts, a region as JSON, such as
{"boxes": [{"start": 6, "end": 10, "part": "P1"}]} with measures counted from 0.
params: the model's controls as JSON. n: number of takes, 1 to 16. seed: of the first take; empty: a
new one. Returns the takes' files, in the format that came in, and a receipt of each."""


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


def endpoint(library: Library, engine: LocalEngine) -> Any:
    """The endpoint's function; every failure is a gr.Error with the hub's sentence."""

    def inpaint(
        score: str,
        model: str = "",
        measures: str = "",
        parts: str = "",
        region: dict[str, Any] | None = None,
        params: dict[str, Any] | None = None,
        n: int = 1,
        seed: int | None = None,
    ) -> tuple[list[str], list[dict[str, Any]]]:
        try:
            return _answer(library, engine, score, model, measures, parts, region, params, n, seed)
        except Exception as error:
            raise gr.Error(sentence(error), print_exception=False) from None

    return inpaint


def _answer(
    library: Library, engine: LocalEngine, path: str | None, model: str, measures: str, parts: str,
    region: Any, params: Any, n: int, seed: int | None,
) -> tuple[list[str], list[dict[str, Any]]]:  # fmt: skip
    entry = library.get((model or "").strip())
    if not path:
        raise RegionError("Send a score: the file to rewrite is missing.")
    score = formats.open_score(path)
    where = _region(score, measures or "", parts or "", region)
    if params and not isinstance(params, dict):
        raise ParamError('The controls are an object such as {"temperature": 0.8}.')
    job = engine.submit(entry.model(), score, where, params or {}, n=n, seed=seed)
    takes = [step for step in job if isinstance(step, Take)]
    files = [_take_file(take, entry.name) for take in takes]
    return files, [_receipt(take, entry.name) for take in takes]


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
