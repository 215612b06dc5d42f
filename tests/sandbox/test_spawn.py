"""How a child begins: with nothing of the hub's."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from hub.sandbox import Mechanism, spawn
from hub.sandbox.lock import Bounds


def bounds(tmp_path: Path) -> Bounds:
    for name in ("folder", "temp"):
        (tmp_path / name).mkdir()
    return Bounds(
        folder=str(tmp_path / "folder"), temp=str(tmp_path / "temp"), readable=(), canary="",
        data_mb=500, is_locked=True,
    )  # fmt: skip


def test_the_number_is_that_of_the_python_inside(tmp_path: Path, mechanism: Mechanism) -> None:
    process, pid = spawn.spawn(mechanism, bounds(tmp_path))
    try:
        assert pid is not None and (pid == process.pid) == (mechanism is Mechanism.LANDLOCK)
        assert os.getsid(process.pid) == process.pid != os.getsid(0)
    finally:
        if pid is not None:  # bwrap binds its end to its own only a moment later
            os.kill(pid, signal.SIGKILL)
        process.kill()
        process.communicate()


def test_one_thread_begins_all_children() -> None:
    assert spawn._spawner() is spawn._spawner()


def test_bwrap_may_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.write(writing, b'{"child-')
    os.close(writing)
    try:
        assert spawn._inner_pid(reading) is None
    finally:
        os.close(reading)


@pytest.mark.parametrize("text", [b'{"child-pid": 77, "net": 1}', b'{\n"child-pid": 77\n}\n'])
def test_what_bwrap_says(text: bytes) -> None:
    reading, writing = os.pipe()
    os.write(writing, text)
    os.close(writing)
    try:
        assert spawn._inner_pid(reading) == 77
    finally:
        os.close(reading)
