"""`scorehub list --hub` against a Hub over real HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hub import cli

CARD = """---
license: mit
datasets: [folk]
tags: [scorehub]
scorehub:
  version: 1
  title: {name}
  summary: Writes {name}.
  entry: {entry}
---
About it.
"""


def publish(hub_server: Any, name: str, entry: str = "model.py:M", downloads: int = 0) -> None:
    card = CARD.format(name=name.title(), entry=entry)
    hub_server.commit(f"alice/{name}", {"README.md": card, "model.py": "raise SystemExit"})
    hub_server.set(f"alice/{name}", downloads=downloads)


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def names(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert cli.main(["list", "--hub", "--json", *words]) == 0
    return [row["repo_id"].removeprefix("alice/") for row in json.loads(capsys.readouterr().out)]


def test_it_shows_what_a_person_chooses_by(
    hub_server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(hub_server, "reels", "inpaintnet", downloads=7)
    assert cli.main(["list", "--hub"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("alice/reels  (Reels)\n    Writes Reels.\n    Parts in a region: 1")
    assert "Licence: mit. Trained on: folk." in said
    assert "(data for inpaintnet, 7 downloads, last change 20" in said


def test_pages_search_and_all(hub_server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for number, name in enumerate(["reels", "jigs", "slip-jigs"]):
        publish(hub_server, name, downloads=number)
    assert names(capsys) == ["slip-jigs", "jigs", "reels"]
    assert names(capsys, "--search", "jig") == ["slip-jigs", "jigs"]
    assert names(capsys, "--limit", "1", "--page", "2") == ["jigs"]
    assert names(capsys, "--limit", "1", "--all") == ["slip-jigs", "jigs", "reels"]
    assert cli.main(["list", "--hub", "--limit", "2"]) == 0
    assert "There are more: --page 2" in capsys.readouterr().err


def test_nothing_found_is_no_failure(hub_server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list", "--hub", "--search", "polka"]) == 0
    assert 'There is no model with "polka" in its name on 127.0.0.1' in capsys.readouterr().err


def test_no_hub_is_a_sentence(hub_server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    hub_server.stop()
    assert cli.main(["list", "--hub"]) == 11
    assert "cannot be reached" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--search", "x"], "add --hub"),
        (["--page", "1"], "add --hub"),
        (["folder", "--hub"], "give one of them"),
        (["--hub", "--all", "--page", "2"], "leave --page out"),
        (["--hub", "--limit", "0"], "whole number"),
    ],
)
def test_what_does_not_fit_together(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["list", *words]) == 2
    assert says in capsys.readouterr().err


def test_a_card_cannot_steer_the_terminal(
    hub_server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    card = CARD.format(name="Bad", entry="model.py:M").replace(
        "Writes Bad.", '"\\e[2J\\e]0;owned\\a\\u202Etxt"'
    )
    hub_server.commit("alice/bad", {"README.md": card, "model.py": ""})
    assert cli.main(["list", "--hub"]) == 0
    said = capsys.readouterr().out
    assert "owned" in said and not {"\x1b", "\x07", "\u202e"} & set(said)
