"""What the hub looks at while a child works: memory, threads, the files that it writes.

The kernel's own bounds are per mapping, per file, per thread; these are the sums.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

MAX_FILES = 200
MAX_TEMP_BYTES = 256 << 20
MAX_THREADS = 64 + 8 * (os.cpu_count() or 1)
_MEMORY = ("VmRSS", "VmSwap")


@dataclass(frozen=True, kw_only=True)
class Watch:
    """pid: as the hub's own system counts; None where it cannot be known."""

    pid: int | None
    temp: Path
    memory_mb: int

    def complaint(self) -> str | None:
        """What is too much, as the end of "It was stopped: it …"; None while all is well."""
        status = read_status(self.pid)
        used_mb = sum(_number(status.get(name, "0")) for name in _MEMORY) >> 10
        if used_mb > self.memory_mb:
            return memory_complaint(self.memory_mb)
        if _number(status.get("Threads", "0")) > MAX_THREADS:
            return f"started more than {MAX_THREADS} threads"
        return self._files_complaint()

    def _files_complaint(self) -> str | None:
        count, total = 0, 0
        try:
            with os.scandir(self.temp) as entries:
                for entry in entries:
                    count += 1
                    total += entry.stat(follow_symlinks=False).st_size
                    if count > MAX_FILES or total > MAX_TEMP_BYTES:
                        return "wrote more temporary files than it may"
        except OSError:  # a file that went away in between
            return None
        return None


def memory_complaint(memory_mb: int) -> str:
    return f"needs more than the {memory_mb} MB of memory that it may use"


def read_status(pid: int | None) -> dict[str, str]:
    """/proc/<pid>/status by its names; empty where there is none."""
    if pid is None:
        return {}
    try:
        text = Path(f"/proc/{pid}/status").read_text(errors="replace")
    except OSError:
        return {}
    pairs = (line.partition(":") for line in text.splitlines())
    return {name: value.strip() for name, _, value in pairs}


def cpu_seconds(pid: int | None) -> float:
    """Processor time that all threads of a process have used; 0 where it cannot be known."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return 0.0


def _number(text: str) -> int:
    first = text.split()[:1]
    return int(first[0]) if first and first[0].isdecimal() else 0
