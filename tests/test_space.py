"""A model folder → a Gradio Space: which files, in which words, and whose files stay."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tracemalloc
from importlib.metadata import requires
from pathlib import Path

import pytest
import yaml
from huggingface_hub import SpaceHardware
from tiny_models import write_model

from hub import cli, space
from hub.errors import CardError, FileError, LoadError, ScorehubError
from hub.space.files import contents
from hub.space.folder import RECORD
from hub.space.readme import GRADIO_VERSION, PYTHON_VERSION, shortened

PROJECT = Path(__file__).resolve().parent.parent
ECHO = PROJECT / "tests" / "data" / "models" / "echo"
KEPT = sorted(path.parent for path in (PROJECT / "spaces").glob("*/README.md"))


def generated(folder: str | Path, **options: str) -> dict[str, bytes]:
    """What `hub.space.generate` gives, read."""
    made = space.generate(folder, **options)
    return {name: c if isinstance(c, bytes) else c.read_bytes() for name, c in made.items()}


@pytest.fixture
def echo() -> dict[str, bytes]:
    return generated(ECHO)


def front_matter(readme: bytes) -> dict[str, object]:
    _, front, _ = re.split(r"^---\n", readme.decode(), maxsplit=2, flags=re.M)
    loaded: dict[str, object] = yaml.safe_load(front)
    return loaded


def pins(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if line and not line.startswith(("#", "-"))]
    return {name: version for name, _, version in (line.partition("==") for line in lines)}


def tree(folder: Path) -> dict[str, bytes]:
    """The files of a folder, links followed, without what running leaves behind."""
    found = {}
    for place, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for path in (Path(place, name) for name in names if not name.endswith(".pyi")):
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    found.pop(RECORD, None)
    return found


# --- what is in it --------------------------------------------------------------------------------


def test_a_space_is_its_own_files_the_hub_and_the_model(echo: dict[str, bytes]) -> None:
    assert list(echo) == sorted(echo)
    outside = {name for name in echo if not name.startswith(("hub/", "models/"))}
    assert outside == {
        "LICENSE.scorehub", "README.md", "app.py", "packages.txt", "requirements.txt"
    }  # fmt: skip
    assert {name for name in echo if name.startswith("models/")} == {
        "models/echo/README.md", "models/echo/model.py", "models/echo/examples/tune.mid"
    }  # fmt: skip
    for name in ("model.py", "ui/hosted.py", "ui/assets/style.css", "space/requirements.txt"):
        assert echo[f"hub/{name}"] == (PROJECT / "hub" / name).read_bytes()
    assert not [name for name in echo if name.endswith((".pyc", ".pyi"))]


def test_its_settings_are_what_the_hub_reads(echo: dict[str, bytes]) -> None:
    front = front_matter(echo["README.md"])
    assert front == {
        "title": "Echo",
        "emoji": "🎼",
        "colorFrom": "indigo",
        "colorTo": "gray",
        "sdk": "gradio",
        "sdk_version": "6.31.0",
        "python_version": "3.12.12",
        "app_file": "app.py",
        "pinned": False,
        "license": "apache-2.0",
        "short_description": "A tiny model for tests; it fills the region with random…",
        "tags": ["scorehub", "symbolic-music", "music-inpainting"],
        "suggested_hardware": "zero-a10g",
    }
    assert len(str(front["short_description"])) <= 60
    assert front["suggested_hardware"] in {hardware.value for hardware in SpaceHardware}


def test_it_names_its_model_where_that_is_known() -> None:
    readme = generated(ECHO, model_id="ada/echo")["README.md"]
    assert front_matter(readme)["models"] == ["ada/echo"]
    assert b"https://huggingface.co/ada/echo" in readme


def test_it_links_to_the_hub_that_its_model_is_on() -> None:
    readme = generated(ECHO, model_id="ada/echo", hub_url="http://hub.lab:7870")["README.md"]
    assert b"(http://hub.lab:7870/ada/echo)" in readme and b"huggingface.co/ada" not in readme


def test_weights_are_never_read_whole(tmp_path: Path) -> None:
    folder, size = write_model(tmp_path / "tiny"), 64 << 20
    with (folder / "model.safetensors").open("wb") as stream:
        stream.truncate(size)
    tracemalloc.start()
    made = space.generate(folder)
    space.write(folder, tmp_path / "space")
    space.write(folder, tmp_path / "space")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    name = "models/tiny/model.safetensors"
    assert made[name] == folder / "model.safetensors"
    assert (tmp_path / "space" / name).stat().st_size == size and peak < size // 2


def test_app_py_is_a_few_lines_that_end_in_launch(echo: dict[str, bytes]) -> None:
    statements = ast.parse(echo["app.py"]).body
    assert len(statements) <= 5
    assert ast.unparse(statements[-1]).startswith("demo.launch(")


def test_a_cards_words_stay_words(tmp_path: Path) -> None:
    title = '""" + "{{x}}\n---\nsdk: docker\n\'#: &a *b'
    folder = write_model(tmp_path / 'it\'s {a} "model"', title=title, summary="- x: [y")
    made = generated(folder)
    front = front_matter(made["README.md"])
    assert (front["title"], front["sdk"]) == (" ".join(title.split()), "gradio")
    assert front["short_description"] == "- x: [y"
    ast.parse(made["app.py"])
    assert "models/it-s-a-model/README.md" in made


