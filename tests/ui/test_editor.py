"""The editor component without a browser: its values, its events, whose pages it gives to whom."""

from __future__ import annotations

import base64
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest

import hub
from hub.accepts import Accepts
from hub.ui import ScoreEditor, editing, session_file
from hub.ui.editor import EVENTS, View

TUNE = Path(__file__).resolve().parent.parent / "data/models/echo/examples/tune.mid"


def score() -> hub.Score:
    return hub.open_score(TUNE)


def sent(**data):
    return SimpleNamespace(_data=data)


def act(name: str, desk, **data):
    return editing._handler(editing.ACTS[name])(desk, sent(**data))


def test_a_score_becomes_columns() -> None:
    with gr.Blocks():
        editor = ScoreEditor(accepts=Accepts(unit="beat"))
        value = editor.postprocess(score())
        again = editor.postprocess(score())
    assert value["score"]["notes"]["count"] == len(score().notes)
    assert value["accepts"]["unit"] == "beat"
    assert value["key"] != again["key"] and value["serial"] < again["serial"]
    assert editor.postprocess(None) is None


def test_what_is_marked_comes_in_as_a_region() -> None:
    with gr.Blocks():
        editor = ScoreEditor()
    marked = {"boxes": [{"start": 0, "end": 96, "unit": "ticks", "part": "P1"}]}
    region = editor.preprocess({"selection": marked})
    assert region is not None and region.boxes[0].end_tick == 96
    assert editor.preprocess({"selection": {"boxes": []}}) is None
    assert editor.preprocess("nonsense") is None
    with pytest.raises(gr.Error, match='no "colour"'):
        editor.preprocess({"selection": marked | {"colour": 1}})


def test_every_event_can_be_listened_to() -> None:
    with gr.Blocks():
        editor, state = ScoreEditor(), gr.State()
        editing.connect(editor, state)
        assert all(callable(getattr(editor, name)) for name in EVENTS)


def test_pages_are_given_to_who_knows_the_key() -> None:
    with gr.Blocks():
        editor = ScoreEditor()
        key = editor.postprocess(score())["key"]
    wanted = {"key": key, "revision": 0, "first": 0, "count": 4, "plain": False}
    assert "<measure" in editor.shown.page(wanted)["musicxml"]
    for wrong in ({"key": "x"}, {"revision": 1}, {"first": "0"}, {"count": True}, {"count": 999}):
        assert str(editor.shown.page(wanted | wrong)["error"]).endswith(".")
    assert "error" in editor.shown.page(None)
    assert "error" in editor.shown.session({"key": key}), "a score alone has no session"


def test_edits_undo_and_redo_by_events() -> None:
    view, desk = editing.opened(score())
    view, desk = act("edit", desk, revision=view.revision, edit={"removed": [0], "added": []})
    assert view.error == "" and len(view.score.notes) == len(score().notes) - 1
    view, desk = act("undo", desk)
    assert view.score.notes == score().notes
    assert view.history["canRedo"] and not view.history["canUndo"]
    view, desk = act("redo", desk)
    assert view.revision == 1
    view, desk = act("go_to", desk, version=0)
    assert view.revision == 0


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("edit", {}),
        ("edit", {"revision": 7, "edit": {}}),
        ("edit", {"revision": 0, "edit": None}),
        ("keep", {"take": "1"}),
        ("keep", {"take": 5}),
        ("go_to", {"version": 5}),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(name, data) -> None:
    _, desk = editing.opened(score())
    view, after = act(name, desk, **data)
    assert view.error.endswith(".") and after is desk
    assert view.score is desk.document.score


def test_a_page_that_is_not_known_is_told_so_and_restored() -> None:
    view, desk = act("undo", None)
    assert view.is_lost and desk is None
    _, kept = editing.opened(score())
    text = base64.b64encode(session_file.to_bytes(kept.document)).decode()
    view, desk = editing._restore(None, sent(session=text))
    assert view.score.notes == score().notes and view.key != kept.key
    for wrong in (None, 3, "é", "AAAA"):
        refused, same = editing._restore(desk, sent(session=wrong))
        assert refused.error.endswith(".") and same is desk


def test_a_lost_view_says_so() -> None:
    with gr.Blocks():
        value = ScoreEditor().postprocess(View(is_lost=True))
    assert value["isLost"] and value["score"] is None
