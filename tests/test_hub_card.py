from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from hub import hub_card
from hub.card import MAX_CARD_BYTES, parse_card, read_card
from hub.check import FAIL, check_folder
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
        "tags:\n",
        "tags: # none yet\nlicense: mit\n",
        "tags: null\n",
        "tags: ~ # none\n",
        "tags:\n# the first\n\n  # and its reason\n  - music\n",
        '"tags": [music]\n',
        "'tags':\n- music\n",
        "tags : [music]\n",
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
    is_key = re.compile("[\"']?tags").match
    kept = [line for line in text.split(newline) if not is_key(line)]
    assert [line for line in lines if line in kept] == kept
    assert hub_card.published_card(published, "tiny") == published


@pytest.mark.parametrize(
    "text",
    [
        "---\ntags: music\n" + REST,
        "---\n{tags: [music], scorehub: {version: 1, entry: tiny}}\n---\nProse.\n",
        '---\n"\\x74ags": [music]\n' + REST,
    ],
)
def test_tags_that_cannot_be_added_to_are_asked_for(text: str) -> None:
    with pytest.raises(CardError, match="symbolic-music"):
        hub_card.published_card(text, "tiny")


def test_a_check_says_so_as_well(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "tiny")
    card = folder / "README.md"
    card.write_text(card.read_text().replace("---\n", "---\ntags: music\n", 1))
    (finding,) = (found for found in check_folder(folder).findings if found.status == FAIL)
    assert finding.name == "card" and "symbolic-music" in finding.detail


def test_a_card_grows_no_longer_than_it_is_read() -> None:
    start = "---\n" + REST
    text = start + "x" * (MAX_CARD_BYTES - len(start))
    with pytest.raises(CardError, match="longer than 256 KiB"):
        hub_card.published_card(text, "tiny")


def test_where_a_card_is_unfinished() -> None:
    assert hub_card.unfinished_lines("a\nCHANGE ME\nb # CHANGE ME: c\n") == [2, 3]


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