def test_a_description_is_cut_between_words() -> None:
    assert shortened("a  b\nc") == "a b c"
    assert shortened("one two, three", 10) == "one two…"
    assert shortened("x" * 100, 60) == "x" * 59 + "…"


def test_the_same_model_gives_the_same_bytes(tmp_path: Path, echo: dict[str, bytes]) -> None:
    copied = space.write(ECHO, tmp_path / "space") and tmp_path / "space" / "models" / "echo"
    os.utime(copied / "model.py", (0, 0))
    assert generated(copied) == echo == generated(str(ECHO))


def test_nothing_but_the_model_is_taken_from_its_folder(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "tiny")
    for name in (".env", "token.txt", "notes.md", "old.bin", ".git/config", "__pycache__/m.pyc"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("hf_secret")
    made = generated(folder)
    assert not [name for name, data in made.items() if b"hf_secret" in data]


def test_no_link_of_a_model_folder_is_followed(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "tiny")
    (tmp_path / "secret").write_text("hf_secret")
    (folder / "LICENSE").symlink_to(tmp_path / "secret")
    with pytest.raises(FileError, match='"LICENSE" is reached by a symbolic link'):
        generated(folder)


def test_what_is_no_model_makes_no_space(tmp_path: Path) -> None:
    with pytest.raises(CardError, match="has no README.md"):
        generated(tmp_path)
    folder = write_model(tmp_path / "tiny")
    (folder / "model.py").write_text("class Tiny(")
    with pytest.raises(LoadError, match=r"tiny/model.py is not Python"):
        generated(folder)
    (folder / "model.py").unlink()
    with pytest.raises(ScorehubError, match=r"model\.py"):
        generated(folder)


# --- a registered architecture --------------------------------------------------------------------


def test_the_code_of_a_registered_architecture_comes_along(tmp_path: Path) -> None:
    card = write_model(tmp_path / "mine", entry="inpaintnet")
    (card / "model.py").unlink()
    made = generated(card)
    code = (PROJECT / "models" / "inpaintnet" / "model.py").read_bytes()
    assert made["models/inpaintnet/model.py"] == code
    assert "models/mine/README.md" in made and "models/mine/model.py" not in made
    assert "models/inpaintnet/model.safetensors" not in made
    assert b"torch==" in made["requirements.txt"]


def test_an_architecture_that_is_not_here_is_named(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "mine", entry="inpaintnest")
    with pytest.raises(LoadError, match='Did you mean "inpaintnet"'):
        generated(folder)


# --- versions -------------------------------------------------------------------------------------


def test_versions_are_the_projects_own() -> None:
    """Change one in requirements.txt or constraints.txt, and hub/space/ must follow."""
    ours = pins((PROJECT / "constraints.txt").read_text())
    ours |= pins((PROJECT / "requirements.txt").read_text())
    pinned = pins(generated(PROJECT / "models" / "inpaintnet")["requirements.txt"].decode())
    by_name = {name.lower(): version for name, version in ours.items()}
    assert pinned == {name: by_name[name.lower()] for name in pinned}
    assert ours["gradio"] == GRADIO_VERSION
    direct = set(pins((PROJECT / "requirements.txt").read_text()))
    brought = {"gradio", "huggingface_hub", "markdown-it-py"}  # by the Space's builder
    assert direct - set(pinned) == brought


def test_what_gradio_brings_is_left_to_the_spaces_builder() -> None:
    """It installs gradio[oauth,mcp], whose extras want other versions than gradio's own."""
    brought = {re.split(r"[^\w.-]", line)[0] for line in requires("gradio") or ()}
    pinned = pins(generated(PROJECT / "models" / "inpaintnet")["requirements.txt"].decode())
    assert brought & set(pinned) == {"numpy", "pyyaml"}


def test_torch_is_for_models_that_use_it(tmp_path: Path, echo: dict[str, bytes]) -> None:
    assert b"torch" not in echo["requirements.txt"]
    folder = write_model(tmp_path / "tiny")
    code = (folder / "model.py").read_text()
    (folder / "model.py").write_text(f"{code}\n\ndef later():\n    from torch import nn\n")
    assert "torch" in pins(generated(folder)["requirements.txt"].decode())


@pytest.mark.slow
def test_all_it_needs_is_there_for_the_spaces_own_python(tmp_path: Path) -> None:
    """pip finds a wheel of everything, beside what the Hub's builder adds, for its Python."""
    kept = PROJECT / "spaces" / "inpaintnet" / "requirements.txt"
    platforms = ["manylinux2014", *(f"manylinux_2_{minor}" for minor in range(5, 29))]
    command = [
        sys.executable, "-m", "pip", "install", "-qq", "--dry-run", "--only-binary=:all:",
        "--target", str(tmp_path / "nothing"), "--report", str(tmp_path / "report.json"),
        "--python-version", PYTHON_VERSION, "--implementation", "cp",
        *(f"--platform={platform}_x86_64" for platform in platforms),
        "-r", str(kept), f"gradio[oauth,mcp]=={GRADIO_VERSION}", "spaces",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    report = json.loads((tmp_path / "report.json").read_text())
    found = {package["metadata"]["name"] for package in report["install"]}
    assert {"torch", "spaces", "mcp"} <= found


# --- the Spaces kept here -------------------------------------------------------------------------


def test_every_model_that_is_kept_here_has_its_space() -> None:
    models = {path.parent.name for path in (PROJECT / "models").glob("*/README.md")}
    assert {path.name for path in KEPT} == models


@pytest.mark.parametrize("kept", KEPT, ids=lambda path: path.name)
def test_a_kept_space_is_what_would_be_written_now(kept: Path) -> None:
    wanted = generated(PROJECT / "models" / kept.name)
    there = tree(kept)
    stale = [name for name, data in wanted.items() if there.get(name) != data]
    assert not stale, f"spaces/{kept.name} is stale: run `make spaces`, and commit {stale}"
    for path in kept.rglob("*"):
        if path.is_symlink():
            assert not os.readlink(path).startswith("/")
            assert path.resolve().is_relative_to(PROJECT)


# --- writing it -----------------------------------------------------------------------------------


def test_a_new_folder_holds_the_space_and_a_record(tmp_path: Path, echo: dict[str, bytes]) -> None:
    out = tmp_path / "a" / "space"
    assert space.write(ECHO, out) == tuple(echo)
    assert tree(out) == echo
    assert (out / RECORD).is_file()


def test_an_earlier_space_is_brought_up_to_date(tmp_path: Path) -> None:
    model, out = write_model(tmp_path / "tiny"), tmp_path / "space"
    (model / "more.py").write_text("x = 1\n")
    space.write(model, out)
    (out / ".git").mkdir()
    (out / "my notes.txt").write_text("mine")
    (out / "models" / "tiny" / "__pycache__").mkdir()
    (model / "more.py").unlink()
    (model / "model.py").write_text("import hub\n\nclass Tiny(hub.Model):\n    pass\n")
    space.write(model, out)
    assert (out / "models/tiny/model.py").read_bytes() == (model / "model.py").read_bytes()
    assert not (out / "models/tiny/more.py").exists()
    assert (out / "my notes.txt").read_text() == "mine" and (out / ".git").is_dir()


def test_another_model_in_the_same_folder_leaves_nothing_of_the_first(tmp_path: Path) -> None:
    out = tmp_path / "space"
    space.write(write_model(tmp_path / "one"), out)
    space.write(write_model(tmp_path / "two"), out)
    assert [path.name for path in (out / "models").iterdir()] == ["two"]


def unchanged(out: Path, act: str, match: str) -> None:
    """`act` (write or link) must be refused and leave every file as it is."""
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    with pytest.raises(ScorehubError, match=match):
        getattr(space, act)(ECHO, out)
    assert before == {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}


@pytest.mark.parametrize("act", ["write", "link"])
def test_a_folder_of_somebody_elses_is_refused(tmp_path: Path, act: str) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    unchanged(tmp_path, act, r"other files \(thesis.txt\)")


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(ScorehubError, match="is a file"):
        space.write(ECHO, tmp_path / "x")


@pytest.mark.parametrize("act", ["write", "link"])
def test_an_edited_space_is_refused(tmp_path: Path, act: str) -> None:
    space.write(ECHO, tmp_path)
    (tmp_path / "app.py").write_text("# better")
    unchanged(tmp_path, act, r"edited since it was written \(app.py\)")


def test_a_foreign_file_in_the_way_is_refused(tmp_path: Path) -> None:
    space.write(write_model(tmp_path / "tiny"), tmp_path / "out")
    (tmp_path / "out" / "models" / "echo").mkdir()
    (tmp_path / "out" / "models" / "echo" / "model.py").write_text("mine")
    unchanged(tmp_path / "out", "write", r"files of its own .*\(models/echo/model.py\)")
    unchanged(tmp_path / "out", "link", r"files of its own .*\(models/echo\)")


def test_a_damaged_record_is_refused(tmp_path: Path) -> None:
    space.write(ECHO, tmp_path)
    (tmp_path / RECORD).write_text("[]")
    unchanged(tmp_path, "write", "damaged")


def test_a_record_cannot_name_files_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("")
    out = tmp_path / "out"
    out.mkdir()
    digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    (out / RECORD).write_text(
        f'{{"files": {{"../mine": "{digest}", "{tmp_path}/mine": "{digest}"}}}}'
    )
    space.write(ECHO, out)
    assert (tmp_path / "mine").exists()


def test_nothing_is_written_or_deleted_through_a_link(tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    space.write(ECHO, out)
    (out / "hub").rename(elsewhere)
    (out / "hub").symlink_to(elsewhere)
    before = tree(elsewhere)
    unchanged(out, "write", "edited")
    assert tree(elsewhere) == before


def test_links_and_copies_take_each_others_place(tmp_path: Path, echo: dict[str, bytes]) -> None:
    for act in (space.link, space.write, space.link, space.link):
        act(ECHO, tmp_path)
        (tmp_path / "hub" / "__pycache__").mkdir(exist_ok=True)
        assert set(echo.items()) <= set(tree(tmp_path).items())
        assert (tmp_path / "hub").is_symlink() == (act is space.link)
    assert (PROJECT / "hub" / "space" / "folder.py").is_file()


def test_a_model_called_like_its_architecture_has_its_card_and_the_others_code(
    tmp_path: Path,
) -> None:
    folder = write_model(tmp_path / "inpaintnet", entry="inpaintnet")
    made, architecture = generated(folder), PROJECT / "models" / "inpaintnet"
    assert made["models/inpaintnet/README.md"] == (folder / "README.md").read_bytes()
    assert made["models/inpaintnet/model.py"] == (architecture / "model.py").read_bytes()
    with pytest.raises(LoadError, match="comes from two folders"):
        space.link(folder, tmp_path / "out")


# --- the command, and a first start ---------------------------------------------------------------


def test_the_command_says_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "space"
    assert cli.main(["space", str(ECHO), "-o", str(out), "--model-id", "ada/echo"]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines() == [str(out / name) for name in contents(ECHO).all()]
    assert "python app.py" in told.err and f"scorehub publish {ECHO} --to ada/echo" in told.err
    assert cli.main(["space", str(ECHO), "-o", str(ECHO)]) == 1
    assert "scorehub: " in capsys.readouterr().err


def test_a_space_imports_its_own_code_only(tmp_path: Path) -> None:
    """In an interpreter that does not know of this checkout: the model loads, architecture too."""
    folder = write_model(tmp_path / "mine", entry="inpaintnet")
    (folder / "model.py").write_text("this is never imported")
    space.write(folder, tmp_path / "space")
    code = """if True:
        import sys
        sys.meta_path = [f for f in sys.meta_path if "editable" not in repr(f)]
        sys.path.insert(0, ".")
        import hub
        from hub import architectures
        print(hub.__file__, architectures.locate("inpaintnet"))
    """
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path / "space", env={"PATH": os.environ["PATH"]},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    own = (tmp_path / "space").resolve()
    assert done.stdout.split() == [f"{own}/hub/__init__.py", f"{own}/models/inpaintnet"]
