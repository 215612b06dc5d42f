"""Models of the Hub → folders on this disk: only what a model is made of, bounded and verified.

A snapshot is one commit. It is downloaded into a folder beside its final place, every file is
compared with the size and the hash that the Hub's listing of that commit gives (the client does
not do that by itself), and only then is the folder moved to where it is looked for:

    <places.snapshots()>/<host>/<user>--<name>/<commit>/        the files, regular ones
    <places.snapshots()>/<host>/<user>--<name>/<commit>.json    their sha256, for later
    <places.snapshots()>/<host>/<user>--<name>/revisions.json   branch or tag → commit last seen

So a folder that is there is whole; a full commit hash that is there asks the network nothing, and
a branch or tag can be opened offline as it was last seen. An interrupted download goes on where it
stopped. Nothing here runs or even parses what it downloads, but for the card.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub import bundle, places
from hub.architectures import CODE_FILE
from hub.card import CARD_FILE, ModelCard, read_card
from hub.errors import (
    CardError,
    IntegrityError,
    NotFoundError,
    OfflineError,
    ScorehubError,
    UnavailableError,
)
from hub.handle import ModelHandle
from hub.model import WEIGHTS_FILE
from hub.remote import client

MAX_FILES = 10_000  # listed in the repository, wanted or not
HASH_CHUNK = 1 << 20

_OTHER_WEIGHTS = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".npy", ".npz", ".h5", ".onnx")

Report = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A model of the Hub on this disk.

    handle    with the full commit hash as its revision
    folder    holds the card, the weights, the code (never run from here by itself), the examples
    host      the Hub that it came from
    is_stale  the Hub could not be asked, so this is the commit that was last seen
    """

    handle: ModelHandle
    folder: Path
    card: ModelCard
    host: str
    is_stale: bool = False

    @property
    def commit(self) -> str:
        return str(self.handle.revision)


@dataclass(frozen=True, kw_only=True)
class _File:
    """One file of a commit, as the Hub lists it; one of the two hashes is known."""

    name: str
    size: int
    sha256: str | None
    git_sha1: str | None


def fetch(handle: ModelHandle, report: Report | None = None) -> Snapshot:
    """The snapshot that `handle` means, downloaded if it is not here yet.

    `report` gets a few words whenever something is about to take time. Raises RemoteError and
    CardError.
    """
    if handle.is_pinned and (found := cached(handle)) is not None:
        return found
    try:
        return _download(handle, report or (lambda words: None))
    except (OfflineError, UnavailableError) as error:
        found = cached(handle)
        if found is None:
            raise type(error)(f"{error}{_on_this_disk(handle)}") from error
        return found


def _on_this_disk(handle: ModelHandle) -> str:
    """What of the same repository can be used without the Hub, in a sentence."""
    commits = [s.commit for s in all_cached() if s.handle.repo_id == handle.repo_id]
    if not commits:
        return ""
    named = _read_json(_shelf(handle) / "revisions.json")
    words = [*(name for name, commit in named.items() if commit in commits), *commits]
    return f" Of {handle.repo_id} there are on this disk: {', '.join(words)}."


def cached(handle: ModelHandle) -> Snapshot | None:
    """The snapshot as it is on this disk; None if it is not, or no longer what it was.

    A branch or a tag is then the commit that it meant when the Hub was last asked.
    """
    shelf = _shelf(handle)
    commit = handle.revision if handle.is_pinned else _read_json(shelf / "revisions.json").get(
        handle.revision or "main"
    )  # fmt: skip
    if (
        not isinstance(commit, str)
        or not ModelHandle(owner=handle.owner, name=handle.name, revision=commit).is_pinned
    ):
        return None
    folder = shelf / commit
    if not _is_whole(folder):
        return None
    return _snapshot(handle.at(commit), folder, is_stale=not handle.is_pinned)


def all_cached() -> list[Snapshot]:
    """The snapshots of this Hub on this disk, by name. Each is verified only when it is opened."""
    found = []
    for folder in sorted(_shelves().glob("*--*/*/")):
        owner, _, name = folder.parent.name.partition("--")
        handle = ModelHandle(owner=owner, name=name, revision=folder.name)
        if handle.is_pinned and _hashes_of(folder).is_file():
            with contextlib.suppress(ScorehubError):
                found.append(_snapshot(handle, folder))
    return found


def _download(handle: ModelHandle, report: Report) -> Snapshot:
    report(f"Asking {client.host()} for {handle}")
    commit, listed = _listing(handle)
    pinned, shelf = handle.at(commit), _shelf(handle)
    folder = shelf / commit
    if not _is_whole(folder):
        with _only_one(shelf, commit):
            if not _is_whole(folder):  # another process may have been faster
                _fill(pinned, listed, folder, report)
    if not handle.is_pinned:
        _remember(shelf, handle.revision or "main", commit)
    return _snapshot(pinned, folder)


