"""Model folders that came "from a Hub", and every lock that works on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tiny_models import ACCEPTS, GOOD_CODE, write_model

import hub
from hub import places, sandbox
from hub.errors import AnswerError
from hub.sandbox import Mechanism, bubblewrap, landlock, seccomp

NEEDS = {"memory_mb": 256}  # and the room that everyone gets: 768
OWN_WORDS = "The model reports, in its own words: "


def _works(mechanism: Mechanism) -> bool:
    if not seccomp.is_available():
        return False
    if mechanism is Mechanism.BUBBLEWRAP:
        return bubblewrap.program() is not None
    return landlock.abi() > 0


@pytest.fixture(scope="session", params=[Mechanism.BUBBLEWRAP, Mechanism.LANDLOCK], ids=str)
def mechanism(request: pytest.FixtureRequest) -> Mechanism:
    found: Mechanism = request.param
    if not _works(found):
        pytest.skip(f"no {found.value} on this machine")
    return found


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch, mechanism: Mechanism) -> Mechanism:
    """`sandbox.start` locks by this mechanism, whatever else the machine has."""
    monkeypatch.setattr(sandbox, "available", lambda: mechanism)
    return mechanism


@pytest.fixture
def one_lock(monkeypatch: pytest.MonkeyPatch) -> Mechanism:
    """Some lock, for what does not depend on which."""
    found = next((m for m in (Mechanism.LANDLOCK, Mechanism.BUBBLEWRAP) if _works(m)), None)
    if found is None:
        pytest.skip("nothing locks on this machine")
    monkeypatch.setattr(sandbox, "available", lambda: found)
    return found


@pytest.fixture
def downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Writes a model folder where downloads lie."""
    monkeypatch.setenv("SCOREHUB_HOME", str(tmp_path / "home"))

    def write(code: str = GOOD_CODE, name: str = "0" * 40, **card: Any) -> Path:
        folder = places.snapshots() / "localhost" / "eve--model" / name
        accepts = {**ACCEPTS, "parts": [1, 3], "drums": "yes"}
        return write_model(folder, code=code, **{"accepts": accepts, "needs": NEEDS, **card})

    yield write
    sandbox.shutdown()


@pytest.fixture
def start(downloaded: Callable[..., Path]) -> Callable[..., hub.Model]:
    """The sandboxed model with this code."""

    def begin(code: str = GOOD_CODE, **card: Any) -> hub.Model:
        folder = downloaded(code, **card)
        return sandbox.start(folder, hub.read_card(folder))

    return begin


@pytest.fixture
def ask() -> Callable[..., str]:
    """What a probe says: `ask(model, code)`."""
    from tiny_models import tune

    score = tune()
    region = hub.Region.measures(score, "3", parts=["P1"])

    def send(model: hub.Model, code: str) -> str:
        with pytest.raises(AnswerError) as caught:
            hub.inpaint(model, score, region, {"code": code}, seed=1)
        words = str(caught.value)
        assert words.startswith(OWN_WORDS), words
        return words.removeprefix(OWN_WORDS)

    return send
