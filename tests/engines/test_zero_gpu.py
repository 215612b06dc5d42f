"""Inference on ZeroGPU, with a `spaces` of ours that pickles as the real one does.

The real package runs in tests/browser/test_space.py, where a Space is started as on the Hub.
"""

from __future__ import annotations

import contextvars
import pickle
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import hub
from hub.card import Needs, read_card
from hub.engines import zero_gpu
from hub.engines.local import LocalEngine
from hub.errors import (
    AnswerError,
    CancelledError,
    DeadlineError,
    QuotaError,
    RegionError,
    ScorehubError,
    UnavailableError,
)

ECHO = Path(__file__).resolve().parent.parent / "data" / "models" / "echo"
VISITOR = contextvars.ContextVar("visitor", default="nobody")


class Spaces(ModuleType):
    """What the module uses of `spaces`: a decorator that runs a generator somewhere else."""

    def __init__(self) -> None:
        super().__init__("spaces")
        self.asked: list[tuple[int, str]] = []  # seconds, who
        self.closed = 0
        self.refusal: Exception | None = None

    def GPU(self, *, duration: Callable[..., int]) -> Callable[..., Any]:
        def decorate(task: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
            def elsewhere(*args: Any) -> Iterator[Any]:
                self.asked.append((duration(*args), VISITOR.get()))
                if self.refusal is not None:
                    raise self.refusal
                try:
                    for step in task(*pickle.loads(pickle.dumps(args))):
                        yield pickle.loads(pickle.dumps(step))
                except GeneratorExit:
                    self.closed += 1
                    raise
                except Exception as error:  # of which only the type comes back
                    name = type(error).__name__
                    raise GradioError("ZeroGPU worker error", name) from None

            return elsewhere

        return decorate


class GradioError(Exception):
    """As `spaces` raises it: gr.Error with a title and a message that may be HTML."""

    def __init__(self, title: str, message: str) -> None:
        super().__init__(message)
        self.title, self.message = title, message


@pytest.fixture
def spaces(monkeypatch: pytest.MonkeyPatch) -> Spaces:
    fake = Spaces()
    monkeypatch.setitem(sys.modules, "spaces", fake)
    return fake


@pytest.fixture(scope="module")
def model() -> hub.Model:
    return hub.load(ECHO)


@pytest.fixture(scope="module")
def score() -> hub.Score:
    return hub.open_score(ECHO / "examples" / "tune.mid")


@pytest.fixture(scope="module")
def region(score: hub.Score) -> hub.Region:
    return hub.Region.measures(score, "3-4")


def test_nothing_happens_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    assert not zero_gpu.is_here()
    # The checkout's own folder spaces/ may pass for a package of that name, but for an empty one.
    assert not hasattr(sys.modules.get("spaces"), "GPU")
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    assert zero_gpu.is_here()


def test_takes_are_the_same_and_belong_to_the_same_score(
    spaces: Spaces, model: hub.Model, score: hub.Score, region: hub.Region
) -> None:
    run = zero_gpu.runner([model])
    steps = list(run(model, score, region, {"lowest": 50}, n=2, seed=7))
    takes = [step for step in steps if isinstance(step, hub.Take)]
    here = hub.inpaint(model, score, region, {"lowest": 50}, n=2, seed=7)
    assert [(t.seed, t.notes, t.data, t.receipt, t.region, t.log) for t in takes] == [
        (t.seed, t.notes, t.data, t.receipt, t.region, t.log) for t in here
    ]
    assert all(take.before is score for take in takes)
    assert sum(isinstance(step, hub.Progress) for step in steps) == 20
    assert spaces.asked == [(15, "nobody")]


def test_a_gpu_is_asked_for_as_long_as_the_card_says(model: hub.Model) -> None:
    card = read_card(ECHO)
    assert zero_gpu.gpu_seconds(card, 1) == 10
    assert zero_gpu.gpu_seconds(replace(card, needs=Needs(seconds=0.2)), 4) == 6
    assert zero_gpu.gpu_seconds(replace(card, needs=Needs(seconds=99)), 4) == 120
    assert zero_gpu.gpu_seconds(replace(card, needs=Needs()), 4) == 60


def test_a_request_that_does_not_fit_asks_for_no_gpu(
    spaces: Spaces, model: hub.Model, score: hub.Score
) -> None:
    run = zero_gpu.runner([model])
    with pytest.raises(RegionError, match="measure 99"):
        list(run(model, score, hub.Region.measures(score, "99")))
    assert spaces.asked == []


@pytest.mark.parametrize(
    ("params", "deadline_seconds", "error", "words"),
    [
        ({"words": "crash"}, 60.0, AnswerError, "The model failed while it worked"),
        ({"delay": 1.0}, 0.05, DeadlineError, "stopped after 0.05 seconds"),
    ],
)
def test_a_failure_there_is_the_same_sentence_here(
    spaces: Spaces, model: hub.Model, score: hub.Score, region: hub.Region,
    params: dict[str, Any], deadline_seconds: float, error: type[ScorehubError], words: str,
) -> None:  # fmt: skip
    run = zero_gpu.runner([model])
    with pytest.raises(error, match=words):
        list(run(model, score, region, params, deadline_seconds=deadline_seconds))


def test_a_stop_ends_the_work_there(
    spaces: Spaces, model: hub.Model, score: hub.Score, region: hub.Region
) -> None:
    cancel = threading.Event()
    steps = zero_gpu.runner([model])(model, score, region, n=16, cancel=cancel)
    assert isinstance(next(steps), hub.Progress)
    cancel.set()
    with pytest.raises(CancelledError):
        next(steps)
    assert spaces.closed == 1


@pytest.mark.parametrize(
    ("raised", "error", "words"),
    [
        (
            GradioError("ZeroGPU quota exceeded", "You have <b>exceeded</b> it. Wait"),
            QuotaError,
            r"^You have exceeded it. Wait\. Fewer takes",
        ),
        (
            GradioError("ZeroGPU worker error", "GPU task aborted"),
            UnavailableError,
            r"No GPU answered: GPU task aborted\.",
        ),
        (RuntimeError("500 /var/x/y"), UnavailableError, r"No GPU answered \(RuntimeError"),
    ],
)
def test_what_zero_gpu_says_is_said_in_a_sentence(
    spaces: Spaces, model: hub.Model, score: hub.Score, region: hub.Region,
    raised: Exception, error: type[ScorehubError], words: str,
) -> None:  # fmt: skip
    spaces.refusal = raised
    with pytest.raises(error, match=words):
        list(zero_gpu.runner([model])(model, score, region))


def test_the_engine_asks_in_the_visitors_name(
    spaces: Spaces, model: hub.Model, score: hub.Score, region: hub.Region
) -> None:
    engine = zero_gpu.engine([model], waiting=4)
    assert isinstance(engine, LocalEngine)
    token = VISITOR.set("ada")
    try:
        job = engine.submit(model, score, region, seed=1)
    finally:
        VISITOR.reset(token)
    assert [type(step) for step in job][-1] is hub.Take
    assert spaces.asked == [(10, "ada")]
