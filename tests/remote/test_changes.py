from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from hub.remote import published
from hub.remote.changes import CHANGED, DELETED, NEW, UNCHANGED, _is_named, compare, sha_of

REPO = "alice/tiny"
LARGE = bytes(range(256)) * 64


def test_a_file_on_the_disk_and_its_bytes_are_the_same(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(LARGE)
    expected = hashlib.sha256(LARGE).hexdigest()
    assert sha_of(LARGE, hashlib.sha256()) == expected
    assert sha_of(tmp_path / "a", hashlib.sha256()) == expected


def test_what_is_begun_names_one_commit_only() -> None:
    head, twin = "a" * 40, "a" * 12 + "b" * 28
    assert _is_named(head, ["a" * 12], [head, "c" * 40])
    assert not _is_named(head, ["a" * 11], [head])
    assert not _is_named(head, ["a" * 12], [head, twin])
    assert _is_named(head, ["a" * 13], [head, twin])


@pytest.mark.parametrize("name", ["model.py", "model.safetensors"])  # by git's hash, by LFS's
def test_each_file_is_compared_by_its_hash(hub_server: Any, name: str) -> None:
    there = {name: LARGE, "old.py": b"", "photo.png": b"x"}
    head = hub_server.commit(REPO, there)
    published.remember(REPO, "model", head, [name, "old.py"])
    contents: dict[str, Any] = {name: LARGE, "new.py": b"x = 1\n"}
    upload = compare(REPO, "model", contents, [head], False)
    whats = {change.name: change.what for change in upload.changes}
    assert whats == {name: UNCHANGED, "new.py": NEW, "old.py": DELETED}
    assert upload.head == head and upload.others == ("photo.png",)
    upload = compare(REPO, "model", {name: LARGE[:-1] + b"!"}, [head], False)
    assert upload.changes[0].what == CHANGED
