"""Where Scorehub keeps what it downloads and what its user has decided.

Everything lies below one folder: $SCOREHUB_HOME, or `scorehub` in the user's cache folder
($XDG_CACHE_HOME, ~/.cache).
"""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """The folder; not made here."""
    if chosen := os.environ.get("SCOREHUB_HOME"):
        return Path(chosen).expanduser().absolute()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache").absolute() / "scorehub"


def snapshots() -> Path:
    """Downloaded models, one folder a commit: snapshots/<host>/<user>--<name>/<commit hash>."""
    return home() / "snapshots"


def published() -> Path:
    """The file of what was last published from here: repository → commit hash."""
    return home() / "published.json"


def write_text(path: Path, text: str, *, mode: int = 0o666) -> None:
    """Write a small file of ours at once or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.touch(mode=mode)
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def trusted() -> Path:
    """The file of trusted commits."""
    return home() / "trusted.json"
