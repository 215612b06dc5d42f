"""Repositories, commits and blobs in a folder. Knows nothing of HTTP, users or tokens.

    DIR/models/<owner>/<name>/repository.json    branches, tags, settings
                              commits/<hash>.json    one file a commit, with all its files
                              blobs/<sha256>         contents, shared by the commits
    DIR/spaces/<owner>/<name>/…                  the same
    DIR/partial/                                 what is being written or thrown away

Every file is written beside its place and then moved there, commits and blobs before what refers to
them; so a folder that was cut off at any moment is as it was before or after. What is in a file is
a frozen value here. One process at a time: `Store` holds a lock on the folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from hub.errors import BusyError, LoadError
from hub.local_hub.names import KINDS, fault_of_name

MAIN = "main"
CARD = "README.md"
ATTRIBUTES = ".gitattributes"
LFS_SUFFIXES = (
    ".bin", ".ckpt", ".flac", ".gz", ".h5", ".mp3", ".mp4", ".msgpack", ".npy", ".npz", ".onnx",
    ".pb", ".pickle", ".pkl", ".pt", ".pth", ".safetensors", ".tar", ".wav", ".xz", ".zip", ".zst",
)  # fmt: skip
MIN_SHORT_HASH = 7


class MissingError(Exception):
    """There is no such repository, revision, file or blob."""


class ClashError(Exception):
    """The name is taken, or somebody has committed in the meantime."""


@dataclass(frozen=True, kw_only=True)
class File:
    """A file of a commit: `sha256` is the name of its blob, `git_sha1` what git would call it."""

    size: int
    sha256: str
    git_sha1: str
    is_lfs: bool = False


@dataclass(frozen=True, kw_only=True)
class Commit:
    hash: str
    parent: str | None
    title: str
    description: str
    author: str
    date: str
    files: Mapping[str, File]


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A repository as it stands. `runtime` is what is said of a Space: stage, host, hardware."""

    kind: str
    owner: str
    name: str
    created: str
    branches: Mapping[str, str]
    tags: Mapping[str, str] = field(default_factory=dict)
    is_private: bool = False
    gated: str = ""
    downloads: int = 0
    likes: int = 0
    sdk: str = ""
    runtime: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    secret_names: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return f"{self.owner}/{self.name}"


Key = tuple[str, str, str]  # kind, owner, name
Changes = Mapping[str, File | None]  # path → what it becomes; None: it goes


