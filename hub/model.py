"""The author's interface, and the one public `inpaint` that keeps every promise for it.

An author subclasses `Model` and writes `inpaint(score, region, params)`. Everybody else calls
`hub.inpaint(model, score, region, …)`, which

    resolves and checks the region and the params against the card,
    removes the region's notes *before* the model sees the score,
    seeds and runs the model, with progress, cancel and deadline,
    takes from its answer only what lies in the region, cut at the region's edge,
    splices that into the user's own file, re-reads it, and writes the receipt.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from inspect import isgenerator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hub import accepts, formats, params
from hub.answer import conform
from hub.blank_file import blank_file
from hub.card import ModelCard
from hub.errors import (
    AnswerError,
    CancelledError,
    DeadlineError,
    LoadError,
    ScorehubError,
    describe,
)
from hub.params import Params, check_deadline
from hub.receipt import Receipt, unchanged_rows, write_receipt
from hub.region import Region
from hub.score import BoolArray, Notes, Score

WEIGHTS_FILE = "model.safetensors"
DEFAULT_DEADLINE_SECONDS = 600.0
MAX_STEM_BYTES = 120  # of the user's file name in a take's: file systems end at 255 for the whole


class Progress(NamedTuple):
    """What a working model yields: fraction 0..1 done, and a word for the user."""

    fraction: float
    text: str = ""


class Request(NamedTuple):
    """One question to a model: the blanked score, the resolved region, the validated params."""

    score: Score
    region: Region
    params: Params


class Model:
    """Base class of every model.

    `setup(**init)` receives the card's `init:` block. If it sets `self.network` to a
    torch.nn.Module, the hub loads the folder's `model.safetensors` into it (half precision is
    widened to float32) and puts it into eval mode.
    """

    network: Any = None

    # A model that hands the question on wants it as a file: the `source` of the score that its
    # `inpaint` gets is then the user's file without the unseen notes (see `hub.blank_file`).
    wants_file = False

    def __init__(self, card: ModelCard, folder: Path | None = None) -> None:
        self.card = card
        self.folder = folder
        try:
            self.setup(**card.init)
        except TypeError as error:
            raise LoadError(
                f"The card's init block does not fit {type(self).__name__}.setup: {error}."
            ) from error
        if self.network is not None and folder is not None:
            from hub.weights import load_into

            load_into(self.network, folder / WEIGHTS_FILE)

    def setup(self, **init: Any) -> None:
        """Build what `inpaint` needs; called once."""
        if init:
            raise LoadError(f"{type(self).__name__} defines no setup() for the card's init block.")

    def inpaint(self, score: Score, region: Region, params: Params) -> Any:
        """New notes for the region.

        score   the region's notes are gone (unless the card's `reads` has "notes")
        region  resolved: boxes with part ids, in the score's own ticks
        params  validated; `params.rng()` and `params.torch_generator()` are seeded

        May be called from several threads at once: keep what belongs to a request in locals.
        Return hub.Notes (`part` indexes score.parts), a pretty_midi.PrettyMIDI or a music21
        stream; or be a generator that yields hub.Progress and returns (or yields last) the notes.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define inpaint().")

    # A model that answers several requests in one pass defines
    # `inpaint_batch(self, requests: Sequence[Request]) -> Sequence[answer]` (or a generator of
    # Progress that returns it). It must give each request the notes it would get alone.
    inpaint_batch: Callable[[Sequence[Request]], Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Take:
    """One answer.

    notes       the new notes in the region, in `before.parts`' numbering
    data        the user's file with them in it; None if the score came from no file
    seconds     the model's own time for this take (its share, when takes are batched)
    log         what the hub corrected, in sentences
    """

    seed: int
    notes: Notes
    receipt: Receipt
    before: Score = field(repr=False)
    region: Region = field(repr=False)
    data: bytes | None = field(repr=False)
    seconds: float = 0.0
    log: tuple[str, ...] = ()

    @cached_property
    def score(self) -> Score:
        """The spliced score: the take's file, read again (when first asked for)."""
        if self.data is None or self.before.source is None:
            kept = self.before.notes[~self.region.contains(self.before.notes, self.before)]
            return self.before.with_notes(kept + self.notes)
        return formats.get(self.before.source.format).read(self.data, self.before.source.name)

    def measures_text(self) -> str:
        """The region's measures as printed: "7-10", "1-2,5"."""
        return measures_text(self.before, self.region)

    def file_stem(self, model_name: str) -> str:
        """ "kesh-jig.m7-10.inpaintnet.seed42": what the take is, without a suffix."""
        name = Path(self.before.source.name).stem if self.before.source else "score"
        name = name.encode()[:MAX_STEM_BYTES].decode(errors="ignore")
        return f"{name}.m{self.measures_text()}.{model_name}.seed{self.seed}"


def measures_text(score: Score, region: Region) -> str:
    """Printed numbers of the measures that a resolved region touches, neighbours joined."""
    runs: list[list[int]] = []
    for index in region.measure_indices(score):
        if runs and index == runs[-1][-1] + 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    numbers = [[score.measures[i].number for i in (run[0], run[-1])] for run in runs]
    return ",".join(first if first == last else f"{first}-{last}" for first, last in numbers)


def inpaint(
    model: Model,
    score: Score,
    region: Region,
    params: Mapping[str, Any] | None = None,
    *,
    n: int = 1,
    seed: int | None = None,
    cancel: threading.Event | None = None,
    deadline_seconds: float = DEFAULT_DEADLINE_SECONDS,
) -> list[Take]:
    """n takes of the region; the i-th has seed + i. Raises ScorehubError, nothing else."""
    steps = stream(
        model, score, region, params, n=n, seed=seed, cancel=cancel,
        deadline_seconds=deadline_seconds,
    )  # fmt: skip
    return [step for step in steps if isinstance(step, Take)]


def stream(
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
    """Like `inpaint`, but yields Progress and each Take as soon as it is ready.

    cancel and deadline are looked at whenever the model yields and between takes; a model that
    never yields runs to its end first. Closing the iterator stops the work as well.
    """
    requests = prepare(model, score, region, params, n=n, seed=seed)
    watch = _Watch(cancel, check_deadline(deadline_seconds))
    if model.inpaint_batch is not None and len(requests) > 1:
        yield from _batched(model, score, requests, watch)
    else:
        yield from _one_by_one(model, score, requests, watch)


def prepare(
    model: Model,
    score: Score,
    region: Region,
    given: Mapping[str, Any] | None = None,
    *,
    n: int = 1,
    seed: int | None = None,
) -> list[Request]:
    """The checked requests of n takes, before any model runs. Raises ScorehubError."""
    count = params.check_takes(n)
    first = params.check_seed(fresh_seed() if seed is None else seed)
    region = region.resolve(score)
    accepts.check_request(model.card.accepts, score, region)
    seen = blank(score, region, reads_region=model.card.accepts.reads_region)
    if model.wants_file:
        unseen = _unseen(score, region, model.card.accepts.reads_region)
        seen = replace(seen, source=blank_file(score, region, unseen))
    values = params.validate(model.card.params, given, first)
    seeds = [(first + i) % (params.MAX_SEED + 1) for i in range(count)]
    return [Request(seen, region, replace(values, seed=s)) for s in seeds]


def fresh_seed() -> int:
    """A seed nobody chose, short enough to type."""
    return int(np.random.SeedSequence().generate_state(1)[0]) % 100_000


def blank(score: Score, region: Region, *, reads_region: bool = False) -> Score:
    """What the model sees: without the region's notes (unless it reads them) and hidden ones."""
    return score.with_notes(score.notes[~_unseen(score, region, reads_region)])


def _unseen(score: Score, region: Region, reads_region: bool) -> BoolArray:
    hidden = region.hides(score.notes, score)
    return hidden if reads_region else hidden | region.contains(score.notes, score)


@dataclass(frozen=True)
class _Watch:
    """Cancel and deadline of one request, looked at between steps."""

    cancel: threading.Event | None
    deadline_seconds: float
    started: float = field(default_factory=time.monotonic)

    def check(self) -> None:
        if self.cancel is not None and self.cancel.is_set():
            raise CancelledError("Stopped, as you asked. Nothing was changed.")
        if time.monotonic() - self.started > self.deadline_seconds:
            raise DeadlineError(
                f"The model was stopped after {self.deadline_seconds:g} seconds. "
                "Try a shorter region or fewer takes."
            )


def _one_by_one(
    model: Model, score: Score, requests: Sequence[Request], watch: _Watch
) -> Iterator[Progress | Take]:
    for number, request in enumerate(requests):
        watch.check()
        started = time.perf_counter()
        seed = request.params.seed
        answer = yield from _run(partial(model.inpaint, *request), watch, number, len(requests))
        yield finish(model, score, request.region, answer, seed, time.perf_counter() - started)


def _batched(
    model: Model, score: Score, requests: Sequence[Request], watch: _Watch
) -> Iterator[Progress | Take]:
    assert model.inpaint_batch is not None
    batch = model.inpaint_batch
    seeds = [request.params.seed for request in requests]
    started = time.perf_counter()
    answers = yield from _run(partial(batch, requests), watch, 0, 1)
    share = (time.perf_counter() - started) / len(requests)
    if not isinstance(answers, Sequence) or len(answers) != len(requests):
        raise AnswerError(f"{model.card.name} was asked for {len(requests)} takes and gave others.")
    for request, seed, answer in zip(requests, seeds, answers, strict=True):
        watch.check()
        yield finish(model, score, request.region, answer, seed, share)


def _run(
    call: Callable[[], Any], watch: _Watch, number: int, count: int
) -> Generator[Progress, None, Any]:
    """Runs the author's code; yields scaled Progress, returns the answer."""
    try:
        answer = call()
        if not isgenerator(answer):
            return answer
        steps = answer
        try:
            return (yield from _drain(steps, watch, number, count))
        finally:
            steps.close()
    except (ScorehubError, KeyboardInterrupt):
        raise
    except GeneratorExit:  # whoever follows the stream has closed it
        raise
    except BaseException as error:  # a model may even call sys.exit()
        raise AnswerError(
            f"The model failed while it worked ({describe(error)}). "
            "Your score is unchanged; try another region or tell the model's author."
        ) from error


def _drain(steps: Any, watch: _Watch, number: int, count: int) -> Generator[Progress, None, Any]:
    answer = None
    while True:
        watch.check()
        try:
            step = next(steps)
        except StopIteration as stop:
            return stop.value if stop.value is not None else answer
        if isinstance(step, Progress):
            done = (number + min(max(float(step.fraction), 0.0), 1.0)) / count
            yield Progress(done, str(step.text))
        else:
            answer = step


def finish(
    model: Model, score: Score, region: Region, answer: Any, seed: int, seconds: float
) -> Take:
    """The take made of a model's raw answer: conformed, spliced, verified, with its receipt."""
    inside = np.flatnonzero(region.contains(score.notes, score))
    answered = conform(answer, score, region, inside, model.card.accepts)
    same_before, same_after = unchanged_rows(score.notes[inside], answered.notes)
    wanted = formats.Edit(removed=inside[~same_before], added=answered.notes[~same_after])
    edit = formats.fit(score, wanted)
    data = formats.splice(score, edit) if score.source is not None else None
    return Take(
        seed=seed,
        notes=answered.notes[same_after] + edit.added,
        receipt=write_receipt(score, region, edit, data),
        before=score,
        region=region,
        data=data,
        seconds=seconds,
        log=(*answered.log, *_fitted(wanted, edit)),
    )


def _fitted(wanted: formats.Edit, edit: formats.Edit) -> tuple[str, ...]:
    if edit.added == wanted.added:
        return ()
    return ("Notes on a key that was already sounding were shortened or left out.",)
