"""bubblewrap's command line, and what is made of one that does not work."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.sandbox import bubblewrap


@pytest.fixture(autouse=True)
def asked_anew() -> Iterator[None]:
    bubblewrap.program.cache_clear()
    yield
    bubblewrap.program.cache_clear()


def inside(code: str, folder: Path, temp: Path) -> str:
    """What Python prints in there, without the child's own lock."""
    if bubblewrap.program() is None:
        pytest.skip("no bubblewrap on this machine")
    reading, writing = os.pipe()
    command = bubblewrap.command(
        [sys.executable, "-I", "-c", code], folder=str(folder), temp=str(temp),
        info_descriptor=writing,
    )  # fmt: skip
    try:
        done = subprocess.run(
            command, env={}, pass_fds=[writing], capture_output=True, text=True, check=False
        )
    finally:
        os.close(reading)
        os.close(writing)
    return done.stdout.strip() + done.stderr


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    folders = tmp_path / "folder", tmp_path / "temp"
    for folder in folders:
        folder.mkdir()
    (tmp_path / "secret").write_text("secret")
    (folders[0] / "model.py").write_text("its code")
    return folders


def test_the_file_system_holds_its_folder_and_nothing_else(places: tuple[Path, Path]) -> None:
    folder, temp = places
    code = (
        f"import os; print(os.getpid(), os.getcwd(), sorted(os.listdir({str(folder.parent)!r})), "
    )
    code += f"os.listdir({str(folder)!r}), sorted(os.environ), os.path.exists('/etc/passwd'))"
    wanted = f"1 {temp} ['folder', 'temp'] ['model.py'] "
    assert inside(code, *places).startswith(wanted)
    assert inside(code, *places).endswith("False")


@pytest.mark.parametrize("path", ["/x", "/tmp/x", "/proc/x", "{folder}/x", "{folder}/../x"])
def test_only_its_own_folder_can_be_written_to(places: tuple[Path, Path], path: str) -> None:
    target = path.format(folder=places[0])
    assert "Error" in inside(f"open({target!r}, 'w'); print('written')", *places)
    assert inside("open('x', 'w'); print('written')", *places) == "written"


def test_there_is_no_network_and_no_other_process(places: tuple[Path, Path]) -> None:
    code = "import os; print([n for n in os.listdir('/proc') if n.isdecimal()])"
    assert inside(code, *places) == "['1']"
    code = "import socket; socket.create_connection(('1.1.1.1', 53), 1)"
    assert "unreachable" in inside(code, *places)


def test_a_bwrap_that_does_not_work_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bubblewrap.program() is None
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    bubblewrap.program.cache_clear()
    assert bubblewrap.program() is None
