"""Beginning a child: the command, the pipes, the process that the model will be in.

Nothing of the hub goes along: no environment, no open file, no terminal.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hub.sandbox import bubblewrap
from hub.sandbox.lock import Bounds
from hub.sandbox.mechanism import Mechanism

INFO_SECONDS = 10.0  # for bwrap to say which process it has begun
_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")

# "Die with the parent" means the thread that began the child: one that lives as long as the hub.
_thread: list[ThreadPoolExecutor] = []
_thread_lock = threading.Lock()


def spawn(mechanism: Mechanism, bounds: Bounds) -> tuple[subprocess.Popen[bytes], int | None]:
    """The process, and the number of the one that the model is in. Raises OSError."""
    return _spawner().submit(_spawn, mechanism, bounds).result()


def _spawner() -> ThreadPoolExecutor:
    with _thread_lock:
        if not _thread:
            _thread.append(ThreadPoolExecutor(1, thread_name_prefix="scorehub-sandbox"))
        return _thread[0]


def _spawn(mechanism: Mechanism, bounds: Bounds) -> tuple[subprocess.Popen[bytes], int | None]:
    inner = [sys.executable, "-I", "-B", str(_BOOTSTRAP)]
    if mechanism is not Mechanism.BUBBLEWRAP:
        process = _popen(inner, bounds.temp)
        return process, process.pid
    reading, writing = os.pipe()
    try:
        command = bubblewrap.command(
            inner, folder=bounds.folder, temp=bounds.temp, info_descriptor=writing
        )
        process = _popen(command, bounds.temp, writing)
        os.close(writing)
        writing = -1
        return process, _inner_pid(reading)
    finally:
        os.close(reading)
        if writing >= 0:
            os.close(writing)


def _popen(command: list[str], folder: str, *descriptors: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env=_environment(),
        pass_fds=descriptors,
        start_new_session=True,
    )


def _environment() -> dict[str, str]:
    """Nothing. Windows starts no program without these two."""
    wanted = ("SYSTEMROOT", "PATH") if os.name == "nt" else ()
    return {name: os.environ[name] for name in wanted if name in os.environ}


def _inner_pid(reading: int) -> int | None:
    """bwrap says it in JSON, `{"child-pid": 123, …}`, and closes its end."""
    text = b""
    while select.select([reading], [], [], INFO_SECONDS)[0]:
        if not (piece := os.read(reading, 4096)):
            break
        text += piece
        with contextlib.suppress(ValueError, KeyError):
            return int(json.loads(text)["child-pid"])
    return None


if hasattr(os, "register_at_fork"):  # the thread stays with the parent
    os.register_at_fork(after_in_child=_thread.clear)
