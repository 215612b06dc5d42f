"""Downloads over real HTTP: whole, verified, bounded, offline."""

from __future__ import annotations

import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from hub import places
from hub.errors import (
    CardError,
    IntegrityError,
    NotFoundError,
    OfflineError,
    QuotaError,
    ScorehubError,
    UnavailableError,
)
from hub.handle import ModelHandle
from hub.remote import fetch as fetching
from hub.remote.fetch import all_cached, cached, fetch
from tests.tiny_models import write_model

HANDLE = ModelHandle(owner="ann", name="tiny")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, bytes]:
    model = write_model(tmp_path / "tiny")
    return {path.name: path.read_bytes() for path in model.iterdir()}


def downloads(hub_server: Any) -> list[str]:
    return [r.path for r in hub_server.requests if "/resolve/" in r.path and r.method == "GET"]


def test_only_what_a_model_is_made_of_comes(hub_server: Any, files: dict[str, bytes]) -> None:
    extra = {
        "pytorch_model.bin": b"\x80\x04pickle", "notes.txt": b"x", ".env": b"SECRET",
        "deep/code.py": b"x", "model.safetensors": b"0" * 20, "LICENSE": b"free",
        "other.mid": b"MThd",
    }  # fmt: skip
    commit = hub_server.commit("ann/tiny", files | extra)
    snapshot = fetch(HANDLE)
    assert snapshot.commit == commit and snapshot.handle.is_pinned
    names = sorted(p.relative_to(snapshot.folder).as_posix() for p in snapshot.folder.rglob("*"))
    assert names == ["LICENSE", "README.md", "model.py", "model.safetensors", "tune.mid"]
    for name in names:
        path = snapshot.folder / name
        assert path.read_bytes() == (files | extra)[name]
        assert not path.is_symlink()


def test_a_full_hash_asks_the_network_nothing(hub_server: Any, files: dict[str, bytes]) -> None:
    commit = hub_server.commit("ann/tiny", files)
    fetch(HANDLE)
    before = len(hub_server.requests)
    again = fetch(HANDLE.at(commit))
    assert len(hub_server.requests) == before and again.is_stale is False


def test_a_branch_asks_and_downloads_nothing_twice(
    hub_server: Any, files: dict[str, bytes]
) -> None:
    hub_server.commit("ann/tiny", files)
    fetch(HANDLE)
    count = len(downloads(hub_server))
    fetch(HANDLE)
    assert len(downloads(hub_server)) == count


def test_a_moved_branch_gives_the_new_commit_and_keeps_the_old(
    hub_server: Any, files: dict[str, bytes]
) -> None:
    first = hub_server.commit("ann/tiny", files)
    old = fetch(HANDLE)
    second = hub_server.commit("ann/tiny", files | {"model.py": b"# new\n"})
    new = fetch(HANDLE)
    assert (old.commit, new.commit) == (first, second)
    assert old.folder.is_dir() and (new.folder / "model.py").read_bytes() == b"# new\n"


