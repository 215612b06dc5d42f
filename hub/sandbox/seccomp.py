"""System calls: a table of those a model's program needs, and the kernel filter made of it.

Whatever is not in the table answers "not permitted": sockets of every family, new processes and
programs, ptrace and other processes' memory, namespaces and mounts, keys, bpf, io_uring, perf,
userfaultfd, changes of owner, mode and time of files, new folders and links, and every call that
a later kernel will bring. Standard library only: it runs before anything else is imported.

Numbers: Linux x86_64 (arch/x86/entry/syscalls/syscall_64.tbl) and aarch64 (asm-generic/unistd.h).
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Iterator, Mapping
from typing import NamedTuple


class Test(NamedTuple):
    """Holds when `argument & mask == value`, of the argument's lower 32 bits."""

    argument: int
    mask: int
    value: int


class Machine(NamedTuple):
    """One kind of processor. audit: its number in seccomp_data.arch."""

    audit: int
    column: int
    has_x32: bool


MACHINES = {
    "x86_64": Machine(audit=0xC000003E, column=0, has_x32=True),
    "aarch64": Machine(audit=0xC00000B7, column=1, has_x32=False),
}

# Name → number on (x86_64, aarch64); None where there is no such call.
ALLOWED: dict[str, tuple[int | None, int | None]] = {
    # files that are open, or that Landlock or a mount lets us open
    "read": (0, 63), "write": (1, 64), "readv": (19, 65), "writev": (20, 66),
    "pread64": (17, 67), "pwrite64": (18, 68), "close": (3, 57), "close_range": (436, 436),
    "lseek": (8, 62), "fstat": (5, 80), "stat": (4, None), "lstat": (6, None),
    "newfstatat": (262, 79), "statx": (332, 291), "statfs": (137, 43), "fstatfs": (138, 44),
    "access": (21, None), "faccessat": (269, 48), "faccessat2": (439, 439),
    "readlink": (89, None), "readlinkat": (267, 78), "getdents": (78, None),
    "getdents64": (217, 61), "getcwd": (79, 17), "chdir": (80, 49), "fchdir": (81, 50),
    "unlink": (87, None), "unlinkat": (263, 35), "rename": (82, None), "renameat": (264, 38),
    "renameat2": (316, 276), "ftruncate": (77, 46), "fallocate": (285, 47),
    "fadvise64": (221, 223), "fsync": (74, 82), "fdatasync": (75, 83), "dup": (32, 23),
    "dup2": (33, None), "dup3": (292, 24), "pipe": (22, None),
    "pipe2": (293, 59), "poll": (7, None), "ppoll": (271, 73), "select": (23, None),
    "pselect6": (270, 72), "epoll_create": (213, None), "epoll_create1": (291, 20),
    "epoll_ctl": (233, 21), "epoll_wait": (232, None), "epoll_pwait": (281, 22),
    "eventfd2": (290, 19), "sendfile": (40, 71), "copy_file_range": (326, 285),
    "umask": (95, 166),
    # memory
    "mmap": (9, 222), "mprotect": (10, 226), "munmap": (11, 215), "mremap": (25, 216),
    "madvise": (28, 233), "msync": (26, 227), "brk": (12, 214),
    "membarrier": (324, 283),
    # threads and signals of its own
    "rseq": (334, 293), "futex": (202, 98), "set_robust_list": (273, 99),
    "get_robust_list": (274, 100), "set_tid_address": (218, 96), "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "rt_sigtimedwait": (128, 137),
    "rt_sigsuspend": (130, 133), "rt_sigpending": (127, 136), "sigaltstack": (131, 132),
    "setitimer": (38, 103), "getitimer": (36, 102), "alarm": (37, None),
    "sched_yield": (24, 124), "sched_getaffinity": (204, 123), "sched_getparam": (143, 121),
    "sched_getscheduler": (145, 120), "sched_get_priority_max": (146, 125),
    "sched_get_priority_min": (147, 126), "getpriority": (140, 141),
    "exit": (60, 93), "exit_group": (231, 94), "restart_syscall": (219, 128),
    # questions
    "getpid": (39, 172), "gettid": (186, 178), "getppid": (110, 173), "getuid": (102, 174),
    "geteuid": (107, 175), "getgid": (104, 176), "getegid": (108, 177),
    "getresuid": (118, 148), "getresgid": (120, 150), "getgroups": (115, 158),
    "getpgrp": (111, None), "getpgid": (121, 155), "getsid": (124, 156), "capget": (125, 90),
    "uname": (63, 160), "sysinfo": (99, 179), "getrusage": (98, 165), "times": (100, 153),
    "getrlimit": (97, 163), "clock_gettime": (228, 113), "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115), "nanosleep": (35, 101), "gettimeofday": (96, 169),
    "time": (201, None), "getcpu": (309, 168), "getrandom": (318, 278),
}  # fmt: skip

# Calls that are allowed only with certain arguments.
OPEN = {"open": (2, None), "openat": (257, 56)}
OF_PROCESS = {"kill": (62, 129), "tgkill": (234, 131), "prlimit64": (302, 261),
              "sched_setaffinity": (203, 122)}  # fmt: skip
BY_COMMAND = {"fcntl": (72, 25), "ioctl": (16, 29), "prctl": (157, 167)}
CLONE = {"clone": (56, 220)}
# Calls whose absence the C library expects and works around.
ABSENT = {"clone3": (435, 435), "openat2": (437, 437)}

