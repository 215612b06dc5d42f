"""Sandboxed models beside the same models in process: notes, progress, deaths, waiting."""

from __future__ import annotations

import builtins
import gc
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sandbox_models import PROBE, PROBE_PARAMS
from tiny_models import GOOD_CODE, tune

import hub
from hub import folder, sandbox
from hub.errors import (
    AcceptError,
    AnswerError,
    CancelledError,
    DeadlineError,
    LoadError,
    TrustError,
)
from hub.sandbox import Mechanism
from hub.sandbox.model import MAX_MEMORY_MB, SandboxedModel, memory_mb
from hub.sandbox.watch import cpu_seconds

PROJECT = Path(__file__).resolve().parents[2]
INPAINTNET = PROJECT / "models" / "inpaintnet"
Start = Callable[..., hub.Model]

SCORE = tune()
REGION = hub.Region.measures(SCORE, "3-4", parts=["P1"])


def notes(model: hub.Model, **options: object) -> list[hub.Notes]:
    takes = hub.inpaint(model, SCORE, REGION, **{"seed": 5, **options})  # type: ignore[arg-type]
    return [take.notes for take in takes]


def acting(lines: str) -> str:
    """The good model, which first does something when its control `spread` is 12."""
    body = "\n".join(f"            {line}" for line in lines.strip().splitlines())
    return "import ctypes, mmap, os, signal, sys, threading, time, numpy\n" + GOOD_CODE.replace(
        "        rng = params.rng()",
        f'        if params["spread"] == 12:\n{body}\n        rng = params.rng()',
    )


def fails(model: hub.Model, words: str, kind: type[Exception] = AnswerError) -> None:
    """One sentence; and afterwards the model answers as if nothing had been."""
    good = notes(model)
    with pytest.raises(kind, match=words) as caught:
        notes(model, params={"spread": 12})
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 700
    assert "Traceback" not in str(caught.value)
    assert notes(model) == good


# --- the same notes -------------------------------------------------------------------------------


def test_the_same_notes_as_in_process(
    downloaded: Callable[..., Path], locked: Mechanism, tmp_path: Path
) -> None:
    there = downloaded()
    model = sandbox.start(there, hub.read_card(there))
    own = hub.load(shutil.copytree(there, tmp_path / "own"))
    assert notes(model, n=3) == notes(own, n=3)
    assert notes(model, params={"spread": 0}) == notes(own, params={"spread": 0})


def test_inpaintnet_with_torch_and_its_weights(
    downloaded: Callable[..., Path], locked: Mechanism
) -> None:
    there = downloaded("")
    shutil.rmtree(there)
    shutil.copytree(INPAINTNET, there)
    card = (there / "README.md").read_text()
    (there / "README.md").write_text(
        card.replace("entry: inpaintnet", "entry: model.py:InpaintNet")
    )
    score = hub.open_score(there / "examples" / "salamanca-reel.mid")
    region = hub.Region.measures(score, "5-8")
    model, own = sandbox.start(there, hub.read_card(there)), hub.load(INPAINTNET)
    assert model.card.runs_own_code and model.inpaint_batch is not None
    for count in (1, 3):  # alone, and in one batch
        found = hub.inpaint(model, score, region, seed=9, n=count)
        wanted = hub.inpaint(own, score, region, seed=9, n=count)
        assert [take.notes for take in found] == [take.notes for take in wanted]
        assert [take.data for take in found] == [take.data for take in wanted]


MUSIC21 = """
import hub
class Tiny(hub.Model):
    def inpaint(self, score, region, params):
        return LIBRARY
"""


@pytest.mark.parametrize("library", ["score.to_music21()", "score.to_pretty_midi()"])
def test_answers_of_other_libraries(start: Start, locked: Mechanism, library: str) -> None:
    accepts = {"parts": [1, 3], "drums": "yes", "reads": ["notes"]}
    model = start(MUSIC21.replace("LIBRARY", library), accepts=accepts, params=None)
    whole = hub.Region.measures(SCORE, "1-12")
    (take,) = hub.inpaint(model, SCORE, whole, seed=1)
    assert len(take.notes) > 100


def test_files_beside_the_code_are_found(downloaded: Callable[..., Path], locked: object) -> None:
    there = downloaded(
        "from pathlib import Path\n" + GOOD_CODE + "\nopen(Path(__file__).parent / 'tune.mid')"
    )
    assert len(notes(sandbox.start(there, hub.read_card(there)))[0]) == 8


def test_progress_comes_through(start: Start, one_lock: Mechanism) -> None:
    model = start(GOOD_CODE.replace('"half way"', '"half\\x1b[31m way\\n" + "x" * 500'))
    steps = list(hub.stream(model, SCORE, REGION, seed=1))
    texts = {step.text for step in steps if isinstance(step, hub.Progress)}
    assert any(text.startswith("half[31m way x") for text in texts - {""})
    assert all(len(text) <= 80 and text.isprintable() for text in texts)


