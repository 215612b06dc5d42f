"""Fixtures shared by all tests. Real music lies outside the project and may be absent."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.hub_server import hub_server, hub_server_xet  # noqa: F401 (fixtures)

PROJECT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("SCOREHUB_SHARED", PROJECT.parent / "shared"))

IS_CI = os.environ.get("CI") in ("true", "1")

# A slow or busy machine is no reason to fail; CI repeats the same examples, so that a red run is
# about the change at hand.
settings.register_profile(
    "hub", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=IS_CI
)
settings.load_profile("hub")

# Helpers in tests/ (such as midi_oracle) are imported by name.
sys.path.insert(0, str(PROJECT / "tests"))


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


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium: the system's, else Playwright's own. Without one the browser tests are
    skipped, and under CI=true they fail. (tools/find-browser looks in the same places.)"""
    names = (os.environ.get("SCOREHUB_CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    found = next((path for path in map(shutil.which, filter(None, names)) if path), None)
    if found is None:
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            found = playwright.chromium.executable_path
    if not Path(found).exists():
        missing = "no Chromium on this machine (apt-get install chromium)"
        if IS_CI:
            pytest.fail(missing)
        pytest.skip(missing)
    return found
