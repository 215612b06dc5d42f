from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.card import ModelCard
from hub.handle import ModelHandle
from hub.remote.fetch import Snapshot
from hub.remote.search import Listing
from hub.ui import listed

FOUND = Listing(
    repo_id="ann/reels", title="Reels", summary="Writes reels.", license="mit",
    datasets=("a", "b", "c", "d", "e"), limits=("One part.",), downloads=1, likes=2_000,
    last_modified=datetime(2026, 3, 4, tzinfo=UTC), runs_own_code=True,
)  # fmt: skip


def test_a_card_says_what_a_person_chooses_by() -> None:
    html = listed.card(FOUND)
    for words in (
        ">Reels</button>", "ann/reels", "Writes reels.", "One part.", "Licence: mit.",
        "Trained on: a, b, c, d and 1 more.", "1 download · 2,000 likes",
        "last change 4 March 2026", "Brings its own program", 'data-open="ann/reels"',
    ):  # fmt: skip
        assert words in html
    assert "Space" not in html and "Gated" not in html and "private" not in html


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gated": True}, "Gated: its author wants to be asked"),
        ({"private": True}, "private"),
        ({"has_space": True}, 'data-open="space:ann/reels"'),
        ({"license": ""}, "Licence: not stated."),
        ({"runs_own_code": False, "architecture": "inpaintnet"}, "Data only, for the architecture"),
    ],
)
def test_what_else_matters_is_said(change: dict[str, object], words: str) -> None:
    assert words in listed.card(replace(FOUND, **change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"problem": "Its card cannot be read."}, "Its card cannot be read."),
        ({"runs_own_code": False, "architecture": "unheard_of"}, "is not installed here"),
    ],
)
def test_what_cannot_be_opened_has_no_button(change: dict[str, object], why: str) -> None:
    html = listed.card(replace(FOUND, **change))  # type: ignore[arg-type]
    assert "data-open" not in html and why in html


def test_nothing_in_a_listing_is_markup() -> None:
    evil = "<img src=x onerror=a>\"'"
    odd = Listing(
        repo_id=evil, title=evil, summary=evil, license=evil, datasets=(evil,), limits=(evil,),
        architecture=evil, problem=evil, has_space=True,
    )  # fmt: skip
    for html in (listed.card(odd), listed.card(replace(odd, problem="", runs_own_code=True))):
        assert "<img" not in html and "\"'" not in html


def test_what_is_on_this_disk_opens_by_its_commit() -> None:
    handle = ModelHandle(owner="ann", name="reels", revision="a" * 40)
    card = ModelCard(name="reels", title="<b>Reels", summary="", entry="model.py:M")
    html = listed.here([Snapshot(handle=handle, folder=Path(), card=card, host="h")])
    assert f'data-open="ann/reels@{"a" * 40}"' in html and "&lt;b&gt;Reels" in html
    assert listed.here([]) == ""
