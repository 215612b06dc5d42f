"""What is chosen where, and what is said about it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hub import sandbox
from hub.sandbox import Mechanism, bubblewrap, landlock, mechanism, seccomp


@pytest.mark.parametrize(
    ("has_filter", "bwrap", "abi", "wanted"),
    [
        (True, "/usr/bin/bwrap", 7, Mechanism.BUBBLEWRAP),
        (True, "/usr/bin/bwrap", 0, Mechanism.BUBBLEWRAP),
        (True, None, 1, Mechanism.LANDLOCK),
        (True, None, 0, Mechanism.NONE),
        (False, "/usr/bin/bwrap", 7, Mechanism.NONE),
    ],
)
def test_the_best_that_works_is_taken(
    monkeypatch: pytest.MonkeyPatch, has_filter: bool, bwrap: str | None, abi: int,
    wanted: Mechanism,
) -> None:  # fmt: skip
    monkeypatch.setattr(seccomp, "is_available", lambda: has_filter)
    monkeypatch.setattr(bubblewrap, "program", lambda: bwrap)
    monkeypatch.setattr(landlock, "abi", lambda: abi)
    assert mechanism.available() is wanted is sandbox.available()


def test_each_has_a_sentence() -> None:
    for each in Mechanism:
        assert each.sentence.endswith(".")
        assert each.is_lock == ("locked in" in each.sentence)
    assert "your rights" in Mechanism.NONE.sentence


def test_asking_imports_nothing_heavy() -> None:
    heavy = "['torch', 'asyncio', 'huggingface_hub', 'gradio']"
    code = f"from hub import sandbox; import sys; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
