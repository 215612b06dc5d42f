"""A model whose code runs in a sandboxed child, with the interface of any other model."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hub import transfer
from hub.card import ModelCard
from hub.errors import LoadError, describe
from hub.model import Model, Progress, Request
from hub.params import Params
from hub.region import Region
from hub.sandbox.mechanism import Mechanism
from hub.sandbox.process import TICK_SECONDS, Child
from hub.score import Notes, Score

MAX_CHILDREN = 2  # of one model; a third request waits
DEFAULT_MEMORY_MB = 2048  # where the card does not say what the model needs
ROOM_MB = 512  # beside what it says: Python, NumPy and PyTorch themselves
MAX_MEMORY_MB = 16 << 10  # whatever it says


class SandboxedModel(Model):
    """What stands for the model on this side. Closing its generators ends the child at once.

    `mechanism` says what locks the code in; NONE for code that the user has chosen to run so.
    """

    def __init__(self, card: ModelCard, folder: Path, mechanism: Mechanism) -> None:
        # Not the base class's: the child builds the network and reads the weights.
        self.card = card
        self.folder = folder
        self.mechanism = mechanism
        self._pool = _Pool(card.name, folder, mechanism, memory_mb(card))
        self._end = weakref.finalize(self, self._pool.close)

    def start(self) -> Generator[Progress, None, None]:
        """Begin a first child and load the model in it. Raises LoadError, TrustError."""
        child = yield from self._pool.borrow()
        if child.can_batch:
            self.inpaint_batch = self._inpaint_batch
        self._pool.give(child)

    def close(self) -> None:
        """End its children; a later request starts a fresh one."""
        self._pool.close()

    def inpaint(
        self, score: Score, region: Region, params: Params
    ) -> Generator[Progress, None, Notes]:
        (notes,) = yield from self._ask([Request(score, region, params)], is_batch=False)
        return notes

    def _inpaint_batch(self, requests: Sequence[Request]) -> Generator[Progress, None, list[Notes]]:
        return (yield from self._ask(requests, is_batch=True))

    def _ask(
        self, requests: Sequence[Request], *, is_batch: bool
    ) -> Generator[Progress, None, list[Notes]]:
        data = transfer.pack_requests(requests)
        child = yield from self._pool.borrow()
        try:
            _, body = yield from child.ask({"batch": is_batch}, data)
        finally:
            self._pool.give(child)
        return transfer.unpack_notes(body, len(requests))


def memory_mb(card: ModelCard) -> int:
    """How much the model's whole process may use."""
    said = card.needs.memory_mb
    return DEFAULT_MEMORY_MB if said is None else min(said + ROOM_MB, MAX_MEMORY_MB)


@dataclass(eq=False)
class _Pool:
    """At most MAX_CHILDREN children of one model, warm when they have answered before."""

    name: str
    folder: Path
    mechanism: Mechanism
    memory_mb: int
    _idle: list[Child] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _free: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(MAX_CHILDREN))

    def borrow(self) -> Generator[Progress, None, Child]:
        """A child with the model in it; whoever waits for one can stop waiting at any time."""
        while not self._free.acquire(timeout=TICK_SECONDS):
            yield Progress(0.0, "waiting")
        child: Child | None = None
        try:
            child = self._warm()
            if child is None:
                child = self._begin()
                yield from child.load(self.name)
            return child
        except BaseException:
            if child is not None:
                child.close()
            self._free.release()
            raise

    def _begin(self) -> Child:
        try:
            return Child(self.folder, self.mechanism, self.memory_mb)
        except OSError as error:
            raise LoadError(
                f"No helper process can be started for the model ({describe(error)})."
            ) from error

    def _warm(self) -> Child | None:
        while True:
            with self._lock:
                child = self._idle.pop() if self._idle else None
            if child is None or child.is_alive:
                return child
            child.close()

    def give(self, child: Child) -> None:
        if child.is_fit:
            with self._lock:
                self._idle.append(child)
        else:
            child.close()
        self._free.release()

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for child in idle:
            child.close()
