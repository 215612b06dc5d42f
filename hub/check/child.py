"""The process of a check in which the model runs: python -P -m hub.check.child FOLDER CODE

CODE is the folder of the architecture that the card names, or ''. What `hub.check.watch` is told
goes through a pipe that no print reaches; the process ends when its standard input does.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from hub.check import watch
from hub.check.checks import examine
from hub.check.report import FAIL, Cost
from hub.errors import describe


class Wire:
    """What this process says, and what it is about."""

    def __init__(self, out: BinaryIO) -> None:
        self.out = out
        self.check = "loads"

    def send(self, *words: Any) -> None:
        self.out.write(json.dumps(words).encode() + b"\n")
        self.out.flush()

    def tell(self, check: str, step: str, seconds: float) -> None:
        self.check = check
        self.send("doing", check, step, seconds)


def main(arguments: Sequence[str]) -> None:
    folder, code = arguments
    listener, wire = os.fdopen(os.dup(0), "rb"), Wire(os.fdopen(os.dup(1), "wb"))
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    threading.Thread(target=_end_with, args=(listener,), daemon=True).start()
    try:
        _examine(Path(folder), code, wire)
    except BaseException as error:  # whatever a model does, the row says it
        traceback.print_exc()
        wire.send("found", wire.check, FAIL, f"{describe(error)}; what follows was left out")
    wire.send("end")


def _examine(folder: Path, code: str, wire: Wire) -> None:
    watch.register_code(folder, code)
    for found in examine(folder, wire.tell):
        if isinstance(found, Cost):
            wire.send("cost", found.seconds, found.memory_mb)
        else:
            wire.send("found", found.name, found.status, found.detail)


def _end_with(listener: BinaryIO) -> None:
    """Nobody listens any more: end this process, and all that it started."""
    listener.read()
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
