"""What several commands print alike."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from hub.card import ModelCard


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))


def say(words: str) -> None:
    """To the person who waits; results go to standard output."""
    print(words, file=sys.stderr, flush=True)


def card_facts(card: ModelCard) -> dict[str, Any]:
    """What a card says, as JSON values."""
    return {
        "title": card.title,
        "summary": card.summary,
        "license": card.license,
        "datasets": list(card.datasets),
        "limits": card.accepts.sentences(),
        "accepts": asdict(card.accepts),
        "params": [asdict(spec) for spec in card.params],
        "examples": [asdict(example) for example in card.examples],
    }
