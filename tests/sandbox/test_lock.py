"""Locking down: the bounds are set, and a lock with a hole is noticed."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from hub.sandbox import Mechanism, lock, paths
from hub.sandbox.lock import Bounds

CHILD = """
import json, sys
from hub.sandbox import landlock, lock, paths, seccomp
bounds = lock.Bounds.from_json(json.loads(sys.argv[1]))
exec(sys.argv[2])
failures = lock.lock_down(bounds)
import resource
print(json.dumps([failures, resource.getrlimit(resource.RLIMIT_DATA)[0] >> 20,
                  resource.getrlimit(resource.RLIMIT_FSIZE)[1],
                  resource.getrlimit(resource.RLIMIT_CORE)[1]]))
"""
# `import hub` starts NumPy's threads; here it is imported as the child does it.
BARE = """
import sys, types
for name, path in (("hub", sys.argv[3]), ("hub.sandbox", sys.argv[3] + "/sandbox")):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [path]
"""


def lock_down(tmp_path: Path, sabotage: str = "", **changes: object) -> list[object]:
    temp, folder = tmp_path / "temp", tmp_path / "folder"
    temp.mkdir()
    folder.mkdir()
    (tmp_path / "canary").write_text("secret")
    bounds = Bounds(
        folder=str(folder), temp=str(temp), readable=tuple(paths.readable()),
        canary=str(tmp_path / "canary"), data_mb=700, is_locked=True,
    )  # fmt: skip
    given = json.dumps({**asdict(bounds), **changes})
    command = [sys.executable, "-I", "-c", BARE + CHILD, given, sabotage, str(paths.PACKAGE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: list[object] = json.loads(done.stdout)
    return found


@pytest.mark.usefixtures("one_lock")
def test_the_lock_holds_and_the_bounds_are_set(tmp_path: Path) -> None:
    assert lock_down(tmp_path) == [[], 700, lock.FILE_BYTES, 0]


def test_without_a_lock_there_are_bounds(tmp_path: Path) -> None:
    assert lock_down(tmp_path, is_locked=False) == [[], 700, lock.FILE_BYTES, 0]


@pytest.mark.usefixtures("one_lock")
@pytest.mark.parametrize(
    ("sabotage", "hole"),
    [
        ("landlock.apply = lambda *a: None", "it can read other files of the user's"),
        ("landlock.apply = lambda *a: None", "it can write into the model's folder"),
        ("seccomp.apply = lambda: None", "it can start processes"),
        ("seccomp.apply = lambda: None", "it can open a local socket"),
        ("seccomp.apply = lambda: None", "it can open a network socket"),
        ("real = landlock.apply; landlock.apply = lambda r, w, v: real(r, (), v)",
         "it cannot write where it may"),
    ],
)  # fmt: skip
def test_a_hole_is_noticed(tmp_path: Path, sabotage: str, hole: str) -> None:
    failures = lock_down(tmp_path, sabotage)[0]
    assert isinstance(failures, list) and hole in failures


@pytest.mark.usefixtures("one_lock")
def test_a_thread_from_before_is_noticed(tmp_path: Path) -> None:
    thread = "from threading import Timer; timer = Timer(9, id); timer.daemon = True; timer.start()"
    with pytest.raises(AssertionError, match="more than one thread already"):
        lock_down(tmp_path, thread)


def test_the_code_does_not_run_behind_a_lock_that_does_not_hold(
    downloaded: object, one_lock: Mechanism, monkeypatch: pytest.MonkeyPatch
) -> None:
    import hub
    from hub import sandbox
    from hub.errors import TrustError
    from hub.sandbox import process

    folder = downloaded()  # type: ignore[operator]
    card = hub.read_card(folder)
    readable = paths.readable()
    with monkeypatch.context() as patch:
        patch.setattr(paths, "readable", lambda: [*readable, "/tmp", str(folder.parents[3])])
        patch.setattr(process.tempfile, "tempdir", "/tmp")
        with pytest.raises(TrustError, match="does not hold here.*other files.*was not run"):
            sandbox.start(folder, card)
    monkeypatch.setattr(process, "read_status", lambda pid: {"Seccomp": "0"})
    with pytest.raises(TrustError, match="Seccomp is 0.*was not run"):
        sandbox.start(folder, card)
