"""What a user types to name a model: a folder, a repository of the Hub, or a running Space.

    models/inpaintnet               a folder on this disk
    user/name, user/name@revision   a repository of the Hub; revision: branch, tag or commit hash
    space:user/name                 the author's Space, used remotely
    space:http://127.0.0.1:7860     any running Scorehub app, by its address
    space:user/name#model           which model, where an app has several

`parse_handle` reads it, `str(handle)` writes it again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from hub.errors import LoadError

SPACE = "space:"
_ID = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9])?"
_REPOSITORY = re.compile(rf"({_ID})/({_ID})")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_MODEL = re.compile(r"[\w.+-][\w .+-]{0,94}")
_ADDRESS = re.compile(r"https?://[^\s/@]+(?:/[^\s@?#]*)?")


@dataclass(frozen=True, kw_only=True)
class FolderHandle:
    """A model folder on this disk."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True, kw_only=True)
class ModelHandle:
    """A model repository of the Hub; revision None is its main branch."""

    owner: str
    name: str
    revision: str | None = None

    @property
    def repo_id(self) -> str:
        return f"{self.owner}/{self.name}"

    @property
    def is_pinned(self) -> bool:
        """Does it name one full commit hash, so that what it means can never change?"""
        return self.revision is not None and bool(_COMMIT.fullmatch(self.revision))

    def at(self, revision: str | None) -> ModelHandle:
        return replace(self, revision=revision)

    def __str__(self) -> str:
        return self.repo_id + (f"@{self.revision}" if self.revision else "")


@dataclass(frozen=True, kw_only=True)
class SpaceHandle:
    """A Space of the Hub ("user/name"), or the address of any running Scorehub app.

    model is the name of one of its models; '' where it has only one.
    """

    place: str
    model: str = ""

    @property
    def is_address(self) -> bool:
        return "://" in self.place

    def __str__(self) -> str:
        return SPACE + self.place + (f"#{self.model}" if self.model else "")


Handle = FolderHandle | ModelHandle | SpaceHandle


def parse_handle(text: str) -> Handle:
    """The handle that `text` means; a folder that exists wins. Raises LoadError."""
    text = text.strip()
    if text.startswith(SPACE):
        return _space(text.removeprefix(SPACE), text)
    if _is_folder(text):
        return FolderHandle(path=Path(text))
    return model_handle(text)


def model_handle(text: str) -> ModelHandle:
    """The model of the Hub that `text` names, whatever folders there are. Raises LoadError."""
    repo_id, at, revision = text.partition("@")
    match = _REPOSITORY.fullmatch(repo_id)
    if not match or "--" in repo_id or ".." in repo_id:
        raise LoadError(_unclear(text))
    if at and (not _REVISION.fullmatch(revision) or ".." in revision):
        raise LoadError(f'"{revision}" is no branch, tag or commit hash.')
    if _COMMIT.fullmatch(revision.lower()):
        revision = revision.lower()
    return ModelHandle(owner=match[1], name=match[2], revision=revision or None)


def _space(place: str, text: str) -> SpaceHandle:
    place, _, model = place.strip().partition("#")
    place = place.rstrip("/")
    is_place = _REPOSITORY.fullmatch(place) or _ADDRESS.fullmatch(place)
    if is_place and (not model or _MODEL.fullmatch(model)):
        return SpaceHandle(place=place, model=model)
    raise LoadError(
        f'"{text}" names no Space; write space:user/name, or space: and the address of an app.'
    )


def _is_folder(text: str) -> bool:
    """An existing folder, one misspelt among model folders, or what is plainly meant as a path:
    then no network is asked."""
    if not text or text.startswith((".", "/", "~", "\\")) or "\\" in text:
        return True
    try:
        path = Path(text)
        return path.is_dir() or any(Path(path.parts[0]).glob("*/README.md"))
    except (OSError, ValueError):
        return False


def _unclear(text: str) -> str:
    if "://" in text:
        return (
            f'"{text}" is an address. Write a model of the Hub as user/name, and a running app as '
            "space:http://…"
        )
    return (
        f'"{text}" is neither a folder here nor the name of a model on the Hub (user/name, or '
        "user/name@revision)."
    )
