"""A stranger's model.py runs here and nowhere else: in a child process that is locked in.

    model = hub.sandbox.start(folder, card)     a hub.Model like any other
    hub.sandbox.available().sentence            by what it is locked in, or that it cannot be

The child gets no environment, no network of any kind, no view of any file but the model's own
folder, Python and its libraries, and may write only to an empty folder of its own, flat and
bounded. It starts no processes, sees and signals none, holds no privileges; memory, threads, files
and processor time are bounded; a request ends it when it is cancelled or late. Between requests it
is stopped. bubblewrap is used where it works, Landlock otherwise, and in both cases the child also
locks itself: Landlock where the kernel has it, a filter that knows which system calls a model
needs, no privileges, bounds. The lock is tried before any of the model's code is read. Its answer
is read as a stranger's bytes.

What it does not protect from: flaws of the kernel, of the processor (timing, caches) or of Python
and NumPy on this side; an answer that is nonsense, or chosen to say something; code that remembers
one request and answers another with it (a child is used again); a model that uses
all processors for as long as its request may take. With Landlock alone, the code can ask whether
a path exists, how large it is and where a link leads. A model in the sandbox has no GPU, and can
make no folders.
"""

from __future__ import annotations

import time
from pathlib import Path

from hub.card import ModelCard
from hub.errors import LoadError, TrustError
from hub.model import Model
from hub.sandbox.mechanism import Mechanism, available
from hub.sandbox.model import SandboxedModel
from hub.sandbox.process import shutdown

__all__ = ["Mechanism", "available", "shutdown", "start"]

LOAD_SECONDS = 120.0


def start(folder: Path, card: ModelCard, *, locked: bool = True) -> Model:
    """The model in `folder`, its code in a child process of its own.

    locked=False runs it there with the user's rights, which is for users to choose and never for a
    program. Raises TrustError where nothing can lock it in or the lock does not hold, LoadError
    when the model does not load.
    """
    mechanism = available() if locked else Mechanism.NONE
    if locked and not mechanism.is_lock:
        raise TrustError(f"{mechanism.sentence} It was not run.")
    model = SandboxedModel(card, Path(folder).resolve(), mechanism)
    end = time.monotonic() + LOAD_SECONDS
    steps = model.start()
    for _ in steps:
        if time.monotonic() > end:
            steps.close()
            raise LoadError(f"The model took longer than {LOAD_SECONDS:g} seconds to load.")
    return model
