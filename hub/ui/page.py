"""The page of one model: which widgets there are and where they stand. What they do: `handlers`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from hub import formats
from hub.params import MAX_TAKES
from hub.region import ATTRIBUTES
from hub.ui import about, controls
from hub.ui.library import Entry
from hub.ui.panel import Panel

_ATTRIBUTE_WORDS = {
    "onset": "when they begin",
    "duration": "how long they last",
    "pitch": "pitch",
    "velocity": "loudness",
}


@dataclass(frozen=True, kw_only=True)
class Slot:
    """The frame of one take (or of the original, which cannot be kept or downloaded)."""

    frame: gr.Column
    panel: Panel
    audio: gr.Audio
    whole: gr.Button
    kind: gr.Dropdown | None = None
    download: gr.Button | None = None
    keep: gr.Button | None = None


@dataclass(frozen=True, kw_only=True)
class Marks:
    """The widgets that say what to rewrite, in the order of `Selection`'s fields."""

    measures: gr.Textbox
    parts: gr.Radio | gr.CheckboxGroup
    low: gr.Number
    high: gr.Number
    change: gr.CheckboxGroup
    first_quarter: gr.Number
    last_quarter: gr.Number
    beyond: gr.Number

    @property
    def components(self) -> list[Any]:
        return list(self.__dict__.values())


@dataclass(frozen=True, kw_only=True)
class Page:
    """Everything on a model's page, by name."""

    entry: Entry
    desk: gr.State
    takes: gr.State
    run: gr.State
    upload: gr.File
    examples: tuple[gr.Button, ...]
    upload_message: Panel
    undo: gr.Button
    take_home: gr.Button
    parts_note: Panel
    marks: Marks
    controls: tuple[controls.Bound, ...]
    count: gr.Slider
    seed: gr.Textbox
    go: gr.Button
    cancel: gr.Button
    message: Panel
    progress: Panel
    overview: Panel
    view: gr.State
    turns: gr.Row
    earlier: gr.Button
    to_region: gr.Button
    later: gr.Button
    results: gr.Column
    heading: Panel
    original: Slot
    slots: tuple[Slot, ...]
    ready: gr.File

    @property
    def control_components(self) -> list[Any]:
        return [part for control in self.controls for part in control.components]


def lay_out(entry: Entry, home: str = "", back_words: str = "← All models") -> Page:
    """The page of a model in the current Blocks; `home` is the gallery's address."""
    card = entry.card
    states = {name: gr.State(None) for name in ("desk", "run", "view")} | {"takes": gr.State(())}
    Panel(about.header(card, home, back_words, entry.origin))
    with gr.Accordion("About this model", open=False):
        Panel(about.limits(card))
        Panel(about.prose(entry.prose))
    with gr.Row(elem_classes="sh-desk"):
        with gr.Column(elem_classes="sh-fields", min_width=0):
            with gr.Column(elem_classes="sh-step sh-score", min_width=0):
                score = _score_fields(entry)
            with gr.Column(elem_classes="sh-step sh-where", min_width=0):
                where = _mark_fields(entry)
            with gr.Column(elem_classes="sh-step sh-how", min_width=0):
                how = _control_fields(entry)
        with gr.Column(elem_classes="sh-stage", min_width=0):
            with gr.Column(elem_classes="sh-step sh-seen", min_width=0):
                picture = Panel(
                    _empty(), picks=True, name="The score and the region",
                    elem_classes="sh-overview",
                )  # fmt: skip
            with gr.Column(elem_classes="sh-step sh-turn", min_width=0):
                turns = _turn_fields()
            with gr.Column(elem_classes="sh-step sh-go", min_width=0):
                go = _run_fields()
    with gr.Column(visible=False, elem_classes="sh-results") as results:
        heading = Panel(name="What the takes are of", elem_classes="sh-heading")
        with gr.Row(elem_classes="sh-takes"):
            original = _slot(0)
            slots = tuple(_slot(number) for number in range(1, MAX_TAKES + 1))
    return Page(
        entry=entry, **states, **score, **where, **how, **go, **turns, overview=picture,
        results=results, heading=heading, original=original, slots=slots,
        ready=gr.File(visible="hidden", label="Download"),
    )  # fmt: skip


def _turn_fields() -> dict[str, Any]:
    with gr.Row(visible=False) as row:
        earlier = gr.Button("← Earlier measures", size="sm", min_width=90)
        to_region = gr.Button("Region", size="sm", min_width=90)
        later = gr.Button("Later measures →", size="sm", min_width=90)
    return {"turns": row, "earlier": earlier, "to_region": to_region, "later": later}


