from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from hub import hub_card
from hub.card import parse_card, read_card
from hub.errors import CardError
from tests.tiny_models import write_model

REST = "scorehub:\n  version: 1\n  entry: tiny\n---\nProse.\n"


@pytest.mark.parametrize(
    "front",
    [
        "license: mit\n",
        "license: mit\nlibrary_name: scorehub\n",
        "tags: [music, jazz]\n",
        "tags: []\n",
        "tags: [scorehub]\n",
        "tags:\n- music\n- jazz\nlicense: mit\n",
        "tags:\n  - music\n  - symbolic-music\n",
        "tags: # mine\n    - music\n",
        "library_name: pytorch\ntags:\n  - music\n",
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_published_card_is_findable_and_else_the_same(front: str, newline: str) -> None:
    text = f"---\n{front}{REST}".replace("\n", newline)
    before, published = parse_card(text, "tiny"), hub_card.published_card(text, "tiny")
    after = parse_card(published, "tiny")
    assert set(hub_card.TAGS) <= set(after.front["tags"])
    assert set(before.front.get("tags") or []) <= set(after.front["tags"])
    assert len(set(after.front["tags"])) == len(after.front["tags"])
    assert after.front["library_name"] == before.front.get("library_name", "scorehub")
    assert after.prose == before.prose
    lines = published.split(newline)
    kept = [line for line in text.split(newline) if not line.startswith("tags:")]
    assert [line for line in lines if line in kept] == kept
    assert hub_card.published_card(published, "tiny") == published


def test_tags_that_cannot_be_added_to_are_asked_for() -> None:
    text = "---\ntags: music\n" + REST
    with pytest.raises(CardError, match="symbolic-music"):
        hub_card.published_card(text, "tiny")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"license": "my-own"}, 'no licence "my-own"'),
        ({"license": "other"}, "license_name"),
        ({"datasets": ["a collection of tunes (2019)"]}, "describe it in the prose"),
    ],
)
def test_doubts_are_named(tmp_path: Path, fields: dict[str, Any], says: str) -> None:
    card = read_card(write_model(tmp_path / "tiny", **fields))
    (doubt,) = hub_card.doubts(card)
    assert says in doubt


def test_bundled_models_leave_no_doubt(project: Path) -> None:
    for path in sorted((project / "models").glob("*/README.md")):
        card = read_card(path.parent)
        assert hub_card.doubts(card) == [], card.name
        text = path.read_text(encoding="utf-8")
        assert yaml.safe_load(hub_card.published_card(text, card.name).split("---")[1])
