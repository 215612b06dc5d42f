"""One door to every model: a folder, a repository of the Hub, somebody's running Space.

What may run is decided here and held at the import site (`hub.folder`):

    a folder of your own                     its model.py runs in this process, as your program
    a repository, registered architecture    card and safetensors are data; installed code runs
    a repository with a model.py             refused, until you have trusted its full commit hash;
                                             then it runs in a sandboxed child process
    a Space                                  its author's machine runs it; nothing runs here
"""

from __future__ import annotations

import contextlib
import json
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hub import architectures, child, folder, trust
from hub.errors import ChildError, LoadError, TrustError
from hub.handle import FolderHandle, Handle, ModelHandle, SpaceHandle, parse_handle
from hub.model import WEIGHTS_FILE, Model

if TYPE_CHECKING:
    from hub.remote.fetch import Snapshot

TRIAL_SECONDS = 120.0
TRIAL_MEMORY_MB = 6_144  # of address space: PyTorch maps far more than it uses
MAX_TRIAL_MEMORY_MB = 24_576


class CodeNotice(UserWarning):
    """Code from a Hub is about to run, as it was asked for."""


class StaleNotice(UserWarning):
    """The Hub could not be asked, so a branch or tag is what it was when it last could."""


def load(
    source: str | Path | Handle,
    *,
    revision: str | None = None,
    trust_code: bool = False,
    sandbox: bool = True,
    report: Callable[[str], None] | None = None,
) -> Model:
    """The model that `source` means.

    source      "models/x" or a Path; "user/name", "user/name@revision"; "space:user/name"
    revision    of a repository: a branch, a tag or a commit hash. A full hash that has been
                downloaded asks the network nothing, and what it means never changes.
    trust_code  run the repository's own model.py; only with a full commit hash, and in a sandbox
    sandbox     False runs trusted code with your own rights where no sandbox exists
    report      gets a few words whenever something takes time: a download, a Space that wakes

    Warns (StaleNotice) when the Hub cannot be asked and a branch is taken as it was last seen.
    Raises LoadError, CardError, TrustError, RemoteError.
    """
    handle = _handle(source, revision)
    if isinstance(handle, FolderHandle):
        return folder.load(handle.path)
    if isinstance(handle, SpaceHandle):
        from hub.remote import space_model

        return space_model.connect(handle, tell=report)
    from hub.remote.fetch import fetch

    snapshot = fetch(handle, report)
    if snapshot.is_stale:
        warnings.warn(
            f"The Hub cannot be asked; using {snapshot.handle}, as it was last seen.",
            StaleNotice,
            stacklevel=2,
        )
    if trust_code and snapshot.card.runs_own_code:
        _trust_once(handle, snapshot)
    return open_snapshot(snapshot, may_run_code=trust_code, sandbox=sandbox)


def open_snapshot(snapshot: Snapshot, *, may_run_code: bool = False, sandbox: bool = True) -> Model:
    """The model in a downloaded snapshot. Raises TrustError for code that nobody has trusted."""
    if not snapshot.card.runs_own_code:
        _try_out(snapshot)
        return folder.load(snapshot.folder, name=snapshot.handle.name)
    trusted = trust.is_trusted(snapshot.handle, snapshot.folder, snapshot.host)
    if not (trusted or may_run_code):
        raise TrustError(refusal(snapshot))
    from hub import sandbox as sandboxes

    card = replace(snapshot.card, name=snapshot.handle.name)
    return sandboxes.start(snapshot.folder, card, locked=sandbox)


def refusal(snapshot: Snapshot) -> str:
    """Why a snapshot's code does not run, and what its user can do about it."""
    seen = trust.review(snapshot.handle, snapshot.folder, snapshot.host)
    files = ", ".join(seen.files)
    return (
        f"{snapshot.handle.repo_id} brings its own program ({files}), written by somebody you may "
        f"not know, and it has not been run. Read it in {snapshot.folder}; if you trust it, run: "
        f"scorehub trust {snapshot.handle}"
    )


def _handle(source: str | Path | Handle, revision: str | None) -> Handle:
    if not isinstance(source, str | Path | Handle) or not str(source).strip():
        raise LoadError("Name a model: a folder, user/name on the Hub, or space:user/name.")
    if isinstance(source, Path):
        handle: Handle = FolderHandle(path=source)
    else:
        handle = parse_handle(source) if isinstance(source, str) else source
    if revision is None:
        return handle
    if not isinstance(handle, ModelHandle):
        raise LoadError(f"Only a model of the Hub has revisions; {handle} has none.")
    if handle.revision not in (None, revision):
        raise LoadError(f'"{handle}" names one revision and revision="{revision}" another.')
    return parse_handle(f"{handle.repo_id}@{revision}")


def _trust_once(handle: Handle, snapshot: Snapshot) -> None:
    """Check that the user named the commit, and say what is about to run."""
    seen = trust.review(snapshot.handle, snapshot.folder, snapshot.host)
    if not (isinstance(handle, ModelHandle) and handle.is_pinned):
        raise TrustError(
            f"trust_code needs the full commit hash, since a branch can move. {handle} is now "
            f'revision="{snapshot.commit}". Its code is in {snapshot.folder}:\n{seen.summary()}'
        )
    warnings.warn(
        f"Running the code of {snapshot.handle}, as you asked.\n{seen.summary()}",
        CodeNotice,
        stacklevel=3,
    )


def _try_out(snapshot: Snapshot) -> None:
    """Load a stranger's numbers once in a process that may die: sizes in a card or a header can
    ask for all the memory there is. What was fine once is not tried again."""
    from hub.remote.fetch import trial_mark

    passed = trial_mark(snapshot.folder)
    if passed.is_file():
        return
    architecture = snapshot.card.entry
    order = {
        "folder": str(snapshot.folder),
        "name": snapshot.handle.name,
        "architecture": architecture,
        "code": str(architectures.locate(architecture)),
    }
    try:
        child.call(
            "hub.loading:try_to_load",
            json.dumps(order).encode(),
            timeout_seconds=TRIAL_SECONDS,
            memory_mb=_trial_memory_mb(snapshot),
        )
    except ChildError as error:
        raise LoadError(
            f"{snapshot.handle.repo_id} cannot be loaded: its card or its weights ask for more "
            f"than a model of their size needs, or the architecture fails on them ({error})"
        ) from error
    with contextlib.suppress(OSError):  # where nothing can be written, it is tried again
        passed.touch()


def _trial_memory_mb(snapshot: Snapshot) -> int:
    """Address space for the trial: PyTorch's own, and the weights several times over."""
    weights = snapshot.folder / WEIGHTS_FILE
    size = weights.stat().st_size if weights.is_file() else 0
    return min(TRIAL_MEMORY_MB + 8 * (size >> 20), MAX_TRIAL_MEMORY_MB)


def try_to_load(data: bytes) -> bytes:
    """Run in a child process: does the model in this folder start?"""
    order = json.loads(data)
    architectures.register(order["architecture"], order["code"])
    folder.load(order["folder"], name=order["name"])
    return b"fine"
