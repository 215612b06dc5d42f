"""Names of commits, such as v1: which ones git, the Hub and `user/name@tag` all understand."""

from __future__ import annotations

import re

from hub.errors import ConflictError, LoadError, ParamError
from hub.handle import model_handle
from hub.remote import client

_HASH = re.compile(r"[0-9a-f]{7,64}")
_DATE = re.compile(r"\d{8}")  # digits alone, but nobody takes 20261121 for a hash
_GITS_OWN = re.compile(r"refs(/.*)?|[A-Z_]*HEAD", re.I)
_BRANCH = "main"  # which every repository has


def check(tag: str) -> None:
    """Raise ParamError unless a commit can be found again by this name."""
    try:
        model_handle(f"a/b@{tag}")
        is_readable = not any(
            not part or part.startswith(".") or part.endswith((".", ".lock"))
            for part in tag.split("/")
        )
    except LoadError:
        is_readable = False
    if not is_readable:
        raise ParamError(
            f"{tag!a} cannot be a tag; take letters, digits, dots, - and _, such as v1 or v1.2."
        )
    if tag == _BRANCH or _GITS_OWN.fullmatch(tag):
        raise ParamError(f'"{tag}" means something else already; name the tag such as v1.')
    if _HASH.fullmatch(tag.lower()) and not _DATE.fullmatch(tag):
        raise ParamError(f'"{tag}" looks like a commit\'s hash; name the tag such as v1.')


def commit_of(repo_id: str, tag: str) -> str | None:
    """What the tag names in a repository; None if nothing. Raises ConflictError for a branch."""
    with client.translated(repo_id):
        refs = client.api().list_repo_refs(repo_id)
    if any(branch.name == tag for branch in refs.branches):
        raise ConflictError(f"{repo_id} has a branch {tag}, so no tag can be called so.")
    return next((str(t.target_commit) for t in refs.tags if t.name == tag), None)
