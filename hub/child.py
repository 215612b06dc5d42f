"""Warm, killable helper processes for third-party code that touches a user's data.

    call("hub.preview.engraver:render", data, timeout_seconds=20, memory_mb=1024, page=1) -> bytes

The named function is `f(data: bytes, **options) -> bytes`, options JSON. Each module has its own
small pool of processes, started on first use and used again; one that overruns its time or
memory, or crashes, is killed and the next call starts another. The children are given no
environment but the few variables that Python needs, so a parser meets no token by accident.

This guards against files that crash, hang or bloat a library. It is no sandbox: code that takes a
library over runs with the user's rights, and could read what the user can read.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub import errors
from hub.errors import ChildError, ScorehubError
from hub.wire import read_frame, write_frame

POOL_SIZE = 2
CALLS_PER_CHILD = 500  # then a fresh one: libraries leak
WAIT_SECONDS = 60.0  # for a free process, when all are busy
HUB_ONLY = ("hub.",)


def call(
    function: str,
    data: bytes,
    *,
    timeout_seconds: float = 20.0,
    memory_mb: int = 1024,
    allowed: tuple[str, ...] = HUB_ONLY,
    **options: Any,
) -> bytes:
    """`function` ("module:name") applied to `data` in a warm child process.

    `allowed` are the module prefixes that may be named. A ScorehubError raised by the function
    is raised here again; ChildError says that it crashed, hung, grew too large or stayed busy.
    """
    module = function.partition(":")[0]
    if not f"{module}.".startswith(allowed) or ":" not in function:
        raise ChildError(f'Only functions of the hub run in its child processes, not "{function}".')
    header = {
        "function": function,
        "options": options,
        "timeout_seconds": timeout_seconds,
        "memory_mb": memory_mb,
    }
    with _pool(module).borrow() as worker:
        reply, body = worker.ask(header, data, timeout_seconds)
    if "error" in reply:
        raise _error(reply)
    return body


def shutdown() -> None:
    """End every child process; the next call starts new ones."""
    with _pools_lock:
        pools = list(_pools.values())
        _pools.clear()
    for pool in pools:
        pool.close()


def _error(reply: dict[str, Any]) -> ScorehubError:
    """The same error class on this side, if it is one of the hub's."""
    found = getattr(errors, str(reply["error"]), None)
    message = str(reply.get("message", ""))
    if isinstance(found, type) and issubclass(found, ScorehubError):
        return found(message)
    return ChildError(message)


class _Deadline:
    """Calls `act` once when the time is over, unless the block has been left before."""

    def __init__(self, seconds: float, act: Callable[[], None]) -> None:
        self.is_over = False
        self._is_done = False
        self._act = act
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> _Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._is_done = True
        self._timer.cancel()

    def _end(self) -> None:
        with self._lock:
            if not self._is_done:
                self.is_over = True
                self._act()


class _Worker:
    """One child process and the two pipes to it. Used by one thread at a time."""

    def __init__(self) -> None:
        self.calls = 0
        self.is_fit = True
        self._folder = tempfile.mkdtemp(prefix="scorehub-child-")
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "hub.child_main"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
            env=_environment(self._folder),
            start_new_session=True,
        )

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(
        self, header: dict[str, Any], data: bytes, timeout_seconds: float
    ) -> tuple[dict[str, Any], bytes]:
        """One call; kills the process and raises ChildError when no answer comes in time."""
        self.calls += 1
        self.is_fit = False  # until it has answered, whatever interrupts us
        with _Deadline(timeout_seconds, self.kill) as deadline:
            try:
                reply, body = self._exchange(header, data)
            except (OSError, EOFError, ValueError):
                self.kill()
                raise ChildError(self._obituary(deadline.is_over, timeout_seconds)) from None
        too_big = reply.get("peak_mb", 0) > header["memory_mb"]
        self.is_fit = not (
            deadline.is_over or reply.get("fatal") or too_big or self.calls >= CALLS_PER_CHILD
        )
        return reply, body

    def _exchange(self, header: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        assert self._process.stdin is not None and self._process.stdout is not None
        number = secrets.token_hex(8)  # an answer to anything else is none
        write_frame(self._process.stdin, {**header, "id": number}, data)  # type: ignore[arg-type]
        reply, body = read_frame(self._process.stdout)  # type: ignore[arg-type]
        if reply.get("id") != number:
            raise ValueError("The child answered another question.")
        return reply, body

    def _obituary(self, timed_out: bool, timeout_seconds: float) -> str:
        if timed_out:
            return f"This score took longer than the {timeout_seconds:g} seconds it may take."
        code = self._process.wait()
        cause = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"This score made the helper process stop ({cause}); the hub itself is unharmed."

    def kill(self) -> None:
        """End the process and its group. Callable from any thread."""
        self.is_fit = False
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()

    def close(self) -> None:
        """Kill, and free the pipes and the folder. Only for the thread that holds the worker."""
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        shutil.rmtree(self._folder, ignore_errors=True)


@dataclass
class _Pool:
    """At most POOL_SIZE workers of one kind; borrowers wait their turn, but not for ever."""

    idle: list[_Worker] = field(default_factory=list)
    is_closed: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _free: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(POOL_SIZE))

    @contextlib.contextmanager
    def borrow(self) -> Iterator[_Worker]:
        if not self._free.acquire(timeout=WAIT_SECONDS):
            raise ChildError(
                f"The helper processes have been busy for {WAIT_SECONDS:g} seconds; try again soon."
            )
        try:
            worker = self._take()
            try:
                yield worker
            finally:
                self._give(worker)
        finally:
            self._free.release()

    def _take(self) -> _Worker:
        with self._lock:
            worker = self.idle.pop() if self.idle else None
        if worker is not None and worker.is_alive:
            return worker
        if worker is not None:
            worker.close()
        return _Worker()

    def _give(self, worker: _Worker) -> None:
        with self._lock:
            keep = worker.is_fit and not self.is_closed
            if keep:
                self.idle.append(worker)
        if not keep:
            worker.close()

    def close(self) -> None:
        with self._lock:
            self.is_closed = True
            idle, self.idle = self.idle, []
        for worker in idle:
            worker.close()


_pools: dict[str, _Pool] = {}
_pools_lock = threading.Lock()


def _pool(module: str) -> _Pool:
    with _pools_lock:
        return _pools.setdefault(module, _Pool())


def _environment(folder: str) -> dict[str, str]:
    """Just enough for Python to start and find the hub; nothing of the user's."""
    paths = [str(Path(__file__).resolve().parents[1]), os.environ.get("PYTHONPATH", "")]
    needed = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    single_threaded = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    places = dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP"), folder)
    return {
        **needed,
        **places,
        **single_threaded,
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONIOENCODING": "utf-8",
    }


def _forget_pools() -> None:
    """After a fork: the children belong to the parent."""
    _pools.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pools)
atexit.register(shutdown)
