from __future__ import annotations

from pathlib import Path

import pytest

import hub
from hub import architectures, folder
from hub.errors import LoadError
from tests.tiny_models import GOOD_CODE, write_model


@pytest.fixture(autouse=True)
def nothing_stays_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(architectures, "_registered", {})


def test_the_bundled_models_are_registered() -> None:
    assert "inpaintnet" in architectures.names()
    assert (architectures.locate("inpaintnet") / "model.py").is_file()


def test_a_card_without_code_is_served_by_the_registered_folder(tmp_path: Path) -> None:
    architectures.register("tiny", write_model(tmp_path / "own"))
    other = write_model(tmp_path / "other", entry="tiny")
    (other / "model.py").write_text("raise SystemExit('this must never run')")
    model = hub.load(other)
    assert type(model).__name__ == "Tiny" and model.card.name == "other"
    assert model.folder == other  # its weights and examples, not the architecture's


def test_an_unknown_architecture_is_named_with_those_there_are(tmp_path: Path) -> None:
    model = write_model(tmp_path / "x", entry="inpaintnett")
    with pytest.raises(LoadError, match='"inpaintnett".*Did you mean "inpaintnet"'):
        hub.load(model)


def test_a_name_cannot_lead_out_of_the_registry(tmp_path: Path) -> None:
    for entry in ("../models/inpaintnet", "/etc", "a.b", "inpaintnet/../x", "Inpaintnet"):
        with pytest.raises(hub.ScorehubError, match=r"scorehub\.entry"):
            hub.read_card(write_model(tmp_path / "x", entry=entry))


def test_the_code_must_have_one_model(tmp_path: Path) -> None:
    own = write_model(tmp_path / "own")
    twice = GOOD_CODE + "\n\nclass Other(Tiny):\n    pass\n"
    (own / "model.py").write_text(twice)
    architectures.register("tiny", own)
    with pytest.raises(LoadError, match="it has 2"):
        folder.load(write_model(tmp_path / "other", entry="tiny"))


def test_registering_needs_code(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="no model.py"):
        architectures.register("tiny", tmp_path)
