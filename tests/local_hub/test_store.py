"""Repositories in a folder: atomic, kept over a restart, one process at a time."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.errors import BusyError, LoadError
from hub.local_hub.store import ClashError, Commit, MissingError, Repository, Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "hub")
    yield opened
    opened.close()


def put(store: Store, repository: Repository, files: dict[str, bytes], **more: str) -> Commit:
    changes = {path: store.add_blob(repository, data) for path, data in files.items()}
    return store.commit(repository, changes, **more)


def contents(store: Store, repository: Repository, revision: str = "main") -> dict[str, bytes]:
    files = store.commit_of(repository, revision).files
    return {path: store.blob(repository, f.sha256).read_bytes() for path, f in files.items()}


def test_a_new_repository_has_a_first_commit(store: Store) -> None:
    made = store.create("space", "alice", "tune", sdk="gradio")
    files = contents(store, made)
    assert sorted(files) == [".gitattributes", "README.md"]
    assert b"sdk: gradio" in files["README.md"]
    assert b"*.safetensors filter=lfs" in files[".gitattributes"]
    assert [commit.title for commit in store.history(made, "main")] == ["initial commit"]


def test_commits_are_kept_one_after_another(store: Store) -> None:
    made = store.create("model", "alice", "tune")
    first = put(store, made, {"a": b"1", "b": b"2"})
    second = store.commit(made, {"a": None, "c": store.add_blob(made, b"3")}, title="t")
    made = store.get("model", "alice", "tune")
    assert sorted(contents(store, made)) == [".gitattributes", "b", "c"]
    assert contents(store, made, first.hash)["a"] == b"1"
    assert [c.hash for c in store.history(made, "main")][:2] == [second.hash, first.hash]
    assert store.commit_of(made, second.hash[:9]).title == "t"


@pytest.mark.parametrize("revision", ["v1", "abcdefg", "*", "../x", "0" * 40, "main*", ""])
def test_a_revision_that_is_not_there(store: Store, revision: str) -> None:
    made = store.create("model", "alice", "tune")
    with pytest.raises(MissingError):
        store.commit_of(made, revision)


def test_files_are_named_as_git_names_them(store: Store, tmp_path: Path) -> None:
    made = store.create("model", "alice", "tune")
    data = b"some\ncontents\n"
    small = store.add_blob(made, data)
    large = store.lfs_file(made, hashlib.sha256(data).hexdigest())
    assert small.git_sha1 == _git_hash(data, tmp_path)
    pointer = (
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{large.sha256}\nsize {len(data)}\n"
    )
    assert large.git_sha1 == _git_hash(pointer.encode(), tmp_path)


def _git_hash(data: bytes, folder: Path) -> str:
    command = ["git", "hash-object", "--stdin"]
    done = subprocess.run(command, input=data, capture_output=True, check=True, cwd=folder)
    return done.stdout.decode().strip()


def test_a_parent_that_has_been_overtaken(store: Store) -> None:
    made = store.create("model", "alice", "tune")
    first = store.commit_of(made, "main").hash
    second = put(store, made, {"a": b"1"}, parent=first)
    with pytest.raises(ClashError):
        put(store, made, {"a": b"2"}, parent=first)
    put(store, made, {"a": b"3"}, parent=second.hash[:7])
    assert contents(store, store.get("model", "alice", "tune"))["a"] == b"3"


def test_a_commit_needs_a_branch(store: Store) -> None:
    made = store.create("model", "alice", "tune")
    first = store.commit_of(made, "main").hash
    made = store.update(made, tags={"v1": first})
    for revision in ("v1", first):
        with pytest.raises(MissingError):
            put(store, made, {"a": b"1"}, branch=revision)


@pytest.mark.parametrize("name", ["tune", "TUNE"])
def test_a_name_that_is_taken(store: Store, name: str) -> None:
    store.create("model", "alice", "tune")
    with pytest.raises(ClashError):
        store.create("model", "Alice", name)
    store.create("space", "alice", "tune")


def test_what_is_deleted_is_gone(store: Store) -> None:
    made = store.create("model", "alice", "tune")
    store.delete(made)
    with pytest.raises(MissingError):
        store.get("model", "alice", "tune")
    assert not [path for path in store.folder.rglob("*") if path.name == "tune"]
    assert not list((store.folder / "partial").iterdir())
    assert sorted(contents(store, store.create("model", "alice", "tune"))) == [".gitattributes"]


def test_everything_is_kept_over_a_restart(tmp_path: Path) -> None:
    store = Store(tmp_path)
    made = store.create("space", "alice", "tune", sdk="gradio", secret_names=("KEY",))
    commit = put(store, made, {"app.py": b"x"})
    made = store.update(store.get("space", "alice", "tune"), tags={"v1": commit.hash})
    store.create("model", "bob", "other", is_private=True)
    store.close()
    again = Store(tmp_path)
    assert again.get("space", "alice", "tune") == made
    assert again.get("model", "bob", "other").is_private
    assert contents(again, made, "v1")["app.py"] == b"x"
    again.close()


def test_what_was_cut_off_leaves_no_trace(tmp_path: Path) -> None:
    store = Store(tmp_path)
    made = store.create("model", "alice", "tune")
    with pytest.raises(KeyboardInterrupt), store.receiving(made, "0" * 64) as stream:
        stream.write(b"half")
        raise KeyboardInterrupt
    assert not store.blob(made, "0" * 64).exists()
    (tmp_path / "partial" / "rest").write_bytes(b"of a process that was killed")
    store.close()
    again = Store(tmp_path)
    assert not list((tmp_path / "partial").iterdir())
    again.close()


def test_a_commit_whose_branch_could_not_be_written_never_was(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = store.create("model", "alice", "tune")
    real = Path.replace

    def full(self: Path, target: Path) -> Path:
        if target.name == "repository.json":
            raise OSError(28, "No space left on device")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        put(store, made, {"a": b"1"})
    monkeypatch.undo()
    assert sorted(contents(store, store.get("model", "alice", "tune"))) == [".gitattributes"]
    put(store, made, {"a": b"2"})
    assert contents(store, store.get("model", "alice", "tune"))["a"] == b"2"


def test_one_process_a_folder(tmp_path: Path) -> None:
    first = Store(tmp_path)
    with pytest.raises(BusyError, match="one at a time"):
        Store(tmp_path)
    first.close()
    Store(tmp_path).close()


def test_a_damaged_repository_is_named(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.create("model", "alice", "tune")
    store.close()
    (tmp_path / "models/alice/tune/repository.json").write_text("{")
    with pytest.raises(LoadError, match="models/alice/tune/repository.json"):
        Store(tmp_path)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LoadError, match="cannot be written"):
        Store(tmp_path / "file")
