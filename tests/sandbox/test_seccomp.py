"""The filter as a program: its table against the kernel's headers, its verdicts for each call."""

from __future__ import annotations

import errno
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from hub.sandbox import seccomp
from hub.sandbox.seccomp import MACHINES, Machine

HEADER = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
GENERIC = Path("/usr/include/asm-generic/unistd.h")
TABLES = (
    seccomp.ALLOWED, seccomp.OPEN, seccomp.OF_PROCESS, seccomp.BY_COMMAND, seccomp.CLONE,
    seccomp.ABSENT,
)  # fmt: skip
PID = 4321
EPERM, ENOSYS = -errno.EPERM, -errno.ENOSYS


def verdict(machine: Machine, number: int, *arguments: int, audit: int | None = None) -> int:
    """What the kernel would do, by the rules of classic BPF: 0, -errno, or -999 for the end."""
    padded = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack(
        "<IIQ6Q", number, machine.audit if audit is None else audit, 0,
        *(a & (1 << 64) - 1 for a in padded),
    )  # fmt: skip
    program = list(struct.iter_unpack("<HBBI", seccomp.build(machine, PID)))
    at, register = 0, 0
    while True:
        code, if_true, if_false, value = program[at]
        at += 1
        if code == 0x20:
            (register,) = struct.unpack_from("<I", data, value)
        elif code == 0x54:
            register &= value
        elif code == 0x15:
            at += if_true if register == value else if_false
        elif code == 0x35:
            at += if_true if register >= value else if_false
        else:
            assert code == 0x06
            if value == 0x7FFF0000:
                return 0
            return -999 if value == 0x80000000 else -(value & 0xFFFF)


machines = pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)


def number(machine: Machine, name: str) -> int:
    found = next(table[name] for table in TABLES if name in table)[machine.column]
    assert found is not None
    return found


def test_the_numbers_are_the_kernels() -> None:
    headers = (HEADER, GENERIC)
    if not all(path.exists() for path in headers):
        pytest.skip("no kernel headers (apt-get install linux-libc-dev)")
    pattern = re.compile(r"#define __NR(?:3264)?_(\w+)\s+(\d+)")
    known = [dict(pattern.findall(path.read_text())) for path in headers]
    known[1]["newfstatat"] = known[1]["fstatat"]
    for table in TABLES:
        for name, row in table.items():
            for column, value in enumerate(row):
                if value is not None:
                    assert known[column].get(name) == str(value), name


@machines
def test_only_what_is_in_the_table_is_allowed(machine: Machine) -> None:
    always = {row[machine.column] for row in seccomp.ALLOWED.values()}
    sometimes = {
        number for table in TABLES[1:] for row in table.values() if (number := row[machine.column])
    }
    for call in range(600):
        if call in always:
            assert verdict(machine, call) == 0
        elif call not in sometimes:
            assert verdict(machine, call) == EPERM


@machines
def test_another_machines_calls_end_the_process(machine: Machine) -> None:
    for audit in (0x40000003, 0x40000028, 0, *(m.audit for m in MACHINES.values() if m != machine)):
        assert verdict(machine, number(machine, "read"), audit=audit) == -999
    if machine.has_x32:
        assert verdict(machine, 0x40000000 + number(machine, "read")) == -999


@machines
def test_clone_makes_threads_only(machine: Machine) -> None:
    clone = number(machine, "clone")
    assert verdict(machine, clone, 0x3D0F00) == 0  # what pthread_create asks for
    for flags in (
        0,
        17,
        0x4111,
        0x100,
        0x10900 & ~0x100,
        0x3D0F00 | 0x10000000,
        0x3D0F00 | 0x20000,
    ):
        assert verdict(machine, clone, flags) == EPERM, hex(flags)
    assert verdict(machine, number(machine, "clone3")) == ENOSYS


@machines
@pytest.mark.parametrize("name", ["kill", "tgkill"])
def test_signals_reach_itself_only(machine: Machine, name: str) -> None:
    call = number(machine, name)
    assert verdict(machine, call, PID, 9) == 0
    for pid in (0, 1, -1, -PID, PID + 1):
        assert verdict(machine, call, pid, 9) == EPERM


@machines
@pytest.mark.parametrize("name", ["prlimit64", "sched_setaffinity"])
def test_bounds_are_its_own(machine: Machine, name: str) -> None:
    call = number(machine, name)
    assert verdict(machine, call, PID) == verdict(machine, call, 0) == 0
    assert verdict(machine, call, 1) == verdict(machine, call, -1) == EPERM


@machines
def test_descriptors_cannot_be_made_to_signal_others(machine: Machine) -> None:
    fcntl, ioctl = number(machine, "fcntl"), number(machine, "ioctl")
    assert verdict(machine, fcntl, 3, 1) == verdict(machine, ioctl, 3, 0x5401) == 0
    for command in (8, 10, 15, 1024, 1033):  # SETOWN, SETSIG, SETOWN_EX, SETLEASE, ADD_SEALS
        assert verdict(machine, fcntl, 3, command) == EPERM
    for command in (0x8901, 0x5412, 0x5452, 0x40086602):  # FIOSETOWN, TIOCSTI, FIOASYNC, SETFLAGS
        assert verdict(machine, ioctl, 3, command) == EPERM
    assert verdict(machine, ioctl, 3, (1 << 32) | 0x5412) == EPERM


@machines
def test_a_file_opened_to_be_read_is_not_emptied(machine: Machine) -> None:
    call = number(machine, "openat")
    assert verdict(machine, call, -100, 0, os.O_RDONLY | os.O_CLOEXEC) == 0
    assert verdict(machine, call, -100, 0, os.O_WRONLY | os.O_TRUNC | os.O_CREAT) == 0
    assert verdict(machine, call, -100, 0, os.O_RDONLY | os.O_TRUNC) == EPERM


@machines
def test_a_process_keeps_what_it_was_told(machine: Machine) -> None:
    prctl = number(machine, "prctl")
    assert verdict(machine, prctl, 15) == 0
    for option in (1, 4, 8, 22, 24, 38, 47, 59):  # PDEATHSIG, DUMPABLE, SECCOMP, CAPBSET_DROP, …
        assert verdict(machine, prctl, option) == EPERM


def test_other_systems_have_no_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seccomp.platform, "machine", lambda: "riscv64")
    assert seccomp.machine() is None and not seccomp.is_available()
    with pytest.raises(seccomp.SeccompError):
        seccomp.apply()
    monkeypatch.setattr(seccomp.sys, "platform", "darwin")
    assert seccomp.machine() is None


FILTERED = """
import ctypes, mmap, sys
from hub.sandbox import seccomp
assert ctypes.CDLL(None).prctl(38, 1, 0, 0, 0) == 0
seccomp.apply()
print(ctypes.CDLL(None).getpid() > 0, flush=True)
code = mmap.mmap(-1, 4096, prot=7)
code.write(bytes.fromhex(sys.argv[1]))
ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()
"""


@pytest.mark.skipif(seccomp.machine() != MACHINES["x86_64"], reason="machine code of x86_64")
@pytest.mark.parametrize(
    "code",
    ["b814000000cd80c3", "b8270000400f05c3"],
    ids=["32-bit getpid by int 0x80", "x32 getpid by syscall"],
)
def test_another_calling_convention_ends_the_process(code: str) -> None:
    command = [sys.executable, "-c", FILTERED, code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "True\n"
    assert done.returncode in (-31, -11)  # SIGSYS; SIGSEGV where the kernel knows no 32-bit calls
