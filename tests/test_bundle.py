from __future__ import annotations

from pathlib import Path

import pytest

from hub import bundle
from hub.card import read_card
from hub.errors import FileError, LoadError
from tests.tiny_models import write_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = write_model(tmp_path / "tiny")
    (folder / "LICENSE.txt").write_text("free")
    (folder / "helper.py").write_text("")
    (folder / "model.safetensors").write_bytes(b"weights")
    for name in ("notes.txt", ".env", "weights.pt", "other.mid", "__pycache__/m.pyc", ".git/HEAD"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x")
    return folder


def test_exactly_the_model_goes(model: Path) -> None:
    found = bundle.files(model)
    assert list(found) == [
        "LICENSE.txt", "README.md", "helper.py", "model.py", "model.safetensors", "tune.mid",
    ]  # fmt: skip
    assert all(path == model / name for name, path in found.items())
    assert bundle.left_out(model, found) == [".env", "notes.txt", "other.mid", "weights.pt"]


@pytest.mark.parametrize("name", ["README.md", "model.py", "model.safetensors", "tune.mid"])
def test_links_are_refused(model: Path, tmp_path: Path, name: str) -> None:
    (model / name).rename(tmp_path / name)
    (model / name).symlink_to(tmp_path / name)
    with pytest.raises(FileError, match=f'"{name}" is reached by a symbolic link'):
        bundle.files(model)


def test_a_linked_folder_of_examples_is_refused(tmp_path: Path) -> None:
    model = write_model(tmp_path / "tiny", examples=["examples/tune.mid"])
    (tmp_path / "elsewhere").mkdir()
    (model / "tune.mid").rename(tmp_path / "elsewhere" / "tune.mid")
    (model / "examples").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileError, match="symbolic link"):
        bundle.files(model)


def test_a_secret_stops_everything_and_is_not_repeated(model: Path) -> None:
    secret = "hf_" + "Abc123" * 6
    (model / "model.py").write_text(f"x = 1\nTOKEN = '{secret}'\n")
    with pytest.raises(FileError, match=r'"model.py" has a Hugging Face token in line 2') as caught:
        bundle.files(model)
    assert secret not in str(caught.value)


def test_a_secret_in_the_weights_metadata_is_seen(model: Path) -> None:
    header = b'{"__metadata__":{"key":"hf_' + b"Abc123" * 6 + b'"}}'
    weights = model / "model.safetensors"
    weights.write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(FileError, match='"model.safetensors" has a Hugging Face token'):
        bundle.files(model)
    weights.write_bytes(bytes(8) + header)  # now it stands among the numbers
    assert "model.safetensors" in bundle.files(model)


def test_what_is_named_must_be_there(tmp_path: Path) -> None:
    model = write_model(tmp_path / "tiny", examples=["missing.mid"])
    with pytest.raises(LoadError, match="missing.mid"):
        bundle.files(model)


def test_sizes_are_bounded(model: Path) -> None:
    (model / "helper.py").write_bytes(b"#" * (bundle.MAX_CODE_BYTES + 1))
    with pytest.raises(FileError, match="helper.py"):
        bundle.files(model)


@pytest.mark.parametrize(
    "name", [".tune.mid", "examples/.a/tune.mid", "./tune.mid", "a//tune.mid", "tu?ne.mid",
             "tu\u202ene.mid", "tune.txt", ".git/tune.mid"],
)  # fmt: skip
def test_an_example_that_would_not_arrive_is_refused(tmp_path: Path, name: str) -> None:
    model = write_model(tmp_path / "tiny", examples=[name])
    (model / name).parent.mkdir(parents=True, exist_ok=True)
    (model / name).write_bytes((model / "tune.mid").read_bytes())
    with pytest.raises(FileError, match="The example") as caught:
        bundle.files(model)
    assert str(caught.value).isprintable()


def test_there_is_no_more_code_than_is_read(model: Path) -> None:
    for number in range(bundle.MAX_CODE_FILES):
        (model / f"x{number}.py").write_text("")
    with pytest.raises(FileError, match="66 Python files; at most 64"):
        bundle.files(model)


def test_the_code_that_the_card_names_is_there(model: Path) -> None:
    (model / "model.py").unlink()
    with pytest.raises(LoadError, match=r"names model.py:Tiny, but there is no model.py"):
        bundle.files(model)


def test_examples_are_scores_and_nothing_that_runs(tmp_path: Path) -> None:
    name = "__pycache__/model.cpython-311.pyc"
    model = write_model(tmp_path / "tiny", examples=[name])
    (model / "__pycache__").mkdir()
    (model / name).write_bytes(b"code")
    assert name not in bundle.chosen([name, "README.md"], read_card(model))
    with pytest.raises(FileError, match="is no score"):
        bundle.files(model)
