"""`scorehub trust` and `scorehub load`, as a person at a terminal meets them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hub import trust as trusting
from hub.cli import main
from hub.cli.trust import visible
from hub.errors import NotFoundError, TrustError
from tests.tiny_models import GOOD_CODE, write_model


@pytest.fixture
def commit(tmp_path: Path, hub_server: Any) -> str:
    return publish(tmp_path, hub_server, GOOD_CODE)


def publish(tmp_path: Path, hub_server: Any, code: str) -> str:
    model = write_model(tmp_path / "tiny", code=code)
    return str(hub_server.commit("ann/tiny", {p.name: p.read_bytes() for p in model.iterdir()}))


def test_the_code_is_shown_and_then_trusted(
    commit: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trust", f"ann/tiny@{commit}", "--yes"]) == 0
    shown = capsys.readouterr().out
    assert "class Tiny(hub.Model):" in shown and "rng.integers" in shown
    assert [g.commit for g in trusting.grants()] == [commit]


def test_nobody_to_ask_means_no(commit: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trust", f"ann/tiny@{commit}"]) == TrustError.exit_code
    assert trusting.grants() == []
    assert "--yes" in capsys.readouterr().err


@pytest.mark.parametrize(("answer", "trusted"), [("yes", 1), ("y", 0), ("", 0), ("no", 0)])
def test_a_person_is_asked(
    commit: str, answer: str, trusted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: answer)
    main(["trust", f"ann/tiny@{commit}"])
    assert len(trusting.grants()) == trusted


def test_a_branch_is_shown_but_not_trusted(commit: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trust", "ann/tiny", "--yes"]) == TrustError.exit_code
    assert f"scorehub trust ann/tiny@{commit}" in capsys.readouterr().err
    assert trusting.grants() == []


def test_later_only_what_changed_is_shown(
    commit: str, tmp_path: Path, hub_server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["trust", f"ann/tiny@{commit}", "--yes"])
    second = publish(tmp_path, hub_server, GOOD_CODE + "# one more line\n")
    capsys.readouterr()
    assert main(["trust", f"ann/tiny@{second}", "--yes"]) == 0
    shown = capsys.readouterr().out
    assert "+# one more line" in shown and "rng = params.rng()" not in shown
    assert f"1 lines differ from {commit[:12]}" in shown


def test_listing_and_revoking(commit: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["trust", f"ann/tiny@{commit}", "--yes"])
    capsys.readouterr()
    assert main(["trust", "--list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["commit"] == commit
    assert main(["trust", "ann/tiny", "--revoke"]) == 0
    assert trusting.grants() == []


def test_what_hides_from_a_reader_is_shown() -> None:
    assert visible("a\x1b[2Jb\u202ec\u200bd\r\n\te f") == (
        "a\\u{1b}[2Jb\\u{202e}c\\u{200b}d\n\te f"
    )
    assert visible("# note\rrun()") == "# note\\u{d}\nrun()"  # where Python ends the line
    assert visible("# note\u2028run()\u3000\xa0") == "# note\\u{2028}run()\\u{3000}\\u{a0}"


def test_load_says_what_it_is_and_what_it_may_do(
    commit: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["load", "ann/tiny", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["commit"] == commit and facts["license"] == "apache-2.0"
    assert f"scorehub trust ann/tiny@{commit}" in facts["runs"]
    main(["trust", f"ann/tiny@{commit}", "--yes"])
    capsys.readouterr()
    assert main(["load", "ann/tiny"]) == 0
    assert "in a sandbox" in capsys.readouterr().out


def test_load_of_what_is_not_there(hub_server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["load", "ann/nothing"]) == NotFoundError.exit_code
    assert "ann/nothing is not on" in capsys.readouterr().err


def test_load_offline_says_so(
    commit: str, hub_server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["load", "ann/tiny"])
    hub_server.stop()
    capsys.readouterr()
    assert main(["load", "ann/tiny"]) == 0
    assert "could not be asked" in capsys.readouterr().out
