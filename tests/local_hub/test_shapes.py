"""What the hub makes of cards, good and strange, and of paths in folders."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.card import split_card
from hub.local_hub import shapes
from hub.local_hub.store import File


def card(front: str) -> Any:
    return shapes.plain(split_card(f"---\n{front}\n---\n", "card")[0])


@pytest.mark.parametrize(
    "front",
    ["when: 2024-05-06", "x: .nan\ny: -.inf", "b: !!binary aGk=", 'h: "\\ud800"',
     "1: one\ntrue: yes", "s: !!set {a, b}", "n:\n  - [{}, [], null]"],
)  # fmt: skip
def test_strange_cards_are_json_all_the_same(front: str) -> None:
    assert json.dumps(card(front), allow_nan=False, ensure_ascii=False).encode()


def test_tags() -> None:
    found = card(
        "tags: [scorehub, 7, scorehub]\nlibrary_name: scorehub\npipeline_tag: other\n"
        "license: mit\ndatasets: [a/b, c]\nlanguage: de\nbase_model: x/y"
    )
    assert shapes.tags_of(found) == [
        "scorehub", "other", "de", "dataset:a/b", "dataset:c", "license:mit", "base_model:x/y",
    ]  # fmt: skip
    assert shapes.tags_of(card("tags: {a: b}\nlicense: [1]")) == []


@pytest.mark.parametrize(
    ("front", "kind", "count"),
    [
        ("license: mit\ntags: [a]", "model", 0),
        ("license: 7\ntags: [1]", "model", 2),
        ("a: {", "model", 1),
        ("sdk: gradio\ncolorTo: gray\nshort_description: short", "space", 0),
        ("colorFrom: puce", "space", 2),
        (f"sdk: gradio\nshort_description: {'x' * 61}", "space", 1),
    ],
)
def test_faults_of_cards(front: str, kind: str, count: int) -> None:
    assert len(shapes.faults_of_card(f"---\n{front}\n---\n", kind)) == count


def test_a_card_without_front_matter_has_no_fault() -> None:
    assert shapes.faults_of_card("# Only prose", "model") == []


def test_tree() -> None:
    file = File(size=1, sha256="0" * 64, git_sha1="1" * 40)
    files = dict.fromkeys(["a/b/c.txt", "a/b.txt", "ab/c.txt", "a.txt"], file)

    def paths(folder: str, is_recursive: bool) -> list[str]:
        return [e["path"] for e in shapes.tree(files, folder, is_recursive=is_recursive)]

    assert paths("", False) == ["a", "a.txt", "ab"]
    assert paths("", True) == ["a", "a.txt", "a/b", "a/b.txt", "a/b/c.txt", "ab", "ab/c.txt"]
    assert paths("a", False) == ["a/b", "a/b.txt"]
    assert paths("a/b.txt", False) == paths("b", True) == []
