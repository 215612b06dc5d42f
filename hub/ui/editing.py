"""The editor and a document, wired: edits, undo, takes kept and discarded, a session reopened.

    with gr.Blocks() as demo:
        editor, desk = ScoreEditor(), gr.State()
        connect(editor, desk)
        demo.load(lambda: opened(score), outputs=[editor, desk])

The state belongs to one visitor. Every event answers with the editor's value, an error included, so
that a page that has shown an edit already can take it back.
"""

from __future__ import annotations

import base64
import binascii
import sys
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from hub import edits, formats
from hub.errors import BadFileError, RegionError
from hub.region import Region
from hub.score import Score
from hub.ui import session_file
from hub.ui.document import MAX_BYTES, Document
from hub.ui.editor import ScoreEditor, View, new_key
from hub.ui.errors import sentence

Act = Callable[[Document, Mapping[str, Any]], Document]
MAX_LISTENERS = 4


@dataclass(frozen=True, kw_only=True, eq=False)
class Desk:
    """One visitor's document, and the key under which their page asks for it."""

    document: Document
    key: str

    def __deepcopy__(self, memo: object) -> Desk:
        return self


Answer = tuple[View, Desk | None]


def opened(score: Score) -> Answer:
    """A new document of a score: what the editor shows, and the visitor's state."""
    return _shown(Desk(document=Document.open(score), key=new_key()))


def _shown(desk: Desk, before: Score | None = None, **more: Any) -> Answer:
    """`before`: the score on the page, to highlight what is new."""
    changed: tuple[int, ...] = ()
    if before is not None and before is not desk.document.score:
        rows = edits.changed_rows(before.notes, desk.document.score.notes)
        changed = tuple(rows.tolist())
    return View.of(desk.document, desk.key, changed=changed, **more), desk


def connect(editor: ScoreEditor, state: gr.State) -> None:
    """Let every event of the editor change the document in `state`, and show the result."""
    for name, act in ACTS.items():
        _listen(editor, state, name, _handler(act))
    _listen(editor, state, "audition", _audition)
    _listen(editor, state, "restore", _restore)


def _listen(editor: ScoreEditor, state: gr.State, name: str, handle: Callable[..., Answer]) -> None:
    getattr(editor, name)(
        handle,
        [state],
        [editor, state],
        show_progress="hidden",
        trigger_mode="multiple",
        concurrency_limit=MAX_LISTENERS,
        api_visibility="private",
    )


def _handler(act: Act) -> Callable[[Desk | None, gr.EventData], Answer]:
    def handle(desk: Desk | None, event: gr.EventData) -> Answer:
        if desk is None:
            return View(is_lost=True), None
        before = desk.document.score
        try:
            document = act(desk.document, _data(event))
        except Exception as error:
            return _shown(desk, error=sentence(error))
        return _shown(Desk(document=document, key=desk.key), before)

    return handle


def _data(event: gr.EventData) -> Mapping[str, Any]:
    data = event._data
    if not isinstance(data, Mapping):
        raise RegionError("An event of the editor carries an object.")
    return data


def _whole(data: Mapping[str, Any], name: str) -> int:
    value = data.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise RegionError(f'"{name}" is a whole number.')
    return value


def _edit(document: Document, data: Mapping[str, Any]) -> Document:
    revision = _whole(data, "revision")
    edit = edits.from_json(data.get("edit"), document.score_at(revision))
    return document.edit(edit, revision=revision)


ACTS: dict[str, Act] = {
    "edit": _edit,
    "undo": lambda document, data: document.undo(),
    "redo": lambda document, data: document.redo(),
    "go_to": lambda document, data: document.go_to(_whole(data, "version")),
    "keep": lambda document, data: document.keep(_whole(data, "take")),
    "discard": lambda document, data: document.discard(_whole(data, "take")),
}


def _audition(desk: Desk | None, event: gr.EventData) -> Answer:
    """Show and play a waiting take without keeping it; take null: the current version again."""
    if desk is None:
        return View(is_lost=True), None
    try:
        data = _data(event)
        if data.get("take") is None:
            return _shown(desk)
        number = _whole(data, "take")
        score = desk.document.audition(number)
    except Exception as error:
        return _shown(desk, error=sentence(error))
    view, _ = _shown(desk)
    rows = edits.changed_rows(desk.document.score.notes, score.notes)
    # A take's number is no version's, so it serves as the revision of what is heard.
    heard = {"score": score, "revision": number, "changed": tuple(rows.tolist())}
    return View(**{**vars(view), **heard}), desk


def _restore(desk: Desk | None, event: gr.EventData) -> Answer:
    try:
        text = _data(event).get("session")
        if not isinstance(text, str) or len(text) > 2 * MAX_BYTES:
            raise BadFileError("This is no session file.")
        document = session_file.from_bytes(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return _refused(desk, "This is no session file.")
    except Exception as error:
        return _refused(desk, sentence(error))
    return _shown(Desk(document=document, key=new_key()))


def _refused(desk: Desk | None, error: str) -> Answer:
    return _shown(desk, error=error) if desk is not None else (View(error=error), None)


def region_of(event: gr.EventData) -> Region | None:
    """What a `select` event marked. Raises RegionError."""
    region = _data(event).get("region")
    if not isinstance(region, Mapping) or not region.get("boxes"):
        return None
    return Region.from_json(region)


def demo(path: str, port: str = "7860") -> None:
    """`python -m hub.ui.editing SCORE [PORT]`: the editor alone."""
    from hub.ui.app import launch, prepare_environment

    prepare_environment()
    score = formats.open_score(path)
    assert score.source is not None
    name = f"editor-{zlib.crc32(score.source.data):08x}"  # each score has a session of its own
    with gr.Blocks(title="Score editor", analytics_enabled=False, fill_width=True) as page:
        editor, state = ScoreEditor(elem_id=name), gr.State()
        connect(editor, state)
        page.load(lambda: opened(score), outputs=[editor, state], show_progress="hidden")
    launch(page, port=int(port))


if __name__ == "__main__":
    demo(*sys.argv[1:])
