"""Inference in this process, in threads: for the app on one machine.

A model that yields stops at its next step when it is cancelled or late. One that never yields
cannot be stopped by anybody inside its process; the engine then stops *waiting* for it: the user
is answered at once, the slot is given to the next request, and the lost thread ends by itself.
"""

from __future__ import annotations

import contextvars
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.errors import BusyError, CancelledError, DeadlineError, ScorehubError
from hub.model import DEFAULT_DEADLINE_SECONDS, Model, Progress, Take, stream
from hub.region import Region
from hub.score import Score

HEARTBEAT_SECONDS = 0.2
# How long a cancelled or late model may take to reach its next step before it is given up.
GRACE_SECONDS = 2.0


class _End:
    """Marks the end of a job's events."""


@dataclass(eq=False, kw_only=True)
class Job:
    """One request under way. Iterate over it once for Progress and Takes; errors are raised.

    A heartbeat (the last Progress again) comes at least every 0.2 s, so that whoever iterates
    can stop in between. Closing the iterator cancels the job.
    """

    deadline_seconds: float
    _events: queue.SimpleQueue[Any] = field(default_factory=queue.SimpleQueue)
    _cancel: threading.Event = field(default_factory=threading.Event)
    _slot: _Slot
    _started: float | None = None

    def cancel(self) -> None:
        self._cancel.set()

    def __iter__(self) -> Iterator[Progress | Take]:
        try:
            yield from self._follow()
        finally:
            self.cancel()
            self._slot.give_back()

    def _follow(self) -> Iterator[Progress | Take]:
        last = Progress(0.0, "waiting")
        overdue_since: float | None = None
        while True:
            try:
                event = self._events.get(timeout=HEARTBEAT_SECONDS)
            except queue.Empty:
                overdue_since = self._give_up(overdue_since)
                yield last
                continue
            if isinstance(event, _End):
                return
            if isinstance(event, BaseException):
                raise event
            last = event if isinstance(event, Progress) else last
            yield event

    def _give_up(self, since: float | None) -> float | None:
        """Raise once a job that should have stopped has been silent for the grace period."""
        now = time.monotonic()
        late = self._started is not None and now - self._started > self.deadline_seconds
        if not late and not self._cancel.is_set():
            return None
        since = since or now
        if now - since >= GRACE_SECONDS:
            if self._cancel.is_set():
                raise CancelledError("Stopped, as you asked. Nothing was changed.")
            raise DeadlineError(
                f"The model did not answer within {self.deadline_seconds:g} seconds and was given "
                "up. Try a shorter region or fewer takes."
            )
        return since


class _Slot:
    """One of the engine's places; given back once, by whoever is first to be done with it."""

    def __init__(self, places: threading.Semaphore) -> None:
        self._places = places
        self._lock = threading.Lock()
        self._held = False
        self._done = False

    def take(self, cancel: threading.Event) -> bool:
        """Wait for a place; False when the job was cancelled or given back first."""
        while not cancel.is_set():
            if self._places.acquire(timeout=HEARTBEAT_SECONDS):
                with self._lock:
                    self._held = not self._done
                if not self._held:
                    self._places.release()
                return self._held
        return False

    def give_back(self) -> None:
        with self._lock:
            held, self._held, self._done = self._held, False, True
        if held:
            self._places.release()


class LocalEngine:
    """Runs at most `workers` requests at once and lets at most `waiting` more wait.

    run     what carries a request out: `hub.stream`, or something with the same arguments
    """

    def __init__(
        self,
        workers: int = 2,
        waiting: int = 32,
        run: Callable[..., Iterator[Progress | Take]] = stream,
    ) -> None:
        self._run = run
        self._places = threading.Semaphore(workers)
        self._room = threading.Semaphore(workers + waiting)
        self._waiting = waiting

    def submit(
        self,
        model: Model,
        score: Score,
        region: Region,
        params: Mapping[str, Any] | None = None,
        *,
        n: int = 1,
        seed: int | None = None,
        deadline_seconds: float = DEFAULT_DEADLINE_SECONDS,
    ) -> Job:
        """Start `hub.stream` with these arguments; the deadline counts from its turn.

        Raises BusyError when too many requests wait already.
        """
        if not self._room.acquire(blocking=False):
            raise BusyError(
                f"More than {self._waiting} requests are waiting. Try again in a minute; "
                "your score and settings stay as they are."
            )
        job = Job(deadline_seconds=deadline_seconds, _slot=_Slot(self._places))
        arguments = {"n": n, "seed": seed, "cancel": job._cancel}
        work = (
            job,
            (model, score, region, params),
            {**arguments, "deadline_seconds": deadline_seconds},
        )
        # The thread knows who asks, as Gradio keeps it: on ZeroGPU quotas are each visitor's own.
        context = contextvars.copy_context()
        threading.Thread(
            target=context.run, args=(self._work, *work), daemon=True, name="scorehub-job"
        ).start()
        return job

    def _work(self, job: Job, request: tuple[Any, ...], options: dict[str, Any]) -> None:
        try:
            if job._slot.take(job._cancel):
                job._started = time.monotonic()
                for event in self._run(*request, **options):
                    job._events.put(event)
            elif job._cancel.is_set():
                raise CancelledError("Stopped before it began, as you asked. Nothing was changed.")
        except ScorehubError as error:
            job._events.put(error)
        except BaseException as error:
            job._events.put(error)
            raise
        finally:
            job._events.put(_End())
            job._slot.give_back()
            self._room.release()
