"""Landlock: which files this process may open, decided by the kernel and never undone.

Nothing may be read but the paths given, nothing written but in one folder and to the null device;
nothing executed; no TCP port bound or reached; no signal sent outside. Each version of the kernel
knows some of this (its "ABI"); what it does not know is left to the seccomp filter. Landlock does
not hide that a path exists: `stat` works anywhere.

Standard library only: it runs before anything else is imported, while there is but one thread,
since it binds the calling thread and those that come from it.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
import sys
from collections.abc import Iterable

# The system calls have the same numbers on every machine.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG, _PATH_BENEATH = 1, 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REMOVE_FILE, _MAKE_REGULAR, _TRUNCATE = 1 << 5, 1 << 8, 1 << 14
_ALL_TCP = 0b11
_ALL_SCOPES = 0b11  # abstract unix sockets, signals

READ = _READ_FILE | _READ_DIR
WRITE = READ | _WRITE_FILE | _MAKE_REGULAR | _REMOVE_FILE | _TRUNCATE
_ON_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE


class LandlockError(OSError):
    pass


def abi() -> int:
    """The version that this kernel speaks; 0 where there is none."""
    if sys.platform != "linux":
        return 0
    found = _libc().syscall(ctypes.c_long(_CREATE_RULESET), None, ctypes.c_size_t(0), _VERSION_FLAG)
    return max(int(found), 0)


def apply(readable: Iterable[str], writable: Iterable[str], version: int | None = None) -> None:
    """Bind this thread, which should be the only one. Paths that do not exist are passed over.

    Needs PR_SET_NO_NEW_PRIVS. Raises LandlockError.
    """
    version = abi() if version is None else version
    ruleset = _syscall(_CREATE_RULESET, attributes(version), ctypes.c_size_t(_size(version)), 0)
    try:
        for path in readable:
            _allow(ruleset, path, READ & _known(version))
        for path in writable:
            _allow(ruleset, path, WRITE & _known(version))
        _syscall(_RESTRICT_SELF, ctypes.c_int(ruleset), 0)
    finally:
        os.close(ruleset)


def attributes(version: int) -> bytes:
    """struct landlock_ruleset_attr: everything that this version can forbid is forbidden."""
    tcp = _ALL_TCP if version >= 4 else 0
    scopes = _ALL_SCOPES if version >= 6 else 0
    return struct.pack("=QQQ", _known(version), tcp, scopes)[: _size(version)]


def _known(version: int) -> int:
    """The rights on files that this version knows, as a mask."""
    bits = {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)
    return (1 << bits) - 1


def _size(version: int) -> int:
    return 8 if version < 4 else 16 if version < 6 else 24


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= _ON_FILES
        rule = struct.pack("=Qi", rights, place)  # struct landlock_path_beneath_attr, packed
        _syscall(_ADD_RULE, ctypes.c_int(ruleset), _PATH_BENEATH, rule, 0)
    finally:
        os.close(place)


def _syscall(number: int, *arguments: object) -> int:
    found = int(_libc().syscall(ctypes.c_long(number), *arguments))
    if found < 0:
        code = ctypes.get_errno()
        raise LandlockError(code, f"Landlock call {number} failed: {os.strerror(code)}.")
    return found


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
