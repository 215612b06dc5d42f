"""The model's own controls: one row a type, from a ParamSpec to widgets and back to a value.

A control is one or more widgets. Its value passes through `hub.params` unchanged, so that what a
widget may hold and what the API accepts are checked in one place. A scoped control is the widget
of its type ("everywhere") and a small table of places that differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from hub.errors import ParamError, RegionError
from hub.params import ParamSpec
from hub.region import Region
from hub.score import Score

LARGE_INTEGER_RANGE = 200  # wider ranges get a number field instead of a slider
FEW_CHOICES = 4


@dataclass(frozen=True, kw_only=True)
class Control:
    """One row of CONTROLS.

    build   spec → the widgets of one value, with label, help and default
    read    (spec, the widgets' values) → the value as `hub.params` takes it
    """

    build: Callable[[ParamSpec], list[gr.components.Component]]
    read: Callable[[ParamSpec, Sequence[Any]], Any] = lambda spec, values: values[0]


def _named(spec: ParamSpec) -> dict[str, Any]:
    return {"label": spec.title, "info": spec.help or None, "interactive": True}


def _default(spec: ParamSpec, otherwise: Any) -> Any:
    return otherwise if spec.default is None else spec.default


def _number(spec: ParamSpec) -> list[gr.components.Component]:
    low, high = spec.minimum, spec.maximum
    if low is None or high is None:
        value = _default(spec, low or 0)
        return [gr.Number(value, minimum=low, maximum=high, step=spec.step, **_named(spec))]
    step = spec.step or (high - low) / 100
    return [gr.Slider(low, high, value=_default(spec, low), step=step, **_named(spec))]


def _integer(spec: ParamSpec) -> list[gr.components.Component]:
    low, high, step = spec.minimum, spec.maximum, spec.step or 1
    value = _default(spec, low or 0)
    if low is None or high is None or high - low > LARGE_INTEGER_RANGE:
        return [gr.Number(value, minimum=low, maximum=high, step=step, precision=0, **_named(spec))]
    return [gr.Slider(low, high, value=value, step=step, precision=0, **_named(spec))]


def _choice(spec: ParamSpec) -> list[gr.components.Component]:
    widget = gr.Radio if len(spec.choices) <= FEW_CHOICES else gr.Dropdown
    value = _default(spec, spec.choices[0])
    return [widget(list(spec.choices), value=str(value), **_named(spec))]


def _boolean(spec: ParamSpec) -> list[gr.components.Component]:
    return [gr.Checkbox(bool(spec.default), **_named(spec))]


def _text(spec: ParamSpec) -> list[gr.components.Component]:
    return [gr.Textbox(str(_default(spec, "")), lines=1, max_lines=4, **_named(spec))]


def _chords(spec: ParamSpec) -> list[gr.components.Component]:
    value = _default(spec, "")
    bars = value if isinstance(value, str) else " | ".join(" ".join(bar) for bar in value)
    return [gr.Textbox(bars, placeholder="C | Am F | G7", **_named(spec))]


def _range(spec: ParamSpec) -> list[gr.components.Component]:
    low, high = _ends(_default(spec, (spec.minimum or 0, spec.maximum or 127)))
    ends = []
    for word, value in (("lowest", low), ("highest", high)):
        label = f"{spec.title}: {word}"
        info = spec.help if word == "lowest" else None
        if spec.minimum is None or spec.maximum is None:
            ends.append(gr.Number(value, label=label, info=info, interactive=True))
        else:
            step = spec.step or (spec.maximum - spec.minimum) / 100
            ends.append(
                gr.Slider(
                    spec.minimum, spec.maximum, value=value, step=step, label=label, info=info,
                    interactive=True,
                )
            )  # fmt: skip
    return ends


def _ends(value: Any) -> tuple[Any, Any]:
    return tuple(value.split("..")) if isinstance(value, str) else tuple(value)  # type: ignore[return-value]


def _excerpt(spec: ParamSpec) -> list[gr.components.Component]:
    """From and to as a person counts: the first measure is 1, the last one is included."""
    start, end = _default(spec, (0, 1))
    first = gr.Number(
        start + 1, label=f"{spec.title}: from measure", info=spec.help or None, minimum=1,
        precision=0, interactive=True,
    )  # fmt: skip
    last = gr.Number(
        end, label=f"{spec.title}: to measure", minimum=1, precision=0, interactive=True
    )
    return [first, last]


def _read_excerpt(spec: ParamSpec, values: Sequence[Any]) -> Any:
    first, last = values
    if first is None or last is None:
        raise ParamError(f"{spec.title}: fill in both measures, from and to.")
    return [int(first) - 1, int(last)]


CONTROLS: dict[str, Control] = {
    "number": Control(build=_number),
    "integer": Control(build=_integer),
    "choice": Control(build=_choice),
    "boolean": Control(build=_boolean),
    "text": Control(build=_text, read=lambda spec, values: values[0] or ""),
    "range": Control(build=_range, read=lambda spec, values: list(values)),
    "chords": Control(build=_chords, read=lambda spec, values: values[0] or ""),
    "excerpt": Control(build=_excerpt, read=_read_excerpt),
}

# What a table of exceptions has columns for, by scope, before the value's own column.
PLACES: dict[str, tuple[str, ...]] = {
    "score": (),
    "part": ("Part",),
    "measure": ("Measures",),
    "part_measure": ("Part", "Measures"),
}


@dataclass(frozen=True, kw_only=True)
class Bound:
    """A control on a page: its widgets, "let the model decide" if the card allows it, and its
    table of exceptions if it is scoped."""

    spec: ParamSpec
    widgets: tuple[gr.components.Component, ...]
    auto: gr.Checkbox | None = None
    table: gr.Dataframe | None = None

    @property
    def components(self) -> list[gr.components.Component]:
        return [c for c in (*self.widgets, self.auto, self.table) if c is not None]

    def value(self, given: Sequence[Any], score: Score) -> Any:
        """The parameter's value from what the components hold. Raises ParamError."""
        rest = list(given)
        own = [rest.pop(0) for _ in self.widgets]
        decides = bool(rest.pop(0)) if self.auto is not None else False
        base = None if decides else CONTROLS[self.spec.type].read(self.spec, own)
        rows = _rows(rest.pop(0)) if self.table is not None else []
        return _scoped(self.spec, base, rows, score) if rows else base


def build(spec: ParamSpec) -> Bound:
    """The widgets of one control, laid out in the current Gradio context."""
    with gr.Group(elem_classes="sh-control"):
        widgets = tuple(CONTROLS[spec.type].build(spec))
        auto = _auto(spec, widgets) if spec.auto else None
    table = _table(spec) if PLACES[spec.scope] else None
    return Bound(spec=spec, widgets=widgets, auto=auto, table=table)


def _auto(spec: ParamSpec, widgets: Sequence[gr.components.Component]) -> gr.Checkbox:
    box = gr.Checkbox(
        spec.default is None,
        label=f"{spec.title}: let the model decide",
    )
    box.change(
        lambda decides: [gr.update(interactive=not decides)] * len(widgets),
        box,
        list(widgets),
        api_visibility="private",
        show_progress="hidden",
        queue=False,
    )
    return box


def _table(spec: ParamSpec) -> gr.Dataframe:
    """A few empty rows: places where the value differs from the one above."""
    headers = [*PLACES[spec.scope], spec.title]
    where = " and ".join(word.lower() for word in PLACES[spec.scope])
    with gr.Accordion(f"{spec.title}: different by {where}", open=False):
        return gr.Dataframe(
            [[""] * len(headers)] * 2,
            headers=headers,
            datatype="str",
            type="array",
            column_count=len(headers),
            interactive=True,
            label="Leave a row empty to ignore it"
            + ('; "auto" lets the model decide' if spec.auto else ""),
            buttons=[],
        )


def _rows(table: Any) -> list[list[str]]:
    """The filled rows of a table, as texts."""
    cells = [[str(cell if cell is not None else "").strip() for cell in row] for row in table or []]
    return [row for row in cells if any(row)]


def _scoped(spec: ParamSpec, base: Any, rows: list[list[str]], score: Score) -> dict[Any, Any]:
    """`base` at every place of the score, and the rows' values at theirs."""
    scope = PLACES[spec.scope]
    parts: list[str] = [p.id for p in score.parts] if "Part" in scope else [""]
    value: dict[str, Any] = {
        part: dict.fromkeys(range(len(score.measures)), base) if "Measures" in scope else base
        for part in parts
    }
    for row in rows:
        *places, written = row
        part = _part_id(spec, places[0], score) if "Part" in scope else ""
        here = _cell(spec, written)
        if "Measures" in scope:
            for index in _measures(spec, places[-1], score):
                value[part][index] = here
        else:
            value[part] = here
    return value if "Part" in scope else value[""]


def _cell(spec: ParamSpec, written: str) -> Any:
    if not written or written.lower() == "auto":
        return None
    if spec.type == "excerpt":
        first, _, last = written.partition("-")
        if first.strip().isdigit() and (last or first).strip().isdigit():
            return [int(first) - 1, int(last or first)]
        raise ParamError(f'{spec.title}: write measures such as 1-4, not "{written}".')
    return written


def _part_id(spec: ParamSpec, written: str, score: Score) -> str:
    """A part by its id, or by its name where only one is called so."""
    if written in score.part_indices:
        return written
    called = [p.id for p in score.parts if p.name.lower() == written.lower()]
    if len(called) == 1:
        return called[0]
    known = ", ".join(f"{p.id} ({p.name})" for p in score.parts[:12])
    raise ParamError(f'{spec.title}: there is no part "{written}"; parts are {known}.')


def _measures(spec: ParamSpec, written: str, score: Score) -> list[int]:
    try:
        return Region.measures(score, written).resolve(score).measure_indices(score)
    except RegionError as error:
        raise ParamError(f"{spec.title}: {error}") from error


def values(controls: Sequence[Bound], given: Sequence[Any], score: Score) -> dict[str, Any]:
    """{name: value} of all controls from their components' values, in order. Raises ParamError."""
    rest = list(given)
    found = {}
    for control in controls:
        own = [rest.pop(0) for _ in control.components]
        found[control.spec.name] = control.value(own, score)
    return found
