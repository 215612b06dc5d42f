from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import LoadError
from hub.handle import FolderHandle, ModelHandle, SpaceHandle, parse_handle

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "handle"),
    [
        ("user/name", ModelHandle(owner="user", name="name")),
        ("user/name@v1", ModelHandle(owner="user", name="name", revision="v1")),
        ("user/name@refs/pr/1", ModelHandle(owner="user", name="name", revision="refs/pr/1")),
        (f"u/n@{COMMIT}", ModelHandle(owner="u", name="n", revision=COMMIT)),
        ("space:user/name", SpaceHandle(place="user/name")),
        ("space:http://127.0.0.1:7860/", SpaceHandle(place="http://127.0.0.1:7860")),
        ("space:user/name#weaver", SpaceHandle(place="user/name", model="weaver")),
        ("space:http://h:1/a/#b c", SpaceHandle(place="http://h:1/a", model="b c")),
        ("./user/name", FolderHandle(path=Path("./user/name"))),
        ("/a/b", FolderHandle(path=Path("/a/b"))),
        ("~/b", FolderHandle(path=Path("~/b"))),
    ],
)
def test_what_is_typed_is_what_is_meant(text: str, handle: object) -> None:
    assert parse_handle(text) == handle


@given(
    owner=st.from_regex(r"[a-z][a-z0-9]{0,9}", fullmatch=True),
    name=st.from_regex(r"[a-z][a-z0-9._]{0,9}[a-z]", fullmatch=True).filter(
        lambda s: ".." not in s
    ),
    revision=st.none() | st.from_regex(r"[a-z0-9]{1,40}", fullmatch=True),
)
def test_text_is_the_inverse(owner: str, name: str, revision: str | None) -> None:
    handle = ModelHandle(owner=owner, name=name, revision=revision)
    assert parse_handle(str(handle)) == handle


def test_a_folder_that_exists_wins(in_an_empty_folder: Path) -> None:
    (in_an_empty_folder / "user" / "name").mkdir(parents=True)
    assert parse_handle("user/name") == FolderHandle(path=Path("user/name"))


def test_a_slip_in_a_folder_of_ones_own_asks_no_network(in_an_empty_folder: Path) -> None:
    (in_an_empty_folder / "models" / "inpaintnet").mkdir(parents=True)
    (in_an_empty_folder / "models" / "inpaintnet" / "README.md").touch()
    assert parse_handle("models/inpaintnett") == FolderHandle(path=Path("models/inpaintnett"))


@pytest.mark.parametrize(
    "text",
    [
        "", "name", "a/b/c", "a/../b", "user/..", "user/na me", "user/name@", "user/name@../x",
        "user/name@-x", "space:", "space:name", "space:ftp://x", "space:file:///etc/passwd",
        "space:http://user:secret@host", "user/na--me", "https://host/user/name", "user/n\x00",
    ],
)  # fmt: skip
def test_what_cannot_be_a_model_is_refused(text: str) -> None:
    if text == "":
        assert isinstance(parse_handle(text), FolderHandle)
        return
    with pytest.raises(LoadError):
        parse_handle(text)


@pytest.mark.parametrize(
    ("revision", "pinned"),
    [(COMMIT, True), (COMMIT[:39], False), (COMMIT.upper(), False), ("main", False), (None, False)],
)
def test_only_a_full_commit_hash_pins(revision: str | None, pinned: bool) -> None:
    assert ModelHandle(owner="u", name="n", revision=revision).is_pinned is pinned


@pytest.mark.parametrize("text", ["space:user/name#weaver", "space:https://a.b:1/c", "space:u/n"])
def test_a_space_is_written_as_it_was_read(text: str) -> None:
    assert str(parse_handle(text)) == text


@pytest.mark.parametrize(
    "text", ["space:u/n#a/b", "space:u/n#a\nb", "space:#a", "space:u/n#" + "a" * 99]
)
def test_a_models_name_is_a_name(text: str) -> None:
    with pytest.raises(LoadError, match="names no Space"):
        parse_handle(text)


def test_a_folder_called_like_an_owner_hides_nobody(in_an_empty_folder: Path) -> None:
    (in_an_empty_folder / "lab" / "store").mkdir(parents=True)
    assert parse_handle("lab/my-model") == ModelHandle(owner="lab", name="my-model")


def test_a_commit_hash_may_be_written_in_capitals() -> None:
    handle = parse_handle(f"user/name@{COMMIT.upper()}")
    assert isinstance(handle, ModelHandle) and handle.is_pinned and handle.revision == COMMIT
