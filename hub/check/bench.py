"""The model on the bench: which regions of which scores are tried on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from hub import accepts, formats
from hub.accepts import Accepts
from hub.card import Example, ModelCard
from hub.check import cost, scores, shapes
from hub.check.cost import Measured
from hub.check.report import Cost
from hub.errors import ScorehubError
from hub.folder import example_path
from hub.model import Model, Take, inpaint
from hub.region import Region
from hub.score import Score

SEED = 1
MOST_SLOW = 5  # takes that may last clearly longer than the card says, before the check is stopped
# A take may last so many times what the card says, and so much more, before it counts as hanging.
PATIENCE, PATIENCE_SECONDS = 3, 10.0
UNKNOWN_SECONDS = 120.0  # the same, where the card does not say

Tell = Callable[[str, str, float], None]  # (check, step, most seconds that it may last)


class TooSlow(Exception):
    """Takes last clearly longer than the card says, again and again."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One region of one score, and what it is called in findings."""

    score: Score
    region: Region
    name: str


class Taken(NamedTuple):
    """A take that a trial led to, and the params it was asked for with."""

    trial: Trial
    take: Take
    params: Mapping[str, Any]


@dataclass(eq=False)
class Bench:
    """The model on the bench, and what the checks learn about it on the way."""

    model: Model
    takes: list[Taken] = field(default_factory=list)
    elsewhere: Measured | None = None
    cost: Cost = field(default_factory=Cost)
    slow: list[float] = field(default_factory=list)  # seconds of the takes that were too slow
    tell: Tell = lambda check, step, seconds: None
    check: str = ""

    @property
    def card(self) -> ModelCard:
        return self.model.card

    @cached_property
    def built_in(self) -> Score:
        return scores.fitting(self.card.accepts)

    @cached_property
    def trials(self) -> list[Trial]:
        """Regions of every declared length, in the examples and in the built-in score."""
        return [*_example_trials(self), *_length_trials(self)]

    @cached_property
    def shapes(self) -> list[Trial]:
        """Regions of every other declared shape, in built-in scores."""
        return list(_shape_trials(self))

    @property
    def take_seconds(self) -> float:
        """The longest that one take may last before it is given up."""
        declared = self.card.needs.seconds
        return PATIENCE * declared + PATIENCE_SECONDS if declared else UNKNOWN_SECONDS

    def begin(self, check: str, seconds: float) -> None:
        self.check = check
        self.step("", seconds)

    def step(self, step: str, seconds: float) -> None:
        """Say what comes now, to whoever watches, and how long it may last."""
        self.tell(self.check, step, seconds)

    def take(self, trial: Trial, seed: int = SEED, **params: Any) -> Take:
        """One take, remembered. Raises ScorehubError, and TooSlow once it is beyond doubt."""
        take = self._take(trial, seed, params)
        declared = self.card.needs.seconds
        if declared and cost.is_exceeded(take.seconds, declared, cost.SPARE_SECONDS):
            self.slow.append(take.seconds)
            if len(self.slow) >= MOST_SLOW:
                raise TooSlow
        return take

    def repeat(self, taken: Taken) -> Take:
        return self._take(taken.trial, taken.take.seed, taken.params)

    def _take(self, trial: Trial, seed: int, params: Mapping[str, Any]) -> Take:
        settings = "".join(f", {name}={value}" for name, value in params.items())
        self.step(f"{trial.name}{settings}", self.take_seconds)
        (take,) = inpaint(self.model, trial.score, trial.region, params, n=1, seed=seed)
        self.takes.append(Taken(trial, take, params))
        self.step("", UNKNOWN_SECONDS)
        return take

    def taken_of(self, trials: Sequence[Trial]) -> list[Taken]:
        """What has been taken of some trials."""
        return [taken for taken in self.takes if any(taken.trial is trial for trial in trials)]

    def first_and_longest(self) -> list[int]:
        """Numbers of two trials that stand for all: the first one and that of the most ticks."""

        def ticks(number: int) -> int:
            trial = self.trials[number]
            boxes = trial.region.resolve(trial.score).boxes
            return sum(box.end_tick - box.start_tick for box in boxes)

        return sorted({0, max(range(len(self.trials)), key=ticks)})


def example_score(bench: Bench, example: Example) -> Score:
    """Raises CardError or FileError when the example is missing or unreadable."""
    assert bench.model.folder is not None
    return formats.open_score(example_path(bench.model.folder, example))


def _example_trials(bench: Bench) -> Iterator[Trial]:
    for example in bench.card.examples:
        score = example_score(bench, example)
        if example.measures:
            region = Region.measures(score, example.measures, example.parts or None)
            yield Trial(score=score, region=region, name=f"{example.file} {example.measures}")
        for region, name in _places(bench.card.accepts, score, list(example.parts)):
            yield Trial(score=score, region=region, name=f"{example.file} {name}")


def _length_trials(bench: Bench) -> Iterator[Trial]:
    for region, name in _places(bench.card.accepts, bench.built_in, []):
        yield Trial(score=bench.built_in, region=region, name=f"built-in score {name}")


def _shape_trials(bench: Bench) -> Iterator[Trial]:
    accepted = bench.card.accepts
    for name, candidates in shapes.candidates(accepted, bench.built_in):
        region = first_fitting(accepted, bench.built_in, candidates)
        if region is not None:
            yield Trial(score=bench.built_in, region=region, name=name)
    for meter, score in shapes.other_meters(accepted):
        shortest = scores.regions(accepted, score, [], scores.lengths(accepted)[0], "middle")
        region = first_fitting(accepted, score, shortest)
        if region is not None:
            yield Trial(score=score, region=region, name=meter)


def _places(accepted: Accepts, score: Score, parts: Sequence[str]) -> Iterator[tuple[Region, str]]:
    """Regions of the least, a middle and the greatest length, at the start, middle and end."""
    for length in scores.lengths(accepted):
        found: dict[Region, str] = {}
        for place in ("start", "middle", "end"):
            candidates = scores.regions(accepted, score, parts, length, place)
            region = first_fitting(accepted, score, candidates)
            if region is not None:
                found.setdefault(region, place)
        for region, place in found.items():
            yield region, f"({length} {accepted.unit}s, {place})"


def first_fitting(accepted: Accepts, score: Score, candidates: Iterable[Region]) -> Region | None:
    """The first of the candidates that the card accepts."""
    for region in candidates:
        try:
            accepts.check_request(accepted, score, region.resolve(score))
        except ScorehubError:
            continue
        return region
    return None