O_ACCMODE, O_TRUNC = 0o3, 0o1000
THREAD_FLAGS = 0x00010000 | 0x00000100 | 0x00000800  # CLONE_THREAD, CLONE_VM, CLONE_SIGHAND
NAMESPACE_FLAGS = 0x7E020000 | 0x00000080  # CLONE_NEW*: cgroup, uts, ipc, user, pid, net, ns, time
COMMANDS = {
    # DUPFD, GETFD, SETFD, GETFL, SETFL, DUPFD_CLOEXEC, GETPIPE_SZ. Not SETOWN and SETSIG, which
    # would send a signal to anybody when a pipe has data; no locks that others would wait for.
    "fcntl": (0, 1, 2, 3, 4, 1030, 1032),
    # TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX
    "ioctl": (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451),
    # GET_DUMPABLE, SET_NAME, GET_NAME, GET_SECCOMP, CAPBSET_READ, GET_NO_NEW_PRIVS, SET_VMA
    "prctl": (3, 15, 16, 21, 23, 39, 0x53564D41),
}

_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
_NR, _ARCH, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data; both machines little-endian
_X32_BIT = 0x40000000
_INSTRUCTION = struct.Struct("<HBBI")
_PR_GET_SECCOMP, _PR_SET_SECCOMP, _MODE_FILTER = 21, 22, 2


class SeccompError(OSError):
    pass


def machine() -> Machine | None:
    """This machine's row, or None where there is no filter to be had."""
    if sys.platform != "linux" or struct.calcsize("P") != 8:
        return None
    return MACHINES.get(platform.machine())


def is_available() -> bool:
    if machine() is None:
        return False
    return int(ctypes.CDLL(None).prctl(_PR_GET_SECCOMP, 0, 0, 0, 0)) >= 0


def build(here: Machine, pid: int) -> bytes:
    """The filter, as an array of struct sock_filter, for the process `pid`."""
    lines = [_op(_LOAD, _ARCH), _op(_EQUAL, here.audit, 1, 0), _op(_RETURN, _KILL)]
    lines.append(_op(_LOAD, _NR))
    if here.has_x32:  # the same calls by other numbers, in an ABI that nobody needs
        lines += [_op(_AT_LEAST, _X32_BIT, 0, 1), _op(_RETURN, _KILL)]
    for number in _numbers(ALLOWED, here):
        lines += [_op(_EQUAL, number, 0, 1), _op(_RETURN, _ALLOW)]
    for number, tests, verdict in _conditional(here, pid):
        block = _tested(tests, verdict)
        lines += [_op(_EQUAL, number, 0, len(block)), *block]
    for number in _numbers(ABSENT, here):
        lines += [_op(_EQUAL, number, 0, 1), _op(_RETURN, _ERRNO | errno.ENOSYS)]
    lines.append(_op(_RETURN, _ERRNO | errno.EPERM))
    return b"".join(lines)


def apply() -> None:
    """Filter this process and all that it will start, for ever. Needs PR_SET_NO_NEW_PRIVS."""
    here = machine()
    if here is None:
        raise SeccompError("There is no filter for this machine.")
    program = build(here, os.getpid())
    kept = ctypes.create_string_buffer(program, len(program))
    count = len(program) // _INSTRUCTION.size
    head = struct.pack("@HxxxxxxP", count, ctypes.addressof(kept))  # struct sock_fprog
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, head, 0, 0) != 0:
        number = ctypes.get_errno()
        raise SeccompError(number, f"The kernel refused the filter: {os.strerror(number)}.")


def _conditional(here: Machine, pid: int) -> Iterator[tuple[int, list[Test], bool]]:
    """(number, tests, what it means when one of them holds: allowed or not)."""
    # Without an access right, Landlock before its third ABI would let O_TRUNC through.
    for name, argument in (("open", 1), ("openat", 2)):
        for number in _numbers({name: OPEN[name]}, here):
            yield number, [Test(argument, O_TRUNC | O_ACCMODE, O_TRUNC)], False
    for name in OF_PROCESS:
        own = [Test(0, 0xFFFFFFFF, pid)]
        if name in ("prlimit64", "sched_setaffinity"):
            own.append(Test(0, 0xFFFFFFFF, 0))  # 0: the caller
        for number in _numbers({name: OF_PROCESS[name]}, here):
            yield number, own, True
    for name, commands in COMMANDS.items():
        argument = 0 if name == "prctl" else 1
        for number in _numbers({name: BY_COMMAND[name]}, here):
            yield number, [Test(argument, 0xFFFFFFFF, command) for command in commands], True
    for number in _numbers(CLONE, here):
        yield number, [Test(0, THREAD_FLAGS | NAMESPACE_FLAGS, THREAD_FLAGS)], True


def _tested(tests: list[Test], verdict: bool) -> list[bytes]:
    hit, miss = (_ALLOW, _ERRNO | errno.EPERM) if verdict else (_ERRNO | errno.EPERM, _ALLOW)
    lines: list[bytes] = []
    for test in tests:
        lines.append(_op(_LOAD, _ARGUMENTS + 8 * test.argument))
        lines.append(_op(_AND, test.mask))
        lines += [_op(_EQUAL, test.value, 0, 1), _op(_RETURN, hit)]
    return [*lines, _op(_RETURN, miss)]


def _numbers(table: Mapping[str, tuple[int | None, int | None]], here: Machine) -> list[int]:
    return [row[here.column] for row in table.values() if row[here.column] is not None]  # type: ignore[misc]


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return _INSTRUCTION.pack(code, if_true, if_false, value)
