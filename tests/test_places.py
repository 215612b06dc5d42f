from __future__ import annotations

from pathlib import Path

import pytest

from hub import places


def test_one_variable_moves_everything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SCOREHUB_HOME", str(tmp_path / "here"))
    assert places.snapshots().is_relative_to(tmp_path / "here")
    assert places.trusted().is_relative_to(tmp_path / "here")
    assert not (tmp_path / "here").exists()  # looking makes nothing


def test_the_users_cache_folder_otherwise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SCOREHUB_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert places.home() == tmp_path / "scorehub"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert places.home() == tmp_path / ".cache" / "scorehub"
