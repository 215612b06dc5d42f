"""`scorehub new`: says what it wrote and what comes next, and refuses in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub import cli, starter
from hub.cli import new
from hub.errors import FileError, LoadError


def test_the_command_tells_what_comes_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["new", "my-tune", "--folder", "a place"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [f"a place/my-tune/{name}" for name in starter.files("my-tune")]
    commands = [line.strip() for line in err.splitlines() if line.startswith("  scorehub")]
    assert [words.split()[1] for words in commands] == ["check", "inpaint", "publish"]
    assert all("'a place/my-tune" in words for words in commands)


def test_the_next_commands_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["new", "my-tune"]) == 0
    for words in new.next_commands(Path("my-tune"))[:2]:
        assert cli.main(words.split()[1:]) == 0, capsys.readouterr()
    assert list(tmp_path.glob("lantern-song.m5-8.my-tune.seed*.mid"))


@pytest.mark.parametrize("name", ["", "..", "../up", "a b", "-a", "a/b"])
def test_a_name_that_cannot_be_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["new", "--", name]) == LoadError.exit_code
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("scorehub: ")
    assert not list(tmp_path.iterdir())


def test_what_exists_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["new", "my-tune"]) == 0
    (tmp_path / "my-tune" / "model.py").write_text("mine")
    assert cli.main(["new", "my-tune"]) == FileError.exit_code
    assert "exists already" in capsys.readouterr().err
    assert (tmp_path / "my-tune" / "model.py").read_text() == "mine"