class Store:
    """The repositories of one folder. Raises MissingError, ClashError and OSError."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writing = threading.RLock()
        self._lock = _lock(folder)
        try:
            self._clear_partial()
            self._repositories = dict(_read_all(folder))
        except BaseException:
            self._lock.close()
            raise

    def close(self) -> None:
        """Let go of the folder; nothing may be asked afterwards."""
        self._lock.close()

    # --- reading --------------------------------------------------------------------------------

    def repositories(self, kind: str) -> list[Repository]:
        return [found for found in self._repositories.copy().values() if found.kind == kind]

    def get(self, kind: str, owner: str, name: str) -> Repository:
        if (found := self._repositories.get((kind, owner, name))) is None:
            raise MissingError(f"{owner}/{name}")
        return found

    def commit_of(self, repository: Repository, revision: str) -> Commit:
        """The commit that a branch, a tag, a hash or the beginning of one means."""
        named = repository.branches.get(revision) or repository.tags.get(revision)
        folder = self._place(repository) / "commits"
        if named is None and _looks_like_hash(revision):
            named = next((p.stem for p in folder.glob(f"{revision}*.json")), None)
        if named is None:
            raise MissingError(revision)
        return _read_commit(folder / f"{named}.json")

    def history(self, repository: Repository, revision: str) -> Iterator[Commit]:
        """The commit and all before it, newest first."""
        found = self.commit_of(repository, revision)
        yield found
        while found.parent is not None:
            found = self.commit_of(repository, found.parent)
            yield found

    def blob(self, repository: Repository, sha256: str) -> Path:
        """The file with these contents; it need not exist."""
        return self._place(repository) / "blobs" / sha256

    def lfs_file(self, repository: Repository, sha256: str) -> File:
        """A file in LFS with these contents, which have been uploaded before."""
        path = self.blob(repository, sha256)
        if not path.is_file():
            raise MissingError(sha256)
        size = path.stat().st_size
        return File(size=size, sha256=sha256, git_sha1=_pointer_hash(sha256, size), is_lfs=True)

    # --- writing --------------------------------------------------------------------------------

    def create(self, kind: str, owner: str, name: str, **settings: Any) -> Repository:
        """A new repository with a first commit, as the Hub makes them."""
        with self._writing:
            if self._is_taken(kind, owner, name):
                raise ClashError(f"{owner}/{name}")
            new = Repository(
                kind=kind, owner=owner, name=name, created=now(), branches={}, **settings
            )
            building = self._partial()
            for part in ("commits", "blobs"):
                (building / part).mkdir(parents=True)
            new = self._first_commit(new, building)
            _write_json(building / "repository.json", asdict(new))
            self._place(new).parent.mkdir(parents=True, exist_ok=True)
            building.rename(self._place(new))
            return self._remember(new)

    def delete(self, repository: Repository) -> None:
        with self._writing:
            self.get(*_key(repository))
            going = self._partial()
            self._place(repository).rename(going)
            del self._repositories[_key(repository)]
        shutil.rmtree(going, ignore_errors=True)

    def update(self, repository: Repository, **settings: Any) -> Repository:
        """The repository with other settings, branches or tags."""
        with self._writing:
            changed = replace(self.get(*_key(repository)), **settings)
            self._write(self._place(changed) / "repository.json", asdict(changed))
            return self._remember(changed)

    def add_blob(self, repository: Repository, data: bytes) -> File:
        """Contents that are not in LFS."""
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.blob(repository, sha256)
        if not path.exists():
            with self.receiving(repository, sha256) as stream:
                stream.write(data)
        return File(size=len(data), sha256=sha256, git_sha1=_blob_hash(data))

    @contextlib.contextmanager
    def receiving(self, repository: Repository, sha256: str) -> Iterator[IO[bytes]]:
        """A stream for the blob of that name; the blob is there if nothing was raised."""
        beside = self._partial()
        try:
            with beside.open("wb") as stream:
                yield stream
                _flush(stream)
            beside.replace(self.blob(repository, sha256))
        finally:
            beside.unlink(missing_ok=True)

    def commit(
        self,
        repository: Repository,
        changes: Changes,
        *,
        branch: str = MAIN,
        title: str = "",
        description: str = "",
        author: str = "",
        parent: str | None = None,
    ) -> Commit:
        """One commit on top of a branch, all of it or nothing.

        `parent` is the hash (or its beginning) that the branch must still have. The blobs of the
        changes have been added before. Raises ClashError where the branch has moved.
        """
        with self._writing:
            current = self.get(*_key(repository))
            before = self.commit_of(current, branch)
            if branch not in current.branches:
                raise MissingError(branch)
            if parent and not before.hash.startswith(parent):
                raise ClashError(branch)
            made = _make_commit(
                _apply(before.files, changes), before.hash, title, description, author
            )
            self._write(self._place(current) / "commits" / f"{made.hash}.json", asdict(made))
            self.update(current, branches={**current.branches, branch: made.hash})
            return made

    # --- places ---------------------------------------------------------------------------------

    def _first_commit(self, new: Repository, building: Path) -> Repository:
        contents = {ATTRIBUTES: _attributes()}
        if new.kind == "space":
            contents[CARD] = f"---\ntitle: {new.name}\nsdk: {new.sdk}\n---\n".encode()
        files = {}
        for path, data in contents.items():
            sha256 = hashlib.sha256(data).hexdigest()
            (building / "blobs" / sha256).write_bytes(data)
            files[path] = File(size=len(data), sha256=sha256, git_sha1=_blob_hash(data))
        made = _make_commit(files, None, "initial commit", "", new.owner)
        _write_json(building / "commits" / f"{made.hash}.json", asdict(made))
        return replace(new, branches={MAIN: made.hash})

    def _is_taken(self, kind: str, owner: str, name: str) -> bool:
        """Also where only the case differs, since not every disk tells that apart."""
        wanted = (kind, owner.lower(), name.lower())
        return (
            any((k, o.lower(), n.lower()) == wanted for k, o, n in self._repositories)
            or (self.folder / f"{kind}s" / owner / name).exists()
        )

    def _place(self, repository: Repository) -> Path:
        return self.folder / f"{repository.kind}s" / repository.owner / repository.name

    def _partial(self) -> Path:
        return self.folder / "partial" / secrets.token_hex(8)

    def _clear_partial(self) -> None:
        shutil.rmtree(self.folder / "partial", ignore_errors=True)
        (self.folder / "partial").mkdir(exist_ok=True)

    def _write(self, path: Path, value: Mapping[str, Any]) -> None:
        beside = self._partial()
        _write_json(beside, value)
        beside.replace(path)

    def _remember(self, repository: Repository) -> Repository:
        self._repositories[_key(repository)] = repository
        return repository


def now() -> str:
    """The time as the Hub writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _key(repository: Repository) -> Key:
    return repository.kind, repository.owner, repository.name


