"""The child processes: answers, deaths, and what they may not see."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import child
from hub.errors import BadFileError, ChildError

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def fresh_children(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    child.shutdown()
    yield
    child.shutdown()


def call(name: str, data: bytes = b"", timeout_seconds: float = 10.0, **options: object) -> bytes:
    return child.call(
        f"child_functions:{name}",
        data,
        timeout_seconds=timeout_seconds,
        allowed=("child_functions.",),
        **options,  # type: ignore[arg-type]
    )


def test_answers_with_the_functions_bytes_and_options() -> None:
    data = bytes(range(256)) * 4000
    assert call("echo", data, suffix="é") == data + "é".encode()


def test_a_child_is_used_again() -> None:
    assert call("pid") == call("pid")


def test_only_hub_functions_by_default() -> None:
    for name in ("os:system", "hubris:f", "child_functions:echo", "hub.errors"):
        with pytest.raises(ChildError, match="Only functions of the hub"):
            child.call(name, b"")


def test_a_hub_error_keeps_its_class_and_message() -> None:
    with pytest.raises(BadFileError, match=r"^This file is not music\.$"):
        call("refuse")
    assert call("echo", b"still warm") == b"still warm"


def test_other_errors_become_one_sentence() -> None:
    with pytest.raises(ChildError) as caught:
        call("fail")
    assert "RuntimeError: first line" in str(caught.value)
    assert "second line" not in str(caught.value) and "Traceback" not in str(caught.value)


def test_a_function_that_returns_no_bytes_is_an_error() -> None:
    with pytest.raises(ChildError, match="returned str"):
        call("text")


@pytest.mark.parametrize("name", ["slow_echo", "spin"])
def test_a_late_child_is_killed_and_replaced(name: str) -> None:
    before = call("pid")
    options = {"seconds": 30.0} if name == "slow_echo" else {}
    start = time.perf_counter()
    with pytest.raises(ChildError, match=r"longer than the 0\.3 seconds"):
        call(name, timeout_seconds=0.3, **options)
    assert time.perf_counter() - start < 20.0  # the child would have taken 30
    assert call("pid") != before


@pytest.mark.skipif(sys.platform == "win32", reason="process groups")
def test_what_a_late_child_started_dies_with_it() -> None:
    with pytest.raises(ChildError):
        call("grandchild", b"31.4159", timeout_seconds=0.5)
    time.sleep(0.2)
    listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert "sleep 31.4159" not in listing.stdout


@pytest.mark.parametrize(("name", "signal_name"), [("abort", "SIGABRT"), ("segfault", "SIGSEGV")])
def test_a_crash_is_one_sentence_and_the_next_call_works(name: str, signal_name: str) -> None:
    with pytest.raises(ChildError, match=signal_name):
        call(name)
    assert call("echo", b"alive") == b"alive"


@pytest.mark.skipif(sys.platform != "linux", reason="memory caps hold on Linux")
def test_memory_is_capped() -> None:
    with pytest.raises(ChildError, match="memory"):
        call("allocate", memory_mb=512, megabytes=2000)
    assert call("echo", b"alive") == b"alive"


def test_noise_on_standard_output_does_not_reach_the_wire() -> None:
    assert call("shout", b"clean") == b"clean"


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc to find the wire")
def test_an_answer_to_another_question_is_none() -> None:
    with pytest.raises(ChildError):
        call("forge")
    assert call("echo", b"mine") == b"mine"


def test_a_child_killed_while_idle_is_replaced() -> None:
    os.kill(int(call("pid")), 9)
    time.sleep(0.1)
    assert call("echo", b"again") == b"again"


def test_threads_get_their_own_answers() -> None:
    answers: dict[int, bytes] = {}

    def ask(number: int) -> None:
        answers[number] = call("slow_echo", str(number).encode(), seconds=0.05)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: str(number).encode() for number in range(8)}


def test_a_caller_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "WAIT_SECONDS", 0.1)
    call("echo")
    threads = [
        threading.Thread(target=call, args=("slow_echo",), kwargs={"seconds": 1.0})
        for _ in range(child.POOL_SIZE)
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    with pytest.raises(ChildError, match="busy"):
        call("echo")
    for thread in threads:
        thread.join()


def test_the_environment_holds_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    monkeypatch.setenv("HTTP_PROXY", "http://user:secret@proxy")
    seen = json.loads(call("environment"))
    assert "secret" not in json.dumps(seen)
    assert seen["HOME"] != os.environ.get("HOME")


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_children_end_with_the_process_that_started_them() -> None:
    program = (
        "import os, sys; from hub import child\n"
        "print(child.call('child_functions:pid', b'', allowed=('child_functions.',)).decode())\n"
        "sys.stdout.flush(); os.kill(os.getpid(), 9)"
    )
    root = str(HERE.parent)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([root, str(HERE)])}
    run = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    pid = int(run.stdout)
    for _ in range(50):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    raise AssertionError(f"Child {pid} outlived its parent.")
