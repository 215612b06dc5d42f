"""The Hub's client, made in one place, and its failures in the hub's own words.

The address is $HF_ENDPOINT, looked up at every call, so that one process can talk to several
(a local `scorehub hub`, for example). The token is the client's own affair ($HF_TOKEN or the one
that `hf auth login` saved): it is never read, kept, printed or passed on here, and no message of
the client's is repeated, since those may carry addresses with signatures in them.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from hub import places
from hub.errors import (
    AccessError,
    ConflictError,
    IntegrityError,
    NotFoundError,
    OfflineError,
    QuotaError,
    RemoteError,
    ScorehubError,
    UnavailableError,
)

if TYPE_CHECKING:
    from huggingface_hub import HfApi

PUBLIC_HUB = "https://huggingface.co"
TIMEOUT_SECONDS = 20.0
# These log every retry with its address, signature and all; failures are told in our words anyway.
_TALKATIVE = ("huggingface_hub.utils._http", "huggingface_hub.file_download")


def endpoint() -> str:
    """The Hub's address, without a slash at the end."""
    return (os.environ.get("HF_ENDPOINT") or PUBLIC_HUB).rstrip("/")


def host() -> str:
    """The Hub's host and port, for people and for folder names: "huggingface.co"."""
    return urlsplit(endpoint()).netloc or "hub"


def api(*, with_token: bool = True) -> HfApi:
    """A client of the Hub. Without a token nothing tells the Hub who asks.

    Xet, the client's first choice for large files, needs a storage service that other hubs than the
    public one may lack, and the client does not ask; so it is left to LFS there, unless
    $HF_HUB_DISABLE_XET says otherwise.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.ERROR)
    from huggingface_hub import HfApi, constants

    from hub.version import __version__

    if "HF_HUB_DISABLE_XET" not in os.environ:
        constants.HF_HUB_DISABLE_XET = endpoint() != PUBLIC_HUB
    return HfApi(
        endpoint=endpoint(),
        token=token() if with_token else False,
        library_name="scorehub",
        library_version=__version__,
    )


def token() -> Literal[False] | None:
    """What the client is told of a token: to use the one it finds, or to send none.

    The one that `hf auth login` saved is for the public Hub; another one gets only what $HF_TOKEN
    names for it.
    """
    named = any(os.environ.get(name) for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"))
    return None if named or endpoint() == PUBLIC_HUB else False


def is_offline() -> bool:
    """Has the user forbidden the network?"""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise the client's failures as RemoteErrors that speak of `what` ("user/name").

    To be put around every call of the client.
    """
    if is_offline():
        raise OfflineError(
            f"{what} needs the network, and HF_HUB_OFFLINE forbids it; unset it and try again."
        )
    try:
        yield
    except (ScorehubError, KeyboardInterrupt):
        raise
    except Exception as error:
        raise _translate(error, what) from None  # its text may carry signed addresses


def _translate(error: Exception, what: str) -> RemoteError:
    from huggingface_hub import errors

    error = _telling(error)
    if isinstance(error, errors.OfflineModeIsEnabled):
        return OfflineError(f"{what} needs the network, and HF_HUB_OFFLINE forbids it.")
    if isinstance(error, errors.GatedRepoError):
        return AccessError(
            f"{what} is gated: ask for access on its page ({endpoint()}), then log in with "
            "`hf auth login` and try again."
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return NotFoundError(f"{what} has no such branch, tag or commit.")
    if isinstance(error, errors.RemoteEntryNotFoundError):
        return NotFoundError(f"{what} lacks a file that was asked for.")
    if isinstance(error, errors.DisabledRepoError):
        return NotFoundError(f"{what} has been disabled by {host()}.")
    is_untold = isinstance(error, ValueError) and "token=False" in str(error)  # no token to send
    if is_untold or isinstance(error, errors.LocalTokenNotFoundError):
        return AccessError(_LOG_IN)
    if isinstance(error, errors.HFValidationError):
        return NotFoundError(f"{what} is not the name of a repository (user/name).")
    status = _status(error)
    if status is not None:
        return _by_status(status, error, what)
    if isinstance(error, errors.RepositoryNotFoundError):
        return _by_status(404, error, what)
    return _by_kind(error, what)


_LOG_IN = (
    "This needs a token: log in with `hf auth login`, or set HF_TOKEN to a token that may write."
)


def _telling(error: Exception) -> Exception:
    """The one that says why: the client wraps what it got from the Hub in errors of its own."""
    from huggingface_hub.errors import HfHubHTTPError

    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, HfHubHTTPError):
        cause = cause.__cause__
    return cause or error


