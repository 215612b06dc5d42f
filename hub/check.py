"""Proof that a model folder keeps its card's word: what `scorehub check` runs.

Every check is a function (bench, its name) → Findings; CHECKS is the table. What surrounds a region
is compared here anew, note by note on the file that came out, and not taken from the receipt.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from hub import accepts, check_scores, formats
from hub.card import Example, ModelCard, read_card
from hub.errors import AcceptError, ParamError, RegionError, ScorehubError
from hub.folder import example_path, load
from hub.model import Model, Take, inpaint, prepare
from hub.params import ParamSpec
from hub.region import Region
from hub.score import Score

SEED = 1
OK, WARN, FAIL = "ok", "warn", "fail"


@dataclass(frozen=True)
class Finding:
    """One line of the table. status is OK, WARN or FAIL."""

    name: str
    status: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was found out about a model folder."""

    model: str
    folder: str
    findings: tuple[Finding, ...]

    @property
    def is_ok(self) -> bool:
        return all(finding.status != FAIL for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "ok": self.is_ok}

    def table(self) -> str:
        """For a person: one line a finding, and the verdict."""
        width = max(len(finding.name) for finding in self.findings)
        lines = [f"{f.status:<5} {f.name:<{width}}  {f.detail}" for f in self.findings]
        counts = Counter(finding.status for finding in self.findings)
        verdict = f"{counts[FAIL]} failed" if counts[FAIL] else "keeps its card's word"
        warned = f", {counts[WARN]} to look at" if counts[WARN] else ""
        return "\n".join([*lines, f"{self.model}: {verdict}{warned}."])


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One region of one score, and what it is called in findings."""

    score: Score
    region: Region
    name: str


@dataclass(eq=False)
class Bench:
    """The model on the bench, and what the checks learn about it on the way."""

    model: Model
    load_seconds: float
    takes: list[tuple[Trial, Take]] = field(default_factory=list)

    @property
    def card(self) -> ModelCard:
        return self.model.card

    @cached_property
    def built_in(self) -> Score:
        return check_scores.fitting(self.card.accepts)

    @cached_property
    def trials(self) -> list[Trial]:
        """Regions of every declared shape, in the examples and in the built-in score."""
        return [*_example_trials(self), *_shaped_trials(self)]

    def take(self, trial: Trial, seed: int = SEED, **params: Any) -> Take:
        (take,) = inpaint(self.model, trial.score, trial.region, params, n=1, seed=seed)
        self.takes.append((trial, take))
        return take


def check_folder(folder: str | Path) -> Report:
    """Run every check on a model folder; a later one is left out where an earlier one must hold."""
    path = Path(folder)
    findings = list(_examine(path))
    return Report(model=path.resolve().name, folder=str(path), findings=tuple(findings))


def _examine(path: Path) -> Iterator[Finding]:
    try:
        card = read_card(path)
    except ScorehubError as error:
        yield Finding("card", FAIL, str(error))
        return
    yield from _card_is_complete(card)
    started = time.perf_counter()
    try:
        model = load(path)
    except ScorehubError as error:
        yield Finding("loads", FAIL, str(error))
        return
    bench = Bench(model=model, load_seconds=time.perf_counter() - started)
    yield Finding("loads", OK, f"{card.entry} in {bench.load_seconds:.2f} s")
    for name, check in CHECKS.items():
        try:
            yield from check(bench, name)
        except ScorehubError as error:
            yield Finding(name, FAIL, str(error))


def _card_is_complete(card: ModelCard) -> Iterator[Finding]:
    missing = card.missing_to_publish()
    if missing:
        yield Finding("card", FAIL, f"it does not say: {', '.join(missing)}")
    else:
        yield Finding("card", OK, f"complete; licence {card.license}")


# --- the checks ---------------------------------------------------------------------------------


def _examples(bench: Bench, name: str) -> Iterator[Finding]:
    """Every example is a readable score with a place that the card accepts."""
    if not bench.card.examples:
        yield Finding(name, WARN, "none; a user has nothing to try the model with")
        return
    for example in bench.card.examples:
        _example_score(bench, example)
        if not any(trial.name.startswith(example.file) for trial in bench.trials):
            yield Finding(name, FAIL, f"{example.file} has no place that the card accepts")
            return
    yield Finding(name, OK, f"{len(bench.card.examples)} read, each with a place that fits")


def _regions(bench: Bench, name: str) -> Iterator[Finding]:
    """Regions of every declared length, at several places, are answered."""
    failed = []
    for trial in bench.trials:
        try:
            bench.take(trial)
        except ScorehubError as error:
            failed.append(f"{trial.name}: {error}")
    if failed:
        yield Finding(name, FAIL, f"{len(failed)} of {len(bench.trials)} not answered; {failed[0]}")
    elif not bench.trials:
        yield Finding(name, FAIL, "no region fits the card, so nothing could be tried")
    else:
        yield Finding(name, OK, f"{len(bench.trials)} answered, of every declared length")


def _controls(bench: Bench, name: str) -> Iterator[Finding]:
    """Each control at each of its ends and choices."""
    tried = 0
    for spec in bench.card.params:
        for value in _extremes(spec):
            try:
                bench.take(bench.trials[0], **{spec.name: value})
            except ScorehubError as error:
                yield Finding(name, FAIL, f"{spec.name}={value}: {error}")
                return
            tried += 1
    yield Finding(name, OK, f"{len(bench.card.params)} declared, {tried} settings tried")


def _leaves_the_rest(bench: Bench, name: str) -> Iterator[Finding]:
    """Compared here, not taken from the receipts: nothing outside any region has changed."""
    for trial, take in bench.takes:
        changed = what_changed_outside(trial.score, take)
        if changed:
            yield Finding(name, FAIL, f"{trial.name}: {changed}")
            return
    yield Finding(name, OK, f"{len(bench.takes)} results compared with their scores")


def _answers(bench: Bench, name: str) -> Iterator[Finding]:
    """Does the model answer in its region by itself, and does it write anything?"""
    logs = Counter(line for _, take in bench.takes for line in take.log)
    if not any(len(take.notes) for _, take in bench.takes):
        yield Finding(name, WARN, "the model never wrote a note")
    elif logs:
        line, _ = logs.most_common(1)[0]
        yield Finding(name, WARN, f"the hub had to correct {sum(logs.values())} answers: {line}")
    else:
        yield Finding(name, OK, "in the region and playable without correction")


def _seeds(bench: Bench, name: str) -> Iterator[Finding]:
    """The same seed gives the same notes, whatever ran in between and however many takes ran."""
    trial = bench.trials[0]
    first = bench.take(trial)
    other = bench.take(bench.trials[-1], seed=SEED + 1)
    if bench.take(trial).notes != first.notes:
        yield Finding(name, FAIL, f"{trial.name}: seed {SEED} gave other notes the second time")
        return
    together = inpaint(bench.model, trial.score, trial.region, n=3, seed=SEED)
    if together[0].notes != first.notes:
        yield Finding(name, FAIL, f"{trial.name}: seed {SEED} gives other notes among 3 takes")
        return
    yield Finding(name, OK, f"seed {SEED} gives the same notes again")
    if all(take.notes == first.notes for take in [*together, other][1:3]):
        yield Finding("variety", WARN, "different seeds gave the same notes")
    else:
        yield Finding("variety", OK, "different seeds give different notes")


def _refusals(bench: Bench, name: str) -> Iterator[Finding]:
    """What the card rules out is refused with a sentence."""
    trials = list(_forbidden(bench))
    for trial, params in trials:
        try:
            prepare(bench.model, trial.score, trial.region, params, seed=SEED)
        except (AcceptError, RegionError, ParamError):
            continue
        yield Finding(name, FAIL, f"{trial.name} was not refused")
        return
    yield Finding(name, OK, f"{len(trials)} refused: {', '.join(t.name for t, _ in trials)}")


def _cost(bench: Bench, name: str) -> Iterator[Finding]:
    seconds = sorted(take.seconds for _, take in bench.takes)
    if seconds:
        middle, most = seconds[len(seconds) // 2], seconds[-1]
        text = f"{middle:.3f} s a take (median), {most:.3f} s at most"
        yield Finding(name, OK, f"{text}; {_peak_memory()} in memory at most")


CHECKS: Mapping[str, Callable[[Bench, str], Iterator[Finding]]] = {
    "examples": _examples,
    "regions": _regions,
    "controls": _controls,
    "seeds": _seeds,
    "outside": _leaves_the_rest,
    "answers": _answers,
    "refusals": _refusals,
    "cost": _cost,
}


def _peak_memory() -> str:
    try:
        import resource
        import sys
    except ImportError:  # Windows
        return "an unknown amount"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return f"{peak // (1 << 20 if sys.platform == 'darwin' else 1 << 10)} MB"


def what_changed_outside(before: Score, take: Take) -> str:
    """What differs outside the take's region, in words; '' when nothing does.

    Reads the take's file again and compares parts, measures, tempos, keys, annotations and the
    multiset of the notes whose onsets lie outside every box of the region.
    """
    if take.data is None or before.source is None:
        return "there is no file to compare"
    after = formats.read_score(take.data, before.source.name)
    for name in ("ticks_per_quarter", "tempos", "keys", "annotations"):
        if getattr(before, name) != getattr(after, name):
            return f"the {name.replace('_', ' ')} differ"
    both = min(len(before.measures), len(after.measures))  # a file may end earlier or later
    if before.measures[:both] != after.measures[:both]:
        return "the measures differ"
    rows_before = Counter(_outside(before, take.region, before))
    rows_after = Counter(_outside(after, take.region, before))
    lost, come = rows_before - rows_after, rows_after - rows_before
    if lost or come:
        return f"{lost.total()} notes are gone and {come.total()} have come"
    return ""


def _outside(score: Score, region: Region, before: Score) -> Iterator[tuple[Any, ...]]:
    """Notes outside the boxes, decided without Region.contains; parts told apart by what they are,
    since a part that lost its last note is no longer there to be counted."""
    names = [(part.name, part.channel) for part in score.parts]
    boxes = []
    for box in region.boxes:
        part = before.parts[before.part_index(box.part or "")]
        boxes.append(((part.name, part.channel), box))
    for note in score.notes:
        if not any(
            names[note.part] == name
            and box.start_tick <= note.onset < box.end_tick
            and box.low <= note.pitch <= box.high
            for name, box in boxes
        ):
            yield names[note.part], note.onset, note.duration, note.pitch, note.velocity


# --- what is tried ------------------------------------------------------------------------------


def _example_score(bench: Bench, example: Example) -> Score:
    assert bench.model.folder is not None
    return formats.open_score(example_path(bench.model.folder, example))


def _example_trials(bench: Bench) -> Iterator[Trial]:
    for example in bench.card.examples:
        score = _example_score(bench, example)
        if example.measures:
            region = Region.measures(score, example.measures, example.parts or None)
            yield Trial(score=score, region=region, name=f"{example.file} {example.measures}")
        for region, name in _places(bench.card.accepts, score, list(example.parts)):
            yield Trial(score=score, region=region, name=f"{example.file} {name}")


def _shaped_trials(bench: Bench) -> Iterator[Trial]:
    for region, name in _places(bench.card.accepts, bench.built_in, []):
        yield Trial(score=bench.built_in, region=region, name=f"built-in score {name}")


def _places(
    accepted: accepts.Accepts, score: Score, parts: Sequence[str]
) -> Iterator[tuple[Region, str]]:
    """Regions of the least, a middle and the greatest length, at the start, middle and end."""
    for length in check_scores.lengths(accepted):
        found: dict[Region, str] = {}
        for place in ("start", "middle", "end"):
            region = _first_fitting(accepted, score, parts, length, place)
            if region is not None:
                found.setdefault(region, place)
        for region, place in found.items():
            yield region, f"({length} {accepted.unit}s, {place})"


def _first_fitting(
    accepted: accepts.Accepts, score: Score, parts: Sequence[str], length: int, place: str
) -> Region | None:
    for region in check_scores.regions(accepted, score, parts, length, place):
        try:
            accepts.check_request(accepted, score, region.resolve(score))
        except ScorehubError:
            continue
        return region
    return None


def _extremes(spec: ParamSpec) -> list[Any]:
    """The ends and choices of a control, as far as its type has any."""
    if spec.type == "choice":
        return list(spec.choices)
    if spec.type == "boolean":
        return [False, True]
    if spec.type not in ("number", "integer"):
        return []
    return [value for value in (spec.minimum, spec.maximum) if value is not None]


def _forbidden(bench: Bench) -> Iterator[tuple[Trial, dict[str, Any]]]:
    """Requests that the card rules out, with the params they come with."""
    for name, score, region in check_scores.out_of_card(bench.card.accepts, bench.built_in):
        yield Trial(score=score, region=region, name=name), {}
    fitting = bench.trials[0]
    yield Trial(score=fitting.score, region=fitting.region, name="an unknown control"), {"ö": 1}
    for spec in bench.card.params:
        if spec.maximum is not None:
            trial = Trial(score=fitting.score, region=fitting.region, name=f"{spec.name} too high")
            yield trial, {spec.name: spec.maximum + 1}