def test_offline_a_branch_is_what_it_was(
    hub_server: Any, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = hub_server.commit("ann/tiny", files)
    fetch(HANDLE)
    hub_server.stop()
    stale = fetch(HANDLE)
    assert stale.commit == commit and stale.is_stale
    assert fetch(HANDLE.at(commit)).is_stale is False
    with pytest.raises(OfflineError, match="cannot be reached"):
        fetch(ModelHandle(owner="ann", name="other"))


def test_told_to_stay_offline(
    hub_server: Any, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub_server.commit("ann/tiny", files)
    fetch(HANDLE)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    before = len(hub_server.requests)
    assert fetch(HANDLE).is_stale
    with pytest.raises(OfflineError, match="HF_HUB_OFFLINE"):
        fetch(ModelHandle(owner="ann", name="other"))
    assert len(hub_server.requests) == before


@pytest.mark.parametrize("name", ["model.safetensors", "model.py", "README.md", "tune.mid"])
def test_a_flipped_byte_is_found(hub_server: Any, files: dict[str, bytes], name: str) -> None:
    hub_server.commit("ann/tiny", files | {"model.safetensors": bytes(1000)})
    hub_server.fail(path=f"/resolve/.*{name}", flip=0, method="GET")
    with pytest.raises(IntegrityError, match=name):
        fetch(HANDLE)
    assert cached(HANDLE) is None
    assert fetch(HANDLE).commit  # and the next try succeeds


def test_a_truncated_file_is_found_or_fetched_again(
    hub_server: Any, files: dict[str, bytes]
) -> None:
    weights = bytes(range(256)) * 4000
    hub_server.commit("ann/tiny", files | {"model.safetensors": weights})
    hub_server.fail(path="/resolve/.*model.safetensors", cut=1000, times=1, method="GET")
    try:
        snapshot = fetch(HANDLE)
    except ScorehubError:
        assert cached(HANDLE) is None
        snapshot = fetch(HANDLE)
    assert (snapshot.folder / "model.safetensors").read_bytes() == weights


def test_a_file_changed_on_the_disk_is_fetched_anew(
    hub_server: Any, files: dict[str, bytes]
) -> None:
    commit = hub_server.commit("ann/tiny", files)
    folder = fetch(HANDLE).folder
    (folder / "model.py").write_text("evil = True\n")
    (folder / "extra.py").write_text("evil = True\n")
    assert cached(HANDLE.at(commit)) is None
    again = fetch(HANDLE.at(commit)).folder
    assert (again / "model.py").read_bytes() == files["model.py"]
    assert not (again / "extra.py").exists()


def test_a_link_on_the_disk_is_refused(hub_server: Any, files: dict[str, bytes]) -> None:
    commit = hub_server.commit("ann/tiny", files)
    folder = fetch(HANDLE).folder
    outside = places.home() / "secret.mid"
    outside.write_bytes((folder / "tune.mid").read_bytes())
    (folder / "tune.mid").unlink()
    (folder / "tune.mid").symlink_to(outside)
    assert cached(HANDLE.at(commit)) is None
    assert not (fetch(HANDLE.at(commit)).folder / "tune.mid").is_symlink()


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"README.md": None}, NotFoundError, "no README.md"),
        ({"README.md": b"# no front matter"}, CardError, "front matter"),
        ({"README.md": b"---\n" + b"x" * 300_000}, IntegrityError, "at most 262,144"),
        ({"model.py": None}, CardError, "no model.py"),
        ({"model.py": b"#" * (1 << 21)}, IntegrityError, "model.py .* at most"),
        ({"weights.pt": b"PK", "tune.mid": None}, IntegrityError, "weights.pt, a format"),
        ({f"m{i}.py": b"" for i in range(100)}, IntegrityError, "101 Python files"),
    ],
)
def test_what_is_no_model_is_refused(
    hub_server: Any, files: dict[str, bytes], change: dict[str, bytes | None],
    error: type[ScorehubError], says: str,
) -> None:  # fmt: skip
    kept = {name: data for name, data in (files | change).items() if data is not None}
    hub_server.commit("ann/tiny", kept)
    with pytest.raises(error, match=says):
        fetch(HANDLE)
    assert all_cached() == []