def _looks_like_hash(revision: str) -> bool:
    return MIN_SHORT_HASH <= len(revision) <= 40 and not set(revision) - set("0123456789abcdef")


def _apply(files: Mapping[str, File], changes: Changes) -> dict[str, File]:
    after = {**files, **{path: file for path, file in changes.items() if file is not None}}
    return {path: after[path] for path in sorted(after) if changes.get(path, True) is not None}


def _make_commit(
    files: Mapping[str, File], parent: str | None, title: str, description: str, author: str
) -> Commit:
    facts = [parent, title, description, author, time.time_ns(), _tree(files)]
    name = hashlib.sha1(json.dumps(facts).encode(), usedforsecurity=False).hexdigest()
    return Commit(
        hash=name, parent=parent, title=title, description=description, author=author, date=now(),
        files=files,
    )  # fmt: skip


def _tree(files: Mapping[str, File]) -> list[tuple[str, str]]:
    return sorted((path, file.git_sha1) for path, file in files.items())


def tree_hash(files: Mapping[str, File]) -> str:
    """A name for a folder's contents, as long as git's and as stable."""
    return hashlib.sha1(json.dumps(_tree(files)).encode(), usedforsecurity=False).hexdigest()


def _blob_hash(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _pointer_hash(sha256: str, size: int) -> str:
    """Git keeps a short text in the place of a file in LFS: its hash."""
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n"
    return _blob_hash(pointer.encode())


def _attributes() -> bytes:
    lines = [f"*{suffix} filter=lfs diff=lfs merge=lfs -text" for suffix in LFS_SUFFIXES]
    return "\n".join([*lines, ""]).encode()


# --- files --------------------------------------------------------------------------------------


def _lock(folder: Path) -> IO[bytes]:
    """The lock on a folder, held while it is open; where there is no flock, none."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stream = (folder / ".lock").open("ab")
    except OSError as error:
        raise LoadError(f'"{folder}" cannot be written to ({error.strerror}).') from error
    with contextlib.suppress(ImportError):
        import fcntl

        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            stream.close()
            raise BusyError(f'Another process serves "{folder}"; one at a time.') from error
    return stream


def _read_all(folder: Path) -> Iterator[tuple[Key, Repository]]:
    """Every repository; one that cannot be read stops the start, rather than being overwritten."""
    for path in _repository_files(folder):
        try:
            found = Repository(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise LoadError(
                f'"{path.relative_to(folder)}" is damaged; mend it from a copy, or move its folder '
                "away."
            ) from error
        yield _key(found), replace(found, secret_names=tuple(found.secret_names))


def _repository_files(folder: Path) -> Iterable[Path]:
    for kind in KINDS:
        for path in sorted((folder / f"{kind}s").glob("*/*/repository.json")):
            owner, name = path.parts[-3:-1]
            if not fault_of_name(owner) and not fault_of_name(name):
                yield path


@lru_cache(maxsize=256)
def _read_commit(path: Path) -> Commit:
    value = json.loads(path.read_text(encoding="utf-8"))
    files = {name: File(**file) for name, file in value.pop("files").items()}
    return Commit(**value, files=files)


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    with path.open("wb") as stream:
        stream.write(json.dumps(value, indent=1).encode())
        _flush(stream)


def _flush(stream: IO[bytes]) -> None:
    stream.flush()
    os.fsync(stream.fileno())
