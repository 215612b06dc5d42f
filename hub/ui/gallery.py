"""The hub's front page: every model of the library, as its card describes it."""

from __future__ import annotations

from hub.ui import about
from hub.ui.library import Library
from hub.ui.panel import Panel

NAME = "Scorehub"


def lay_out(library: Library, paths: dict[str, str], hub_path: str = "") -> None:
    """The gallery in the current Blocks; `paths`: model name → address of its page; `hub_path`:
    the address of the page of models on the Hub, if there is one."""
    cards = [about.gallery_card(entry.card, paths[entry.name]) for entry in library.entries]
    cards += [about.broken_card(name, why) for name, why in library.broken]
    empty = "<p>There is no model here yet. Start the app with the path of a model folder.</p>"
    more = (
        f'<p><a class="sh-more" href="{hub_path}">Models on the Hub →</a></p>' if hub_path else ""
    )
    Panel(
        f'<header class="sh-header"><h1>{NAME}</h1><p>Models that rewrite any part of a score, '
        f"given the rest. Choose one, bring a score, mark measures.</p>{more}</header>"
        + (f'<ul class="sh-gallery">{"".join(cards)}</ul>' if cards else empty)
    )
