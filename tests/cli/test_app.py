"""`scorehub app`: which pages there are, and for whom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import app as front_door
from hub import cli, ui

pytestmark = pytest.mark.filterwarnings("ignore")  # Gradio's own


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[dict[str, Any]]:
    """What `ui.build` was told, instead of serving it."""
    calls: list[dict[str, Any]] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ui, "build", lambda folders, **told: calls.append(told))
    monkeypatch.setattr(ui, "launch", lambda demo, **told: None)
    return calls


@pytest.mark.parametrize(
    ("words", "with_hub", "is_public"),
    [
        ([], True, False),
        (["--no-hub"], False, False),
        (["--host", "0.0.0.0"], True, True),
        (["--host", "localhost"], True, False),
    ],
)
def test_the_hub_can_be_left_out_and_knows_who_comes(
    built: list[dict[str, Any]], words: list[str], with_hub: bool, is_public: bool
) -> None:
    assert cli.main(["app", *words]) == 0
    front_door.main(words)
    told = {"with_gallery": True, "with_hub": with_hub, "is_public": is_public}
    assert built == [told, told]
