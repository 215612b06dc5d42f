"""`scorehub publish`, as a person at a terminal meets it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hub import check, places
from hub.cli import main
from hub.errors import AccessError, ConflictError, ParamError, TrustError
from tests.tiny_models import GOOD_CODE, write_model

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


READS_A_FILE = """
    def setup(self):
        (self.folder / "vocab.json").read_text()
"""


def test_what_is_checked_is_what_goes(
    hub_server: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = GOOD_CODE.replace('every part of it."""\n', f'every part of it."""\n{READS_A_FILE}')
    model = write_model(tmp_path / "tiny", code=code)
    (model / "vocab.json").write_text("{}")
    assert check.check_folder(model).is_ok
    assert main(["publish", str(model), *TO]) == 1
    assert "vocab.json" in capsys.readouterr().err and hub_server.requests == []


def test_what_was_left_out_is_said(
    model: str, hub_server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    (Path(model) / "notes.txt").write_text("x")
    assert main(["publish", model, *TO]) == 0
    assert "stays here notes.txt" in capsys.readouterr().out
    assert main(["publish", model, *TO, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["left_out"] == ["notes.txt"]


def test_what_the_check_minds_is_said(
    hub_server: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    needs = {"seconds": 60, "memory_mb": 4000}
    model = write_model(tmp_path / "tiny", needs=needs, license="my-own", examples=None)
    assert main(["publish", str(model), *TO]) == 0
    said = capsys.readouterr().err
    assert "Mind: card: " in said and said.count('no licence "my-own"') == 1
    assert "Mind: examples: none" in said


def test_downloaded_code_is_not_run_by_publishing_it(
    hub_server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = places.snapshots() / "hub" / "bob--tiny" / ("a" * 40)
    write_model(folder, code="raise SystemExit")
    assert main(["publish", str(folder), *TO]) == TrustError.exit_code
    assert "came from a Hub" in capsys.readouterr().err and hub_server.requests == []


def test_a_private_model_has_a_private_space(
    model: str, hub_server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["publish", model, *TO, "--private"]) == 0
    assert main(["publish", model, *TO, "--space", "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "would create the private space repository" in shown
    assert f"private space {hub_server.url}/spaces/{REPO}" in shown
    assert main(["publish", model, *TO, "--space"]) == 0
    assert hub_server.repository(REPO, "space").is_private
    readme = hub_server.files(REPO, "space")["README.md"].decode()
    assert f"({hub_server.url}/{REPO})" in readme


def test_a_home_that_cannot_be_written(
    model: str, hub_server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    places.home().write_text("no folder")
    assert main(["publish", model, *TO]) == 0
    shown = capsys.readouterr()
    assert "SCOREHUB_HOME" in shown.err and hub_server.head(REPO) in shown.out


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
