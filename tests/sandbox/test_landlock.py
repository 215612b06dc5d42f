"""Rulesets of every version, and what they leave open to a small process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hub.sandbox import landlock


@pytest.mark.parametrize(
    ("version", "size", "bits"), [(1, 8, 13), (2, 8, 14), (3, 8, 15), (4, 16, 15), (5, 16, 16),
                                  (6, 24, 16), (7, 24, 16), (99, 24, 16)]
)  # fmt: skip
def test_a_ruleset_forbids_all_that_its_version_knows(version: int, size: int, bits: int) -> None:
    data = landlock.attributes(version)
    assert len(data) == size
    assert int.from_bytes(data[:8], "little") == (1 << bits) - 1
    assert set(data[8:16]) <= {0, 3} and set(data[16:]) <= {0, 3}
    assert any(data[8:16]) == (version >= 4) and any(data[16:]) == (version >= 6)


def test_other_systems_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock.sys, "platform", "darwin")
    assert landlock.abi() == 0


LOCKED = """
import ctypes, os, sys
from hub.sandbox import landlock
readable, writable, outside, version = sys.argv[1:]
assert ctypes.CDLL(None).prctl(38, 1, 0, 0, 0) == 0
landlock.apply([readable, "/does/not/exist"], [writable, "/dev/null"], int(version))

def tried(what):
    try:
        return str(what())
    except OSError as error:
        return type(error).__name__

print(tried(lambda: open(readable + "/file").read()))
print(tried(lambda: os.listdir(readable)))
print(tried(lambda: open(readable + "/new", "w")))
print(tried(lambda: open(writable + "/new", "w").write("abc")))
print(tried(lambda: os.unlink(writable + "/new")))
print(tried(lambda: os.mkdir(writable + "/new")))
print(tried(lambda: open("/dev/null", "w").write("abc")))
print(tried(lambda: open(outside + "/file").read()))
print(tried(lambda: os.listdir(outside)))
print(tried(lambda: os.rename(outside + "/file", outside + "/other")))
print(tried(lambda: os.execv("/bin/true", ["true"])))
"""


@pytest.mark.parametrize("version", range(1, 8))
def test_what_is_open_and_what_is_not(tmp_path: Path, version: int) -> None:
    if landlock.abi() < version:
        pytest.skip(f"this kernel speaks Landlock {landlock.abi()}")
    folders = [tmp_path / name for name in ("readable", "writable", "outside")]
    for folder in folders:
        folder.mkdir()
    for folder in (folders[0], folders[2]):
        (folder / "file").write_text("text")
    command = [sys.executable, "-c", LOCKED, *map(str, folders), str(version)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == [
        "text", "['file']", "PermissionError",
        "3", "None", "PermissionError", "3",
        "PermissionError", "PermissionError", "PermissionError", "PermissionError",
    ], done.stderr  # fmt: skip


def test_nonsense_is_an_error() -> None:
    with pytest.raises(landlock.LandlockError):
        landlock._syscall(landlock._CREATE_RULESET, b"", 0, 0)
