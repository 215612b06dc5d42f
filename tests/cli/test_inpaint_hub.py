"""`scorehub inpaint` with models that are not at hand: by the same words, with the same notes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub import architectures, cli

ECHO = Path(__file__).resolve().parents[1] / "data/models/echo"
TUNE = ECHO / "examples/tune.mid"


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(architectures._registered, "echo_code", ECHO)


def inpaint(model: str, out: str) -> int:
    words = ["--model", model, "--measures", "3-4", "--seed", "5", "-o", out]
    return cli.main(["inpaint", str(TUNE), *words])


def card(entry: str = "model.py:Echo") -> str:
    return (ECHO / "README.md").read_text().replace("model.py:Echo", entry)


def test_a_published_model_writes_what_its_folder_writes(
    hub_server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    tune = TUNE.read_bytes()
    files = {"README.md": card("echo_code"), "examples/tune.mid": tune}
    commit = hub_server.commit("alice/data", files)
    assert inpaint(str(ECHO), "local.mid") == 0
    assert inpaint("alice/data", "branch.mid") == 0
    assert "Asking 127.0.0.1" in capsys.readouterr().err
    hub_server.stop()
    assert inpaint(f"alice/data@{commit}", "commit.mid") == 0
    assert capsys.readouterr().err == ""
    assert inpaint("alice/data", "again.mid") == 0
    assert f"using alice/data@{commit}, as it was last seen" in capsys.readouterr().err
    made = {
        Path(name).read_bytes() for name in ("local.mid", "branch.mid", "commit.mid", "again.mid")
    }
    assert len(made) == 1 and made != {tune}


def test_a_stranger_s_code_does_not_run(
    hub_server: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    code = f"open({str(canary)!r}, 'w')\n" + (ECHO / "model.py").read_text()
    hub_server.commit("alice/code", {"README.md": card(), "model.py": code})
    assert inpaint("alice/code", "out.mid") == 10
    assert "scorehub trust alice/code@" in capsys.readouterr().err
    assert not canary.exists() and not Path("out.mid").exists()


@pytest.mark.parametrize("typo", ["ehco", "models/ehco", "./ehco"])
def test_a_typo_asks_nobody(hub_server: Any, capsys: pytest.CaptureFixture[str], typo: str) -> None:
    Path("models/echo").mkdir(parents=True)
    Path("models/echo/README.md").touch()
    assert inpaint(typo, "out.mid") == 7
    assert "There is no model folder" in capsys.readouterr().err
    assert hub_server.requests == []
