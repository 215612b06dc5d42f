"""`scorehub hub` as a person starts it: a process of its own, used by the real client."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from huggingface_hub import HfApi, errors

from hub.cli import main
from hub.errors import ScorehubError
from hub.local_hub.serve import Order, serve
from tests.hub_server import TOKEN

PUBLISH = """
import sys
from hub.remote import client
api = client.api()
api.create_repo("alice/tune")
api.upload_file(path_or_fileobj=b"W" * 5000, path_in_repo="model.safetensors", repo_id="alice/tune")
print([m.id for m in api.list_models()], api.model_info("alice/tune").sha)
"""


@contextmanager
def running(folder: Path, *options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address that a hub says, and its process, ended by Ctrl-C."""
    command = [sys.executable, "-m", "hub", "hub", "--dir", str(folder), "--port", "0", *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip
    assert process.stdout is not None and process.stderr is not None
    try:
        said = ""
        while "Ctrl-C" not in said and (line := process.stdout.readline()):
            said += line
        address = re.search(r"export HF_ENDPOINT=(http://\S+)", said)
        assert address, said + process.stderr.read()
        yield address[1], process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for stream in (process.stdout, process.stderr):
            stream.close()


def as_said(address: str, home: Path) -> dict[str, str]:
    """The environment of somebody who does what the greeting says, and no more."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "SCOREHUB_"))}
    return {**ours, "HF_ENDPOINT": address, "HF_HOME": str(home), "NO_PROXY": "127.0.0.1"}


def test_start_publish_restart(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PUBLISH]
    with running(tmp_path / "hub") as (address, process):
        done = subprocess.run(
            command, env=as_said(address, tmp_path / "home"), capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("['alice/tune'] ")
    assert process.returncode == 130
    with running(tmp_path / "hub") as (address, _):
        api = HfApi(endpoint=address, token=False)
        assert api.model_info("alice/tune").sha == done.stdout.split()[-1]
        assert "model.safetensors" in api.list_repo_files("alice/tune")


def test_with_a_token_file(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text(f"alice {TOKEN}\n")
    with running(tmp_path / "hub", "--tokens", str(tmp_path / "tokens")) as (address, process):
        HfApi(endpoint=address, token=TOKEN).create_repo("alice/tune", private=True)
        with pytest.raises(errors.HfHubHTTPError):
            HfApi(endpoint=address, token=False).create_repo("alice/other")
        assert HfApi(endpoint=address, token=TOKEN).repo_exists("alice/tune")
        process.send_signal(signal.SIGINT)
        process.wait(15)
        assert process.stdout is not None and process.stderr is not None
        written = process.stdout.read() + process.stderr.read()
    assert re.search(r"\d\d:\d\d:\d\d POST /api/repos/create 200\n", written)
    assert TOKEN not in written


def test_the_first_words_say_who_may_write(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uvicorn.Server.run", lambda self, sockets: None)
    (tmp_path / "tokens").write_text(f"alice {TOKEN}\n")
    serve(Order(folder=tmp_path / "hub", port=0))
    open_words = capsys.readouterr().out
    serve(Order(folder=tmp_path / "hub", port=0, tokens=tmp_path / "tokens", host="0.0.0.0"))
    token_words = capsys.readouterr().out
    assert "Anybody who reaches this address may read, write and delete" in open_words
    assert "http://127.0.0.1:" in open_words
    assert "below their own name" in token_words and TOKEN not in token_words
    assert f"http://{socket.gethostname()}:" in token_words


def test_open_to_everybody_only_on_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uvicorn.Server.run", lambda self, sockets: None)
    for host in ("0.0.0.0", "::", "192.168.1.5", "example.org"):
        with pytest.raises(ScorehubError, match="--tokens"):
            serve(Order(folder=tmp_path / "hub", host=host, port=0))
    assert not (tmp_path / "hub").exists()


def test_what_cannot_begin_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for options, why in (
            (["--dir", str(tmp_path / "hub"), "--port", port], "choose another with --port"),
            (["--dir", str(tmp_path / "hub"), "--port", "70000"], "below 65536"),
            (["--dir", str(tmp_path / "file"), "--port", "0"], "cannot be written to"),
            (["--dir", str(tmp_path), "--tokens", str(tmp_path / "none")], "cannot be read"),
        ):
            assert main(["hub", *options]) > 0
            written = capsys.readouterr()
            assert why in written.err and "Traceback" not in written.err
            assert written.err.count("\n") == 1 and not written.out


def test_help_says_what_it_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hub", "--help"]) == 0
    words = capsys.readouterr().out
    for said in ("one process", "not run", "everybody who reaches the address", "the Hub itself"):
        assert said in " ".join(words.split())