def _remember(shelf: Path, revision: str, commit: str) -> None:
    """What a branch or tag means now, for the time without a network. Where nothing can be written
    it is not remembered, which costs nobody anything now."""
    path = shelf / "revisions.json"
    if _read_json(path).get(revision) == commit:
        return
    with contextlib.suppress(OSError, UnavailableError), _only_one(shelf, "revisions"):
        _write_json(path, {**_read_json(path), revision: commit})


def _snapshot(handle: ModelHandle, folder: Path, *, is_stale: bool = False) -> Snapshot:
    card = read_card(folder, handle.name)
    return Snapshot(
        handle=handle, folder=folder, card=card, host=client.host(), is_stale=is_stale
    )  # fmt: skip


# --- what the Hub lists -------------------------------------------------------------------------


def _listing(handle: ModelHandle) -> tuple[str, dict[str, _File]]:
    """The commit that a revision means now, and its files by name."""
    what = str(handle)
    with client.translated(what):
        info = client.api().model_info(
            handle.repo_id, revision=handle.revision, files_metadata=True,
            timeout=client.TIMEOUT_SECONDS,
        )  # fmt: skip
        siblings = list(info.siblings or ())
    commit = str(info.sha)
    if not handle.at(commit).is_pinned or (handle.is_pinned and commit != handle.revision):
        raise IntegrityError(f"{client.host()} answered with another commit than {what}.")
    if len(siblings) > MAX_FILES:
        raise IntegrityError(
            f"{what} has {len(siblings):,} files; a model has at most {MAX_FILES:,}."
        )
    return commit, {s.rfilename: _listed(s, what) for s in siblings}


def _listed(sibling: Any, what: str) -> _File:
    """A file as listed. A size or hash that is not there stays out and is asked for later."""
    lfs = sibling.lfs
    size = lfs.size if lfs is not None else sibling.size
    return _File(
        name=sibling.rfilename,
        size=size if isinstance(size, int) else -1,
        sha256=lfs.sha256 if lfs is not None else None,
        git_sha1=sibling.blob_id if lfs is None else None,
    )


def _wanted(listed: Mapping[str, _File], card: ModelCard) -> list[str]:
    """The names of the files that make the model."""
    names = bundle.chosen(listed, card)
    code = [name for name in names if name.endswith(".py")]
    if len(code) > bundle.MAX_CODE_FILES:
        raise IntegrityError(
            f"It has {len(code)} Python files; at most {bundle.MAX_CODE_FILES} are read."
        )
    scores = sum(listed[name].size for name in names if bundle.is_score(name))
    if scores > bundle.MAX_SCORES_BYTES:
        raise IntegrityError(
            f"Its examples have {scores:,} bytes together; at most {bundle.MAX_SCORES_BYTES:,} "
            "are downloaded."
        )
    return names


def _check_completeness(handle: ModelHandle, listed: Mapping[str, _File], card: ModelCard) -> None:
    if card.runs_own_code and CODE_FILE not in listed:
        raise CardError(f"The card of {handle} names {card.entry}, but there is no {CODE_FILE}.")
    others = sorted(name for name in listed if name.lower().endswith(_OTHER_WEIGHTS))
    if others and WEIGHTS_FILE not in listed:
        raise IntegrityError(
            f"{handle} has its weights in {others[0]}, a format that can hide a program. Only "
            f"{WEIGHTS_FILE} is read; ask its author to convert them."
        )


# --- the download -------------------------------------------------------------------------------


def _fill(handle: ModelHandle, listed: Mapping[str, _File], folder: Path, report: Report) -> None:
    """Download into a folder beside `folder`, verify everything, then move it there."""
    partial = folder.with_name(f"partial-{folder.name}")
    _download_file(handle, listed, CARD_FILE, partial)
    card = read_card(partial, handle.name)
    _check_completeness(handle, listed, card)
    wanted = _wanted(listed, card)
    _check_room(sum(listed[name].size for name in wanted), partial)
    for name in wanted:
        report(f"Downloading {name} ({listed[name].size / 1e6:.1f} MB)")
        _download_file(handle, listed, name, partial)
    shutil.rmtree(partial / ".cache", ignore_errors=True)  # the client's notes for resuming
    hashes = {name: _sha256(partial / name) for name in wanted}
    _remove_what_is_not(partial, hashes)
    shutil.rmtree(folder, ignore_errors=True)
    trial_mark(folder).unlink(missing_ok=True)
    _write_json(_hashes_of(folder), hashes)
    partial.replace(folder)


