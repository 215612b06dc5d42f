"""Whose code may run: the commits that the user of this machine has trusted, and what is in them.

Code from a Hub is named by Hub, repository and full commit hash, and by the hash of what its files
say, so that neither a moved branch nor a changed disk can put other code in its place. Granting
trust is an act of the user's own (`scorehub trust`, or `hub.load(…, trust_code=True)` with the
full hash); nothing in a repository, in a card or on a page can do it.
"""

from __future__ import annotations

import difflib
import hashlib
import io
import json
import tokenize
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hub import places
from hub.errors import FileError, TrustError
from hub.handle import ModelHandle

VERSION = 1
SHOWN = "\n\t "  # of the characters that print nothing, those that are shown as they are


@dataclass(frozen=True, kw_only=True)
class Grant:
    """One line of the record. `code` is the sha256 of the code's files, `when` ISO 8601 in UTC."""

    host: str
    repository: str
    commit: str
    code: str
    when: str


@dataclass(frozen=True, kw_only=True)
class Review:
    """What somebody should see before they trust a commit.

    files    name → text of every Python file
    code     the sha256 of all of them
    before   the commit of this repository that was trusted last, if any
    changes  what has changed since, as a unified diff; "" if nothing, or if there is no `before`
    """

    handle: ModelHandle
    host: str
    files: Mapping[str, str]
    code: str
    before: str | None
    changes: str

    def summary(self) -> str:
        """A line a file, and how it stands to what was trusted before."""
        lines = [f"{name}: {len(_lines(text))} lines" for name, text in self.files.items()]
        return "\n".join([*lines, self._history()])

    def _history(self) -> str:
        if self.before is None:
            return "No commit of this repository has been trusted here before."
        if not self.changes:
            return f"The code is what it was in {self.before[:12]}, which you trusted."
        changed = [
            line
            for line in self.changes.split("\n")
            if line.startswith(("+", "-")) and not line.startswith(("+++", "---"))
        ]
        return f"{len(changed)} lines differ from {self.before[:12]}, which you trusted last."


def review(handle: ModelHandle, folder: Path, host: str) -> Review:
    """What is in a downloaded commit, beside what was trusted before it. Reads, runs nothing."""
    files = code_in(folder)
    before = _last(host, handle.repo_id)
    return Review(
        handle=handle, host=host, files=files, code=_digest(files),
        before=before.commit if before else None,
        changes=_changes(before, files, folder) if before else "",
    )  # fmt: skip


def is_trusted(handle: ModelHandle, folder: Path, host: str) -> bool:
    """Has the user trusted exactly this commit with exactly this code?"""
    wanted = (host, handle.repo_id, handle.revision, _digest(code_in(folder)))
    return any((g.host, g.repository, g.commit, g.code) == wanted for g in grants())


def trust(seen: Review) -> None:
    """Record that the user trusts what they have been shown."""
    if not seen.handle.is_pinned:
        raise TrustError(f"Only a full commit hash can be trusted, not {seen.handle}.")
    grant = Grant(
        host=seen.host, repository=seen.handle.repo_id, commit=str(seen.handle.revision),
        code=seen.code, when=datetime.now(UTC).isoformat(timespec="seconds"),
    )  # fmt: skip
    _write([*(g for g in grants() if not _same(g, grant)), grant])


def revoke(repository: str, host: str) -> int:
    """Trust no commit of a repository any more; how many there were."""
    kept = [g for g in grants() if (g.host, g.repository) != (host, repository)]
    count = len(grants()) - len(kept)
    if count:
        _write(kept)
    return count


def grants() -> list[Grant]:
    """Every trusted commit, the latest last. A record that cannot be read trusts nobody."""
    try:
        value = json.loads(places.trusted().read_text(encoding="utf-8"))
        return [Grant(**row) for row in value["commits"] if _is_grant(row)]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def code_in(folder: Path) -> dict[str, str]:
    """name → text of the Python files of a model folder, by name."""
    try:
        read = {path.name: path.read_bytes() for path in sorted(folder.glob("*.py"))}
    except OSError as error:
        raise FileError(f"The code of {folder.name} cannot be read: {error.strerror}.") from error
    return {name: _text(name, data) for name, data in read.items()}


def _text(name: str, data: bytes) -> str:
    """What Python reads there. Raises TrustError for code that is read otherwise than it looks."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    except SyntaxError:
        encoding = "an unknown encoding"
    if encoding not in ("utf-8", "utf-8-sig"):
        raise TrustError(
            f"{name} is written in {encoding}, in which code can look like something else. Only "
            "UTF-8 can be trusted; ask its author to save it so."
        )
    return data.decode("utf-8", errors="backslashreplace")


def visible(text: str) -> str:
    """Text whose every character is seen, and whose lines end where Python's do: nothing that
    steers a terminal, nothing that hides."""
    return "".join(map(_seen, "\n".join(_lines(text, keep_ends=True))))


def _seen(c: str) -> str:
    is_plain = c in SHOWN or unicodedata.category(c)[0] not in "CZ"
    return c if is_plain else f"\\u{{{ord(c):x}}}"


def _lines(text: str, *, keep_ends: bool = False) -> list[str]:
    """The lines as Python sees them, and not str.splitlines, which knows other ends. With
    keep_ends, a lone carriage return stays at the end of its line, to be seen."""
    text = text.replace("\r\n", "\n")
    return text.replace("\r", "\r\n" if keep_ends else "\n").split("\n")


def _digest(files: Mapping[str, str]) -> str:
    plain = json.dumps(sorted(files.items()), ensure_ascii=True)
    return hashlib.sha256(plain.encode()).hexdigest()


def _last(host: str, repository: str) -> Grant | None:
    found = [g for g in grants() if (g.host, g.repository) == (host, repository)]
    return found[-1] if found else None


def _changes(before: Grant, files: Mapping[str, str], folder: Path) -> str:
    """Since an earlier commit, whose folder lies beside this one if it is still here."""
    earlier = code_in(folder.with_name(before.commit))
    if _digest(files) == before.code:
        return ""
    known = _digest(earlier) == before.code
    return (known and _diff(earlier, files)) or _diff({}, files)


def _diff(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    pieces: list[str] = []
    for name in sorted({*before, *after}):
        old, new = (_lines(files[name]) if name in files else [] for files in (before, after))
        pieces += difflib.unified_diff(old, new, f"before/{name}", f"now/{name}", lineterm="")
    return "\n".join(pieces)


def _same(one: Grant, other: Grant) -> bool:
    return (one.host, one.repository, one.commit) == (other.host, other.repository, other.commit)


def _is_grant(row: Any) -> bool:
    names = Grant.__dataclass_fields__.keys()
    return isinstance(row, dict) and row.keys() == names and all(
        isinstance(value, str) for value in row.values()
    )  # fmt: skip


def _write(rows: Sequence[Grant]) -> None:
    path = places.trusted()
    value = {"version": VERSION, "commits": [asdict(row) for row in rows]}
    try:
        places.write_text(path, json.dumps(value, indent=1), mode=0o600)
    except OSError as error:
        raise FileError(
            f"What you trust cannot be written to {path} ({error.strerror}); set SCOREHUB_HOME to "
            "a folder that may be written to."
        ) from error
