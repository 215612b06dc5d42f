"""The command line: what goes to which stream, which files appear, which code it ends with."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tiny_models

import hub
from hub import cli

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with tune.mid and models/tiny, as the current folder."""
    (tmp_path / "tune.mid").write_bytes(tiny_models.tune_bytes())
    tiny_models.write_model(tmp_path / "models" / "tiny")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SCOREHUB_DEBUG", raising=False)
    return tmp_path


def inpaint(*words: str) -> int:
    return cli.main(["inpaint", "tune.mid", "--model", "tiny", *words])


P1 = ("--measures", "3-4", "--parts", "P1")


def failure(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on standard error, after checking that it is one."""
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("scorehub: ")
    assert captured.err.count("\n") == 1
    return captured.err


# --- inpaint: what it makes ---------------------------------------------------------------------


def test_writes_a_take_named_after_what_it_is(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inpaint(*P1, "--seed", "42") == 0
    path = desk / "tune.m3-4.tiny.seed42.mid"
    captured = capsys.readouterr()
    assert captured.out.startswith(f"{path.name}: 8 notes removed, 8 added")
    assert "outside the region nothing changed (verified)" in captured.out
    assert captured.err == ""
    before, after = hub.open_score(desk / "tune.mid"), hub.open_score(path)
    inside = hub.Region.measures(before, "3-4", ["P1"]).resolve(before)
    assert (
        before.notes[~inside.contains(before.notes, before)]
        == after.notes[~inside.contains(after.notes, after)]
    )


def test_json_prints_a_receipt_a_take(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert inpaint(*P1, "--n", "3", "--seed", "5", "-o", "out", "--json") == 0
    receipts = json.loads(capsys.readouterr().out)
    assert [r["seed"] for r in receipts] == [5, 6, 7]
    assert all((desk / r["file"]).parent == desk / "out" for r in receipts)
    assert all(Path(r["file"]).is_file() for r in receipts)
    first = receipts[0]
    assert first["receipt"]["verified"] is True
    assert first["model"] == "tiny"
    assert first["measures"] == "3-4"
    assert hub.Region.from_json(first["region"]).parts() == ("P1",)
    assert {"file", "seed", "seconds", "receipt", "log", "region", "model"} <= set(first)


def test_same_seed_same_bytes(desk: Path) -> None:
    for name in ("a.mid", "b.mid"):
        assert inpaint(*P1, "--seed", "9", "-o", name) == 0
    assert (desk / "a.mid").read_bytes() == (desk / "b.mid").read_bytes()
    assert (desk / "a.mid").read_bytes() != (desk / "tune.mid").read_bytes()


def test_parts_by_name_and_model_by_path(desk: Path) -> None:
    words = ["inpaint", "tune.mid", "--model", str(desk / "models" / "tiny")]
    by_name = [*words, "--measures", "2", "--parts", "violin, Cello", "--seed", "1", "-o", "n.mid"]
    by_id = [*words, "--measures", "2", "--parts", "P1,P2", "--seed", "1", "-o", "i.mid"]
    assert cli.main(by_name) == cli.main(by_id) == 0
    assert (desk / "n.mid").read_bytes() == (desk / "i.mid").read_bytes()


def test_a_region_as_json(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    region = json.dumps({"boxes": [{"start": 2, "end": 3, "part": "P2"}]})
    assert inpaint("--region", region, "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["measures"] == "3"


def test_controls_reach_the_model(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert inpaint(*P1, "--set", "spread=0", "-o", "flat.mid") == 0
    after = hub.open_score(desk / "flat.mid")
    start, end = after.measures[2].start, after.measures[3].end
    line = after.notes_of("P1")
    assert set(line[(line.onset >= start) & (line.onset < end)].pitch.tolist()) == {60}


def test_another_ending_makes_a_rendering(desk: Path) -> None:
    assert inpaint(*P1, "-o", "new.musicxml") == 0
    rendered = hub.open_score(desk / "new.musicxml")
    assert rendered.source is not None
    assert rendered.source.format == "musicxml"
    assert len(rendered.notes) == len(tiny_models.tune().notes)


# --- inpaint: what it refuses -------------------------------------------------------------------


def test_without_measures_it_lists_what_there_is(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inpaint() == 2
    said = failure(capsys)
    assert "--measures" in said
    assert "measures 1 to 12" in said
    assert "P1 (Violin), P2 (Cello), P3 (Drums)" in said


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--measures", "3-4", "--parts", "P9"), 4, "P1 (Violin)"),
        (("--measures", "3-4", "--parts", "Drums"), 4, "drum part"),
        (("--measures", "1-12", "--parts", "P1"), 4, "at most 8"),
        (("--measures", "40"), 4, "no measure 40"),
        (("--measures", "3", "--parts", ", ,"), 4, "names no part"),
        ((*P1, "--set", "spraed=3"), 5, 'Did you mean "spread"?'),
        ((*P1, "--set", "spread=99"), 5, "from 0 to 12"),
        ((*P1, "--set", "spread"), 2, "NAME=VALUE"),
        ((*P1, "--set", "spread={1"), 2, "not valid JSON"),
        ((*P1, "--n", "0"), 5, "Takes"),
        ((*P1, "--n", "two"), 2, "invalid int"),
        ((*P1, "--n", "2", "-o", "one.mid"), 2, "name a folder"),
        ((*P1, "-o", "tune.mid", "--force"), 3, "never overwritten"),
        ((*P1, "-o", "take.docx"), 3, ".mid"),
        ((*P1, "--region", '{"boxes": []}'), 2, "not both"),
        (("--region", "{"), 2, "not valid JSON"),
        ((*P1, "--deadline", "0"), 7, "stopped after 0 seconds"),
        ((*P1, "--mesures", "3"), 2, "--mesures"),
    ],
)
def test_refusals_teach(
    desk: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, said: str
) -> None:
    assert inpaint(*words) == code
    assert said in failure(capsys)
    assert sorted(path.name for path in desk.iterdir()) == ["models", "tune.mid"]


def test_an_unknown_model_is_named_with_its_neighbours(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["inpaint", "tune.mid", "--model", "tinny", *P1]) == 7
    assert 'Did you mean "tiny"?' in failure(capsys)


def test_a_missing_score(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["inpaint", "none.mid", "--model", "tiny", *P1]) == 3
    assert '"none.mid" cannot be opened' in failure(capsys)


def test_existing_files_stay_unless_forced(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (desk / "new.mid").write_bytes(b"precious")
    assert inpaint(*P1, "-o", "new.mid") == 3
    assert "--force overwrites it" in failure(capsys)
    assert (desk / "new.mid").read_bytes() == b"precious"
    assert inpaint(*P1, "-o", "new.mid", "--force") == 0
    assert (desk / "new.mid").read_bytes()[:4] == b"MThd"


def test_an_unwritable_place_is_one_sentence(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (desk / "file").write_text("not a folder")
    assert inpaint(*P1, "-o", "file/sub/new.mid") == 3
    assert "cannot be written" in failure(capsys)


def test_names_that_no_file_system_holds(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert inpaint(*P1, "-o", "x" * 300 + ".mid") == 3
    assert "cannot be written" in failure(capsys)
    (desk / "file").write_text("not a folder")
    assert inpaint(*P1, "-o", "file") == 3
    assert "cannot be a folder" in failure(capsys)


# --- unexpected failures ------------------------------------------------------------------------


def test_an_unexpected_failure_is_a_sentence(
    desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(path: Any) -> None:
        raise ZeroDivisionError("by the test")

    monkeypatch.setattr(hub, "open_score", explode)
    assert inpaint(*P1) == 1
    assert "ZeroDivisionError: by the test" in failure(capsys)
    monkeypatch.setenv("SCOREHUB_DEBUG", "1")
    assert inpaint(*P1) == 1
    assert "Traceback" in capsys.readouterr().err


def test_endless_json_and_no_deadline(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert inpaint("--region", "[" * 100_000) == 2
    assert "not valid JSON" in failure(capsys)
    assert inpaint(*P1, "--deadline", "nan") == 5
    assert "Deadline" in failure(capsys)


@pytest.mark.parametrize("place", ["import", "inpaint"])
def test_a_model_that_exits_is_no_success(
    desk: Path, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    leave = "raise SystemExit(0)"
    code = tiny_models.GOOD_CODE
    code = f"{leave}\n{code}" if place == "import" else code.replace("rng = params.rng()", leave)
    tiny_models.write_model(desk / "models" / "tiny", code=code)
    assert inpaint(*P1) == 7
    assert "SystemExit" in failure(capsys)


def test_a_reader_that_has_enough_is_told_from_a_failure(desk: Path) -> None:
    command = f"{sys.executable} -m hub list --json | true; exit ${{PIPESTATUS[0]}}"
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    ended = subprocess.run(
        ["bash", "-c", command], env=environment, capture_output=True, check=False
    )
    assert ended.returncode in (0, 141), ended.stderr
    assert ended.stderr == b""


def test_an_interrupt_ends_with_130(
    desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(path: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(hub, "open_score", interrupt)
    assert inpaint(*P1) == 130
    assert "Stopped" in failure(capsys)


def test_a_missing_package_is_named(
    desk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)
    for name in [name for name in sys.modules if name.startswith("hub.ui")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(hub, "ui", raising=False)
    assert cli.main(["app"]) == 1
    assert "scorehub[all]" in failure(capsys)


# --- the other commands -------------------------------------------------------------------------


def test_list_shows_limits_and_controls(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list", "models"]) == 0
    said = capsys.readouterr().out
    assert "Writes a note on every beat." in said
    assert "Length of a region: 1 to 8 measures." in said
    assert "spread=7" in said
    assert cli.main(["list", "models/tiny", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["name"] == "tiny"
    assert row["accepts"]["meters"] == ["4/4"]
    assert row["params"][0]["maximum"] == 12


def test_list_shows_broken_cards_and_says_so(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny_models.write_model(desk / "models" / "bad", entry="os:system")
    assert cli.main(["list", "models"]) == 6
    said = capsys.readouterr().out
    assert "cannot be used" in said
    assert "tiny" in said


def test_list_of_an_empty_folder(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (desk / "empty").mkdir()
    assert cli.main(["list", "empty", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert cli.main(["list", "nowhere"]) == 7


def test_check_ends_with_the_verdict(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "tiny"]) == 0
    assert "keeps its card's word" in capsys.readouterr().out
    tiny_models.write_model(desk / "models" / "tiny", license=None)
    assert cli.main(["check", "tiny", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is False
    assert report["findings"][0]["status"] == "fail"


def test_app_builds_all_models_at_hand(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ui = pytest.importorskip("hub.ui")
    asked: dict[str, Any] = {}
    monkeypatch.setattr(ui, "build", lambda folders, **rest: asked.update(folders=folders, **rest))
    monkeypatch.setattr(ui, "launch", lambda demo, **rest: asked.update(rest))
    extra = tiny_models.write_model(desk / "extra")
    assert cli.main(["app", str(extra), "--port", "7999"]) == 0
    assert {"tiny", "extra"} <= {Path(path).name for path in asked["folders"]}
    assert asked["port"] == 7999
    assert asked["host"] == "127.0.0.1"


@pytest.mark.parametrize("words", [[], ["paint"], ["inpaint"], ["list", "--jsn"]])
def test_wrong_usage_ends_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == 2
    assert "--help" in failure(capsys)


def test_python_m_hub_is_the_command(desk: Path) -> None:
    """In processes of their own: version, a take, a failure without a traceback."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "PYTHONPATH": str(PROJECT)}
        command = [sys.executable, "-m", "hub", *words]
        return subprocess.run(command, capture_output=True, text=True, env=env, check=False)

    assert run("--version").stdout == f"scorehub {hub.__version__}\n"
    done = run("inpaint", "tune.mid", "--model", "tiny", *P1, "--seed", "1")
    assert (done.returncode, done.stderr) == (0, "")
    assert (desk / "tune.m3-4.tiny.seed1.mid").is_file()
    failed = run("inpaint", "tune.mid", "--model", "tiny", "--measures", "99")
    assert (failed.returncode, failed.stdout) == (4, "")
    assert failed.stderr.startswith("scorehub: There is no measure 99")


def test_every_exit_code_is_documented() -> None:
    codes = {
        thing.exit_code
        for thing in vars(hub.errors).values()
        if isinstance(thing, type) and issubclass(thing, hub.ScorehubError)
    }
    listed = re.findall(r"(?:code:|·)\s(\d+) ", cli.__doc__ or "")
    assert codes <= set(map(int, listed))
