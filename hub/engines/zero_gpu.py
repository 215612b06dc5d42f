"""Inference on ZeroGPU, where a Space is lent a GPU for as long as one call lasts.

Hugging Face's package `spaces` answers each call in a process forked from this one; only there is
a GPU. Whatever goes in and comes out is pickled, so a request names its model, which must have
been loaded before the fork, and takes come back without the score that they were made for. A model
that asks `torch.cuda.is_available()` when it works may use the GPU; one that does not runs on the
CPU as everywhere else. Progress comes back as it is made; a stop reaches the model at its next one.

Elsewhere than on ZeroGPU this module does nothing, and `spaces` is not imported.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import fields
from math import ceil
from typing import Any

from hub.card import ModelCard
from hub.engines.local import LocalEngine
from hub.errors import CancelledError, QuotaError, ScorehubError, UnavailableError, describe
from hub.model import DEFAULT_DEADLINE_SECONDS, Model, Progress, Take, prepare, stream
from hub.region import Region
from hub.score import Score

WORKERS = 4  # requests that may hold a GPU, or wait for one, at a time
USUAL_SECONDS = 60  # asked for when the card says nothing; ZeroGPU's own default
START_SECONDS = 5  # for the first use of the GPU in a fresh process
MOST_SECONDS = 120  # what visitors without an account have in a day

_TAG = re.compile(r"<[^>]*>")


def is_here() -> bool:
    """Does this process run on ZeroGPU?"""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


def engine(models: Iterable[Model], *, waiting: int) -> LocalEngine:
    """An engine that runs these loaded models on borrowed GPUs. To be made before the launch."""
    return LocalEngine(workers=WORKERS, waiting=waiting, run=runner(models))


def gpu_seconds(card: ModelCard, takes: int) -> int:
    """How long a GPU is asked for: a longer time waits longer and must be left in the quota."""
    if card.needs.seconds is None:
        return USUAL_SECONDS
    return min(MOST_SECONDS, START_SECONDS + ceil(takes * card.needs.seconds))


def runner(models: Iterable[Model]) -> Callable[..., Iterator[Progress | Take]]:
    """`hub.model.stream` for these models, with the work done in a process that has a GPU."""
    import spaces

    loaded = {model.card.name: model for model in models}

    def seconds(name: str, takes: int, *_: Any) -> int:
        return gpu_seconds(loaded[name].card, takes)

    @spaces.GPU(duration=seconds)  # type: ignore[untyped-decorator, unused-ignore]
    def on_gpu(name: str, takes: int, *request: Any) -> Iterator[Any]:
        yield from _work(loaded[name], takes, *request)

    def run(
        model: Model,
        score: Score,
        region: Region,
        params: Mapping[str, Any] | None = None,
        *,
        n: int = 1,
        seed: int | None = None,
        cancel: threading.Event | None = None,
        deadline_seconds: float = DEFAULT_DEADLINE_SECONDS,
    ) -> Iterator[Progress | Take]:
        first = prepare(model, score, region, params, n=n, seed=seed)[0]  # refused without a GPU
        values = dict(params or {})
        request = (score, region, values, first.params.seed, deadline_seconds)
        with closing(on_gpu(model.card.name, n, *request)) as steps:
            yield from _follow(steps, score, cancel)

    return run


def _work(
    model: Model,
    takes: int,
    score: Score,
    region: Region,
    params: Mapping[str, Any],
    seed: int,
    deadline_seconds: float,
) -> Iterator[Any]:
    """In the forked process: Progress, takes as plain fields, and last an error if there is one.

    `spaces` would pass on no more of an error than its type.
    """
    steps = stream(
        model, score, region, params, n=takes, seed=seed, deadline_seconds=deadline_seconds
    )
    try:
        for step in steps:
            yield step if isinstance(step, Progress) else _fields(step)
    except ScorehubError as error:
        yield error


def _fields(take: Take) -> dict[str, Any]:
    """A take without the score it was made for: whoever asked has that one."""
    return {f.name: getattr(take, f.name) for f in fields(take) if f.name != "before"}


def _follow(
    steps: Iterator[Any], score: Score, cancel: threading.Event | None
) -> Iterator[Progress | Take]:
    with _in_our_words():
        for step in steps:
            if cancel is not None and cancel.is_set():
                raise CancelledError("Stopped, as you asked. Nothing was changed.")
            if isinstance(step, ScorehubError):
                raise step
            yield step if isinstance(step, Progress) else Take(before=score, **step)


@contextmanager
def _in_our_words() -> Iterator[None]:
    """What `spaces` raises: errors of Gradio's, with a title and perhaps with HTML in them."""
    try:
        yield
    except ScorehubError:
        raise
    except Exception as error:
        raise _translated(error) from error


def _translated(error: Exception) -> ScorehubError:
    title = str(getattr(error, "title", ""))
    message = _TAG.sub("", str(getattr(error, "message", "")))
    if title.startswith("ZeroGPU") and any(w in title for w in ("quota", "credits", "duration")):
        return QuotaError(f"{_sentence(message)} Fewer takes ask for less of it.")
    if title.startswith("ZeroGPU"):
        return UnavailableError(f"No GPU answered: {_sentence(message)} Try again in a minute.")
    return UnavailableError(f"No GPU answered ({describe(error)}); try again in a minute.")


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if text.endswith((".", "!", "?")) else f"{text}."
