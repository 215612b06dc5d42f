"""What was last published from here: a file of repository → commit hash, and nothing else.

It tells somebody else's commits from one's own. Losing it costs a question (`--over`), no work.
"""

from __future__ import annotations

import json
import os
from typing import Any

from hub import places
from hub.remote import client


def last(repo_id: str, repo_type: str) -> str | None:
    """The full hash of the commit, if there has been one."""
    commit = _record().get(_key(repo_id, repo_type))
    return commit if isinstance(commit, str) else None


def remember(repo_id: str, repo_type: str, commit: str) -> None:
    path = places.published()
    record = {**_record(), _key(repo_id, repo_type): commit}
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(json.dumps(record, indent=1, sort_keys=True), encoding="utf-8")
    beside.replace(path)


def _record() -> dict[str, Any]:
    try:
        value = json.loads(places.published().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _key(repo_id: str, repo_type: str) -> str:
    return f"{client.host()}/{repo_type}s/{repo_id}"