def test_what_it_says_is_marked_as_its_own(start: Start, one_lock: Mechanism) -> None:
    said = "\\x1b[31mYour disk\\nis full" + "!" * 3000
    for name, kind in (("AcceptError", AcceptError), ("CancelledError", AnswerError)):
        model = start(acting(f'from hub import errors; raise errors.{name}("{said}")'))
        fails(model, r"^The model reports, in its own words: \[31mYour disk is full!", kind)
    fails(start(acting('raise ValueError("x" * 9000)')), "own words: ValueError: x")


def test_an_answer_of_the_wrong_kind(start: Start, one_lock: Mechanism) -> None:
    fails(start(acting("return 7")), "returned int")
    fails(start(acting("return [(0, 1, 'x')]")), "not notes of whole numbers")


# --- never in the hub -----------------------------------------------------------------------------

MARKS = "import builtins, os\nbuiltins.scorehub_canary = os.getpid()\n" + GOOD_CODE


def test_the_code_is_never_imported_here(start: Start, locked: Mechanism) -> None:
    model = start(MARKS)
    notes(model)
    assert not hasattr(builtins, "scorehub_canary")
    assert model.folder is not None
    with pytest.raises(TrustError):
        folder.load(model.folder)
    assert not hasattr(builtins, "scorehub_canary")


def test_nothing_runs_where_nothing_locks(
    downloaded: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sandbox, "available", lambda: Mechanism.NONE)
    mark = tmp_path / "ran"
    there = downloaded(f"open({str(mark)!r}, 'w')\n" + GOOD_CODE)
    with pytest.raises(TrustError, match="would run with your rights.*It was not run"):
        sandbox.start(there, hub.read_card(there))
    assert not mark.exists()
    model = sandbox.start(there, hub.read_card(there), locked=False)
    assert mark.exists() and len(notes(model)[0]) == 8


def test_an_unlocked_child_is_still_a_child(start: Start, downloaded: Callable[..., Path]) -> None:
    there = downloaded(PROBE, params=PROBE_PARAMS)
    model = sandbox.start(there, hub.read_card(there), locked=False)
    with pytest.raises(AnswerError) as caught:
        notes(model, params={"code": "result = os.getpid(), sorted(os.environ)"})
    assert str(os.getpid()) not in str(caught.value)
    assert "['HOME', 'TEMP', 'TMP', 'TMPDIR']" in str(caught.value)


# --- loading --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("1 / 0", "own words: .*model.py cannot be imported .ZeroDivisionError"),
        ("import sys; sys.exit(3)", "own words: .*SystemExit"),
        ("import os; os._exit(3)", r"ended by itself or crashed \(exit code 3\)"),
        ("import ctypes; ctypes.string_at(0)", r"crashed \(SIGSEGV\)"),
        ("import socket; socket.socket()", "PermissionError"),
        ("x = 1", "defines no such subclass"),
        ("x = bytearray(5 << 30)", "needs more than the 768 MB"),
        ("import os\nfor fd in 3, 4, 5:\n  try: os.write(fd, b'garbage' * 99)\n  except OSError: 0",
         "makes no sense|ended by itself"),
    ],
)  # fmt: skip
def test_code_that_does_not_load(start: Start, one_lock: Mechanism, code: str, words: str) -> None:
    with pytest.raises(LoadError, match=words):
        start(code)


def test_code_that_loads_for_ever(
    start: Start, one_lock: Mechanism, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "LOAD_SECONDS", 1.5)
    began = time.monotonic()
    with pytest.raises(LoadError, match=r"longer than 1\.5 seconds to load"):
        start("while True: pass")
    assert time.monotonic() - began < 20


