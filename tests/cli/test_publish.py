"""`scorehub publish`, as a person at a terminal meets it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hub.cli import main
from hub.errors import AccessError, ConflictError, ParamError
from tests.tiny_models import write_model

REPO = "alice/tiny"
TO = ["--to", REPO]


@pytest.fixture
def model(tmp_path: Path) -> str:
    needs = {"seconds": 60, "memory_mb": 4000}
    return str(write_model(tmp_path / "tiny", needs=needs, prose="# Tiny\n\nWrites notes.\n"))


def test_a_dry_run_lists_every_file_and_every_call(
    model: str, hub_server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    (Path(model) / "notes.txt").write_text("x")
    assert main(["publish", model, *TO, "--space", "--tag", "v1", "--dry-run"]) == 0
    shown = capsys.readouterr().out
    for name in ("README.md", "model.py", "tune.mid", "hub/__init__.py", "app.py"):
        assert f"new       {name}" in shown
    assert "stays here notes.txt" in shown
    for call in (
        f"would create the public model repository {REPO}",
        f"would create the public space repository {REPO}",
        f"would tag the commit of {REPO} as v1",
    ):
        assert call in shown
    assert not [r for r in hub_server.requests if r.method == "POST"]


def test_publishing_says_what_it_did_and_how_to_open_it(
    model: str, hub_server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["publish", model, *TO, "--tag", "v1"]) == 0
    shown = capsys.readouterr().out
    commit = hub_server.head(REPO)
    assert f'hub.load("{REPO}", revision="{commit}")' in shown
    assert f"Commit: {commit}" in shown and f"scorehub trust {REPO}@{commit}" in shown
    assert main(["publish", model, *TO, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["did"] == [] and facts["commit"] == commit


def test_a_folder_that_fails_its_check_is_not_published(
    hub_server: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = write_model(tmp_path / "tiny", code="raise SystemExit")
    assert main(["publish", str(model), *TO]) == 1
    assert "Nothing was published" in capsys.readouterr().err
    assert hub_server.requests == []


def test_a_conflict_is_shown(
    model: str, hub_server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["publish", model, *TO])
    foreign = hub_server.commit(REPO, {"model.py": b"# theirs\n"}, title="Mend it", author="bob")
    capsys.readouterr()
    assert main(["publish", model, *TO]) == ConflictError.exit_code
    assert f"--over {foreign}" in capsys.readouterr().err
    assert main(["publish", model, *TO, "--over", foreign]) == 0


def test_hardware_is_for_a_space(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["publish", model, *TO, "--hardware", "zero-a10g"]) == ParamError.exit_code
    assert "--space" in capsys.readouterr().err


def test_the_token_is_never_shown(
    model: str, hub_server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["publish", model, *TO, "--dry-run", "--json"]) == 0
    assert main(["publish", model, *TO, "--space", "--tag", "v1"]) == 0
    hub_server.fail(path="/refs", status=403, times=None)
    assert main(["publish", model, *TO, "--tag", "v2"]) == AccessError.exit_code
    (Path(model) / "model.py").write_text(f"TOKEN = '{hub_server.token}'\n")
    assert main(["publish", model, *TO]) != 0
    shown = capsys.readouterr()
    assert hub_server.token not in shown.out + shown.err
    for kind in ("model", "space"):
        files = hub_server.files(REPO, kind)
        assert files and not any(hub_server.token.encode() in data for data in files.values())


def test_without_a_token(
    model: str, hub_server: Any, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.delenv("HF_TOKEN")
    assert main(["publish", model, *TO]) == AccessError.exit_code
    assert "hf auth login" in capsys.readouterr().err
