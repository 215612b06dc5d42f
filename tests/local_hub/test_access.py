"""Who may do what; which browsers' pages may ask at all."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from hub.errors import LoadError
from hub.local_hub.access import (
    ANYBODY,
    Access,
    WrongTokenError,
    digest,
    fault_of_asker,
    is_loopback,
    read_tokens,
)
from hub.local_hub.store import Repository

ALICE = Access(users={digest("alices-token"): "alice"})
PRIVATE = Repository(
    kind="model", owner="alice", name="t", created="", branches={}, is_private=True, gated="auto"
)


def test_without_tokens_everybody_is_anybody() -> None:
    assert Access().who("") == Access().who("Bearer whatever") == ANYBODY
    assert Access().may_write(ANYBODY, "alice") and Access().may_see(ANYBODY, PRIVATE)


def test_a_token_says_who_asks() -> None:
    assert ALICE.who("Bearer alices-token") == ALICE.who("bearer  alices-token ") == "alice"
    assert ALICE.who("") is None
    assert "alices-token" not in repr(ALICE)


@pytest.mark.parametrize("header", ["Bearer x", "alices-token", "Basic alices-token", "Bearer"])
def test_a_wrong_token(header: str) -> None:
    with pytest.raises(WrongTokenError) as caught:
        ALICE.who(header)
    assert str(caught.value) == ""


@pytest.mark.parametrize(("who", "may"), [("alice", True), ("bob", False), (None, False)])
def test_what_is_private_or_gated_is_its_owners(who: str | None, may: bool) -> None:
    assert ALICE.may_write(who, "alice") is may
    assert ALICE.may_see(who, PRIVATE) is may
    assert ALICE.may_download(who, PRIVATE) is may


def test_a_token_file(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("# ours\nalice  alices-token\n\nbob bobs-token # until May\n")
    access = read_tokens(tmp_path / "t")
    assert access.who("Bearer bobs-token") == "bob" and access.who("Bearer alices-token") == "alice"


@pytest.mark.parametrize(
    "text",
    ["", "# nobody\n", "alice\n", "alice short\n", "../x long-enough\n", "a b long-enough\n"],
)
def test_a_token_file_with_a_fault(tmp_path: Path, text: str) -> None:
    (tmp_path / "t").write_text(text)
    with pytest.raises(LoadError, match="token file") as caught:
        read_tokens(tmp_path / "t")
    assert "long-enough" not in str(caught.value) and "short" not in str(caught.value)


def test_a_token_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="cannot be read"):
        read_tokens(tmp_path / "t")


@pytest.mark.parametrize(
    ("host", "is_near"),
    [
        ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("[::1]", True),
        ("localhost", True), ("0.0.0.0", False), ("::", False), ("192.168.1.5", False),
        ("localhost.example.org", False), ("", False),
    ],
)  # fmt: skip
def test_loopback(host: str, is_near: bool) -> None:
    assert is_loopback(host) is is_near


HERE = "127.0.0.1:7870"


@pytest.mark.parametrize(
    "headers",
    [
        {"host": HERE},
        {"host": "localhost:7870"},
        {"host": "[::1]:7870"},
        {"host": HERE, "origin": f"http://{HERE}", "sec-fetch-site": "same-origin"},
        {"host": HERE, "sec-fetch-site": "none"},
    ],
)
def test_who_may_ask(headers: dict[str, str]) -> None:
    assert fault_of_asker(headers, "127.0.0.1") == ""


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "evil.example:7870"},  # a name that points here
        {"host": "127.0.0.1.evil.example:7870"},
        {"host": "192.168.1.5:7870"},
        {"host": HERE, "origin": "https://evil.example"},
        {"host": HERE, "origin": "null"},
        {"host": HERE, "origin": "http://127.0.0.1:8000"},
        {"host": HERE, "sec-fetch-site": "cross-site"},
        {"host": HERE, "sec-fetch-site": "same-site"},
    ],
)
def test_who_may_not_ask(headers: dict[str, str]) -> None:
    assert fault_of_asker(headers, "127.0.0.1").endswith(".")


def test_a_hub_for_the_network() -> None:
    name = socket.gethostname().lower()
    for host in ("192.168.1.5:7870", f"{name}:7870", "localhost:7870"):
        assert fault_of_asker({"host": host}, "0.0.0.0") == ""
    assert fault_of_asker({"host": "evil.example"}, "0.0.0.0") != ""
    assert fault_of_asker({"host": "lab.example:7870"}, "lab.example") == ""