def test_a_machine_that_starts_no_process(
    start: Start, one_lock: Mechanism, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    for name in ("tempfile.mkdtemp", "spawn"):
        with monkeypatch.context() as patch:
            patch.setattr(f"hub.sandbox.process.{name}", full)
            with pytest.raises(LoadError, match=r"No helper process .* No space left"):
                start()


# --- deaths and excesses --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("sys.exit(3)", "own words: SystemExit: 3"),
        ("raise KeyboardInterrupt", "own words: KeyboardInterrupt"),
        ("os._exit(3)", r"ended by itself or crashed \(exit code 3\)"),
        ("ctypes.string_at(0)", r"crashed \(SIGSEGV\)"),
        ("os.abort()", r"crashed \(SIG"),
        ("x = []\nwhile True: x.append(numpy.ones(1 << 20))", "needs more than the 768 MB"),
        ("x = bytearray(10 << 30)", "needs more than the 768 MB"),
        ("x = mmap.mmap(-1, 1 << 30)\nfor i in range(0, 1 << 30, 4096): x[i] = 1",
         "needs more than the 768 MB"),
        ("while True: threading.Thread(target=time.sleep, args=(99,)).start()",
         "started more than [0-9]+ threads|can't start new thread"),
        ("for i in range(9999): open(f'f{i}', 'w')\ntime.sleep(9)", "more temporary files"),
        ("for i in range(5): open(f'f{i}', 'wb').write(bytes(60 << 20))\ntime.sleep(9)",
         "more temporary files"),
        ("return numpy.zeros(10 ** 8, dtype=numpy.int8)", "returned ndarray"),
        ("return [hub.Note(i, 1, 60) for i in range(100_001)]", "100,001 notes"),
        ("return iter(int, 1)", "returned callable_iterator"),
        ("def deep(): yield from deep()\nyield from deep()", "own words: RecursionError"),
        ("for fd in range(3, 9):\n  try: os.write(fd, b'garbage' * 99)\n  except OSError: pass",
         "makes no sense|ended by itself"),
        ("for fd in range(3, 9):\n  try: os.close(fd)\n  except OSError: pass",
         "makes no sense|ended by itself"),
    ],
)  # fmt: skip
def test_one_sentence_and_no_harm(
    start: Start, one_lock: Mechanism, lines: str, words: str
) -> None:
    fails(start(acting(lines)), words)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("os._exit(3)", r"ended by itself or crashed \(exit code 3\)"),
        ("ctypes.string_at(0)", r"crashed \(SIGSEGV\)"),
        ("x = bytearray(10 << 30)", "needs more than the 768 MB"),
    ],
)
def test_deaths_under_each_lock(start: Start, locked: Mechanism, lines: str, words: str) -> None:
    fails(start(acting(lines)), words)


FORGE = """
import json, struct
def frame(header, body=b""):
    text = json.dumps(header).encode() if not isinstance(header, bytes) else header
    return struct.pack(">IQ", len(text), len(body)) + text + body
def send(data):
    for fd in range(3, 9):
        try: os.write(fd, data)
        except OSError: pass
"""


@pytest.mark.parametrize(
    ("forged", "words"),
    [
        ('frame({"id": "mine", "ok": True})', "a question that nobody asked"),
        ('frame({"ok": True})', "a question that nobody asked"),
        ('frame({"progress": 7}) + frame({"id": 1})', "a question that nobody asked"),
        ('frame({"progress": [float("nan"), {}]}) + frame({"id": 1})', "nobody asked"),
        ('frame(b"[" * 60000)', "makes no sense|ended by itself"),
        ('frame(b"{" + b\'"a":\' * 9000)', "makes no sense|ended by itself"),
        ('frame({"progress": [0.5, ""]}, b"body")', "makes no sense"),
        ('struct.pack(">IQ", 1 << 31, 0)', "makes no sense|ended by itself"),
        ('struct.pack(">IQ", 2, 1 << 40) + b"{}"', "makes no sense|ended by itself"),
    ],
)
def test_forged_frames(start: Start, one_lock: Mechanism, forged: str, words: str) -> None:
    code = acting(f"send({forged})\ntime.sleep(20)").replace("import hub\n", f"import hub\n{FORGE}")
    fails(start(code), words)


STEAL = (
    FORGE
    + """
import gc, hub.sandbox.server as server
real = server._answer
def answer(model, header, data, replies):
    reply, body = real(model, header, data, replies)
    return REPLY
server._answer = answer
"""
)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ('reply, b""', "damaged"),
        ("reply, body[:-8]", "not as long as it says"),
        ("reply, body + bytes(8)", "not as long as it says"),
        ('{"error": "memory"}, b""', "needs more than"),
        ('{"error": "SystemExit", "message": None}, b""', "own words: None"),
        ('{"error": ["x"], "message": {"a": 1}}, b""', "own words: {'a': 1}"),
        ('{"error": "TrustError", "message": "Type your password"}, b""', "own words: Type"),
    ],
)
def test_a_child_that_has_taken_over_the_wire(
    start: Start, one_lock: Mechanism, reply: str, words: str
) -> None:
    model = start(GOOD_CODE + STEAL.replace("REPLY", reply))
    with pytest.raises(AnswerError, match=words):
        notes(model)


# --- stopping -------------------------------------------------------------------------------------


@pytest.mark.parametrize("work", ["while True: pass", "time.sleep(60)"])
def test_cancel_acts_at_once_though_the_model_says_nothing(
    start: Start, locked: Mechanism, work: str
) -> None:
    model = start(acting(work))
    (pid,) = _pids(model)
    cancel, done = threading.Event(), []

    def run() -> None:
        with pytest.raises(CancelledError):
            notes(model, params={"spread": 12}, cancel=cancel)
        done.append(time.monotonic())

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.5)
    asked = time.monotonic()
    cancel.set()
    thread.join(10)
    assert done and done[0] - asked < 3.0  # 0.2 on a quiet machine
    _wait_for_the_end_of(str(pid))
    assert len(notes(model)[0]) == 8


