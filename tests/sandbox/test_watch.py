"""What is seen of a process from outside."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from hub.sandbox import watch
from hub.sandbox.watch import Watch

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@linux
def test_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "MAX_THREADS", 10_000)  # of this process: that of all tests
    assert Watch(pid=os.getpid(), temp=tmp_path, memory_mb=1 << 20).complaint() is None
    words = Watch(pid=os.getpid(), temp=tmp_path, memory_mb=1).complaint()
    assert words == "needs more than the 1 MB of memory that it may use"


@linux
def test_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "MAX_THREADS", 0)
    words = Watch(pid=os.getpid(), temp=tmp_path, memory_mb=1 << 20).complaint()
    assert words == "started more than 0 threads"


def test_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Watch(pid=None, temp=tmp_path, memory_mb=1)
    assert seen.complaint() is None
    (tmp_path / "a").write_bytes(bytes(100))
    (tmp_path / "l").symlink_to("/dev/zero")
    assert seen.complaint() is None
    monkeypatch.setattr(watch, "MAX_TEMP_BYTES", 99)
    assert seen.complaint() == "wrote more temporary files than it may"
    monkeypatch.setattr(watch, "MAX_TEMP_BYTES", 1 << 30)
    monkeypatch.setattr(watch, "MAX_FILES", 1)
    assert seen.complaint() == "wrote more temporary files than it may"


def test_what_is_gone_is_no_error(tmp_path: Path) -> None:
    gone = Watch(pid=2**22 + 1, temp=tmp_path / "gone", memory_mb=1)
    assert gone.complaint() is None
    assert watch.cpu_seconds(2**22 + 1) == watch.cpu_seconds(None) == 0.0


@linux
def test_processor_time() -> None:
    assert 0 < watch.cpu_seconds(os.getpid()) < 10_000
