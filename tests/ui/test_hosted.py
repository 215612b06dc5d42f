"""A model's page as a Space's app.py asks for it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import hub
from hub import ui
from hub.engines import zero_gpu
from hub.engines.local import LocalEngine
from hub.errors import LoadError
from hub.ui import hosted
from hub.ui.app import QUEUE
from hub.ui.library import Entry

pytestmark = pytest.mark.filterwarnings("ignore")  # Gradio's own


def test_the_page_is_the_models_with_a_bounded_queue(echo: Entry) -> None:
    demo = hosted.build(echo.folder)
    assert [path for path, *_ in demo.pages] == [""]
    assert demo.title == "Echo"
    assert demo._queue.max_size == QUEUE


def test_address_and_port_are_the_spaces(echo: Entry) -> None:
    settings = hosted.settings()
    assert settings == {**ui.settings(is_loopback=True), "theme": settings["theme"]}
    assert not {"server_name", "server_port", "share"} & set(settings)
    assert settings["ssr_mode"] is False and settings["state_session_capacity"] > 0


@pytest.mark.parametrize("is_here", [True, False])
def test_on_zero_gpu_the_model_is_loaded_before_it_forks(
    echo: Entry, monkeypatch: pytest.MonkeyPatch, is_here: bool
) -> None:
    given: list[str] = []

    def engine(models: Iterable[hub.Model], *, waiting: int) -> LocalEngine:
        given.extend(model.card.name for model in models)
        return LocalEngine(waiting=waiting)

    monkeypatch.setenv("SPACES_ZERO_GPU", str(is_here).lower())
    monkeypatch.setattr(zero_gpu, "engine", engine)
    hosted.build(echo.folder)
    assert given == (["echo"] if is_here else [])


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"README.md": "no card"}, "must begin with YAML"),
        (
            {"README.md": "---\nscorehub: {version: 1, entry: 'model.py:X'}\n---\n"},
            "has no model.py",
        ),
    ],
)
def test_a_model_that_cannot_run_stops_the_space_with_a_sentence(
    tmp_path: Path, files: dict[str, Any], words: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(LoadError, match=words):
        hosted.build(tmp_path)
