from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub import places, trust
from hub.errors import TrustError
from hub.handle import ModelHandle

ONE, TWO = "1" * 40, "2" * 40
HOST = "a.hub"


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOREHUB_HOME", str(tmp_path / "home"))


def commit(tmp_path: Path, revision: str, code: str) -> tuple[ModelHandle, Path]:
    folder = tmp_path / "user--name" / revision
    folder.mkdir(parents=True)
    (folder / "model.py").write_text(code)
    return ModelHandle(owner="user", name="name", revision=revision), folder


def trusted(handle: ModelHandle, folder: Path) -> None:
    trust.trust(trust.review(handle, folder, HOST))


def test_nothing_is_trusted_until_somebody_says_so(tmp_path: Path) -> None:
    handle, folder = commit(tmp_path, ONE, "a = 1\n")
    assert not trust.is_trusted(handle, folder, HOST)
    trusted(handle, folder)
    assert trust.is_trusted(handle, folder, HOST)


def test_trust_is_for_one_commit_of_one_repository_of_one_hub(tmp_path: Path) -> None:
    handle, folder = commit(tmp_path, ONE, "a = 1\n")
    trusted(handle, folder)
    assert not trust.is_trusted(handle.at(TWO), folder, HOST)
    assert not trust.is_trusted(handle, folder, "other.hub")
    assert not trust.is_trusted(
        ModelHandle(owner="mallory", name="name", revision=ONE), folder, HOST
    )


def test_code_that_changed_on_the_disk_is_not_what_was_trusted(tmp_path: Path) -> None:
    handle, folder = commit(tmp_path, ONE, "a = 1\n")
    trusted(handle, folder)
    (folder / "helper.py").write_text("")
    assert not trust.is_trusted(handle, folder, HOST)


def test_a_branch_cannot_be_trusted(tmp_path: Path) -> None:
    handle, folder = commit(tmp_path, ONE, "a = 1\n")
    seen = trust.review(handle.at("main"), folder, HOST)
    with pytest.raises(TrustError, match="full commit hash"):
        trust.trust(seen)


def test_a_review_shows_what_changed_since_the_last_trusted_commit(tmp_path: Path) -> None:
    trusted(*commit(tmp_path, ONE, "a = 1\nb = 2\n"))
    seen = trust.review(*commit(tmp_path, TWO, "a = 1\nb = 3\n"), HOST)
    assert seen.before == ONE
    assert "-b = 2" in seen.changes and "+b = 3" in seen.changes and "a = 1" in seen.changes
    assert "2 lines differ from 111111111111" in seen.summary()


def test_the_same_code_again_is_said_to_be_the_same(tmp_path: Path) -> None:
    trusted(*commit(tmp_path, ONE, "a = 1\n"))
    seen = trust.review(*commit(tmp_path, TWO, "a = 1\n"), HOST)
    assert seen.changes == "" and "is what it was" in seen.summary()


def test_without_the_earlier_files_everything_is_shown(tmp_path: Path) -> None:
    handle, folder = commit(tmp_path, ONE, "a = 1\n")
    trusted(handle, folder)
    (folder / "model.py").write_text("tampered = True\n")
    seen = trust.review(*commit(tmp_path, TWO, "a = 1\nb = 2\n"), HOST)
    assert "+a = 1" in seen.changes and "tampered" not in seen.changes


def test_trust_can_be_taken_back(tmp_path: Path) -> None:
    handle, folder = commit(tmp_path, ONE, "a = 1\n")
    trusted(handle, folder)
    assert trust.revoke("user/name", HOST) == 1
    assert not trust.is_trusted(handle, folder, HOST)
    assert trust.revoke("user/name", HOST) == 0


@pytest.mark.parametrize(
    "record", ["", "{", "[]", '{"commits": 3}', '{"commits": [{"host": "a.hub"}]}', "null"]
)
def test_a_record_that_cannot_be_read_trusts_nobody(tmp_path: Path, record: str) -> None:
    handle, folder = commit(tmp_path, ONE, "a = 1\n")
    trusted(handle, folder)
    places.trusted().write_text(record)
    assert not trust.is_trusted(handle, folder, HOST)
    assert trust.grants() == []


def test_the_record_is_the_users_alone(tmp_path: Path) -> None:
    trusted(*commit(tmp_path, ONE, "a = 1\n"))
    assert places.trusted().stat().st_mode & 0o077 == 0
    assert json.loads(places.trusted().read_text())["version"] == 1


def test_code_that_reads_otherwise_than_it_looks_is_refused(tmp_path: Path) -> None:
    handle, folder = commit(tmp_path, ONE, "# coding: utf-7\n# harmless +AAo-print(1)\n")
    with pytest.raises(TrustError, match="utf-7"):
        trust.review(handle, folder, HOST)
    with pytest.raises(TrustError, match="utf-7"):
        trust.is_trusted(handle, folder, HOST)


@pytest.mark.parametrize("end", ["\u2028", "\x0c", "\x85", "\x1c"])
def test_a_line_end_that_python_does_not_know_is_no_line_end(tmp_path: Path, end: str) -> None:
    trusted(*commit(tmp_path, ONE, f"# note{end}run()\n"))
    seen = trust.review(*commit(tmp_path, TWO, "# note\nrun()\n"), HOST)
    assert "+run()" in seen.changes and "is what it was" not in seen.summary()


def test_line_ends_alone_are_a_change(tmp_path: Path) -> None:
    trusted(*commit(tmp_path, ONE, "a = 1\n"))
    handle, folder = commit(tmp_path, TWO, "")
    (folder / "model.py").write_bytes(b"a = 1\r\n")
    seen = trust.review(handle, folder, HOST)
    assert "is what it was" not in seen.summary() and "+a = 1" in seen.changes
