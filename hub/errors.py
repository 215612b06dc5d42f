"""Everything that can go wrong, as one tree.

    ScorehubError
    ├── FileError               the user's file
    │   ├── UnknownFormatError      no reader for this kind of file
    │   ├── BadFileError            damaged, or not what its name says
    │   └── LimitError              larger than `hub.limits` allows
    ├── RegionError             the selection does not fit the score
    ├── ParamError              a control's value is not what its card declares
    ├── CardError               the model card is incomplete or misspelt
    ├── AcceptError             the request is outside what the card accepts
    ├── ModelError              the model itself
    │   ├── LoadError               its folder cannot be loaded
    │   ├── TrustError              its code is a stranger's, and nobody has trusted it
    │   ├── AnswerError             what it returned cannot be used
    │   └── DeadlineError           it took longer than allowed
    ├── CancelledError          the user stopped it
    ├── BusyError               too many requests are waiting
    ├── SpliceError             the new notes cannot be written into this file
    │   └── PromiseError            something outside the region would have changed
    ├── PreviewError            a picture or a sound could not be made
    │   └── ChildError              the helper process died, hung or ran out of memory
    └── RemoteError             the Hub, a Space, or the way there
        ├── OfflineError            no way there, or told to stay offline
        ├── NotFoundError           no such repository, revision or file, or it is hidden from us
        ├── AccessError             a token is missing, wrong or not allowed: private, gated
        ├── ConflictError           somebody else has committed in the meantime
        ├── QuotaError              too many requests, or a quota is used up; try again later
        ├── UnavailableError        asleep, waking, paused, broken, or the server failed
        └── IntegrityError          what came is not what the Hub says it is, or is refused

A message is one sentence or two for a person: what came, what was wanted, how to fix it.
`exit_code` is what the command line ends with.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_FOLDER = re.compile(r"""(?<![\w.…])(?:[A-Za-z]:)?[/\\](?:[^\s'"/\\]+[/\\])+""")


class ScorehubError(Exception):
    """The root: its text may be shown to the user as it is."""

    exit_code = 1


class FileError(ScorehubError):
    exit_code = 3


class UnknownFormatError(FileError):
    pass


class BadFileError(FileError):
    pass


class LimitError(FileError):
    pass


class RegionError(ScorehubError):
    exit_code = 4


class ParamError(ScorehubError):
    exit_code = 5


class CardError(ScorehubError):
    exit_code = 6


class AcceptError(ScorehubError):
    exit_code = 4


class ModelError(ScorehubError):
    exit_code = 7


class LoadError(ModelError):
    pass


class TrustError(ModelError):
    exit_code = 10


class AnswerError(ModelError):
    pass


class DeadlineError(ModelError):
    pass


class CancelledError(ScorehubError):
    exit_code = 130


class BusyError(ScorehubError):
    exit_code = 75


class SpliceError(ScorehubError):
    exit_code = 8


class PromiseError(SpliceError):
    pass


class PreviewError(ScorehubError):
    exit_code = 9


class ChildError(PreviewError):
    pass


class RemoteError(ScorehubError):
    exit_code = 11


class OfflineError(RemoteError):
    pass


class NotFoundError(RemoteError):
    pass


class AccessError(RemoteError):
    pass


class ConflictError(RemoteError):
    pass


class QuotaError(RemoteError):
    pass


class UnavailableError(RemoteError):
    pass


class IntegrityError(RemoteError):
    pass


def describe(error: BaseException) -> str:
    """A foreign exception in a few words: its type and its message, without anybody's folders."""
    try:
        words = _FOLDER.sub("…/", " ".join(str(error).split()))[:300]
    except Exception:  # an exception of a model's own may even fail to describe itself
        words = ""
    name = type(error).__name__
    return f"{name}: {words}" if words else name


def suggestion(word: str, known: Iterable[str]) -> str:
    """' Did you mean "x"?' for the closest known word, else '' (to be appended to a message)."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f' Did you mean "{close[0]}"?' if close else ""
