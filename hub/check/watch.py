"""The examination of a model, watched from outside: `hub.check.child` runs it in its own process.

The child says on a pipe of its own, a JSON list a line, what it begins and how long that may last,
and what it found. One that says nothing for so long is ended, with all that it started.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from hub import architectures
from hub.card import read_card
from hub.check.report import FAIL, Cost, Finding

CHILD = "hub.check.child"
START_SECONDS = 120.0  # until the model has been loaded
DEBUG = "SCOREHUB_DEBUG"  # set: what the model writes to standard error is shown


def examine(folder: Path, on_step: Callable[[str, str], None]) -> Iterator[Finding | Cost]:
    """What `hub.check.checks.examine` finds, and FAIL where the process hangs or ends.

    Raises LoadError when the card names an architecture that is not installed.
    """
    process = subprocess.Popen(
        command(CHILD, str(folder), code_folder(folder)),
        stdin=subprocess.PIPE,  # its end tells the child that nobody listens any more
        stdout=subprocess.PIPE,
        stderr=None if os.environ.get(DEBUG) else subprocess.DEVNULL,
        env=environment(),
        start_new_session=True,
    )
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(process.stdout, lines), daemon=True)
    reader.start()
    try:
        yield from _follow(process, lines, on_step)
    finally:
        _kill(process)
        reader.join(timeout=1)


def command(module: str, *words: str) -> list[str]:
    """Runs a module of the hub with this Python, wherever it is called."""
    return [sys.executable, "-P", "-m", module, *words]


def environment() -> dict[str, str]:
    """The user's own (it is the user's own program), and where to find the hub. Threads that have
    nothing to do sleep: beside other programs a network would otherwise seem to cost many times
    what it does."""
    package = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    return {"OMP_WAIT_POLICY": "PASSIVE", **os.environ, "PYTHONPATH": path}


def code_folder(folder: Path) -> str:
    """The folder of the architecture that the card names, for a process that may not know it.

    '' for a card with code of its own. Raises CardError, LoadError.
    """
    card = read_card(folder)
    return "" if card.runs_own_code else str(architectures.locate(card.entry))


def register_code(folder: Path, code: str) -> None:
    """In the other process: make known what `code_folder` has found."""
    if code:
        architectures.register(read_card(folder).entry, code)


def _read(pipe: IO[bytes], lines: queue.SimpleQueue[bytes]) -> None:
    with pipe:
        for line in pipe:
            lines.put(line)
    lines.put(b"")


def _follow(
    process: subprocess.Popen[bytes],
    lines: queue.SimpleQueue[bytes],
    on_step: Callable[[str, str], None],
) -> Iterator[Finding | Cost]:
    check, step, seconds = "loads", "", START_SECONDS
    while True:
        try:
            kind, *rest = _message(lines.get(timeout=seconds))
        except queue.Empty:
            yield _failure(check, step, f"no answer within {seconds:g} s, so it was stopped")
            return
        if kind == "doing":
            check, step, seconds = rest
            on_step(check, step)
        elif kind == "found":
            yield Finding(*map(_printable, rest))
        elif kind == "cost":
            yield Cost(seconds=rest[0], memory_mb=rest[1])
        elif kind == "end":
            return
        else:
            yield _failure(check, step, f"the model ended the process ({_cause(process)})")
            return


def _message(line: bytes) -> list[Any]:
    """['gone'] at the end, and for anything but a list: then somebody else has written there."""
    try:
        said = json.loads(line)
    except ValueError:
        said = None
    return said if isinstance(said, list) and said else ["gone"]


def _failure(check: str, step: str, what: str) -> Finding:
    where = f"{step}: " if step else ""
    return Finding(check, FAIL, f"{where}{what}; the checks that follow were left out")


def _cause(process: subprocess.Popen[bytes]) -> str:
    try:
        code = process.wait(timeout=1)
    except subprocess.TimeoutExpired:
        return "it says nothing that could be read"
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _printable(text: str) -> str:
    """Without halves of characters, which no terminal takes."""
    return text.encode("utf-8", "replace").decode()


def _kill(process: subprocess.Popen[bytes]) -> None:
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
    if process.stdin is not None:
        process.stdin.close()
