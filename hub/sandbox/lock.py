"""Locks this process, once and for ever, and tries whether the lock holds.

In this order: bounds that the kernel keeps (memory, size of files, processor time), all privileges
given up, Landlock where the kernel has it, the filter of system calls. Then it tries what must not
work. Standard library only: it runs before anything else is imported, while there is but one
thread, because a thread that began earlier would stay unbound.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hub.sandbox import landlock, seccomp

FILE_BYTES = 64 << 20  # one file in the folder it may write to
OPEN_FILES = 256
CPU_SECONDS = 4 * 60 * 60  # in its life, all its threads together
_CAPABILITIES = 64
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 1, 24, 38, 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION = 0x20080522
_DEVICES = ("/dev/null",)


class LockError(OSError):
    pass


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What the hub tells its child about itself, before any of the model's code is read.

    folder      the model's, to be read
    temp        the one folder that may be written to
    readable    other paths that may be read: Python, libraries, the hub itself
    canary      a file of the user's that must be out of reach
    data_mb     private memory that may be reserved
    is_locked   False: the user has chosen to run the code with their own rights
    """

    folder: str
    temp: str
    readable: tuple[str, ...]
    canary: str
    data_mb: int
    is_locked: bool

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Bounds:
        return cls(**{**value, "readable": tuple(value["readable"])})


def lock_down(bounds: Bounds) -> list[str]:
    """What does not hold, in words; empty when everything does. Raises OSError."""
    _die_with_parent()
    _bound(bounds.data_mb)
    if not bounds.is_locked:
        return []
    if len(os.listdir("/proc/self/task")) != 1:
        raise LockError("There is more than one thread already.")
    _give_up_privileges()
    if version := landlock.abi():
        readable = (bounds.folder, *bounds.readable)
        landlock.apply(readable, (bounds.temp, *_DEVICES), version)
    seccomp.apply()
    return [what for what, attempt in _attempts(bounds) if _succeeds(attempt)]


def _die_with_parent() -> None:
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _bound(data_mb: int) -> None:
    """RLIMIT_DATA and not RLIMIT_AS: PyTorch maps far more than it uses, and threads reserve.

    No RLIMIT_NPROC either: it counts the user's other programs and does not bind root. The filter
    refuses new processes, the hub counts threads.
    """
    try:
        import resource
    except ImportError:  # Windows
        return
    limits = {
        "RLIMIT_CORE": 0,
        "RLIMIT_FSIZE": FILE_BYTES,
        "RLIMIT_NOFILE": OPEN_FILES,
        "RLIMIT_CPU": CPU_SECONDS,
        "RLIMIT_DATA": data_mb << 20,
        "RLIMIT_MEMLOCK": 0,
        "RLIMIT_MSGQUEUE": 0,
    }
    for name, value in limits.items():
        kind = getattr(resource, name, None)
        if kind is None:
            continue
        hard = resource.getrlimit(kind)[1]
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(kind, (most, most))
        except (ValueError, OSError):
            if sys.platform == "linux":
                raise


def _give_up_privileges() -> None:
    """No capability now, none by any program started later: also when the hub is run by root."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in range(_CAPABILITIES):
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # fails for those that do not exist
    libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    head = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    if libc.capset(head, (ctypes.c_uint32 * 6)()) != 0:
        raise LockError(ctypes.get_errno(), "The privileges cannot be given up.")


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise LockError(ctypes.get_errno(), f"prctl {option} failed.")


# --- does it hold? --------------------------------------------------------------------------------


def _attempts(bounds: Bounds) -> list[tuple[str, Callable[[], object]]]:
    new_file = os.path.join(bounds.folder, "scorehub-canary")
    return [
        ("it can open a network socket", lambda: socket.socket().close()),
        ("it can open a local socket", lambda: socket.socket(socket.AF_UNIX).close()),
        ("it can read other files of the user's", lambda: os.close(os.open(bounds.canary, 0))),
        ("it can write into the model's folder", lambda: _make(new_file)),
        ("it can write beside its own folder", lambda: _make(bounds.canary + "-2")),
        ("it can start processes", _fork),
        ("it can signal other processes", lambda: os.kill(-1, 0)),
        ("it keeps privileges", lambda: os.chroot("/")),
        ("it cannot write where it may", lambda: _cannot_write(bounds.temp)),
    ]


def _succeeds(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True


def _make(path: str) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
    os.unlink(path)


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)
    os.wait()


def _cannot_write(folder: str) -> None:
    try:
        _make(os.path.join(folder, "canary"))
    except OSError:
        return
    raise OSError
