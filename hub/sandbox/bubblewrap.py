"""bubblewrap (`bwrap`): a file system with only what may be read, and no network at all.

It is taken where it is installed and works; many containers forbid the namespaces that it needs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache

from hub.sandbox import paths

TRY_SECONDS = 10
# Namespaces for all there is; the model's program is the first process of its own small world, so
# that the hub knows its number and everything in it ends together. `env={}` is the caller's part.
_ALONE = ("--unshare-all", "--die-with-parent", "--new-session", "--as-pid-1", "--cap-drop", "ALL")


@cache
def program() -> str | None:
    """The path of a bwrap that can start this very Python here, else None. Tried once."""
    found = shutil.which("bwrap")
    if found is None:
        return None
    with tempfile.TemporaryDirectory(prefix="scorehub-sandbox-") as temp:
        inner = [sys.executable, "-I", "-c", "import ctypes, socket"]
        line = _line(found, inner, folder=temp, temp=temp)
        try:
            done = subprocess.run(
                line, env={}, stdin=subprocess.DEVNULL, capture_output=True, timeout=TRY_SECONDS
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
    return found if done.returncode == 0 else None


def command(inner: Sequence[str], *, folder: str, temp: str, info_descriptor: int) -> list[str]:
    """The command that runs `inner` with `folder` to be read and `temp` to be written.

    It writes to the descriptor which process, as the hub counts, is `inner`.
    """
    bwrap = program()
    assert bwrap is not None, "ask program() first"
    return _line(bwrap, inner, "--info-fd", str(info_descriptor), folder=folder, temp=temp)


def _line(bwrap: str, inner: Sequence[str], *more: str, folder: str, temp: str) -> list[str]:
    line = [bwrap, *_ALONE, *more, "--proc", "/proc"]
    for path in paths.files():
        line += _shown(path)
    line += ["--ro-bind", folder, folder, "--bind", temp, temp, "--chdir", temp]
    return [*line, "--remount-ro", "/", "--", *inner]


def _shown(path: str) -> list[str]:
    if path in paths.DEVICES:
        return ["--dev-bind", path, path]
    if os.path.islink(path) and os.path.isdir(path) and path.count("/") == 1:
        return ["--symlink", os.readlink(path), path]  # /lib -> usr/lib
    return ["--ro-bind", path, path]
