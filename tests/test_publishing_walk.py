"""docs/publishing.md, walked from an empty folder to its end: every command, diff and program.

The commands run as a reader would run them, each in a process of its own, against a local hub over
real HTTP. What they leave behind is looked at on the way: what is on the hub, that the published
model writes the notes that the folder writes, that no token is left anywhere, and that the Space's
page runs.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import hub

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parent.parent
GUIDE = (PROJECT / "docs" / "publishing.md").read_text(encoding="utf-8")
BLOCK = re.compile(
    r"(?:^\*\*`(?P<file>[^`]+)`\*\*\n\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.M | re.S
)
SECONDS = 120


@dataclass
class Reader:
    """Somebody who follows the guide in a folder of theirs."""

    folder: Path
    name: str
    environment: dict[str, str]
    said: list[tuple[str, str]] = field(default_factory=list)  # command, all that it printed
    commit: str = ""
    servers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def follow(self, text: str) -> None:
        """Do what a section says: apply its diffs, run its commands and its Python."""
        for match in BLOCK.finditer(text):
            if match["kind"] == "diff":
                self.edit(self.folder / match["file"], match["text"])
            elif match["kind"] == "python":
                self.run([sys.executable, "-c", self.fill(match["text"])])
            else:
                for line in match["text"].splitlines():
                    self.type(line)

    def fill(self, text: str) -> str:
        """With a real name and commit in it."""
        return re.sub(r"\byou/", f"{self.name}/", text).replace("COMMIT", self.commit or "COMMIT")

    def type(self, line: str) -> None:
        line = self.fill(line)
        words = shlex.split(line)
        if words[0] == "export":
            self.environment.update(word.split("=", 1) for word in words[1:])
        elif words[:2] == ["scorehub", "hub"]:
            self.servers.append(self.serve(words, port_in(words)))
        elif words[:2] == ["scorehub", "app"]:
            words[words.index("--port") + 1] = str(free_port())
            self.see(words, port_in(words))
        elif space := re.fullmatch(r"\(cd ([\w-]+) && python app\.py\)", line):
            self.see([sys.executable, "app.py"], free_port(), space[1])
        elif words == ["hf", "auth", "login"]:  # a person pastes the token
            self.run([*words, "--token", self.environment["HF_TOKEN"]])
        else:
            self.run(words)

    def run(self, words: list[str]) -> str:
        done = subprocess.run(
            words, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
        self.said.append((shlex.join(words), f"{done.stdout}\n{done.stderr}"))
        commits = re.findall(r"Commit: ([0-9a-f]{40})\b", done.stdout)
        self.commit = commits[-1] if commits else self.commit
        return done.stdout

    def heard(self, beginning: str) -> str:
        """What the last command that begins so has printed."""
        return next(text for words, text in reversed(self.said) if words.startswith(beginning))

    def serve(self, words: list[str], port: int, place: str = ".") -> subprocess.Popen[bytes]:
        """Start what goes on until it is stopped, and wait until it listens."""
        own_code = "" if words[-1] == "app.py" else self.environment["PYTHONPATH"]
        server = subprocess.Popen(
            words, cwd=self.folder / place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**self.environment, "GRADIO_SERVER_PORT": str(port), "PYTHONPATH": own_code},
        )  # fmt: skip
        wait_for(port, server)
        return server

    def see(self, words: list[str], port: int, place: str = ".") -> None:
        """Look at the page that is served, then press Ctrl-C."""
        server = self.serve(words, port, place)
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=SECONDS) as answer:
                assert "My model" in answer.read().decode()
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(20)

    def edit(self, path: Path, diff: str) -> None:
        """Each removed line must stand there exactly once; the added one takes its place."""
        text = path.read_text(encoding="utf-8")
        lines = diff.splitlines()
        for old, new in zip(lines[::2], lines[1::2], strict=True):
            assert (old[0], new[0]) == ("-", "+"), diff
            assert text.splitlines().count(old[1:]) == 1, old
            text = text.replace(f"{old[1:]}\n", f"{new[1:]}\n")
        path.write_text(text, encoding="utf-8")


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert server.poll() is None, f"{server.args} ended with {server.returncode}"
            assert time.monotonic() < until, f"nobody listens at port {port}"
            time.sleep(0.1)


def port_in(words: list[str]) -> int:
    return int(words[words.index("--port") + 1])


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def sections() -> dict[str, str]:
    """Heading → text of the guide."""
    pieces = re.split(r"^## (.+)$", GUIDE, flags=re.M)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


@pytest.fixture
def reader(tmp_path: Path, hub_server: Any) -> Iterator[Reader]:
    folder = tmp_path / "empty"
    folder.mkdir()
    binaries = Path(sys.executable).parent
    environment = {
        **os.environ,  # HF_ENDPOINT, HF_HOME, SCOREHUB_HOME are the fixture's
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(PROJECT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    person = Reader(folder=folder, name=hub_server.owner, environment=environment)
    yield person
    for server in person.servers:
        server.terminate()
        server.wait(20)


def test_every_block_of_the_guide_is_of_a_kind_that_is_run() -> None:
    kinds = {match["kind"] for match in BLOCK.finditer(GUIDE)}
    assert kinds == {"sh", "diff", "python"}
    assert GUIDE.count("```") == 2 * len(list(BLOCK.finditer(GUIDE)))
    assert list(sections())[-1] == "A hub of your own"


def test_the_guide_leads_from_an_empty_folder_to_a_published_model(
    reader: Reader, hub_server: Any
) -> None:
    for heading, text in sections().items():
        if heading != "A hub of your own":
            reader.follow(text)
    repo_id = f"{reader.name}/my-model"
    # What was typed in section 3 and 5 is what is there now, and nothing else.
    published = hub_server.files(repo_id)
    assert set(published) - {".gitattributes"} == {
        "README.md", "model.py", "test_model.py", "examples/lantern-song.mid",
    }  # fmt: skip
    for name in ("model.py", "README.md"):
        assert b"CHANGE ME" not in published[name]
    assert published["model.py"] == (reader.folder / "my-model" / "model.py").read_bytes()
    assert repo_id in reader.heard("scorehub list --hub --search")
    assert hub_server.head(repo_id) == hub_server.head(repo_id, revision="v2") == reader.commit
    assert hub_server.head(repo_id, revision="v1") != reader.commit
    assert notes_of(reader, "published.mid") == notes_of_the_folder(reader)
    no_token_is_left(reader, hub_server)


def notes_of(reader: Reader, name: str) -> hub.Notes:
    return hub.open_score(reader.folder / name).notes


def notes_of_the_folder(reader: Reader) -> hub.Notes:
    """What the folder writes for the same region and seed. (Version 2 changed a comment.)"""
    folder = reader.folder / "my-model"
    score = hub.open_score(folder / "examples" / "lantern-song.mid")
    region = hub.Region.measures(score, "5-8", ["P1"])
    (take,) = hub.inpaint(hub.load(folder), score, region, seed=1)
    return take.score.notes


def no_token_is_left(reader: Reader, hub_server: Any) -> None:
    token = hub_server.token
    assert not any(token in text for _, text in reader.said)
    for repo_type in ("model", "space"):
        files = hub_server.files(f"{reader.name}/my-model", repo_type)
        assert not any(token.encode() in data for data in files.values())
    kept = [path for path in reader.folder.rglob("*") if path.is_file()]
    assert not any(token.encode() in path.read_bytes() for path in kept)


def own_model(reader: Reader) -> None:
    """A new folder, with what its author decides in the card."""
    reader.run(["scorehub", "new", "my-model"])
    (diffs,) = (text for heading, text in sections().items() if "Make it yours" in heading)
    for match in BLOCK.finditer(diffs):
        if match["kind"] == "diff":
            reader.edit(reader.folder / match["file"], match["text"])


def test_a_hub_of_your_own(reader: Reader, tmp_path: Path) -> None:
    reader.environment["HF_HOME"] = str(tmp_path / "nobody")
    reader.environment.pop("HF_TOKEN", None)
    found = sections()
    own_model(reader)
    text = found["A hub of your own"].replace("7870", str(free_port()))
    reader.follow(text)
    assert "lab/my-model" in reader.heard("scorehub list --hub")
    assert reader.commit


@pytest.mark.browser
def test_the_published_space_s_page_runs(
    reader: Reader, hub_server: Any, chromium: str, tmp_path: Path
) -> None:
    """The Space as it lies on the hub, started as a Space is, opened in a browser."""
    from playwright.sync_api import expect, sync_playwright

    own_model(reader)
    reader.type("scorehub publish my-model --to you/my-model --space")
    space = tmp_path / "space"
    for name, data in hub_server.files(f"{reader.name}/my-model", "space").items():
        (space / name).parent.mkdir(parents=True, exist_ok=True)
        (space / name).write_bytes(data)
    port = free_port()
    reader.servers.append(reader.serve([sys.executable, "app.py"], port, str(space)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{port}")
        expect(page.get_by_text("My model").first).to_be_visible(timeout=60_000)
        browser.close()
