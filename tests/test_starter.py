"""`scorehub new`: what it writes works, under every name it allows, and it overwrites nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

import hub
from hub import accepts, check, starter
from hub.errors import FileError, LoadError

PROJECT = Path(__file__).resolve().parent.parent
MAX_MODEL_LINES = 20
NAMES = {
    "my-tune": ("My tune", "MyTune"),
    "Bach_2.1": ("Bach 2 1", "Bach21"),
    "3voices": ("3voices", "Model3voices"),
    "none": ("None", "ModelNone"),
    "true": ("True", "ModelTrue"),
    "hub": ("Hub", "Hub"),
    "model": ("Model", "Model"),
    "1e3": ("1e3", "Model1e3"),
    "x": ("X", "X"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    starter.write(tmp_path / "my-tune")
    return tmp_path / "my-tune"


def files_of(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_the_files(folder: Path) -> None:
    wanted = ["README.md", "examples/lantern-song.mid", "model.py", "test_model.py"]
    assert files_of(folder) == wanted
    assert sorted(starter.files("my-tune")) == wanted


def test_check_passes_as_it_is(folder: Path) -> None:
    report = check.check_folder(folder)
    assert report.is_ok, report.table()


def test_its_own_test_passes_where_it_lies(folder: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_names_become_titles_and_classes(tmp_path: Path, name: str) -> None:
    starter.write(tmp_path / name)
    model = hub.load(tmp_path / name)
    assert (model.card.title, type(model).__name__) == NAMES[name]
    assert model.card.name == name
    assert model.card.missing_to_publish() == []


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a b", "-a", "a-", ".a", "a.", "_a", "a--b", "a..b", "ä", "a/b", "a\\b", "$x",
     "a\n", "x" * 65, "x.git"],
)  # fmt: skip
def test_names_that_the_hub_would_refuse(name: str) -> None:
    with pytest.raises(LoadError, match="name|allow"):
        starter.check_name(name)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "file").write_text("kept")
    for name in ("mine", "file"):
        with pytest.raises(FileError, match="exists already"):
            starter.write(tmp_path / name)
    assert (tmp_path / "file").read_text() == "kept"
    assert not list((tmp_path / "mine").iterdir())
    with pytest.raises(FileError, match="cannot be made"):
        starter.write(tmp_path / "file" / "below")


def test_the_model_is_short_and_public(folder: Path) -> None:
    code = (folder / "model.py").read_text(encoding="utf-8")
    assert len([line for line in code.splitlines() if line.strip()]) <= MAX_MODEL_LINES
    for name in ("model.py", "test_model.py"):
        text = (folder / name).read_text(encoding="utf-8")
        assert [line for line in text.splitlines() if "import" in line.split()] in (
            ["import hub"],
            ["from pathlib import Path", "import hub"],
        )


def test_the_code_is_well_formed(folder: Path) -> None:
    """As this project's own code is: the first thing an author sees is no mess."""
    for options in (["check"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *options, "--no-cache", "--line-length", "100"]
        done = subprocess.run([*command, str(folder)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def test_the_card_says_what_a_person_must_change(folder: Path) -> None:
    text = (folder / "README.md").read_text(encoding="utf-8")
    marked = [line for line in text.splitlines() if "CHANGE ME" in line]
    assert {line.split(":")[0].strip() for line in marked} >= {"license", "datasets", "summary"}
    card = hub.read_card(folder)
    assert "CHANGE ME" not in str(card.front)
    assert card.needs.seconds
    assert card.needs.memory_mb


def test_the_example_is_one_line_a_part(folder: Path) -> None:
    score = hub.open_score(folder / starter.EXAMPLE)
    assert [part.name for part in score.parts] == ["Melody", "Bass"]
    assert len(score.measures) == 16
    for part in score.parts:
        notes = score.notes_of(part.id)
        assert accepts.first_overlap(notes) is None
        assert notes.end[-1] == score.measures[-1].end


def test_the_model_makes_music(folder: Path) -> None:
    """It varies with the seed, stays in the part's pitches, and moves by no more than `leap`."""
    model, score = hub.load(folder), hub.open_score(folder / starter.EXAMPLE)
    region = hub.Region.measures(score, "5-8", ["P1"])
    scale = sorted(set(score.notes_of("P1").pitch.tolist()))
    takes = hub.inpaint(model, score, region, {"leap": 2}, n=6, seed=1)
    assert len({tuple(take.notes) for take in takes}) == 6
    for take in takes:
        steps = [scale.index(note.pitch) for note in take.notes]
        assert max(abs(b - a) for a, b in pairwise(steps)) <= 2
        assert len({note.duration for note in take.notes}) > 1


def test_the_templates_are_package_data() -> None:
    settings = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    assert '"hub" = ["starter_files/*"]' in settings
