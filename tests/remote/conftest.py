from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.remote.hostile_app import HostileApp


@pytest.fixture
def app() -> Iterator[HostileApp]:
    found = HostileApp()
    yield found
    found.close()


@pytest.fixture
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is home, temporary folder and working folder in one."""
    folder = tmp_path / "clean"
    folder.mkdir()
    for name in ("HOME", "GRADIO_TEMP_DIR", "TMPDIR", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.chdir(folder)
    return folder
