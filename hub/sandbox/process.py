"""One child process that runs one model: begun, locked, asked, watched, ended.

A child lives from request to request, since loading takes longer than answering; between two of
them it is stopped (SIGSTOP), so that a stranger's threads do nothing that nobody asked for. It ends
with the hub, however that ends. Whatever it sends is read as a stranger's: bounded, checked, and
shown as the model's own words.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import queue
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import weakref
from collections.abc import Generator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hub.errors import AnswerError, LoadError, ModelError, ScorehubError, TrustError
from hub.model import Progress
from hub.sandbox import incoming, paths
from hub.sandbox.incoming import Frame, stopped
from hub.sandbox.lock import Bounds
from hub.sandbox.mechanism import Mechanism
from hub.sandbox.server import MEMORY
from hub.sandbox.spawn import spawn
from hub.sandbox.watch import Watch, cpu_seconds, memory_complaint, read_status
from hub.wire import write_frame

TICK_SECONDS = 0.1  # how soon a cancel is seen
LOCK_SECONDS = 30.0  # for Python to start and to lock itself, before any foreign code
MAX_FRAMES = (50, 100)  # in a request: so many at once, and so many a second; it sends 10
RETIRE_CPU_SECONDS = 60 * 60  # long before the kernel's own bound ends it in mid-request
THREAD_ROOM_MB = 32  # private memory that a processor's thread reserves and hardly uses

Steps = Generator[Progress, None, tuple[dict[str, Any], bytes]]


class Child:
    """A process with a model in it. Used by one thread at a time; `kill` by any."""

    def __init__(self, folder: Path, mechanism: Mechanism, memory_mb: int) -> None:
        self.is_fit = True
        self.can_batch = False
        self._memory_mb = memory_mb
        self._mechanism = mechanism
        self._home = Path(tempfile.mkdtemp(prefix="scorehub-sandbox-"))
        self._frames: queue.Queue[Frame] = queue.Queue(maxsize=2)  # each may be large
        try:
            self._temp, canary = self._furnish()
            bounds = self._bounds(folder, self._temp, canary)
            self._process, self.pid = spawn(mechanism, bounds)
        except BaseException:
            shutil.rmtree(self._home, ignore_errors=True)
            raise
        self._watch = Watch(pid=self.pid, temp=self._temp, memory_mb=memory_mb)
        self._handle = _open_handle(self.pid)
        _living.add(self)
        threading.Thread(
            target=incoming.read_frames, args=(self._process, self._frames), daemon=True
        ).start()
        try:
            self._lock(bounds)
        except BaseException:
            self.close()
            raise

    def _furnish(self) -> tuple[Path, Path]:
        """Its own empty folder, and beside it a file that it must not be able to read."""
        home = self._home.resolve()
        temp, canary = home / "temp", home / "canary"
        temp.mkdir()
        canary.write_text("A file of the user's.")
        return temp, canary

    def _bounds(self, folder: Path, temp: Path, canary: Path) -> Bounds:
        return Bounds(
            folder=str(folder),
            temp=str(temp),
            readable=tuple(paths.readable()),
            canary=str(canary),
            data_mb=self._memory_mb + THREAD_ROOM_MB * (os.cpu_count() or 1),
            is_locked=self._mechanism.is_lock,
        )

    def _lock(self, bounds: Bounds) -> None:
        """Until here nothing but the hub's own code has run in the child."""
        self._send({"bounds": asdict(bounds), "packages": paths.packages()}, b"")
        try:
            frame = self._frames.get(timeout=LOCK_SECONDS)
        except queue.Empty:
            raise LoadError("The helper process for the model does not start; try again.") from None
        if isinstance(frame, Exception):
            raise LoadError(f"The helper process for the model did not start{self._code()}.")
        failures = [str(words) for words in frame[0].get("failures", ("it does not answer",))]
        if not failures and self._mechanism.is_lock:
            failures = _unlocked(self.pid)
        if failures:
            raise TrustError(
                f"The lock ({self._mechanism.value}) does not hold here: {'; '.join(failures)}. "
                "The model's code was not run."
            )

    def load(self, name: str) -> Steps:
        """Import the code of the model called `name`, in the child. Raises LoadError."""
        reply, _ = yield from self._exchange({"name": name}, b"", LoadError)
        self.can_batch = reply.get("can_batch") is True
        return reply, b""

    def ask(self, header: dict[str, Any], body: bytes) -> Steps:
        """One request; yields Progress at least every TICK_SECONDS, returns header and body.

        After an error, or when the generator is closed before its end, the child is not fit.
        """
        return (yield from self._exchange(header, body, AnswerError))

    def _exchange(self, header: dict[str, Any], body: bytes, failure: type[ModelError]) -> Steps:
        self.is_fit = False  # until it has answered, whatever interrupts us
        number = secrets.token_hex(8)  # an answer to anything else is none
        self._signal("SIGCONT")
        sent = ({**header, "id": number}, body)
        threading.Thread(target=self._send, args=sent, daemon=True).start()
        reply, data = yield from self._reply(number, failure)
        self._signal("SIGSTOP")
        is_over = failure is LoadError and "error" in reply
        self.is_fit = not is_over and cpu_seconds(self.pid) < RETIRE_CPU_SECONDS
        if "error" in reply:
            raise self._error(reply, failure)
        return reply, data

    def _reply(self, number: str, failure: type[ModelError]) -> Steps:
        last, shown, count = Progress(0.0), 0.0, 0
        began = watched = time.monotonic()
        while True:
            frame = self._next_frame(watched + TICK_SECONDS - time.monotonic())
            if isinstance(frame, Exception):
                raise failure(self._obituary(frame))
            if frame is not None and "progress" not in frame[0]:
                if frame[0].get("id") != number:
                    raise failure(stopped("answered a question that nobody asked"))
                return frame
            now = time.monotonic()
            if frame is not None:
                last, count = incoming.progress(frame[0]["progress"], last), count + 1
                if count > MAX_FRAMES[0] + MAX_FRAMES[1] * (now - began):
                    raise failure(stopped("floods the hub with messages"))
            if now - watched >= TICK_SECONDS:
                watched = now
                if complaint := self._watch.complaint():
                    raise failure(stopped(complaint))
            if now - shown >= TICK_SECONDS:
                shown = now
                yield last

    def _next_frame(self, seconds: float) -> Frame | None:
        try:
            return self._frames.get(timeout=max(seconds, 0.001))
        except queue.Empty:
            return None

    def _send(self, header: dict[str, Any], body: bytes) -> None:
        """May block for as long as the child lives, if it does not read."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):  # its death is seen by the reader
            write_frame(self._process.stdin, header, body)  # type: ignore[arg-type]

    def _error(self, reply: dict[str, Any], failure: type[ModelError]) -> ScorehubError:
        if reply["error"] == MEMORY:
            return failure(stopped(memory_complaint(self._memory_mb)))
        return incoming.reported(reply, failure)

    def _obituary(self, end: Exception) -> str:
        """Why there are no more frames: it is gone, or what came was none."""
        if isinstance(end, OSError | EOFError):
            return stopped(f"ended by itself or crashed{self._code()}")
        return stopped("spoke to the hub in a way that makes no sense")

    def _code(self) -> str:
        try:
            code = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            return ""
        if self._mechanism is Mechanism.BUBBLEWRAP and code > 128:
            code = 128 - code
        if code >= 0:
            return f" (exit code {code})"
        with contextlib.suppress(ValueError):
            return f" ({signal.Signals(-code).name})"
        return f" (signal {-code})"

    def _signal(self, name: str) -> None:
        """Stop or continue, where the system can; the number cannot have become another's."""
        if self._handle is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(self._handle, getattr(signal, name))

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """End it, stopped or not, and what an unlocked one has begun. Callable from any thread."""
        self.is_fit = False
        self._signal("SIGKILL")
        if self._process.poll() is None:  # its number is still its own
            with contextlib.suppress(ProcessLookupError, PermissionError, AttributeError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()

    def close(self) -> None:
        """Kill, and free the pipes and the folder. Only for the thread that holds the child."""
        self.kill()
        self._process.wait()
        _living.discard(self)
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()  # the other pipe is its reader's
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
        shutil.rmtree(self._home, ignore_errors=True)


def _unlocked(pid: int | None) -> list[str]:
    """What the kernel says of the child, seen from outside, before any foreign code is read."""
    wanted = {"Seccomp": "2", "NoNewPrivs": "1", "CapEff": "0" * 16, "CapPrm": "0" * 16}
    status = read_status(pid)
    return [f"{name} is {status.get(name)}" for name, v in wanted.items() if status.get(name) != v]


def _open_handle(pid: int | None) -> int | None:
    if pid is None or not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None


_living: weakref.WeakSet[Child] = weakref.WeakSet()


def shutdown() -> None:
    """End every child; a model's next request starts a fresh one."""
    for child in list(_living):
        child.kill()
        shutil.rmtree(child._home, ignore_errors=True)


if hasattr(os, "register_at_fork"):  # the children belong to the parent
    os.register_at_fork(after_in_child=_living.clear)
atexit.register(shutdown)
