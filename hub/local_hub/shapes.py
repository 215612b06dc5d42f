"""The JSON that the client reads, and what it is told of a card."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from hub.card import split_card
from hub.errors import CardError
from hub.local_hub.store import CARD, Commit, File, Repository, Store, tree_hash

POINTER_BYTES = 134
MAX_CARD_BYTES = 1 << 20

_TAGGED = {"datasets": "dataset:", "license": "license:", "base_model": "base_model:"}
_COLOURS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")
_SHORT = 60  # characters of a Space's short_description


def repository_info(
    store: Store,
    repository: Repository,
    commit: Commit,
    *,
    is_full: bool = True,
    blobs: bool = False,
) -> dict[str, Any]:
    """What the Hub says of a repository at a commit."""
    card = card_of(store, repository, commit)
    info: dict[str, Any] = {
        "_id": hashlib.sha1(repository.id.encode(), usedforsecurity=False).hexdigest()[:24],
        "id": repository.id,
        "author": repository.owner,
        "private": repository.is_private,
        "gated": repository.gated or False,
        "disabled": False,
        "downloads": repository.downloads,
        "likes": repository.likes,
        "createdAt": repository.created,
        "lastModified": commit.date,
        "tags": tags_of(card),
    }
    if repository.kind == "model":
        info |= {"modelId": repository.id, **_texts(card, "library_name", "pipeline_tag")}
    else:
        info |= {"sdk": repository.sdk, **space_address(repository)}
    if is_full:
        info |= {
            "sha": commit.hash,
            "cardData": card,
            "siblings": [_sibling(path, file, blobs) for path, file in commit.files.items()],
        }
        if repository.kind == "space":
            info["runtime"] = runtime(repository)
    return info


def _sibling(path: str, file: File, blobs: bool) -> dict[str, Any]:
    if not blobs:
        return {"rfilename": path}
    named = {"rfilename": path, "size": file.size, "blobId": file.git_sha1}
    lfs = {"sha256": file.sha256, "size": file.size, "pointerSize": POINTER_BYTES}
    return {**named, "lfs": lfs} if file.is_lfs else named


def tree_file(path: str, file: File) -> dict[str, Any]:
    entry = {"type": "file", "path": path, "size": file.size, "oid": file.git_sha1}
    lfs = {"oid": file.sha256, "size": file.size, "pointerSize": POINTER_BYTES}
    return {**entry, "lfs": lfs} if file.is_lfs else entry


def tree(files: Mapping[str, File], folder: str, *, is_recursive: bool) -> list[dict[str, Any]]:
    """Files and folders below `folder`, by path; empty if there is no such folder."""
    start = f"{folder}/" if folder else ""
    entries: dict[str, dict[str, Any]] = {}
    for path, file in files.items():
        if not path.startswith(start):
            continue
        parts = path.removeprefix(start).split("/")
        for depth in range(1, len(parts)):
            if is_recursive or depth == 1:
                inner = start + "/".join(parts[:depth])
                entries.setdefault(inner, _folder(files, inner))
        if is_recursive or len(parts) == 1:
            entries[path] = tree_file(path, file)
    return [entries[path] for path in sorted(entries)]


def _folder(files: Mapping[str, File], path: str) -> dict[str, Any]:
    inside = {name: file for name, file in files.items() if name.startswith(f"{path}/")}
    return {"type": "directory", "path": path, "size": 0, "oid": tree_hash(inside)}


def commit_entry(commit: Commit) -> dict[str, Any]:
    return {
        "id": commit.hash,
        "title": commit.title,
        "message": commit.description,
        "date": commit.date,
        "authors": [{"user": commit.author}],
    }


def refs(repository: Repository) -> dict[str, Any]:
    def listed(where: str, named: Mapping[str, str]) -> list[dict[str, str]]:
        return [
            {"name": name, "ref": f"refs/{where}/{name}", "targetCommit": commit}
            for name, commit in named.items()
        ]

    return {
        "branches": listed("heads", repository.branches),
        "tags": listed("tags", repository.tags),
        "converts": [],
        "pullRequests": [],
    }


def space_address(repository: Repository) -> dict[str, Any]:
    """Where a Space can be opened: nowhere, unless somebody runs it and has said so."""
    host = repository.runtime.get("host", "")
    subdomain = f"{repository.owner}-{repository.name}".lower().replace(".", "-").replace("_", "-")
    return {"subdomain": subdomain, "host": host or None}


def runtime(repository: Repository) -> dict[str, Any]:
    known = repository.runtime
    hardware = known.get("hardware", "cpu-basic")
    return {
        "stage": known.get("stage", "STOPPED"),
        "hardware": {"current": None, "requested": hardware},
        "storage": None,
        "gcTimeout": None,
    }


# --- the card -----------------------------------------------------------------------------------


def card_of(store: Store, repository: Repository, commit: Commit) -> dict[str, Any]:
    """The card's front matter; {} if there is none that can be read."""
    file = commit.files.get(CARD)
    if file is None or file.size > MAX_CARD_BYTES:
        return {}
    return _card(store.blob(repository, file.sha256))


@lru_cache(maxsize=256)
def _card(path: Path) -> dict[str, Any]:
    """Of a blob, whose contents never change."""
    try:
        front, _, _ = split_card(path.read_text(encoding="utf-8"), "card")
    except (OSError, ValueError, CardError):
        return {}
    return {str(key): plain(value) for key, value in front.items()}


def plain(value: Any) -> Any:
    """YAML's values as JSON has them: what JSON lacks (dates, bytes, infinity) as text."""
    if isinstance(value, dict):
        return {plain(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str):  # half a surrogate pair, which YAML can write, is no text
        return value.encode("utf-8", "replace").decode()
    return value if isinstance(value, int | float | None) else str(value)


def tags_of(card: Mapping[str, Any]) -> list[str]:
    """The tags that the Hub derives from a card, by which models are found."""
    found = _texts(card, "library_name", "pipeline_tag").values()
    tags = [*_list(card.get("tags")), *found, *_list(card.get("language"))]
    for key, start in _TAGGED.items():
        tags += [start + item for item in _list(card.get(key))]
    return list(dict.fromkeys(tags))


def faults_of_card(content: str, kind: str) -> list[str]:
    """What the Hub would not accept in a card's front matter."""
    if not content.lstrip("\ufeff").startswith("---"):
        return []
    try:
        card = split_card(content, "card")[0]
    except CardError as error:
        return [str(error)]
    faults = [
        f'"{key}" must be a text or a list of texts'
        for key in ("license", "tags", "datasets", "language", "library_name", "pipeline_tag")
        if key in card and not _is_texts(card[key])
    ]
    return faults + (_faults_of_space(card) if kind == "space" else [])


def _faults_of_space(card: Mapping[str, Any]) -> list[str]:
    faults = [] if card.get("sdk") else ['"sdk" is required']
    for key in ("colorFrom", "colorTo"):
        if card.get(key, "red") not in _COLOURS:
            faults.append(f'"{key}" must be one of {", ".join(_COLOURS)}')
    if len(str(card.get("short_description", ""))) > _SHORT:
        faults.append(f'"short_description" must have at most {_SHORT} characters')
    return faults


def _is_texts(value: Any) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list) and all(isinstance(item, str) for item in value)
    )


def _list(value: Any) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [item for item in listed if isinstance(item, str)]


def _texts(card: Mapping[str, Any], *keys: str) -> dict[str, str]:
    return {key: card[key] for key in keys if isinstance(card.get(key), str)}
