from __future__ import annotations

from pathlib import Path

import pytest

from hub import places
from hub.remote import published


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOREHUB_HOME", str(tmp_path / "home"))


def test_each_repository_of_each_hub_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert published.last("alice/tiny", "model") is None
    published.remember("alice/tiny", "model", "a" * 40)
    published.remember("alice/tiny", "space", "b" * 40)
    published.remember("alice/tiny", "model", "c" * 40)
    assert published.last("alice/tiny", "model") == "c" * 40
    assert published.last("alice/tiny", "space") == "b" * 40
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.lab:7870")
    assert published.last("alice/tiny", "model") is None


def test_the_files_are_noted_too() -> None:
    assert published.names("alice/tiny", "model") == set()
    assert published.remember("alice/tiny", "model", "a" * 40, ["b.py", "a.py"]) == ""
    assert published.names("alice/tiny", "model") == {"a.py", "b.py"}
    assert published.names("alice/tiny", "space") == set()


def test_a_record_from_before_files_were_noted() -> None:
    places.home().mkdir()
    places.published().write_text(f'{{"huggingface.co/models/alice/tiny": "{"a" * 40}"}}')
    assert published.last("alice/tiny", "model") == "a" * 40
    assert published.names("alice/tiny", "model") == set()


def test_what_cannot_be_noted_is_told(tmp_path: Path) -> None:
    places.published().mkdir(parents=True)  # a folder where the file would be
    said = published.remember("alice/tiny", "model", "a" * 40)
    assert said.startswith("That commit aaaaaaaaaaaa of model alice/tiny") and "--over" in said


@pytest.mark.parametrize("text", ["", "not JSON", "[]", '{"huggingface.co/models/alice/tiny": 3}'])
def test_a_damaged_record_is_none(text: str) -> None:
    places.home().mkdir()
    places.published().write_text(text)
    assert published.last("alice/tiny", "model") is None
    published.remember("alice/tiny", "model", "a" * 40)
    assert published.last("alice/tiny", "model") == "a" * 40
