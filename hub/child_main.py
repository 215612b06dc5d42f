"""What runs inside a child process: take a frame, call the named function, answer with a frame.

The child keeps the wire to itself (libraries that print go to the null device), leaves no core
dumps, and dies by the kernel's hand when a call outlives its time, even if the hub is gone.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

from hub.errors import ChildError, ScorehubError
from hub.wire import read_frame, write_frame

HAS_LIMITS = importlib.util.find_spec("resource") is not None  # not on Windows
if HAS_LIMITS:
    import resource

GRACE_SECONDS = 1.0  # the hub kills at the deadline; the child's own clocks are the fallback


def serve() -> None:
    """Answer frames from standard input on standard output until the input ends."""
    requests, replies = _private_pipes()
    _forbid_core_dumps()
    while True:
        try:
            header, data = read_frame(requests)
        except EOFError:
            return
        _arm(header["timeout_seconds"], header["memory_mb"])
        reply, body = _answer(header, data)
        _disarm()
        write_frame(replies, {**reply, "id": header["id"]}, body)


def _private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """The two ends of the wire on new descriptors; 0 and 1 become the null device."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    return requests, replies


def _answer(header: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    try:
        result = _resolve(header["function"])(data, **header["options"])
        if not isinstance(result, bytes):
            raise TypeError(f"returned {type(result).__name__}")
        return {"ok": True, "peak_mb": _peak_mb()}, result
    except ScorehubError as error:
        return _failure(type(error).__name__, str(error)), b""
    except MemoryError:
        message = f"This needs more than the {header['memory_mb']} MB of memory it may use."
        return _failure(ChildError.__name__, message, fatal=True), b""
    except BaseException as error:  # whatever a library throws, the hub gets one sentence
        what = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        return _failure(ChildError.__name__, f"The score could not be processed ({what})."), b""


def _failure(name: str, message: str, *, fatal: bool = False) -> dict[str, Any]:
    return {"error": name, "message": message, "fatal": fatal, "peak_mb": _peak_mb()}


def _resolve(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found


def _arm(timeout_seconds: float, memory_mb: int) -> None:
    """Clocks and memory cap for one call. The alarm's default action ends the process."""
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, timeout_seconds + GRACE_SECONDS)
    if HAS_LIMITS:
        used = resource.getrusage(resource.RUSAGE_SELF)
        cpu_seconds = int(used.ru_utime + used.ru_stime + 4 * timeout_seconds) + 2
        _set_soft_limit(resource.RLIMIT_CPU, cpu_seconds)
        _set_soft_limit(resource.RLIMIT_AS, memory_mb << 20)


def _disarm() -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)


def _forbid_core_dumps() -> None:
    if HAS_LIMITS:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _set_soft_limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
    try:
        resource.setrlimit(kind, (soft, hard))
    except (ValueError, OSError):  # macOS refuses some; the clocks still hold
        return


def _peak_mb() -> int:
    if not HAS_LIMITS:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak >> 20 if sys.platform == "darwin" else peak >> 10)


if __name__ == "__main__":
    serve()
