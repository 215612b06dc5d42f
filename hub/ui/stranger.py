"""The page of a model that brings its own program, before anybody has trusted it: card and code.

Nothing on it can grant trust: whoever looks at a page need not be the one whose machine it is.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import gradio as gr

from hub import trust
from hub.ui import about
from hub.ui.panel import Panel

if TYPE_CHECKING:
    from hub.remote.fetch import Snapshot

MAX_SHOWN = 60_000  # characters of one file


def lay_out(snapshot: Snapshot, prose: str, home: str) -> None:
    """The page in the current Blocks. `prose`: the card's, as HTML; `home`: the list's address."""
    origin = f"{snapshot.handle.repo_id} on {snapshot.host}, commit {snapshot.commit[:12]}."
    Panel(about.header(snapshot.card, home, "← Models on the Hub", origin))
    Panel(_warning(snapshot, home))
    Panel(_code(snapshot))
    with gr.Accordion("About this model", open=True):
        Panel(about.limits(snapshot.card))
        Panel(about.prose(prose))


def _warning(snapshot: Snapshot, home: str) -> str:
    again = f"{home}?open={snapshot.handle}"
    return (
        '<div class="sh-message sh-note"><p><strong>This model is a program.</strong> It was '
        f"written by {escape(snapshot.handle.owner)}, whom you may not know, and it has not been "
        "run. Read the code below. If you trust it, run this in a terminal of the machine on which "
        "this app runs:</p>"
        f'<pre class="sh-command">scorehub trust {escape(str(snapshot.handle))}</pre>'
        "<p>It then runs in a sandbox, this commit and no other. Nothing on this page can do that "
        f'for you. When it is done, <a href="{escape(again)}">open it again</a>.</p></div>'
    )


def _code(snapshot: Snapshot) -> str:
    seen = trust.review(snapshot.handle, snapshot.folder, snapshot.host)
    pieces = [f'<p class="sh-small">{escape(line)}</p>' for line in seen.summary().splitlines()]
    if seen.changes:
        pieces.append(_file("What changed since the commit that you trusted", seen.changes))
    pieces += [_file(name, text) for name, text in seen.files.items()]
    return f'<div class="sh-code"><h2>Its program</h2>{"".join(pieces)}</div>'


def _file(name: str, text: str) -> str:
    shown = trust.visible(text[:MAX_SHOWN])
    more = "\n… (the rest is in the file)" if len(text) > MAX_SHOWN else ""
    return (
        f"<details open><summary>{escape(trust.visible(name))}</summary>"
        f"<pre>{escape(shown)}{more}</pre></details>"
    )