def test_the_deadline_ends_it(start: Start, locked: Mechanism) -> None:
    model = start(acting("while True: pass"))
    began = time.monotonic()
    with pytest.raises(DeadlineError):
        notes(model, params={"spread": 12}, deadline_seconds=0.5)
    assert time.monotonic() - began < 15
    assert len(notes(model)[0]) == 8


def test_a_flood_of_progress_does_not_drown_the_hub(start: Start, one_lock: Mechanism) -> None:
    flood = "while True: send(frame({'progress': [0.5, 'x' * 9999]}))"
    model = start(acting(flood).replace("import hub\n", f"import hub\n{FORGE}"))
    seen = []
    with pytest.raises(AnswerError, match="floods the hub with messages"):
        for step in hub.stream(model, SCORE, REGION, {"spread": 12}, seed=1):
            seen.append(step)
    assert len(seen) < 30
    eager = GOOD_CODE.replace(
        'yield hub.Progress(0.5, "half way")', "for i in range(9999): yield hub.Progress(i / 9999)"
    )
    assert len(notes(start(eager))[0]) == 8  # a model that means well may yield as it likes


COUNTING = (
    GOOD_CODE
    + """
import threading
def work():
    while True: sum(range(9999))
threading.Thread(target=work, daemon=True).start()
"""
)


def test_between_requests_it_does_nothing(start: Start, locked: Mechanism) -> None:
    model = start(COUNTING)
    notes(model)
    (pid,) = _pids(model)
    before = cpu_seconds(pid)
    time.sleep(0.5)
    assert cpu_seconds(pid) - before < 0.1
    assert len(notes(model)[0]) == 8 and _pids(model) == [pid]


def test_requests_at_once_have_two_children_and_the_third_waits(
    start: Start, one_lock: Mechanism
) -> None:
    model = start(acting("time.sleep(1)"))
    found: list[hub.Notes] = []

    def run() -> None:
        found.extend(notes(model, params={"spread": 12}))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 3 and found[0] == found[1] == found[2]
    assert len(_pids(model)) == 2


def test_a_child_ends_with_its_model(start: Start, locked: Mechanism) -> None:
    model = start()
    (pid,) = _pids(model)
    del model
    gc.collect()
    _wait_for_the_end_of(str(pid))


ORPHAN = """
import sys, time
import hub
from hub import sandbox
from hub.sandbox import Mechanism
import threading
sandbox.available = lambda: Mechanism(sys.argv[2])
box = []
def begin():  # in a thread that ends: the child must not end with it
    box.append(sandbox.start(sys.argv[1], hub.read_card(sys.argv[1])))
thread = threading.Thread(target=begin)
thread.start()
thread.join()
print(box[0]._pool._idle[0].pid, box[0]._pool._idle[0].is_alive, flush=True)
time.sleep(60)
"""


def test_a_child_ends_with_the_hub_however_that_ends(
    downloaded: Callable[..., Path], mechanism: Mechanism, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", ORPHAN, str(downloaded()), mechanism.value]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}  # a killed hub leaves a folder
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=PROJECT, env=environment
    ) as parent:
        assert parent.stdout is not None
        pid, alive = parent.stdout.readline().split()
        assert alive == "True" and Path(f"/proc/{pid}").exists()
        parent.send_signal(signal.SIGKILL)
    _wait_for_the_end_of(pid)


def _wait_for_the_end_of(pid: str) -> None:
    for _ in range(50):
        if not _runs(pid):
            return
        time.sleep(0.1)
    pytest.fail("it is still there after 5 seconds")


def _runs(pid: str) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def _pids(model: hub.Model) -> list[int]:
    assert isinstance(model, SandboxedModel)
    return [child.pid for child in model._pool._idle if child.pid is not None]


def test_no_folder_is_left(start: Start, one_lock: Mechanism, tmp_path: Path) -> None:
    model = start(acting("open('left', 'w')"))
    assert isinstance(model, SandboxedModel)
    home = model._pool._idle[0]._home
    notes(model, params={"spread": 12})
    assert (home / "temp" / "left").exists()
    model.close()
    assert not home.exists()


@pytest.mark.parametrize(("said", "wanted"), [(None, 2048), (300, 812), (1 << 20, MAX_MEMORY_MB)])
def test_memory_is_what_the_card_needs(
    downloaded: Callable[..., Path], said: int | None, wanted: int
) -> None:
    needs = None if said is None else {"memory_mb": said}
    assert memory_mb(hub.read_card(downloaded(needs=needs))) == wanted
