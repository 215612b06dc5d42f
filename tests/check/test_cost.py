"""Time and memory beside the card's word, and the process they are measured in."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tiny_models import GOOD_CODE, write_model

import hub
from hub.card import Needs
from hub.check import cost
from hub.check.bench import Bench
from hub.check.report import FAIL, OK, WARN, Cost
from hub.errors import LoadError


@pytest.mark.parametrize(
    ("measured", "declared", "status"),
    [
        (Cost(seconds=1, memory_mb=100), Needs(seconds=1, memory_mb=100), OK),
        (Cost(seconds=1.4, memory_mb=160), Needs(seconds=1, memory_mb=100), OK),
        (Cost(seconds=1.6, memory_mb=100), Needs(seconds=1, memory_mb=100), FAIL),
        (Cost(seconds=1, memory_mb=165), Needs(seconds=1, memory_mb=100), FAIL),
        (Cost(seconds=0.2, memory_mb=60), Needs(seconds=0.01, memory_mb=1), OK),
        (Cost(seconds=1, memory_mb=1600), Needs(seconds=1, memory_mb=1000), FAIL),
        (Cost(seconds=1, memory_mb=None), Needs(seconds=1, memory_mb=1), OK),
        (Cost(seconds=1, memory_mb=10), Needs(seconds=1), WARN),
        (Cost(seconds=9, memory_mb=10), Needs(seconds=1), FAIL),
        (Cost(seconds=1, memory_mb=10), Needs(), WARN),
    ],
)
def test_the_card_s_word_and_what_was_measured(
    measured: Cost, declared: Needs, status: str
) -> None:
    assert cost.compare(measured, declared, "cost").status == status


def test_what_to_write_into_the_card() -> None:
    found = cost.compare(Cost(seconds=3.2, memory_mb=240), Needs(), "cost")
    assert found.detail.endswith("needs: {seconds: 7, memory_mb: 250}")


def test_the_same_notes_come_from_another_process(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "tiny")
    bench = Bench(model=hub.load(folder))
    numbers = bench.first_and_longest()
    assert numbers[0] == 0
    assert numbers[1] > 0
    measured = cost.measure(folder, numbers, seed=7)
    here = [cost.digest(bench.take(bench.trials[number], seed=7).notes) for number in numbers]
    assert list(measured.notes) == here
    assert measured.memory_mb is not None
    assert 0 <= measured.memory_mb < 30


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a child may count its parent's")
def test_memory_does_not_count_the_caller_s(tmp_path: Path) -> None:
    ballast = b"x" * (300 << 20)
    measured = cost.measure(write_model(tmp_path / "tiny"), [0], seed=1)
    assert measured.memory_mb is not None
    assert measured.memory_mb < 30
    assert ballast


def test_what_a_model_prints_does_not_matter(tmp_path: Path) -> None:
    code = f"print('{{}}')\nimport sys; print('oh', file=sys.stderr)\n{GOOD_CODE}"
    assert cost.measure(write_model(tmp_path / "loud", code=code), [0], seed=1).notes


def test_a_model_that_fails_there_is_told(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "bad", code="import nowhere")
    with pytest.raises(LoadError, match=r"process of its own .*nowhere"):
        cost.measure(folder, [0], seed=1)
    with pytest.raises(LoadError, match="exit code 7"):
        cost.measure(write_model(tmp_path / "gone", code="import os; os._exit(7)"), [0], seed=1)


def test_one_that_never_ends_is_stopped(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "slow", code="import time; time.sleep(60)")
    with pytest.raises(LoadError, match="stopped after 1 seconds"):
        cost.measure(folder, [0], seed=1, timeout_seconds=1)
