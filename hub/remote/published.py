"""What was last published from here: a file of repository → commit hash and the files' names.

It tells somebody else's commits, and files, from one's own. Losing it costs a question (`--over`),
no work; so a commit that cannot be noted down is told and is no failure.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from hub import places
from hub.remote import client


def last(repo_id: str, repo_type: str) -> str | None:
    """The full hash of the commit, if there has been one."""
    commit = _noted(repo_id, repo_type).get("commit")
    return commit if isinstance(commit, str) else None


def names(repo_id: str, repo_type: str) -> frozenset[str]:
    """The files that it put there or found there as they were; not those of somebody else."""
    listed = _noted(repo_id, repo_type).get("files")
    return frozenset(filter(_is_text, listed)) if isinstance(listed, list) else frozenset()


def remember(repo_id: str, repo_type: str, commit: str, files: Iterable[str] = ()) -> str:
    """Note a commit and the files of ours in it. A sentence if that was not possible, else ''."""
    path = places.published()
    noted = {"commit": commit, "files": sorted(files)}
    text = json.dumps({**_record(), _key(repo_id, repo_type): noted}, indent=1, sort_keys=True)
    try:
        places.write_text(path, text)
    except OSError as error:
        return (
            f"That commit {commit[:12]} of {repo_type} {repo_id} was published from here could not "
            f"be noted down ({error.strerror}). It is published all the same; see that there is "
            "room in SCOREHUB_HOME and that it may be written, or the next time you are asked for "
            "--over."
        )
    return ""


def _noted(repo_id: str, repo_type: str) -> dict[str, Any]:
    value = _record().get(_key(repo_id, repo_type))
    if isinstance(value, str):
        return {"commit": value}  # as it was written before files were noted
    return value if isinstance(value, dict) else {}


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _record() -> dict[str, Any]:
    try:
        value = json.loads(places.published().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _key(repo_id: str, repo_type: str) -> str:
    return f"{client.host()}/{repo_type}s/{repo_id}"