def test_names_that_lead_elsewhere_are_never_written(
    hub_server: Any, files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the Hub lists: only names of known shapes are asked for."""
    hub_server.commit("ann/tiny", files)
    real = fetching._listing

    def lying(handle: ModelHandle) -> Any:
        commit, listed = real(handle)
        odd = listed["model.py"]
        names = ("../evil.py", "/abs.py", "a/../../evil.py", "..\\evil.py", "evil.py\x00", ".x.py")
        return commit, listed | dict.fromkeys(names, odd)

    monkeypatch.setattr(fetching, "_listing", lying)
    folder = fetch(HANDLE).folder
    assert sorted(p.name for p in folder.iterdir()) == ["README.md", "model.py", "tune.mid"]


def test_another_commit_than_the_one_asked_for_is_refused(
    hub_server: Any, files: dict[str, bytes]
) -> None:
    commit = hub_server.commit("ann/tiny", files)
    address = f"{hub_server.url}/api/models/ann/tiny/revision/{commit}?blobs=true"
    with urllib.request.urlopen(address) as answer:
        lie = answer.read().replace(commit.encode(), b"f" * 40)
    hub_server.fail(path="/api/models/ann/tiny/revision/", replace=lie)
    with pytest.raises(IntegrityError, match="another commit"):
        fetch(HANDLE.at(commit))


def test_states_a_person_can_act_on(hub_server: Any, files: dict[str, bytes]) -> None:
    hub_server.commit("ann/tiny", files)
    with pytest.raises(NotFoundError, match="ann/other"):
        fetch(ModelHandle(owner="ann", name="other"))
    with pytest.raises(NotFoundError, match="no such branch"):
        fetch(HANDLE.at("nothing"))
    hub_server.fail(path="/api/models/ann/tiny", status=429, times=None)
    with pytest.raises(QuotaError):
        fetch(HANDLE)


def test_an_interrupted_download_leaves_nothing_half(
    hub_server: Any, files: dict[str, bytes]
) -> None:
    hub_server.commit("ann/tiny", files)
    hub_server.fail(path="/resolve/.*tune.mid", status=500, times=None)
    with pytest.raises(ScorehubError):
        fetch(HANDLE)
    assert cached(HANDLE) is None and all_cached() == []
    hub_server.faults.clear()
    before = len(downloads(hub_server))
    fetch(HANDLE)
    assert len(downloads(hub_server)) == before + 1  # the others were there already


def test_what_is_on_this_disk_is_listed(hub_server: Any, files: dict[str, bytes]) -> None:
    hub_server.commit("ann/tiny", files)
    snapshot = fetch(HANDLE)
    hub_server.stop()
    assert [found.handle for found in all_cached()] == [snapshot.handle]


def test_more_than_was_listed_is_stopped_on_the_way(
    hub_server: Any, files: dict[str, bytes]
) -> None:
    hub_server.commit("ann/tiny", files)
    hub_server.fail(path="/resolve/.*tune.mid", method="GET", replace=bytes(60 << 20))
    with pytest.raises(ScorehubError):
        fetch(HANDLE)
    left = sum(p.stat().st_size for p in places.home().rglob("*") if p.is_file())
    assert left < 30 << 20 and cached(HANDLE) is None


def test_all_examples_together_are_bounded(
    hub_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"{i}.mid" for i in range(4)]
    model = write_model(tmp_path / "tiny", examples=names)
    files = {p.name: p.read_bytes() for p in model.iterdir()} | {n: bytes(1000) for n in names}
    hub_server.commit("ann/tiny", files)
    monkeypatch.setattr(fetching.bundle, "MAX_SCORES_BYTES", 3_999)
    with pytest.raises(IntegrityError, match="4,000 bytes together"):
        fetch(HANDLE)


def test_a_saved_login_is_for_the_public_hub_alone(
    hub_server: Any, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.delenv("HF_TOKEN")
    saved = Path(constants.HF_TOKEN_PATH)
    saved.parent.mkdir(parents=True, exist_ok=True)
    saved.write_text("hf_SavedForThePublicHub000")
    hub_server.commit("ann/tiny", files)
    fetch(HANDLE)
    assert hub_server.requests
    assert not any("authorization" in r.headers for r in hub_server.requests)


def test_two_at_once_download_once_and_take_nothing_from_each_other(
    hub_server: Any, files: dict[str, bytes]
) -> None:
    hub_server.commit("ann/tiny", files | {"model.safetensors": bytes(100_000)})
    hub_server.fail(path="/resolve/.*model.safetensors", times=None, delay_seconds=0.3)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(fetch, [HANDLE] * 4))
    names = [Path(path).name for path in downloads(hub_server)]
    assert sorted(names) == sorted([*files, "model.safetensors"])
    places_of = {(s.folder / "model.safetensors").stat().st_ino for s in found}
    assert len(places_of) == 1


def test_offline_it_says_what_there_is(hub_server: Any, files: dict[str, bytes]) -> None:
    commit = hub_server.commit("ann/tiny", files)
    fetch(HANDLE.at(commit))
    hub_server.stop()
    with pytest.raises(OfflineError, match=f"on this disk: {commit}"):
        fetch(HANDLE)


def test_nothing_can_be_written(
    hub_server: Any, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hub_server.commit("ann/tiny", files)
    blocked = tmp_path / "a file"
    blocked.write_text("")
    monkeypatch.setenv("SCOREHUB_HOME", str(blocked))
    with pytest.raises(UnavailableError, match="SCOREHUB_HOME"):
        fetch(HANDLE)


def test_no_room_on_the_disk(
    hub_server: Any, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub_server.commit("ann/tiny", files | {"model.safetensors": bytes(100_000)})
    usage = fetching.shutil.disk_usage("/")._replace(free=50_000)
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(UnavailableError, match="free some room|Free some room"):
        fetch(HANDLE)


def test_no_room_while_it_downloads(
    hub_server: Any, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    def full(*args: Any, **options: Any) -> None:
        raise OSError(28, "No space left on device")

    hub_server.commit("ann/tiny", files)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", full)
    with pytest.raises(UnavailableError, match="No space left on device"):
        fetch(HANDLE)
