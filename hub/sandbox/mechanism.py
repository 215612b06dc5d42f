"""By which means a stranger's code can be locked in on this machine."""

from __future__ import annotations

from enum import Enum

from hub.sandbox import bubblewrap, landlock, seccomp


class Mechanism(Enum):
    """The value is what a log or a page calls it; `sentence` is for a person who decides."""

    BUBBLEWRAP = "bubblewrap"
    LANDLOCK = "landlock"
    NONE = "none"

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]

    @property
    def is_lock(self) -> bool:
        return self is not Mechanism.NONE


_SENTENCES = {
    Mechanism.BUBBLEWRAP: (
        "The model's code runs locked in (bubblewrap, system call filter): no network, none of "
        "your files, bounded memory and time."
    ),
    Mechanism.LANDLOCK: (
        "The model's code runs locked in (Landlock, system call filter): no network, none of "
        "your files, bounded memory and time."
    ),
    Mechanism.NONE: (
        "This machine has no way to lock a stranger's code in (it takes Linux with bubblewrap or "
        "Landlock): the model's code would run with your rights, and could read and change your "
        "files and use your network."
    ),
}


def available() -> Mechanism:
    """The best that works here. Every lock includes the system call filter."""
    if not seccomp.is_available():
        return Mechanism.NONE
    if bubblewrap.program() is not None:
        return Mechanism.BUBBLEWRAP
    return Mechanism.LANDLOCK if landlock.abi() >= 1 else Mechanism.NONE
