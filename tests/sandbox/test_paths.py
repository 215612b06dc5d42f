"""What may be read holds Python and the hub, and nothing of the user's."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy
import pytest

import hub
from hub.sandbox import paths


def holds(path: str | None) -> bool:
    return any(Path(str(path)).is_relative_to(allowed) for allowed in paths.readable())


def test_what_a_model_imports_is_there() -> None:
    assert all(map(holds, (hub.__file__, os.__file__, numpy.__file__, sys.executable)))
    assert holds(os.path.realpath(sys.executable))


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "/proc/1/environ", "/proc/self/environ", f"/proc/{os.getpid()}/maps",
             "/dev/sda", "/dev/shm/x", "/tmp/x", "/var/lib", "/run", "/sys/class/net"]
)  # fmt: skip
def test_the_rest_is_not(path: str) -> None:
    assert not holds(path)


def test_nothing_of_the_users_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert not holds(str(tmp_path / "secret"))
    for path in (
        Path.home(),
        Path.home() / ".ssh" / "id",
        Path.home() / ".cache" / "x",
        Path.cwd(),
    ):
        assert not holds(str(path))
    assert not holds(str(Path(hub.__file__).parents[1] / "tests"))


def test_none_lies_within_another() -> None:
    """bubblewrap mounts them one by one."""
    found = paths.files()
    assert not [a for a in found for b in found if a != b and Path(a).is_relative_to(b)]
    assert all(map(os.path.exists, found))


def test_the_users_own_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "lib" / "python3" / "site-packages"
    own.mkdir(parents=True)
    monkeypatch.syspath_prepend(str(own))
    assert str(own) in paths.packages() and holds(str(own / "x.py"))
