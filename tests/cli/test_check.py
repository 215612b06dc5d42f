"""`scorehub check`: a table for a person, JSON for a script, the verdict as the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny_models import GOOD_CODE, write_model

from hub import check, cli, starter
from hub.cli.check import Progress


def test_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    starter.write(tmp_path / "my-model")
    assert cli.main(["check", str(tmp_path / "my-model")]) == 0
    out = capsys.readouterr().out
    rows, verdict = out.splitlines()[:-1], out.splitlines()[-1]
    assert verdict == "my-model: keeps its card's word, 1 to look at."
    assert max(map(len, rows)) <= 100
    assert {row[:5].strip() for row in rows} == {"ok", "warn", ""}
    column = rows[0].index("It says")
    assert all(row[column - 1] == " " and row[column] != " " for row in rows)


def test_json_for_a_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_model(tmp_path / "bad", license=None)
    assert cli.main(["check", str(folder), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is False
    assert report["model"] == "bad"
    assert report["findings"][0] == {
        "name": "card", "status": "fail", "detail": "it does not say: license",
    }  # fmt: skip
    assert set(report["measured"]) == {"seconds", "memory_mb"}


def test_json_whatever_the_model_prints(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SCOREHUB_DEBUG", raising=False)
    code = f"import os\nprint('loud')\nos.write(1, b'louder')\n{GOOD_CODE}"
    folder = write_model(tmp_path / "loud", code=code)
    assert cli.main(["check", str(folder), "--json"]) == 0
    out, err = capfd.readouterr()
    assert json.loads(out)["ok"] is True
    assert err == ""


def test_a_terminal_is_told_each_row_as_it_comes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    progress = Progress()
    progress.at("regions", "too soon to be told")
    progress.found(check.Finding("regions", "ok", "5 answered"))
    progress.told -= 60
    progress.at("shapes", "")
    progress.at("shapes", "two boxes")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == ["ok    regions", "      shapes: two boxes"]


def test_no_terminal_is_told_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    Progress().found(check.Finding("regions", "ok", "5 answered"))
    assert capsys.readouterr().err == ""
