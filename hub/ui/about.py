"""A card as safe HTML: what the gallery and a model's page say about it."""

from __future__ import annotations

from html import escape

from hub.card import ModelCard


def limits(card: ModelCard) -> str:
    """What the model accepts, its licence and its data, as a list."""
    lines = [*card.accepts.sentences(), f"Licence: {card.license or 'not stated'}."]
    if card.datasets:
        lines.append(f"Trained on: {', '.join(card.datasets)}.")
    return f'<ul class="sh-prose">{"".join(f"<li>{escape(line)}</li>" for line in lines)}</ul>'


def prose(html: str) -> str:
    """What `hub.preview.prose` made of the card's own words, in its frame."""
    return f'<div class="sh-prose">{html}</div>'


def header(
    card: ModelCard, home: str = "", back_words: str = "← All models", origin: str = ""
) -> str:
    """The head of a model's page; `home` is the address of the gallery, if there is one; `origin`
    says where the model comes from."""
    back = f'<a class="sh-back" href="{escape(home)}">{escape(back_words)}</a>' if home else ""
    source = f'<p class="sh-small">{escape(origin)}</p>' if origin else ""
    return (
        f'<header class="sh-header">{back}<h1>{escape(card.title)}</h1>'
        f"<p>{escape(card.summary)}</p>{source}</header>"
    )


def gallery_card(card: ModelCard, path: str) -> str:
    """One model in the gallery: a link, its summary, and what it accepts in short."""
    facts = "".join(f"<li>{escape(sentence)}</li>" for sentence in card.accepts.sentences()[:4])
    licence = escape(card.license or "no licence stated")
    return (
        f'<li class="sh-card"><a href="{escape(path)}"><h2>{escape(card.title)}</h2></a>'
        f"<p>{escape(card.summary)}</p><ul>{facts}</ul>"
        f'<p class="sh-small">Licence: {licence}</p></li>'
    )


def broken_card(name: str, why: str) -> str:
    return (
        f'<li class="sh-card sh-broken"><h2>{escape(name)}</h2>'
        f"<p>This model cannot be opened. {escape(why)}</p></li>"
    )