def _score_fields(entry: Entry) -> dict[str, Any]:
    gr.Markdown("## 1. Score", elem_classes="sh-heading")
    upload = gr.File(
        label="Drop a score here",
        file_types=list(formats.extensions()),
        height=132,
        elem_id=f"{entry.name}-upload",
    )
    examples = []
    if entry.card.examples:
        with gr.Row(elem_classes="sh-examples"):
            for example in entry.card.examples:
                examples.append(gr.Button(f"Example: {example.title}", size="sm", min_width=80))
    note = Panel()
    with gr.Row():
        home = gr.Button("Download this score", size="sm", min_width=90, visible=False)
        undo = gr.Button("Undo the kept take", size="sm", min_width=90, visible=False)
    return {
        "upload": upload, "examples": tuple(examples), "upload_message": note,
        "take_home": home, "undo": undo,
    }  # fmt: skip


def _mark_fields(entry: Entry) -> dict[str, Any]:
    accepts = entry.card.accepts
    gr.Markdown("## 2. What to rewrite", elem_classes="sh-heading")
    measures = gr.Textbox(
        label="Measures",
        info="Numbers as printed: 7-10, 3 or 1-2,5. Or mark them in the picture.",
        placeholder="7-10",
        max_lines=1,
    )
    is_single = accepts.parts[1] == 1
    parts = (gr.Radio if is_single else gr.CheckboxGroup)(
        [], label="Part" if is_single else "Parts", visible=False, interactive=True
    )
    note = Panel()
    with gr.Accordion("More about the region", open=False):
        marks = Marks(measures=measures, parts=parts, **_fine_marks(entry))
    return {"marks": marks, "parts_note": note}


def _fine_marks(entry: Entry) -> dict[str, Any]:
    """Pitches, attributes, beats: shown as far as the card allows them."""
    accepts = entry.card.accepts
    low, high = accepts.pitch
    by_beat = accepts.unit != "measure"
    with gr.Row():
        pitch = {"minimum": 0, "maximum": 127, "precision": 0, "min_width": 120}
        fields: dict[str, Any] = {
            "low": gr.Number(0, label="Lowest pitch", info="60 is middle C", **pitch),
            "high": gr.Number(127, label="Highest pitch", info=f"writes {low} to {high}", **pitch),
        }
    offered = ATTRIBUTES if "notes" in accepts.change and accepts.reads_region else accepts.change
    attributes = [(_ATTRIBUTE_WORDS[a], a) for a in offered if a in _ATTRIBUTE_WORDS]
    fields["change"] = gr.CheckboxGroup(
        attributes,
        value=[] if "notes" in accepts.change else [a for _, a in attributes],
        label="Keep the notes and change only",
        visible=bool(attributes),
    )
    with gr.Row(visible=by_beat):
        options = {"minimum": 0, "min_width": 120}
        fields["first_quarter"] = gr.Number(None, label="From quarter", **options)
        fields["last_quarter"] = gr.Number(
            None, label="To quarter", info="counted from 0; instead of measures", **options
        )
    fields["beyond"] = gr.Number(
        0, label="Measures to add after the end", minimum=0, precision=0,
        visible=accepts.beyond_end,
    )  # fmt: skip
    return fields


def _control_fields(entry: Entry) -> dict[str, Any]:
    if entry.card.params:
        gr.Markdown("## 3. How", elem_classes="sh-heading")
    return {"controls": tuple(controls.build(spec) for spec in entry.card.params)}


def _run_fields() -> dict[str, Any]:
    with gr.Row(elem_classes="sh-run"):
        count = gr.Slider(1, MAX_TAKES, value=3, step=1, label="Takes", min_width=140)
        seed = gr.Textbox(
            "", label="Seed", info="Empty: a new one each time.", placeholder="random",
            max_lines=1, min_width=140,
        )  # fmt: skip
    with gr.Row():
        go = gr.Button("Inpaint", variant="primary", interactive=False)
        cancel = gr.Button("Cancel", variant="stop", visible=False)
    return {
        "count": count, "seed": seed, "go": go, "cancel": cancel,
        "progress": Panel(role="status", name="Progress"), "message": Panel(),
    }  # fmt: skip


def _slot(number: int) -> Slot:
    """The frame of take `number`, hidden until there is one; 0 is the original."""
    name = f"take {number}" if number else "the original"
    with gr.Column(visible=number == 0, min_width=300, elem_classes="sh-take") as frame:
        panel = Panel(name=f"Picture of {name}")
        audio = gr.Audio(
            label=f"Listen to {name}", interactive=False, editable=False, buttons=[], format="wav"
        )
        whole = gr.Button("Hear the whole piece", size="sm")
        if not number:
            return Slot(frame=frame, panel=panel, audio=audio, whole=whole)
        kind = gr.Dropdown([], label="File to take home", min_width=140, filterable=False)
        with gr.Row(elem_classes="sh-take-home"):
            download = gr.Button(f"Download {name}", size="sm", min_width=90)
            keep = gr.Button(f"Keep {name}", size="sm", min_width=90)
    return Slot(
        frame=frame, panel=panel, audio=audio, whole=whole, kind=kind,
        download=download, keep=keep,
    )  # fmt: skip


def _empty() -> str:
    return (
        '<div class="sh-empty"><p>Your score will appear here.</p>'
        "<p>Upload a MIDI or MusicXML file, or open an example.</p></div>"
    )
