"""A Space of the Hub: where it runs, what state it is in, and what a person can do about that.

The Hub is asked without a token. Its answer is a stage; each stage is a row of STAGES.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from hub.errors import AccessError, IntegrityError, NotFoundError, RemoteError, UnavailableError
from hub.remote import client

WAKE_SECONDS = 300.0
LOOK_SECONDS = 2.0  # between two looks at a Space that wakes
KNOCK_SECONDS = 10.0

Tell = Callable[[str], None]

_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d{1,5})?(?:/[A-Za-z0-9._~/-]*)?")


class Stage(NamedTuple):
    """What a stage of the Hub's means: it runs, or `wait` says that it soon will, or `why` not."""

    runs: bool = False
    wait: str = ""
    why: str = ""
    error: type[RemoteError] = UnavailableError


_BROKEN = "{place} is broken: {what}. Only its author can repair it; tell them on its page."
_RUNS = Stage(runs=True)
STAGES = {
    "RUNNING": _RUNS,
    "RUNNING_BUILDING": _RUNS,
    "RUNNING_APP_STARTING": _RUNS,
    "SLEEPING": Stage(wait="asleep; waking it"),
    "APP_STARTING": Stage(wait="waking"),
    "BUILDING": Stage(
        why="{place} is being built, which takes some minutes; try again when it is done."
    ),
    "PAUSED": Stage(
        why="{place} is paused, and only its author can start it again; ask them on its page, or "
        "load the model itself."
    ),
    "STOPPED": Stage(
        why="{place} is stopped, and only its author can start it again; ask them on its page, or "
        "load the model itself."
    ),
    "RUNTIME_ERROR": Stage(why=_BROKEN.replace("{what}", "its program ends with an error")),
    "BUILD_ERROR": Stage(why=_BROKEN.replace("{what}", "it cannot be built")),
    "CONFIG_ERROR": Stage(why=_BROKEN.replace("{what}", "its settings do not fit")),
    "NO_APP_FILE": Stage(why=_BROKEN.replace("{what}", "it has no program")),
    "DELETING": Stage(why="{place} is being deleted.", error=NotFoundError),
}


@dataclass(frozen=True, kw_only=True)
class Spot:
    """A Space as the Hub sees it now: its stage, and its address (without a slash at its end)."""

    stage: str
    address: str


def look(repo_id: str) -> Spot:
    """Ask the Hub. Raises RemoteError: gone, private, gated, disabled, offline."""
    place = f"space:{repo_id}"
    try:
        with client.translated(place):
            info = client.api(with_token=False).space_info(repo_id, timeout=client.TIMEOUT_SECONDS)
    except AccessError as error:
        raise _closed(place, error) from None
    if info.private:
        raise _closed(place, None)
    if info.disabled:
        raise NotFoundError(f"{place} has been disabled by {client.host()}.")
    if info.sdk not in (None, "gradio"):
        raise IntegrityError(f"{place} is no Scorehub app: it is made with {_word(info.sdk)}.")
    address = str(info.host or "").rstrip("/")
    stage = str(info.runtime.stage if info.runtime else "")
    if STAGES.get(stage, _RUNS).runs and not _ADDRESS.fullmatch(address):
        raise UnavailableError(f"{client.host()} does not say where {place} runs; try again later.")
    return Spot(stage=stage, address=address)


def awake(repo_id: str, tell: Tell, stop: threading.Event) -> str:
    """The address of a Space that runs, waiting for one that wakes. Raises RemoteError."""
    place = f"space:{repo_id}"
    begun = time.monotonic()
    while True:
        spot = look(repo_id)
        stage = STAGES.get(spot.stage)
        if stage is None:
            raise UnavailableError(
                f'{place} is in a state that this version does not know ("{_word(spot.stage)}"); '
                "look at its page."
            )
        if stage.runs:
            return spot.address
        if not stage.wait:
            raise stage.error(stage.why.format(place=place))
        if time.monotonic() - begun > WAKE_SECONDS or stop.is_set():
            raise UnavailableError(
                f"{place} is still waking after {time.monotonic() - begun:.0f} seconds; try again "
                "in a few minutes."
            )
        tell(stage.wait)
        _knock(spot.address)
        stop.wait(LOOK_SECONDS)


def _knock(address: str) -> None:
    """A sleeping Space wakes when somebody asks it for anything; what it answers is no matter."""
    from hub.remote.guard import Guard

    if _ADDRESS.fullmatch(address):
        with suppress(Exception):
            Guard(address).get(address + "/", seconds=KNOCK_SECONDS)


def _closed(place: str, error: AccessError | None) -> AccessError:
    if error is not None and "gated" in str(error):
        return AccessError(
            f"{place} is gated. Spaces are asked without your token, so it cannot be used from "
            "here; use it on its page, or ask its author to open it."
        )
    return AccessError(
        f"{place} does not exist or is private. Spaces are asked without your token, so private "
        "ones cannot be used from here; check the name, or ask its author to open it."
    )


def _word(text: object) -> str:
    return re.sub(r"[^\w .-]", "", str(text))[:40]
