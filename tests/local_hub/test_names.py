"""What may be called how: a table of names that pass and names that do not."""

from __future__ import annotations

import pytest

from hub.local_hub import names


@pytest.mark.parametrize("name", ["a", "alice", "inpaint-net_2.0", "A" * 96])
def test_names(name: str) -> None:
    assert names.fault_of_name(name) == ""


@pytest.mark.parametrize(
    "name",
    [
        "", ".", "..", "-a", "a-", ".git", "a.git", "a.lock", "a..b", "a--b", "a/b", "a\\b", "a b",
        "é", "a\n", "A" * 97, None, 7, ["a"],
    ],
)  # fmt: skip
def test_names_that_are_none(name: object) -> None:
    assert names.fault_of_name(name).endswith(".")


@pytest.mark.parametrize("name", ["api", "models", "spaces", "datasets", "..", ["api"]])
def test_names_that_are_nobodys(name: object) -> None:
    assert names.fault_of_owner(name).endswith(".")
    assert names.fault_of_owner("alice") == ""


@pytest.mark.parametrize("path", ["a", "README.md", "examples/ä b.mid", ".gitattributes", "...a/b"])
def test_paths(path: str) -> None:
    assert names.fault_of_path(path) == ""


@pytest.mark.parametrize(
    "path",
    [
        "", "/etc/passwd", "../a", "a/../b", "a/..", "./a", "a//b", "a/", "a\\..\\b", "C:/a", "c:a",
        ".git/config", "a/.GIT/hooks/x", "a\nb", "a\x00b", "a\x1b[2J", "a\u202eb", "a\ud800",
        "x" * 1025, None, 7,
    ],
)  # fmt: skip
def test_paths_that_are_none(path: object) -> None:
    assert names.fault_of_path(path).endswith(".")


@pytest.mark.parametrize("name", ["main", "v1", "v1.0-rc_2", "1"])
def test_revisions(name: str) -> None:
    assert names.fault_of_revision(name) == ""


@pytest.mark.parametrize(
    "name", ["", "a/b", "-a", "a..b", "a.lock", "a.", "a b", "0" * 40, "x" * 101, None]
)
def test_revisions_that_are_none(name: object) -> None:
    assert names.fault_of_revision(name).endswith(".")
