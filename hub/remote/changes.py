"""What publishing would change in a repository, and whether it would overwrite somebody's work.

Only reads. Every file is compared with the hash that the Hub lists; a branch that has moved on
since this machine last published there is a ConflictError that shows by whom, when and where.
"""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from hub.card import CARD_FILE
from hub.errors import ConflictError, NotFoundError
from hub.remote import client, published
from hub.remote.search import clean

NEW, CHANGED, UNCHANGED, DELETED = "new", "changed", "unchanged", "deleted"
MODEL, SPACE = "model", "space"
SHOWN_COMMITS = SHOWN_FILES = 5
SHORTEST_HASH = 12  # digits of a commit's that are enough to name it
MAX_SHOWN = 80  # characters of a stranger's title or file name
ATTRIBUTES = ".gitattributes"

Content = bytes | Path


@dataclass(frozen=True, kw_only=True)
class Change:
    """One file of a repository: what would happen to it. size in bytes, sha256 of the new one."""

    name: str
    what: str
    size: int = 0
    sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """What one repository would become.

    head      the commit that was looked at; None when there is no such repository yet
    is_private  is it, or will it be when it is made
    is_gated    must one ask to read it
    changes   every file concerned, also those that stay
    others    names of files there that are no part of a model, and stay
    """

    repo_id: str
    repo_type: str
    head: str | None
    changes: tuple[Change, ...]
    contents: Mapping[str, Content] = field(repr=False)
    is_private: bool = False
    is_gated: bool = False
    others: tuple[str, ...] = ()

    @property
    def is_needed(self) -> bool:
        return self.head is None or any(c.what != UNCHANGED for c in self.changes)

    def counted(self) -> str:
        """Of the files, how many are "1 changed, 2 deleted, 1 new"."""
        counts = Counter(c.what for c in self.changes if c.what != UNCHANGED)
        return ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))

    @property
    def address(self) -> str:
        prefix = "" if self.repo_type == MODEL else "spaces/"
        return f"{client.endpoint()}/{prefix}{self.repo_id}"


class Listing(NamedTuple):
    """A repository as the Hub lists it: the branch's commit, and name → the Hub's RepoSibling."""

    head: str
    files: dict[str, Any]
    is_private: bool
    is_gated: bool


def compare(
    repo_id: str, repo_type: str, contents: Mapping[str, Content], over: Sequence[str],
    private: bool,
) -> Upload:  # fmt: skip
    """What `contents` would make of a repository; `private`: it must not be seen by everybody.

    Raises RemoteError, ConflictError among them.
    """
    there = listed_at(repo_id, repo_type)
    listed = there.files if there else {}
    stale = _stale(repo_id, repo_type, listed, contents)
    changes = [_change(name, data, listed.get(name)) for name, data in contents.items()]
    changes += [Change(name=name, what=DELETED) for name in stale]
    upload = Upload(
        repo_id=repo_id, repo_type=repo_type, head=there.head if there else None,
        changes=tuple(sorted(changes, key=lambda change: change.name)), contents=contents,
        is_private=there.is_private if there else private,
        is_gated=there is not None and there.is_gated,
        others=tuple(sorted(set(listed) - set(contents) - set(stale) - {ATTRIBUTES})),
    )  # fmt: skip
    if private and not upload.is_private:
        raise ConflictError(_is_public(upload))
    if there and upload.is_needed:
        _refuse_to_overwrite(upload, listed, over)
    return upload


def _is_public(upload: Upload) -> str:
    if upload.repo_type == SPACE:
        return (
            f"Space {upload.repo_id} is public, and it would show a model that is private or "
            "gated. Nothing was published; make the Space private in its settings, or publish "
            "without --space."
        )
    return (
        f"Model {upload.repo_id} is public already, and --private is only for what is made anew. "
        "Nothing was published; make it private in its settings, or leave --private out."
    )


def listed_at(repo_id: str, repo_type: str, revision: str | None = None) -> Listing | None:
    """The repository at its head, or at `revision`; None when there is no such thing."""
    try:
        with client.translated(repo_id):
            info: Any = client.api().repo_info(
                repo_id, repo_type=repo_type, revision=revision, files_metadata=True,
                timeout=client.TIMEOUT_SECONDS,
            )  # fmt: skip
    except NotFoundError:
        return None
    files = {sibling.rfilename: sibling for sibling in info.siblings or ()}
    is_gated = bool(getattr(info, "gated", False))  # Spaces never are
    return Listing(str(info.sha), files, bool(info.private), is_gated)


