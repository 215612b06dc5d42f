"""A Hub's listings as HTML: everything in them is a stranger's, and escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from hub import architectures
from hub.handle import SPACE
from hub.remote.search import Listing, clean

if TYPE_CHECKING:
    from hub.remote.fetch import Snapshot

SHOWN_LIMITS = 4
SHOWN_DATASETS = 4


def cards(found: Iterable[Listing]) -> str:
    return f'<ul class="sh-gallery">{"".join(map(card, found))}</ul>'


def card(found: Listing) -> str:
    """One published model: what it is, what it takes; its title is a button that opens it."""
    problem = found.problem or _missing(found)
    limits = "".join(f"<li>{escape(said)}</li>" for said in found.limits[:SHOWN_LIMITS])
    return (
        f'<li class="sh-card{" sh-broken" if problem else ""}">'
        f"{_title(found, problem)}{_small(found.repo_id)}"
        f"<p>{escape(found.summary)}</p>"
        + (f"<ul>{limits}</ul>" if limits else "")
        + _small(_facts(found))
        + _small(_figures(found))
        + (f"<p>This model cannot be opened. {escape(problem)}</p>" if problem else _ways(found))
        + _space(found)
        + "</li>"
    )


def here(snapshots: Sequence[Snapshot]) -> str:
    """Models of the Hub that are on this disk already."""
    items = "".join(
        f"<li>{_button(str(s.handle), clean(s.card.title, 100))}"
        f' <span class="sh-small">{escape(s.handle.repo_id)}, commit {s.commit[:12]}</span></li>'
        for s in snapshots
    )
    if not items:
        return ""
    return f'<h2>On this disk</h2><ul class="sh-here">{items}</ul>'


def _small(text: str) -> str:
    return f'<p class="sh-small">{escape(text)}</p>' if text else ""


def _facts(found: Listing) -> str:
    if found.problem:
        return ""
    more = len(found.datasets) - SHOWN_DATASETS
    data = ", ".join(found.datasets[:SHOWN_DATASETS]) + (f" and {more} more" if more > 0 else "")
    return f"Licence: {found.license or 'not stated'}. Trained on: {data or 'not stated'}."


def _figures(found: Listing) -> str:
    said = []
    if found.downloads is not None:
        said.append(f"{found.downloads:,} download{'' if found.downloads == 1 else 's'}")
    if found.likes:
        said.append(f"{found.likes:,} like{'' if found.likes == 1 else 's'}")
    if found.last_modified is not None:
        said.append(f"last change {found.last_modified:%d %B %Y}".replace(" 0", " "))
    if found.private:
        said.append("private")
    return " · ".join(said)


def _ways(found: Listing) -> str:
    """What opening it means."""
    if found.runs_own_code:
        kind = "Brings its own program: it runs only once you have read and trusted it."
    else:
        kind = f"Data only, for the architecture {found.architecture}: opens at once."
    if found.gated:
        kind += " Gated: its author wants to be asked on the Hub first."
    return f'<p class="sh-kind">{escape(kind)}</p>'


def _missing(found: Listing) -> str:
    if found.runs_own_code or not found.architecture:
        return ""
    if found.architecture in architectures.names():
        return ""
    return f'It needs the architecture "{found.architecture}", which is not installed here.'


def _title(found: Listing, problem: str) -> str:
    title = escape(found.title) if problem else _button(found.repo_id, found.title)
    return f"<h2>{title}</h2>"


def _space(found: Listing) -> str:
    if not found.has_space:
        return ""
    button = _button(SPACE + found.repo_id, "Use it on its author's machine, by the Space")
    return f'<p class="sh-ways">{button}</p>'


def _button(handle: str, words: str) -> str:
    return f'<button type="button" data-open="{escape(handle)}">{escape(words)}</button>'
