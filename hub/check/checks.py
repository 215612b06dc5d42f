"""The checks: each is a function (bench, its name) → Findings, and CHECKS is the table of them.

What surrounds a region is compared anew, note by note on the file that came out
(`hub.check.outside`), and not taken from the receipt.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hub.check import cost, scores
from hub.check.bench import SEED, Bench, Tell, TooSlow, Trial, example_score
from hub.check.outside import what_changed_outside
from hub.check.report import FAIL, OK, WARN, Cost, Finding
from hub.errors import AcceptError, ParamError, RegionError, ScorehubError
from hub.folder import load
from hub.model import Take, inpaint, prepare
from hub.params import ParamSpec

MOST_REPEATS = 2  # of a take that was too slow: a busy machine is not the model's fault
OTHER_SECONDS = 120.0  # for what a check does beside its takes


def examine(folder: Path, tell: Tell) -> Iterator[Finding | Cost]:
    """Load the model and try all that its card declares; what one take costs comes last.

    `tell(check, step, seconds)` says what begins and how long it may last at most; nothing
    is said before the model has been loaded.
    """
    started = time.perf_counter()
    try:
        bench = Bench(model=load(folder), tell=tell)
    except ScorehubError as error:
        yield Finding("loads", FAIL, str(error))
        return
    seconds = time.perf_counter() - started
    yield Finding("loads", OK, f"{bench.card.entry} in {seconds:.2f} s")
    try:
        yield from _on_the_bench(bench)
    except TooSlow:
        yield _too_slow(bench)
    yield bench.cost


def _on_the_bench(bench: Bench) -> Iterator[Finding]:
    for name, check in CHECKS.items():
        bench.begin(name, OTHER_SECONDS)
        try:
            yield from check(bench, name)
        except ScorehubError as error:
            yield Finding(name, FAIL, str(error))
        if check is _regions and not bench.takes:
            return  # nothing came of it that could be looked at


def _too_slow(bench: Bench) -> Finding:
    bench.cost = Cost(seconds=round(max(bench.slow), 3))
    found = cost.compare(bench.cost, bench.card.needs, "cost")
    left_out = f"stopped after {len(bench.slow)} such takes; the other checks were left out"
    return Finding("cost", FAIL, f"{found.detail}; {left_out}")


# --- the checks ---------------------------------------------------------------------------------


def _examples(bench: Bench, name: str) -> Iterator[Finding]:
    """Every example is a readable score with a place that the card accepts."""
    if not bench.card.examples:
        yield Finding(name, WARN, "none; a user has nothing to try the model with")
        return
    for example in bench.card.examples:
        example_score(bench, example)
        if not any(trial.name.startswith(example.file) for trial in bench.trials):
            yield Finding(name, FAIL, f"{example.file} has no place that the card accepts")
            return
    yield Finding(name, OK, f"{len(bench.card.examples)} read, each with a place that fits")


def _regions(bench: Bench, name: str) -> Iterator[Finding]:
    """Regions of every declared length, at several places, are answered."""
    if not bench.trials:
        yield Finding(name, FAIL, "no region fits the card, so nothing could be tried")
        return
    yield from _answered(bench, bench.trials, name, "every declared length")


def _shapes(bench: Bench, name: str) -> Iterator[Finding]:
    """So are regions of every other kind that the card allows."""
    names = ", ".join(trial.name for trial in bench.shapes)
    yield from _answered(bench, bench.shapes, name, names)
    silent = [taken.trial.name for taken in bench.taken_of(bench.shapes) if not taken.take.notes]
    if silent:
        yield Finding(name, WARN, f"the model wrote nothing there: {', '.join(silent)}")


def _answered(bench: Bench, trials: Sequence[Trial], name: str, kinds: str) -> Iterator[Finding]:
    failed = []
    for trial in trials:
        try:
            bench.take(trial)
        except ScorehubError as error:
            failed.append(f"{trial.name}: {error}")
    if failed:
        yield Finding(name, FAIL, f"{len(failed)} of {len(trials)} not answered; {failed[0]}")
    else:
        yield Finding(name, OK, f"{len(trials)} answered: {kinds}")


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
    for taken in bench.takes:
        changed = what_changed_outside(taken.trial.score, taken.take)
        if changed:
            yield Finding(name, FAIL, f"{taken.trial.name}: {changed}")
            return
    yield Finding(name, OK, f"{len(bench.takes)} results compared with their scores")


def _answers(bench: Bench, name: str) -> Iterator[Finding]:
    """Does the model answer in its region by itself, and does it write anything?

    Of a range of pitches or of kept notes a model need not know; the hub sees to those.
    """
    taken = bench.taken_of(bench.trials)
    logs = Counter(line for each in taken for line in each.take.log)
    if not any(len(each.take.notes) for each in bench.takes):
        may_be = FAIL if "notes" in bench.card.accepts.change else WARN
        yield Finding(name, may_be, "the model never wrote a note")
    elif logs:
        line, _ = logs.most_common(1)[0]
        always = all(each.take.log for each in taken)
        how_many = "every answer" if always else f"{sum(logs.values())} answers"
        status = FAIL if always else WARN
        yield Finding(name, status, f"the hub had to correct {how_many}: {line}")
    else:
        yield Finding(name, OK, "in the region and playable without correction")


def _seeds(bench: Bench, name: str) -> Iterator[Finding]:
    """The same seed gives the same notes, whatever ran in between and wherever it runs."""
    trial = bench.trials[0]
    first = bench.take(trial)
    other = bench.take(bench.trials[-1], seed=SEED + 1)
    bench.step(f"{trial.name}, 3 takes at once", 3 * bench.take_seconds)
    together = inpaint(bench.model, trial.score, trial.region, n=3, seed=SEED)
    if bench.take(trial).notes != first.notes:
        yield Finding(name, FAIL, f"{trial.name}: seed {SEED} gave other notes the second time")
    elif together[0].notes != first.notes:
        yield Finding(name, FAIL, f"{trial.name}: seed {SEED} gives other notes among 3 takes")
    else:
        yield _in_another_process(bench, name)
        yield _variety([*together, other][1:3], first)


def _in_another_process(bench: Bench, name: str) -> Finding:
    assert bench.model.folder is not None
    numbers = bench.first_and_longest()
    seconds = OTHER_SECONDS + len(numbers) * bench.take_seconds
    bench.step("in another process", seconds + OTHER_SECONDS)
    try:
        bench.elsewhere = cost.measure(bench.model.folder, numbers, SEED, timeout_seconds=seconds)
    except ScorehubError as error:
        return Finding(name, WARN, f"could not be tried in another process: {error}")
    here = tuple(cost.digest(bench.take(bench.trials[number]).notes) for number in numbers)
    if bench.elsewhere.notes != here:
        return Finding(name, FAIL, f"seed {SEED} gives other notes in another process")
    return Finding(name, OK, f"seed {SEED} gives the same notes again, here and in another process")


def _variety(others: Sequence[Take], first: Take) -> Finding:
    if all(take.notes == first.notes for take in others):
        return Finding("variety", WARN, "different seeds gave the same notes")
    return Finding("variety", OK, "different seeds give different notes")


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
    """Time and memory, beside what the card says of them."""
    seconds = _slowest_seconds(bench)
    memory_mb = bench.elsewhere.memory_mb if bench.elsewhere else None
    bench.cost = Cost(seconds=round(seconds, 3), memory_mb=memory_mb)
    yield cost.compare(bench.cost, bench.card.needs, name)


def _slowest_seconds(bench: Bench) -> float:
    """Of the slowest take, repeated where it took longer than the card says."""
    slowest = max(bench.takes, key=lambda taken: taken.take.seconds)
    seconds, declared = slowest.take.seconds, bench.card.needs.seconds
    for _ in range(MOST_REPEATS):
        if declared and cost.is_exceeded(seconds, declared, cost.SPARE_SECONDS):
            seconds = min(seconds, bench.repeat(slowest).seconds)
    return seconds


CHECKS: Mapping[str, Callable[[Bench, str], Iterator[Finding]]] = {
    "examples": _examples,
    "regions": _regions,
    "shapes": _shapes,
    "controls": _controls,
    "seeds": _seeds,
    "outside": _leaves_the_rest,
    "answers": _answers,
    "refusals": _refusals,
    "cost": _cost,
}


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
    for name, score, region in scores.out_of_card(bench.card.accepts, bench.built_in):
        yield Trial(score=score, region=region, name=name), {}
    fitting = bench.trials[0]
    yield Trial(score=fitting.score, region=fitting.region, name="an unknown control"), {"ö": 1}
    for spec in bench.card.params:
        if spec.maximum is not None:
            trial = Trial(score=fitting.score, region=fitting.region, name=f"{spec.name} too high")
            yield trial, {spec.name: spec.maximum + 1}