def _change(name: str, content: Content, listed: Any) -> Change:
    """What would happen to a file; the Hub lists large ones by SHA-256, others as git does."""
    sha256, size = sha_of(content, hashlib.sha256()), _size(content)
    if listed is None:
        what = NEW
    elif listed.lfs is not None:
        what = UNCHANGED if listed.lfs.sha256 == sha256 else CHANGED
    else:
        blob = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
        what = UNCHANGED if listed.blob_id == sha_of(content, blob) else CHANGED
    return Change(name=name, what=what, size=size, sha256=sha256)


def _open(content: Content) -> io.BufferedIOBase:
    return io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")


def _size(content: Content) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def sha_of(content: Content, begun: Any) -> str:
    """In hexadecimal, by the hash that is given; a large file is never read as a whole."""
    with _open(content) as stream:
        return hashlib.file_digest(stream, lambda: begun).hexdigest()


def _stale(
    repo_id: str, repo_type: str, listed: Mapping[str, Any], contents: Mapping[str, Content]
) -> list[str]:
    """What was last published from here and the new version no longer has. The rest stays."""
    own = published.names(repo_id, repo_type)
    return [name for name in listed if name in own and name not in contents]


def _refuse_to_overwrite(upload: Upload, listed: Mapping[str, Any], over: Sequence[str]) -> None:
    known = published.last(upload.repo_id, upload.repo_type)
    if upload.head in (known, *over):
        return
    everything = _commits(upload)
    if _is_named(str(upload.head), over, [c.commit_id for c in everything]):
        return
    commits = _since(everything, known)
    if known is None and len(commits) == 1 and set(listed) <= {ATTRIBUTES, CARD_FILE}:
        return  # just created, as the Hub does it, by hand or by an interrupted publication
    said = "; ".join(
        f'{c.commit_id[:12]} "{_plain(c.title)}" by {_plain(", ".join(c.authors) or "somebody")}, '
        f"{c.created_at:%Y-%m-%d %H:%M}"
        for c in commits[:SHOWN_COMMITS]
    )
    more = f" and {len(commits) - SHOWN_COMMITS} more" if len(commits) > SHOWN_COMMITS else ""
    raise ConflictError(
        f"{upload.repo_type.capitalize()} {upload.repo_id} has commits that were not published "
        f"from here: {said}{more}; {_touched(upload, listed, known)}. Nothing was overwritten. "
        "Look at them, take over what you want to keep, then publish on top of them with --over "
        f"{upload.head}"
    )


def _touched(upload: Upload, listed: Mapping[str, Any], known: str | None) -> str:
    """Which files differ from what was last published from here; all of them if nothing was."""
    last = listed_at(upload.repo_id, upload.repo_type, known) if known else None
    before = {name: file.blob_id for name, file in last.files.items()} if last else {}
    after = {name: file.blob_id for name, file in listed.items()}
    names = sorted(n for n in {*before, *after} - {ATTRIBUTES} if before.get(n) != after.get(n))
    more = f" and {len(names) - SHOWN_FILES} more" if len(names) > SHOWN_FILES else ""
    shown = ", ".join(map(_plain, names[:SHOWN_FILES])) or "no files"
    return f"{'they changed' if last else 'it holds'} {shown}{more}"


def _plain(text: str) -> str:
    """A stranger's words, for a terminal."""
    return clean(text, MAX_SHOWN)


def _is_named(head: str, over: Sequence[str], commits: Sequence[str]) -> bool:
    """Does one of `over` begin the head's hash, and that of no other commit?"""
    begun = [start for start in over if len(start) >= SHORTEST_HASH and head.startswith(start)]
    return any(sum(c.startswith(start) for c in {head, *commits}) == 1 for start in begun)


def _commits(upload: Upload) -> list[Any]:
    with client.translated(upload.repo_id):
        return client.api().list_repo_commits(upload.repo_id, repo_type=upload.repo_type)


def _since(commits: list[Any], known: str | None) -> list[Any]:
    hashes = [commit.commit_id for commit in commits]
    return commits[: hashes.index(known)] if known in hashes else commits
