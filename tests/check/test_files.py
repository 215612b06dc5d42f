"""What does not belong into a model folder is named, and no secret is ever repeated."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from hub.check import files
from hub.check.report import FAIL, OK

CANARY = "hf_" + "Canary" * 6


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "m" / "examples").mkdir(parents=True)
    (tmp_path / "m" / "README.md").write_text("a card\n")
    (tmp_path / "m" / "examples" / "tune.mid").write_bytes(b"MThd")
    return tmp_path / "m"


def faults(folder: Path) -> list[str]:
    return [f.detail for f in files.examine(folder) if f.status == FAIL]


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("score.xml", "<score/>")
    return stream.getvalue()


def arrays() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.zeros(2))
    return stream.getvalue()


def test_a_clean_folder(folder: Path) -> None:
    (folder / "examples" / "tune.mxl").write_bytes(zipped())
    (folder / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    (found,) = files.examine(folder)
    assert (found.status, found.detail.split(";")[0]) == (OK, "4")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("pytorch_model.bin", b"\x00"),
        ("work/last.ckpt", b"\x00"),
        ("model.PT", zipped()),
        ("weights", pickle.dumps({"a": 1})),
        ("weights.dat", zipped()),
        ("cache.xyz", arrays()),
        ("model.npz", b""),
    ],
)
def test_weights_that_can_run_code(folder: Path, name: str, data: bytes) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)
    (fault,) = faults(folder)
    assert fault.startswith(f"{name} may be weights that can run code; only model.safetensors is")


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff" * 40, pickle.dumps({}), zipped()])
def test_a_safetensors_file_that_is_none(folder: Path, data: bytes) -> None:
    (folder / "model.safetensors").write_bytes(data)
    assert len(faults(folder)) == 1


@pytest.mark.parametrize("target", ["/etc/hostname", "README.md", "examples", "nowhere"])
def test_links(folder: Path, target: str) -> None:
    (folder / "link").symlink_to(target)
    assert faults(folder) == ["link is a symbolic link; put the file itself there"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("model.py", f"import hub\nTOKEN = '{CANARY}'\n"),
        ("notes.txt", "x\n-----BEGIN OPENSSH PRIVATE KEY-----\n"),
        ("README.md", "x\nghp_" + "a1" * 18),
        ("config.json", "{\n" + '"k": "AKIAABCDEFGHIJKLMNOP"}'),
    ],
)
def test_secrets_are_named_by_line_and_not_repeated(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    (fault,) = faults(folder)
    assert fault.startswith(f"{name} has a")
    assert "line 2" in fault
    assert not any(word in fault for word in ("Canary", "a1a1", "AKIAA"))


@pytest.mark.parametrize("name", [".env", ".netrc", "token", "server.pem", "sub/id_rsa"])
def test_files_that_are_there_for_secrets(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("x")
    assert faults(folder) == [f"{name} is a file that holds secrets; move it out of the folder"]


def test_caches_are_passed_over(folder: Path) -> None:
    for name in ("__pycache__", ".git", ".pytest_cache"):
        (folder / name).mkdir()
        (folder / name / "x.pkl").write_bytes(b"\x80\x04.")
    assert faults(folder) == []


def test_a_pipe_does_not_block(folder: Path) -> None:
    import os

    os.mkfifo(folder / "pipe")
    assert faults(folder) == ["pipe is neither a file nor a folder; remove it"]


def test_a_huge_folder_is_not_walked_to_its_end(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_FILES", 1)
    assert any("more than 1 files" in finding.detail for finding in files.examine(folder))
