from __future__ import annotations

import httpx
import pytest
from gradio_client.exceptions import AppError

from hub.errors import (
    CancelledError,
    IntegrityError,
    OfflineError,
    QuotaError,
    RemoteError,
    ScorehubError,
    UnavailableError,
)
from hub.remote.app_errors import plain, speaking_of
from hub.remote.guard import Refused, Stopped


@pytest.mark.parametrize(
    ("raised", "error"),
    [
        (httpx.ConnectError("no route to /home/someone"), OfflineError),
        (httpx.ConnectTimeout("x"), UnavailableError),
        (httpx.ReadTimeout("x"), UnavailableError),
        (httpx.RemoteProtocolError("x"), UnavailableError),
        (httpx.UnsupportedProtocol("x"), OfflineError),
        (Stopped("x"), CancelledError),
        (Refused("It is too long."), IntegrityError),
        (AppError("You have exceeded your GPU quota"), QuotaError),
        (AppError("no such measure"), RemoteError),
        (RecursionError("x"), IntegrityError),
        (KeyError("event_id"), IntegrityError),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_every_failure_is_a_sentence_that_names_the_place(
    raised: Exception, error: type[ScorehubError]
) -> None:
    with pytest.raises(error) as caught, speaking_of("space:u/n"):
        raise raised
    assert type(caught.value) is error
    assert "space:u/n" in str(caught.value) or error is CancelledError
    assert "/home" not in str(caught.value) and caught.value.__cause__ is None


def test_the_hubs_own_errors_stay_as_they_are() -> None:
    with pytest.raises(QuotaError, match=r"^mine$"), speaking_of("space:u/n"):
        raise QuotaError("mine")


@pytest.mark.parametrize(
    ("text", "is_shown"),
    [
        ("two\nlines\tand\x00more", "two lines and more"),
        ("\u202eright to left\u2066", "right to left"),
        ("\x1b[31mred", "[31mred"),
        ("x" * 50, "x" * 19 + "…"),
        ("é漢🎵", "é漢🎵"),
    ],
)
def test_a_strangers_text_is_one_tame_line(text: str, is_shown: str) -> None:
    assert plain(text, 20) == is_shown
