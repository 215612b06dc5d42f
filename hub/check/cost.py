"""What a take costs, and whether the card said so.

Time is measured where the checks run. Memory is measured in a process of its own
(`hub.check.measure`): what it grew by from before the model was loaded until after its takes. The
same process shows whether a seed gives the same notes in another run.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hub.card import Needs
from hub.check import watch
from hub.check.report import FAIL, OK, WARN, Cost, Finding
from hub.errors import LoadError
from hub.score import Notes

CHILD = "hub.check.measure"
TIMEOUT_SECONDS = 900.0
# A card's word holds up to this factor and this much more: clocks and allocators are not exact.
TOLERANCE = 1.5
SPARE_SECONDS = 0.25
SPARE_MB = 64


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What the other process found: a digest of the notes of each take, and its memory."""

    notes: tuple[str, ...]
    memory_mb: int | None


def measure(
    folder: Path, trials: Sequence[int], seed: int, *, timeout_seconds: float = TIMEOUT_SECONDS
) -> Measured:
    """Run trials of the bench, named by their numbers, in a fresh process. Raises LoadError."""
    code = watch.code_folder(folder)
    with tempfile.TemporaryDirectory(prefix="scorehub-check-") as place:
        answer = Path(place) / "measured.json"  # what a model prints does not get in the way
        words = [str(folder.resolve()), str(answer), code, str(seed), *map(str, trials)]
        said = _run(watch.command(CHILD, *words), timeout_seconds)
        if not answer.exists():
            raise LoadError(f"In a process of its own the model failed ({said}).")
        found = json.loads(answer.read_text(encoding="utf-8"))
    return Measured(notes=tuple(found["notes"]), memory_mb=found["memory_mb"])


def digest(notes: Notes) -> str:
    """Text that is the same iff the notes are."""
    return json.dumps([list(note) for note in notes])


def is_exceeded(measured: float, declared: float, spare: float) -> bool:
    """Is this clearly more than the card says, and not only noise?"""
    return measured > max(declared * TOLERANCE, declared + spare)


def compare(cost: Cost, needs: Needs, name: str) -> Finding:
    """Is what was measured within what the card says? Says what to write where it says nothing."""
    pairs = (
        (cost.seconds, needs.seconds, SPARE_SECONDS, "s a take"),
        (cost.memory_mb, needs.memory_mb, SPARE_MB, "MB"),
    )
    text = "; ".join(_in_words(measured, said, unit) for measured, said, _, unit in pairs)
    if any(m is not None and said and is_exceeded(m, said, spare) for m, said, spare, _ in pairs):
        return Finding(name, FAIL, f"more than the card says: {text}")
    if None in (needs.seconds, needs.memory_mb):
        return Finding(name, WARN, f"{text}; put into the card: {_needs_line(cost)}")
    return Finding(name, OK, text)


def _in_words(measured: float | None, declared: float | None, unit: str) -> str:
    said = f"the card says {declared:g}" if declared else "the card does not say"
    return f"{'?' if measured is None else f'{measured:g}'} {unit} at most ({said})"


def _needs_line(cost: Cost) -> str:
    """A card's line with room to spare, rounded up."""
    seconds = math.ceil(2 * (cost.seconds or 0)) or 1
    memory_mb = 50 * math.ceil((cost.memory_mb or 1) / 50)
    return f"needs: {{seconds: {seconds}, memory_mb: {memory_mb}}}"


def peak_memory_mb() -> int | None:
    """The most memory this process has held so far; None where that cannot be known."""
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            # getrusage would count what the parent held before this program was started
            return next(int(line.split()[1]) // 1024 for line in status if "VmHWM" in line)
    except (OSError, StopIteration):
        pass
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak) // (1 << 20 if sys.platform == "darwin" else 1 << 10)


def _run(command: list[str], timeout_seconds: float) -> str:
    """The last line that the command says about its failure."""
    try:
        done = subprocess.run(
            command, env=watch.environment(), stdin=subprocess.DEVNULL,
            capture_output=True, timeout=timeout_seconds,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"it was stopped after {timeout_seconds:g} seconds"
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:300] if lines else f"exit code {done.returncode}"