def _check_room(size: int, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise UnavailableError(
            f"This model has {size / 1e6:,.1f} MB, and there are {free / 1e6:,.1f} MB free in "
            f"{places.home()}. Free some room, or set SCOREHUB_HOME to a folder with more."
        )


def _download_file(handle: ModelHandle, listed: Mapping[str, _File], name: str, into: Path) -> None:
    """One file, verified. What does not agree is deleted, so that the next try begins anew."""
    if name not in listed:
        raise NotFoundError(f"{handle} has no {name}, so it is no model of Scorehub.")
    file = listed[name]
    _check_listed(file, handle, bundle.most_bytes(name))
    path = into / name
    if path.is_file() and not path.is_symlink() and _agrees(path, file):
        return
    with client.translated(f"{name} of {handle.repo_id}"):
        from huggingface_hub import hf_hub_download

        hf_hub_download(
            handle.repo_id, name, revision=handle.revision, local_dir=into,
            endpoint=client.endpoint(), token=client.token(), etag_timeout=client.TIMEOUT_SECONDS,
            tqdm_class=_quiet(file.size),
        )  # fmt: skip
    if path.is_symlink() or not path.is_file() or not _agrees(path, file):
        path.unlink(missing_ok=True)
        shutil.rmtree(into / ".cache", ignore_errors=True)
        raise IntegrityError(
            f"What came as {name} of {handle.repo_id} is not what {client.host()} lists (its size "
            "or hash differs). It was deleted; try again, and if it stays so, trust it not."
        )


def _check_listed(file: _File, handle: ModelHandle, most: int) -> None:
    if file.size < 0 or not (file.sha256 or file.git_sha1):
        raise IntegrityError(f"{client.host()} gives no size and hash for {file.name}.")
    if file.size > most:
        raise IntegrityError(
            f"{file.name} of {handle.repo_id} has {file.size:,} bytes; at most {most:,} are "
            "downloaded."
        )


def _agrees(path: Path, file: _File) -> bool:
    if path.stat().st_size != file.size:
        return False
    if file.sha256 is not None:
        return _sha256(path) == file.sha256
    return _git_sha1(path) == file.git_sha1


def _sha256(path: Path) -> str:
    return _hash_of(path, hashlib.sha256())


def _git_sha1(path: Path) -> str:
    """As git names a file's contents, and the Hub every file that is not in LFS."""
    start = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    return _hash_of(path, start)


def _hash_of(path: Path, digest: Any) -> str:
    with path.open("rb") as stream:
        while chunk := stream.read(HASH_CHUNK):
            digest.update(chunk)
    return str(digest.hexdigest())


def _quiet(most: int) -> Any:
    """A class of progress bars that show nothing (who waits is told in `report`'s words), and end a
    download that goes on beyond the size that was listed."""
    from tqdm import tqdm

    def start(self: Any, *args: Any, name: str = "", **options: Any) -> None:
        self.came = 0
        tqdm.__init__(self, *args, **{**options, "disable": True})

    def update(self: Any, count: float | None = 1) -> None:
        self.came += count or 0
        if self.came > most:
            raise IntegrityError(f"More came than the {most:,} bytes that were listed; stopped.")

    return type("Quiet", (tqdm,), {"__init__": start, "update": update})


def _remove_what_is_not(folder: Path, hashes: Mapping[str, str]) -> None:
    """Leave the verified files and nothing else, such as the remains of an earlier try."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_symlink() or path.is_file():
            if path.relative_to(folder).as_posix() not in hashes:
                path.unlink()
        elif not any(path.iterdir()):
            path.rmdir()


# --- the shelf ----------------------------------------------------------------------------------


def _shelves() -> Path:
    return places.snapshots() / re.sub(r"[^A-Za-z0-9.-]", "_", client.host())


def _shelf(handle: ModelHandle) -> Path:
    return _shelves() / f"{handle.owner}--{handle.name}"


def _hashes_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.json")


def trial_mark(folder: Path) -> Path:
    """The file that is there once the model in a snapshot's folder has been loaded on trial."""
    return folder.with_name(f"{folder.name}.fine")


def _is_whole(folder: Path) -> bool:
    """Are exactly the files there that were downloaded, byte for byte, none of them a link?"""
    if not folder.is_dir():
        return False
    hashes = _read_json(_hashes_of(folder))
    there = {
        path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir()
    }
    return bool(hashes) and there.keys() == hashes.keys() and not any(
        path.is_symlink() or _sha256(path) != hashes[name] for name, path in there.items()
    )  # fmt: skip


@contextmanager
def _only_one(shelf: Path, commit: str) -> Iterator[None]:
    """One download of a commit at a time, over all processes of this machine."""
    from filelock import FileLock

    try:
        shelf.mkdir(parents=True, exist_ok=True)
        with FileLock(shelf / f"partial-{commit}.lock"):
            yield
    except OSError as error:
        raise client.no_room(error, "Downloads") from error


def _read_json(path: Path) -> dict[str, str]:
    """A small JSON object of ours; empty when it is not there or not whole."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _write_json(path: Path, value: Mapping[str, str]) -> None:
    places.write_text(path, json.dumps(value, indent=1))
