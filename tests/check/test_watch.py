"""A model that hangs, crashes or prints costs a row of the check's table, and not the table."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from tiny_models import GOOD_CODE, write_model

from hub import architectures, check
from hub.check import FAIL, OK, bench, watch

WORK = "        rng = params.rng()"


def bad(tmp_path: Path, line: str, *, at: str = WORK) -> Path:
    assert at in GOOD_CODE
    code = GOOD_CODE.replace(at, f"        {line}\n{at}")
    return write_model(tmp_path / "bad", code=code, needs={"seconds": 0.1, "memory_mb": 50})


def last(report: check.Report) -> check.Finding:
    assert not report.is_ok
    assert report.table().endswith("failed.")
    return report.findings[-1]


@pytest.mark.slow
def test_one_that_loops_is_stopped(tmp_path: Path) -> None:
    started = time.monotonic()
    found = last(check.check_folder(bad(tmp_path, "while True: pass")))
    assert (found.name, found.status) == ("regions", FAIL)
    assert "tune.mid (1 measures, start): no answer within 10.3 s" in found.detail
    assert time.monotonic() - started < 30


def test_one_that_never_loads_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "START_SECONDS", 3.0)
    pid = tmp_path / "pid"
    code = f"import os, time\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)\n"
    folder = write_model(tmp_path / "slow", code=code)
    found = last(check.check_folder(folder))
    assert (found.name, found.status) == ("loads", FAIL)
    assert "no answer within 3 s" in found.detail
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("import os; os._exit(7)", "exit code 7"),
        ("import os; os.kill(os.getpid(), 11)", "SIGSEGV"),
        ("import os; os.closerange(3, 256); os._exit(0)", "exit code 0"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    ],
)
def test_one_that_ends_the_process_is_told(tmp_path: Path, line: str, cause: str) -> None:
    found = last(check.check_folder(bad(tmp_path, line)))
    assert (found.name, found.status) == ("regions", FAIL)
    assert cause in found.detail


def test_one_that_ends_the_process_while_it_loads(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "gone", code="import os; os._exit(3)")
    report = check.check_folder(folder)
    assert [f.name for f in report.findings] == ["card", "files", "loads"]
    assert "exit code 3" in last(report).detail


def test_what_it_prints_reaches_nobody(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(watch.DEBUG, raising=False)
    line = "import os, sys; os.write(1, b'[]\\n'); print('x'); print('y', file=sys.stderr)"
    report = check.check_folder(bad(tmp_path, line))
    assert report.is_ok, report.table()
    assert capfd.readouterr() == ("", "")


def test_one_that_reads_standard_input_reads_nothing(tmp_path: Path) -> None:
    report = check.check_folder(bad(tmp_path, "import sys; assert sys.stdin.read() == ''"))
    assert report.is_ok, report.table()


def test_halves_of_characters_can_be_printed(tmp_path: Path) -> None:
    found = check.check_folder(bad(tmp_path, "raise ValueError(chr(0xD800))")).findings[-1]
    assert found.status == FAIL
    found.detail.encode()


def test_rows_are_told_as_they_come(tmp_path: Path) -> None:
    told, steps = [], []
    report = check.check_folder(
        write_model(tmp_path / "tiny"),
        on_finding=told.append,
        on_step=lambda name, step: steps.append((name, step)),
    )
    assert tuple(told) == report.findings
    assert ("regions", "tune.mid (1 measures, start)") in steps
    assert ("controls", "tune.mid (1 measures, start), spread=12") in steps


def test_an_architecture_that_is_registered_here_is_known_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(architectures, "_registered", {})
    architectures.register("mine", write_model(tmp_path / "code"))
    folder = write_model(tmp_path / "data", entry="mine")
    (folder / "model.py").unlink()
    statuses = {f.name: f.status for f in check.check_folder(folder).findings}
    assert set(statuses.values()) == {OK}


def test_how_long_a_take_may_last(tmp_path: Path) -> None:
    from hub.folder import load

    said = load(write_model(tmp_path / "said", needs={"seconds": 4}))
    silent = load(write_model(tmp_path / "silent", needs=None))
    assert bench.Bench(model=said).take_seconds == 22
    assert bench.Bench(model=silent).take_seconds == 120
