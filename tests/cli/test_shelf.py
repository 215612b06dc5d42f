"""What a model's name means on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.cli import shelf
from hub.errors import LoadError
from hub.handle import FolderHandle, ModelHandle, SpaceHandle


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with models/weaver in it."""
    (tmp_path / "models/weaver").mkdir(parents=True)
    (tmp_path / "models/weaver/README.md").write_text("---\n---\n")
    monkeypatch.chdir(tmp_path)


def test_names_at_hand_come_first() -> None:
    assert shelf.handle("weaver") == FolderHandle(path=Path("models/weaver"))
    assert shelf.handle("models/weaver") == FolderHandle(path=Path("models/weaver"))


def test_then_the_hub_and_spaces() -> None:
    assert shelf.handle("ann/weaver@v1") == ModelHandle(owner="ann", name="weaver", revision="v1")
    assert shelf.handle("space:ann/weaver") == SpaceHandle(place="ann/weaver")


@pytest.mark.parametrize("text", ["weavr", "models/weavr", "./weavr"])
def test_a_typo_at_hand_is_no_question_to_the_network(text: str) -> None:
    with pytest.raises(LoadError, match="There is no model folder"):
        shelf.handle(text)


def test_a_bare_typo_gets_a_suggestion() -> None:
    with pytest.raises(LoadError, match='Did you mean "weaver"'):
        shelf.handle("weavr")
