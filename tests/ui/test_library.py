from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from hub.errors import LoadError
from hub.folder import load
from hub.handle import SpaceHandle
from hub.ui.library import Entry, open_library


def test_a_model_loads_once_and_only_when_used(echo: Entry) -> None:
    assert echo._model is None
    assert echo.model() is echo.model()


def test_a_model_can_be_loaded_ahead(echo: Entry) -> None:
    echo.warm()
    end = time.monotonic() + 10
    while echo._model is None and time.monotonic() < end:
        time.sleep(0.01)
    assert echo._model is not None


def test_a_folder_that_cannot_be_read_is_named_not_dropped(tmp_path: Path, echo: Entry) -> None:
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "README.md").write_text("no front matter")
    library = open_library([echo.folder, tmp_path / "odd"])
    assert [e.name for e in library.entries] == ["echo"]
    assert library.broken[0][0] == "odd" and "front matter" in library.broken[0][1]


def test_a_visitor_does_not_read_where_a_broken_folder_lies(tmp_path: Path) -> None:
    (tmp_path / "odd").mkdir()
    assert open_library([tmp_path / "odd"]).broken == (
        ("odd", '"odd" has no README.md, so it is not a model folder.'),
    )


def test_two_models_of_one_name_are_refused(tmp_path: Path, echo: Entry) -> None:
    shutil.copytree(echo.folder, tmp_path / "echo")
    with pytest.raises(LoadError, match='Two model folders are called "echo"'):
        open_library([echo.folder, tmp_path / "echo"])


def test_the_same_folder_twice_is_one_model(echo: Entry) -> None:
    assert len(open_library([echo.folder, echo.folder / ".." / "echo"]).entries) == 1


def test_a_model_is_found_by_name_or_by_being_alone(echo: Entry) -> None:
    library = open_library([echo.folder])
    assert library.get("echo") is library.get("")
    with pytest.raises(LoadError, match='Did you mean "echo"'):
        library.get("ehco")


def test_an_example_opens(echo: Entry) -> None:
    assert len(echo.example_score(echo.card.examples[0]).parts) == 2


def test_a_model_that_runs_elsewhere_says_so_and_has_no_examples(echo: Entry) -> None:
    there = Entry.of_space(SpaceHandle(place="ann/echo"), load(echo.folder or ""))
    assert there.model().card.name == "echo" and there.card.examples == ()
    assert (
        "ann/echo" in there.origin and "goes there without what is to be rewritten" in there.origin
    )
    with pytest.raises(LoadError, match="no folder here"):
        there.example_score(echo.card.examples[0])


def test_closing_lets_go_of_the_model(echo: Entry) -> None:
    model = echo.model()
    closed: list[bool] = []
    model.close = lambda: closed.append(True)  # type: ignore[attr-defined]
    echo.close()
    echo.close()
    assert closed == [True] and echo.model() is not model
