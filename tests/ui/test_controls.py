"""Every type × scope goes from spec to widgets and back to a value that `hub.params` accepts."""

from __future__ import annotations

from typing import Any

import gradio as gr
import pytest

from hub import params
from hub.errors import ParamError
from hub.params import SCOPES, TYPES, spec_from_card
from hub.score import Score
from hub.ui import controls

pytestmark = pytest.mark.filterwarnings("ignore")  # Gradio's own

EXTRA: dict[str, dict[str, Any]] = {
    "number": {"min": 0, "max": 1, "default": 0.5},
    "integer": {"min": 1, "max": 9, "default": 3},
    "choice": {"choices": ["a", "b"]},
    "chords": {"default": "C | Am F"},
    "excerpt": {"default": [2, 4]},
    "range": {"min": 0, "max": 10, "default": [2, 5]},
}
ANOTHER = {
    "number": "0.25", "integer": "7", "choice": "b", "boolean": "yes", "text": "hi",
    "chords": "G7", "excerpt": "1-2", "range": "3..4",
}  # fmt: skip


def built(**entry: Any) -> controls.Bound:
    with gr.Blocks(analytics_enabled=False):
        return controls.build(spec_from_card({"name": "x", **entry}))


def held(bound: controls.Bound) -> list[Any]:
    """What the components hold when nobody has touched them."""
    return [None if isinstance(c, gr.Dataframe) else c.value for c in bound.components]


def test_there_is_a_control_for_every_type_and_a_place_for_every_scope() -> None:
    assert set(controls.CONTROLS) == set(TYPES)
    assert set(controls.PLACES) == set(SCOPES)


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("name", TYPES)
def test_an_untouched_control_means_its_default(name: str, scope: str, tune: Score) -> None:
    bound = built(type=name, scope=scope, **EXTRA.get(name, {}))
    value = bound.value(held(bound), tune)
    assert params.parse(bound.spec, value) == params.parse(bound.spec, bound.spec.default)


@pytest.mark.parametrize("scope", SCOPES[1:])
@pytest.mark.parametrize("name", TYPES)
def test_a_row_of_the_table_changes_one_place(name: str, scope: str, tune: Score) -> None:
    bound = built(type=name, scope=scope, **EXTRA.get(name, {}))
    places = {"part": ["Bass"], "measure": ["3-4"], "part_measure": ["P2", "3"]}[scope]
    given = held(bound)
    given[-1] = [[*places, ANOTHER[name]], ["", "", ""][: len(places) + 1]]
    parsed = params.Params(values_by_name={"x": params.parse(bound.spec, bound.value(given, tune))})
    changed = parsed.at("x", part="P2" if "part" in scope else None, measure=2)
    elsewhere = parsed.at("x", part="P1" if "part" in scope else None, measure=9)
    assert changed != elsewhere
    assert elsewhere == params.parse(bound.spec, bound.spec.default)


def test_let_the_model_decide_is_none_and_its_widget_starts_off() -> None:
    bound = built(type="number", auto=True)
    assert bound.auto is not None and bound.auto.value is True


def test_auto_wins_over_the_slider(tune: Score) -> None:
    bound = built(type="integer", auto=True, min=0, max=5)
    assert bound.value([4, True], tune) is None
    assert bound.value([4, False], tune) == 4


@pytest.mark.parametrize(
    ("row", "sentence"),
    [(["Oboe", "1", "3"], 'there is no part "Oboe"'), (["P1", "99", "3"], "no measure 99")],
)
def test_a_row_that_names_no_place_is_refused(row: list[str], sentence: str, tune: Score) -> None:
    bound = built(type="integer", scope="part_measure")
    with pytest.raises(ParamError, match=sentence):
        bound.value([0, [row]], tune)


def test_values_come_by_name(tune: Score) -> None:
    with gr.Blocks(analytics_enabled=False):
        bounds = [
            controls.build(spec_from_card({"name": "a", "type": "range"})),
            controls.build(spec_from_card({"name": "b", "type": "text"})),
        ]
    assert controls.values(bounds, [1, 2, "hi"], tune) == {"a": [1, 2], "b": "hi"}


def test_labels_and_help_come_from_the_card() -> None:
    widget = built(type="number", label="Heat", help="How hot.", min=0, max=1).widgets[0]
    assert (widget.label, widget.info) == ("Heat", "How hot.")
