"""What goes wrong at a stranger's app, in the hub's own words. Imports httpx at its top."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from gradio_client.exceptions import AppError
from gradio_client.utils import QueueError

from hub.errors import (
    AccessError,
    CancelledError,
    IntegrityError,
    NotFoundError,
    OfflineError,
    QuotaError,
    RemoteError,
    ScorehubError,
    UnavailableError,
)
from hub.remote.guard import Refused, Stopped

_LONGEST = 400  # characters of a stranger's text in a sentence of ours
_QUOTA = re.compile(r"\bquota\b|ZeroGPU|no GPU (?:was|is) available|too many requests", re.I)


@contextmanager
def speaking_of(place: str) -> Iterator[None]:
    """Raise whatever a call of the app at `place` raises as a ScorehubError that names it."""
    try:
        yield
    except ScorehubError:
        raise
    except Exception as error:
        raise _translated(error, place) from None


def no_app(place: str) -> IntegrityError:
    return IntegrityError(
        f"{place} is no Scorehub app: what answers there does not speak as one does. "
        "Check the address."
    )


def broken_off(place: str, text: str = "") -> UnavailableError:
    return UnavailableError(f"{place} stopped in the middle{quoted(text)}; try again.")


def other_version(place: str) -> UnavailableError:
    return UnavailableError(
        f"{place} runs another version of Scorehub than this one; update the older of them."
    )


def _translated(error: Exception, place: str) -> ScorehubError:
    if isinstance(error, AppError):
        return _apps_own(str(error.message or ""), place)
    if isinstance(error, QueueError):
        return QuotaError(f"{place}: too many requests are waiting there; try again in a minute.")
    if isinstance(error, httpx.HTTPStatusError):
        return _by_status(error.response.status_code, place)
    if isinstance(error, Stopped):
        return CancelledError("Stopped, as you asked. Nothing was changed.")
    if isinstance(error, Refused):
        return IntegrityError(f"The answer of {place} is refused: {_lower(str(error))}")
    if isinstance(error, httpx.TimeoutException):
        return UnavailableError(f"{place} took too long to answer; try again in a minute.")
    if isinstance(error, httpx.ConnectError | httpx.ProxyError | httpx.UnsupportedProtocol):
        return OfflineError(
            f"{place} cannot be reached. Check the address, the network, and that it runs."
        )
    if isinstance(error, httpx.TransportError):
        return UnavailableError(f"{place}: the connection broke off; try again.")
    return no_app(place)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _by_status(status: int, place: str) -> RemoteError:
    if status in (401, 403):
        return AccessError(
            f"{place} is not open to everybody ({status}). Apps are asked without your token, so "
            "private and gated ones cannot be used from here; ask its author to open it."
        )
    if status in (404, 410):
        return NotFoundError(
            f"There is no Scorehub app at {place} ({status}): it is misspelt, has been deleted, or "
            "something else runs there."
        )
    if status == 429:
        return QuotaError(f"{place} says that there were too many requests; try again later.")
    if status == 413:
        return RemoteError(f"This score is too large for {place}; send fewer parts or measures.")
    if status == 422:
        return other_version(place)
    return UnavailableError(f"{place} failed to answer ({status}); try again in a minute.")


def _apps_own(text: str, place: str) -> RemoteError:
    """What the app itself says went wrong: its words, quoted and tamed."""
    if _QUOTA.search(text):
        return QuotaError(
            f"{place} has no computing time left for you now{quoted(text)}. Try again later, or "
            "load the model itself instead of its Space."
        )
    if not text:
        return UnavailableError(f"{place} failed without saying why; tell its author.")
    return RemoteError(f"{place} answered{quoted(text)}")


def quoted(text: str) -> str:
    """': "…"' of a stranger's text; '' if it says nothing."""
    text = plain(text, _LONGEST)
    return f': "{text}"' if text else ""


def plain(text: str, length: int) -> str:
    """A stranger's text on one line: no control or direction characters, not longer than that."""
    kept = "".join(c if c.isprintable() else " " for c in text[: 4 * length])
    words = " ".join(kept.split())
    return words if len(words) <= length else words[: length - 1] + "…"
