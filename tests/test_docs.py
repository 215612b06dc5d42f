"""The documents are true: commands exist, examples run, the recipe leads to a working model."""

from __future__ import annotations

import ast
import inspect
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

import hub
from hub import cli, folder

PROJECT = Path(__file__).resolve().parent.parent
README = (PROJECT / "README.md").read_text(encoding="utf-8")
RECIPE = (PROJECT / "docs" / "adding-a-model.md").read_text(encoding="utf-8")
MAKEFILE = (PROJECT / "Makefile").read_text(encoding="utf-8")
DOCUMENTS = [
    PROJECT / "README.md",
    PROJECT / "CHANGELOG.md",
    *sorted((PROJECT / "docs").glob("*.md")),
]
MAX_MODEL_LINES = 30


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.M | re.S)


def shell_lines(text: str) -> list[list[str]]:
    """The commands of all sh blocks; comments dropped, continued lines joined."""
    lines = "\n".join(blocks(text, "sh")).replace("\\\n", " ").splitlines()
    return [words for words in (shlex.split(line, comments=True) for line in lines) if words]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like the project's, as the current one."""
    shutil.copytree(PROJECT / "models", tmp_path / "models")
    monkeypatch.chdir(tmp_path)
    return tmp_path


# --- README -------------------------------------------------------------------------------------


def test_make_targets_that_the_documents_name_exist() -> None:
    named = {t for d in DOCUMENTS for t in re.findall(r"\bmake ([a-z-]+)`", d.read_text("utf-8"))}
    named |= {words[1] for words in shell_lines(README) if words[0] == "make"}
    assert {"app", "test"} <= named
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, flags=re.M))
    assert named <= targets


def test_ci_runs_the_test_command_of_the_readme() -> None:
    assert ["make", "test"] in shell_lines(README)
    assert (PROJECT / ".ci" / "run").read_text(encoding="utf-8").rstrip().endswith("\nmake test")


def test_files_that_pip_is_told_about_exist() -> None:
    named = [w for words in shell_lines(README) for w in words if w.startswith("requirements")]
    assert len(named) >= 2
    assert all((PROJECT / name).is_file() for name in named)


def test_commands_of_the_readme_run(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commands = [words[1:] for words in shell_lines(README) if words[0] == "scorehub"]
    assert {words[0] for words in commands} >= {"inpaint", "list", "check"}
    for words in commands:
        if words[0] in ("inpaint", "list"):
            assert cli.main(words) == 0, words
        else:  # `check` and `app` have tests of their own
            assert cli._parser().parse_args(words)
    assert list(checkout.glob("*.inpaintnet.seed*"))


def test_python_of_the_readme_runs(checkout: Path) -> None:
    code = [block for block in blocks(README, "python") if "gradio_client" not in block]
    assert code
    for block in code:
        exec(compile(block, "README.md", "exec"), {"__name__": "readme"})
    assert (checkout / "new.mid").read_bytes()[:4] == b"MThd"


# --- adding a model -----------------------------------------------------------------------------


def follow_the_recipe() -> dict[str, str]:
    """Write the files that docs/adding-a-model.md shows, below the current folder."""
    files = dict(re.findall(r"^\*\*`(models/.+?)`\*\*\n\n```\w+\n(.*?)^```$", RECIPE, re.M | re.S))
    for words in shell_lines(RECIPE):
        if words[0] in ("mkdir", "cp"):
            subprocess.run(words, check=True)
    for name, text in files.items():
        Path(name).write_text(text, encoding="utf-8")
    return files


def test_the_recipe_leads_to_a_working_model(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = follow_the_recipe()
    assert set(files) == {"models/weaver/README.md", "models/weaver/model.py"}
    ran = [words[1:] for words in shell_lines(RECIPE) if words[0] == "scorehub"]
    assert [words[0] for words in ran] == ["check", "inpaint"]
    for words in ran:
        assert cli.main(words) == 0, capsys.readouterr()
    assert "keeps its card's word." in capsys.readouterr().out
    (take,) = checkout.glob("salamanca-reel.m5-8.weaver.seed1.mid")
    assert take.read_bytes()[:4] == b"MThd"


def test_the_recipe_appears_in_the_app(checkout: Path) -> None:
    from hub import ui

    follow_the_recipe()
    demo = ui.build(folder.find("models"), with_gallery=True)
    config = json.dumps(demo.get_config_file(), default=str)
    assert "Weaver" in config
    assert "Surprise" in config


def test_the_model_of_the_recipe_is_short(checkout: Path) -> None:
    code = follow_the_recipe()["models/weaver/model.py"]
    lines = [line for line in code.splitlines() if line.strip()]
    assert len(lines) <= MAX_MODEL_LINES


def test_the_recipe_names_every_key_of_a_card() -> None:
    from hub import accepts, card, params

    table = RECIPE[RECIPE.index("## What a card may say") :]
    for key in (*card._BLOCK_KEYS, *accepts._KEYS, *params._SPEC_KEYS, *params.TYPES):
        assert f"`{key}`" in table, key
    for word in (*accepts.READS, *accepts.WRITES, *params.SCOPES):
        assert word in table, word


def test_the_recipe_names_every_finding() -> None:
    from hub import check

    table = RECIPE[RECIPE.index("## 4. Check it") : RECIPE.index("## 5. Use it")]
    for name in ("card", "files", "loads", "variety", *check.CHECKS):
        assert f"`{name}`" in table, name


# --- all documents ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


def test_the_architecture_names_every_room() -> None:
    text = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = [
        p for p in (PROJECT / "hub").iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()
    ]
    for room in rooms:
        assert room.name in text or room.name.startswith("__"), room.name


def test_the_changelog_knows_this_version() -> None:
    text = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[{re.escape(hub.__version__)}\]", text, flags=re.M)


def test_the_requirements_that_are_pinned_are_explained() -> None:
    explained = (PROJECT / "docs" / "dependencies.md").read_text(encoding="utf-8").lower()
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-nodeps.txt"):
        for package in re.findall(r"^([\w-]+)==", (PROJECT / name).read_text(), flags=re.M):
            assert f"**{package.lower()}**" in explained, package


@pytest.mark.parametrize("name", hub.__all__)
def test_public_names_are_documented(name: str) -> None:
    thing = getattr(hub, name)
    assert inspect.getdoc(thing)
    assert not (inspect.getdoc(thing) or "").startswith(f"{name}("), "only the generated text"


@pytest.mark.parametrize(
    "path", sorted((PROJECT / "hub").rglob("*.py")), ids=lambda p: p.relative_to(PROJECT).as_posix()
)
def test_modules_say_what_they_are_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
