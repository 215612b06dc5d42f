"""The score editor as a Gradio component, usable alone in anybody's app:

    import gradio as gr, hub
    from hub.ui import ScoreEditor

    with gr.Blocks() as demo:
        editor = ScoreEditor(hub.open_score("tune.mid"))
        editor.select(marked, outputs=…)  # def marked(event: gr.EventData): event._data["region"]

It shows notation and a piano roll, plays, and says what the person in front of it does. The
template is constant and the value is data, so nothing that a score says is evaluated, and an update
never mounts it again: the music goes on. `hub.ui.editing` wires it to a document with undo, and
`python -m hub.ui.editing SCORE` shows that.

What comes from the browser is a stranger's: `hub.edits.from_json`, `hub.Region.from_json`.
"""

from __future__ import annotations

import base64
import itertools
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import gradio as gr

from hub.accepts import Accepts
from hub.errors import ScorehubError
from hub.region import Region
from hub.score import Score
from hub.ui import session_file
from hub.ui.compact import compact
from hub.ui.document import Document
from hub.ui.errors import sentence
from hub.ui.panel import ASSETS
from hub.ui.score_pages import PageBook

BUILT = ASSETS / "built"
EVENTS = (
    "select", "edit", "undo", "redo", "go_to", "audition", "keep", "discard", "restore",
)  # fmt: skip
SHOWN = 64  # scores whose pages can be asked for: the latest of all visitors
PAGE_BYTES = 4 << 20
_serial = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class View:
    """A value of the editor: a score, and what the page says about it.

    key         names whose score it is: unguessable, the same for all versions of one document
    revision    of the score; a page that has it already does not draw it again
    changed     rows of `score.notes` to highlight
    takes       what is known of the waiting takes, newest last
    history     can it be undone, redone; every version, in short
    notices     sentences; error: a sentence about what could not be done
    is_lost     the server does not know this page's document (any more): the page sends it again
    """

    score: Score | None = field(default=None, repr=False)
    key: str = ""
    revision: int = 0
    accepts: Accepts | None = None
    selection: Region | None = None
    changed: tuple[int, ...] = ()
    takes: tuple[Mapping[str, Any], ...] = ()
    history: Mapping[str, Any] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    error: str = ""
    is_lost: bool = False
    document: Document | None = field(default=None, repr=False)

    @classmethod
    def of(cls, document: Document, key: str, **more: Any) -> View:
        """The current version of a document; `key` from `new_key()`, once a document."""
        return cls(
            score=document.score,
            key=key,
            revision=document.current,
            takes=tuple(
                {"number": take.number, "seed": take.seed, "model": take.model}
                for take in document.takes
            ),
            history=_history(document),
            notices=document.notices,
            document=document,
            **more,
        )


def _history(document: Document) -> dict[str, Any]:
    return {
        "canUndo": document.can_undo,
        "canRedo": document.can_redo,
        "current": document.current,
        "versions": [
            {"number": node.number, "parent": node.parent, "kind": node.kind, "label": node.label}
            for _, node in sorted(document.nodes.items())
        ],
    }


def new_key() -> str:
    return secrets.token_urlsafe(24)


