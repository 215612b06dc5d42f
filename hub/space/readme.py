"""A model's card → the card of its Space: the front matter that Spaces are configured by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hub.card import ModelCard
from hub.hub_card import TAGS

GRADIO_VERSION = "6.31.0"
PYTHON_VERSION = "3.12.12"  # ZeroGPU knows 3.10.13 and this one; music21 needs 3.11
HARDWARE = "zero-a10g"  # ZeroGPU's name, whatever GPUs it has by now
PUBLIC_HUB = "https://huggingface.co"
MAX_DESCRIPTION = 60  # characters that the Hub takes
_LICENSE_KEYS = ("license", "license_name", "license_link")


def readme(card: ModelCard, model_id: str | None, hub_url: str = PUBLIC_HUB) -> str:
    """README.md of the Space. `model_id`: "user/name" of the model on the Hub, if it is there."""
    front = dict(_front(card, model_id))
    return replace(card, front=front, prose=_prose(card, model_id, hub_url)).to_readme()


def _front(card: ModelCard, model_id: str | None) -> Iterator[tuple[str, Any]]:
    yield "title", " ".join(card.title.split())
    yield "emoji", "🎼"
    yield from {"colorFrom": "indigo", "colorTo": "gray"}.items()
    yield from {"sdk": "gradio", "sdk_version": GRADIO_VERSION}.items()
    yield "python_version", PYTHON_VERSION
    yield "app_file", "app.py"
    yield "pinned", False
    yield from ((key, card.front[key]) for key in _LICENSE_KEYS if card.front.get(key))
    yield "short_description", shortened(card.summary or card.title)
    yield "tags", list(TAGS)
    if model_id:
        yield "models", [model_id]
    yield "suggested_hardware", HARDWARE


def shortened(text: str, most: int = MAX_DESCRIPTION) -> str:
    """Whole words of `text`, at most `most` characters, with … where some are left out."""
    text = " ".join(text.split())
    if len(text) <= most:
        return text
    words = text[:most].rpartition(" ")[0] or text[: most - 1]
    return words.rstrip(" ,;:.–-") + "…"


def _prose(card: ModelCard, model_id: str | None, hub_url: str) -> str:
    where = f"[{model_id}]({hub_url}/{model_id})" if model_id else "in `models/`"
    paragraphs = [
        f"# {card.title}",
        card.summary,
        f"Upload a MIDI, MusicXML or ABC score, mark some of it, and this model writes it anew; "
        f"nothing else in the file changes. Its model and card: {where}.",
        " ".join(card.accepts.sentences()),
        "Written by `scorehub space` from the model's card: change the card and write it again, "
        "rather than these files. `hub/` is Scorehub (Apache-2.0, see `LICENSE.scorehub`). To run "
        "it on your own machine:",
        f"    pip install -r requirements.txt gradio=={GRADIO_VERSION}\n    python app.py",
    ]
    return "\n" + "\n\n".join(filter(None, paragraphs)) + "\n"
