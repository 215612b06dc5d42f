"""Fixtures shared by all tests. Real music lies outside the project and may be absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("SCOREHUB_SHARED", PROJECT.parent / "shared"))


@pytest.fixture(scope="session")
def project() -> Path:
    return PROJECT


@pytest.fixture(scope="session")
def shared_scores() -> Path:
    """The folder of real scores; tests that need it are skipped where it is absent."""
    folder = SHARED / "data" / "scores"
    if not folder.is_dir():
        pytest.skip(f"no real scores at {folder} (set SCOREHUB_SHARED)")
    return folder