class ScoreEditor(gr.HTML):
    """A score to see, hear, mark and edit.

    value       a Score, a View, or None for an empty editor
    accepts     what may be marked: a model's card.accepts; None: anything

    As an output it takes a Score, a View or None. As an input it gives what is marked: a Region in
    ticks, or None. Events, with `event._data` from a gr.EventData argument:

        select      {"region": Region as JSON, or null}
        edit        {"edit": {"removed": …, "added": …}, "revision": n}: see hub.edits
        undo, redo  {}
        go_to       {"version": n}
        audition, keep, discard     {"take": n}
        restore     {"session": a session file in base64}: see hub.ui.session_file
    """

    def __init__(
        self,
        value: Score | View | None = None,
        *,
        accepts: Accepts | None = None,
        label: str = "Score editor",
        **options: Any,
    ) -> None:
        self.accepts = accepts
        self.shown = _Shown()
        gr.set_static_paths([BUILT])
        super().__init__(
            value=value,
            label=label,
            html_template='<div class="sh-editor"><p class="sh-editor-loading">'
            "The editor is being loaded …</p></div>",
            js_on_load=(ASSETS / "editor_mount.js").read_text(encoding="utf-8"),
            apply_default_css=False,
            server_functions=self.shown.server_functions(),
            built=BUILT.as_posix() if (BUILT / "editor.js").is_file() else "",
            version=_version(),
            kept_as=str(options.get("elem_id") or "editor"),
            **options,
        )

    def get_block_name(self) -> str:
        return "html"

    def preprocess(self, payload: Any) -> Region | None:
        """What is marked. Raises gr.Error with a sentence for what is no region."""
        region = payload.get("selection") if isinstance(payload, Mapping) else None
        if not isinstance(region, Mapping) or not region.get("boxes"):
            return None
        try:
            return Region.from_json(region)
        except ScorehubError as error:
            raise gr.Error(str(error), print_exception=False) from error

    def postprocess(self, value: Score | View | None) -> dict[str, Any] | None:
        """The score in columns, and what the page says about it."""
        if value is None:
            return None
        view = View(score=value, key=new_key()) if isinstance(value, Score) else value
        self.shown.show(view)
        accepts = view.accepts or self.accepts
        return {
            "serial": next(_serial),
            "key": view.key,
            "revision": view.revision,
            "score": compact(view.score, view.revision) if view.score is not None else None,
            "accepts": asdict(accepts) if accepts is not None else None,
            "selection": view.selection.to_json() if view.selection is not None else None,
            "changed": list(view.changed),
            "takes": [dict(take) for take in view.takes],
            "history": dict(view.history),
            "notices": list(view.notices),
            "error": view.error,
            "isLost": view.is_lost,
        }

    def api_info(self) -> dict[str, Any]:
        return {"type": {}, "description": "a score in columns, see hub.ui.compact"}

    def example_payload(self) -> Any:
        return {"selection": None}

    def example_value(self) -> Any:
        return None


def _version() -> str:
    path = BUILT / "version.txt"
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


class _Shown:
    """What is on visitors' pages, by key: asked for by server functions, which know no session.

    A key is a secret between one page and this server, so no session sees another's score.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shown: OrderedDict[str, tuple[PageBook, View]] = OrderedDict()

    def show(self, view: View) -> None:
        if not view.key or view.score is None:
            return
        with self._lock:
            book, _ = self._shown.get(view.key) or (PageBook(max_bytes=PAGE_BYTES), None)
            self._shown[view.key] = (book, view)
            self._shown.move_to_end(view.key)
            while len(self._shown) > SHOWN:
                self._shown.popitem(last=False)

    def server_functions(self) -> list[Callable[[Any], dict[str, Any]]]:
        """Functions with the names that the page calls; Gradio marks them, so no methods."""

        def notation_page(wanted: Any) -> dict[str, Any]:
            return self.page(wanted)

        def session(wanted: Any) -> dict[str, Any]:
            return self.session(wanted)

        return [notation_page, session]

    def page(self, wanted: Any) -> dict[str, Any]:
        """{key, revision, first, count, plain} → a page as JSON, or {"error": sentence}."""
        found = self._find(wanted)
        if found is None or found[1].revision != wanted.get("revision"):
            return {"error": "This version of the score is not on the server any more."}
        book, view = found
        assert view.score is not None
        first, count = wanted.get("first"), wanted.get("count")
        if not all(isinstance(n, int) and not isinstance(n, bool) for n in (first, count)):
            return {"error": "A page is asked for by its first measure and their count."}
        try:
            plain = wanted.get("plain") is True
            return book.page(view.score, view.revision, first, count, own=not plain).to_json()
        except Exception as error:
            return {"error": sentence(error)}

    def session(self, wanted: Any) -> dict[str, Any]:
        """{key} → {"session": the session file in base64}, for the browser to keep."""
        found = self._find(wanted)
        if found is None or found[1].document is None:
            return {"error": "There is no session to keep."}
        document = found[1].document
        data = base64.b64encode(session_file.to_bytes(document)).decode()
        return {"session": data, "revision": document.current, "name": document.name}

    def _find(self, wanted: Any) -> tuple[PageBook, View] | None:
        key = wanted.get("key") if isinstance(wanted, Mapping) else None
        with self._lock:
            return self._shown.get(key) if isinstance(key, str) else None
