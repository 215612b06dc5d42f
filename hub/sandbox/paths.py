"""What a sandboxed model may read beside its own folder: Python, libraries, the hub, the machine.

Nothing of the user's: not the home folder (but for a Python or libraries that are installed there),
not the folder the hub was started in, not the list of users, no other process.
"""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]

_SYSTEM = (
    "/lib", "/lib64", "/lib32", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/nix/store",
    "/etc/ld.so.cache", "/etc/localtime", "/usr/share/zoneinfo",
)  # fmt: skip
# Whoever computes asks how many processors there are and what they can do.
_MACHINE = ("/sys/devices/system/cpu", "/sys/devices/system/node")
_PROC = ("/proc/cpuinfo", "/proc/meminfo", "/proc/self/maps", "/proc/self/stat",
         "/proc/self/statm", "/proc/self/status")  # fmt: skip
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")


def packages() -> list[str]:
    """Folders of installed packages, also the user's own, which an isolated Python leaves out."""
    named = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    return list(dict.fromkeys([*named, *filter(os.path.isdir, site.getsitepackages())]))


def readable() -> list[str]:
    """Every path, as it is written and as it resolves; those that exist.

    What lies in /proc/self is not resolved here: it is the child's own, and not the hub's.
    """
    return [*files(), *_PROC]


def files() -> list[str]:
    """The same without /proc, which a sandbox with its own processes brings itself."""
    wanted = [*_python(), *packages(), str(PACKAGE), *_SYSTEM, *_MACHINE, *DEVICES]
    return _both(wanted)


def _python() -> list[str]:
    """The interpreter: its libraries, and in a virtual environment also the one it came from."""
    found = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    for prefix in dict.fromkeys((sys.prefix, sys.base_prefix, sys.exec_prefix)):
        names = ("lib", "lib64", "bin", "pyvenv.cfg")
        found += [os.path.join(prefix, name) for name in names]
    return [*found, sys.executable]


def _both(paths: list[str]) -> list[str]:
    existing = [path for path in paths if path and os.path.exists(path)]
    both = dict.fromkeys(p for path in existing for p in (path, os.path.realpath(path)))
    return [path for path in both if not any(map(both.__contains__, _above(path)))]


def _above(path: str) -> list[str]:
    return [str(parent) for parent in Path(path).parents]