def _status(error: Exception) -> int | None:
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    return status if isinstance(status, int) else None


def _by_status(status: int, error: Exception, what: str) -> RemoteError:
    if status == 401:
        return AccessError(
            f"{what}: {host()} did not accept who is asking. It does not exist, or it is private, "
            "or the token is missing or wrong; log in with `hf auth login` if it is yours."
        )
    if status == 403:
        return AccessError(
            f"{what}: your token may not do this. Use one with write access to that account."
        )
    if status in (404, 410):
        return NotFoundError(
            f"{what} is not on {host()}: it is misspelt, has been deleted, or is private."
        )
    if status in (409, 412):
        return ConflictError(
            f"{what} has been changed by somebody else in the meantime. Nothing was overwritten; "
            "look at what they did, then try again."
        )
    if status == 429:
        return QuotaError(f"{host()} says that there were too many requests{_wait(error)}.")
    if status == 402:
        return QuotaError(f"{what}: {host()} wants a paid account or more quota for this.")
    if status >= 500:
        return UnavailableError(f"{host()} failed to answer ({status}); try again in a minute.")
    return RemoteError(f"{what}: {host()} refused the request ({status}).")


def _wait(error: Exception) -> str:
    headers: Any = getattr(getattr(error, "response", None), "headers", {})
    seconds = str(headers.get("Retry-After", ""))
    return f"; try again in {seconds} seconds" if seconds.isdecimal() else "; try again later"


_NO_WRITING = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EFBIG, errno.EPERM}


def no_room(error: OSError, what: str) -> UnavailableError:
    """Why something cannot be kept on this disk, and where else it could be."""
    return UnavailableError(
        f"{what} cannot be kept in {places.home()} ({error.strerror or 'no reason given'}). Free "
        "some room, or set SCOREHUB_HOME to a folder that may be written to."
    )


_NO_WAY = ("ConnectError", "ConnectTimeout", "ConnectionError", "ProxyError", "gaierror")


def _by_kind(error: BaseException, what: str) -> RemoteError:
    """Failures without a status, by the names of their types: httpx has two packages."""
    names = {kind.__name__ for e in _chain(error) for kind in type(e).__mro__}
    if isinstance(error, OSError) and str(error).startswith("Consistency check"):
        return IntegrityError(f"{what}: what came from {host()} is not whole; try again.")
    for cause in _chain(error):
        if isinstance(cause, OSError) and cause.errno in _NO_WRITING:
            return no_room(cause, what)
    if "HTTP status" in str(error):  # as the Xet library says it
        return UnavailableError(f"{what}: {host()} has a fault in its storage of large files.")
    if names.intersection(_NO_WAY):
        return OfflineError(
            f"{what}: {host()} cannot be reached. Check the network; what has been downloaded "
            "before can be used without it."
        )
    if "TimeoutException" in names or "TimeoutError" in names:
        return UnavailableError(f"{host()} took too long to answer; try again in a minute.")
    if "LocalEntryNotFoundError" in names:
        return OfflineError(f"{what} cannot be reached, and it has not been downloaded before.")
    if names & {"RemoteProtocolError", "ReadError", "XetDownloadError", "DecodingError"}:
        return UnavailableError(f"{what}: the connection to {host()} broke off; try again.")
    if "JSONDecodeError" in names or "ValidationError" in names:
        return IntegrityError(f"{host()} gave an answer that makes no sense; is it a Hub at all?")
    return RemoteError(f"{what}: the Hub's client failed ({type(error).__name__}); try again.")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
