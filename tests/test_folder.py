"""Model ↔ folder."""

import py_compile
import sys
from pathlib import Path

import pytest

from hub.errors import CardError, LoadError, TrustError
from hub.folder import example_path, find, is_downloaded, load
from tests.tiny_models import write_model

CARD = """---
scorehub:
  version: 1
  entry: model.py:Mine
  init: {size: 3}
  examples: [tune.mid]
---
"""
CODE = """
import hub

class Mine(hub.Model):
    def setup(self, size):
        self.size = size
"""


def write(folder, code=CODE, card=CARD):
    folder.mkdir(exist_ok=True)
    (folder / "README.md").write_text(card)
    if code is not None:
        (folder / "model.py").write_text(code)
    return folder


def test_card_and_class_meet(tmp_path):
    model = load(write(tmp_path / "mine"))
    assert (model.size, model.card.name) == (3, "mine")
    assert model.folder == tmp_path / "mine"


def test_two_folders_with_one_class_name_stay_apart(tmp_path):
    one = load(write(tmp_path / "one"))
    two = load(write(tmp_path / "two", CODE.replace("= size", "= -size")))
    assert (one.size, two.size) == (3, -3)


def test_folders_with_a_card_are_found_by_name(tmp_path):
    write(tmp_path / "b")
    write(tmp_path / "a")
    (tmp_path / "none").mkdir()
    assert [path.name for path in find(tmp_path)] == ["a", "b"]
    assert list(find(tmp_path / "missing")) == []


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (None, "has no model.py"),
        ("1 +", r"cannot be imported \(SyntaxError"),
        ("import nonexistent_module", "nonexistent_module"),
        ("raise SystemExit(0)", "cannot be imported \\(SystemExit"),
        ("Mine = 3", "no such subclass of hub.Model"),
        ("class Mine: pass", "no such subclass of hub.Model"),
        (CODE.replace("= size", "= exit()"), r"fails to start \(SystemExit"),
        (CODE.replace("= size", "= 1 / 0"), r"fails to start \(ZeroDivisionError"),
        (
            CODE + "        self.network = __import__('torch').nn.Linear(1, 1)\n",
            "train the model first",
        ),
    ],
)
def test_folders_that_do_not_load(tmp_path, code, message):
    with pytest.raises(LoadError, match=message):
        load(write(tmp_path / "mine", code))


def test_no_folder_and_no_card(tmp_path):
    with pytest.raises(LoadError, match="no model folder"):
        load(tmp_path / "nowhere")
    with pytest.raises(CardError, match="not a model folder"):
        load(tmp_path)


def test_examples_lie_inside_the_folder(tmp_path):
    model = load(write(tmp_path / "mine"))
    (example,) = model.card.examples
    with pytest.raises(CardError, match="is not in the folder"):
        example_path(model.folder, example)
    (tmp_path / "secret").write_text("x")
    (model.folder / "tune.mid").symlink_to(tmp_path / "secret")
    with pytest.raises(CardError, match="is not in the folder"):
        example_path(model.folder, example)
    (model.folder / "tune.mid").unlink()
    (model.folder / "tune.mid").write_bytes(b"MThd")
    assert example_path(model.folder, example).read_bytes() == b"MThd"


def test_a_compiled_copy_is_never_run(tmp_path: Path) -> None:
    """Python would run an unchecked one without a look at the source that was read."""
    model = write_model(tmp_path / "tiny")
    other = tmp_path / "other.py"
    other.write_text("raise SystemExit('the compiled copy ran')")
    here = f"__pycache__/model.{sys.implementation.cache_tag}.pyc"
    for tag in (here, "model.pyc"):
        (model / tag).parent.mkdir(exist_ok=True)
        py_compile.compile(
            str(other), str(model / tag),
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )  # fmt: skip
    assert type(load(model)).__name__ == "Tiny"


def _tag() -> str:

    return str(sys.implementation.cache_tag)


def test_a_download_is_known_wherever_its_store_was(tmp_path: Path) -> None:
    place = tmp_path / "moved" / "ann--tiny" / ("a1" * 20)
    write_model(place)
    assert is_downloaded(place)
    with pytest.raises(TrustError):
        load(place)
