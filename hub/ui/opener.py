"""From a name that a visitor chose to the page of that model: what is asked for, and allowed.

On a page that strangers can reach (`is_public`), only what anybody may see is shown and opened,
since the token, if there is one, is that of whoever runs the page; Spaces are opened by name and
not by address; and what is downloaded is bounded. Nobody can trust code from a page: it would be
run on somebody else's machine.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from hub import places, trust
from hub.errors import BusyError, LoadError, ScorehubError
from hub.handle import SPACE, Handle, ModelHandle, SpaceHandle, model_handle, parse_handle
from hub.preview import prose
from hub.remote.search import check_public, clean
from hub.ui.library import Entry
from hub.ui.opening import OpenModels, key_of

if TYPE_CHECKING:
    from hub.remote.fetch import Snapshot

MAX_NAME = 400  # characters, as
MAX_TITLE = 100
DOWNLOADS_AT_ONCE = 2
MAX_PUBLIC_BYTES = 20 << 30  # on disk, of all downloads, before visitors may cause no more

Report = Callable[[str], None]


def handle_of(text: str, *, is_public: bool) -> Handle:
    """What a visitor means: never a folder of this disk. Raises LoadError."""
    text = text.strip()
    if not text or len(text) > MAX_NAME:
        raise LoadError("Write the name of a model: user/name, or space:user/name.")
    if not text.startswith(SPACE):
        try:
            return model_handle(text)
        except LoadError as error:
            raise LoadError(
                f'"{text}" is no name of a model on the Hub, such as user/name or '
                "user/name@revision."
            ) from error
    handle = parse_handle(text)
    if is_public and isinstance(handle, SpaceHandle) and handle.is_address:
        raise LoadError("On this page a Space is opened by its name, space:user/name.")
    return handle


class Opener:
    """Opens models of one app.

    lay_out           the page of an entry, in the current Blocks
    lay_out_stranger  the page of a snapshot whose program nobody has trusted, and of its card's
                      prose as HTML
    """

    def __init__(
        self,
        models: OpenModels,
        lay_out: Callable[[Entry], Any],
        lay_out_stranger: Callable[[Snapshot, str], Any],
        *,
        is_public: bool = False,
    ) -> None:
        self.models = models
        self.is_public = is_public
        self._lay_out = lay_out
        self._lay_out_stranger = lay_out_stranger
        self._downloads = threading.BoundedSemaphore(DOWNLOADS_AT_ONCE)

    def is_at_hand(self, text: str) -> bool:
        """Does opening it need neither network nor disk?"""
        from hub.remote.fetch import cached

        try:
            handle = handle_of(text, is_public=self.is_public)
            if self.models.is_open(key_of(handle)):
                return True
            return isinstance(handle, ModelHandle) and handle.is_pinned and bool(cached(handle))
        except ScorehubError:
            return False

    def steps(self, text: str) -> Iterator[str]:
        """A few words whenever something takes time; the last item is the key of the page.

        Raises ScorehubError. What has begun is finished even if nobody listens any more.
        """
        said: queue.SimpleQueue[str | BaseException | None] = queue.SimpleQueue()

        def work() -> None:
            try:
                said.put(self.open(text, said.put))
            except BaseException as error:
                said.put(error)
            said.put(None)

        threading.Thread(target=work, daemon=True, name="scorehub-open").start()
        while (item := said.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    def open(self, text: str, report: Report) -> str:
        """The key of the page, which is served when this returns. Raises ScorehubError."""
        handle = handle_of(text, is_public=self.is_public)
        key = key_of(handle)
        if self.models.is_open(key):
            return key
        if isinstance(handle, ModelHandle):
            return self._open_snapshot(self._snapshot(handle, report), report)
        assert isinstance(handle, SpaceHandle)
        from hub.remote import space_model

        report(f"Asking {handle} …")
        self._serve(key, Entry.of_space(handle, space_model.connect(handle, tell=report)))
        return key

    def _snapshot(self, handle: ModelHandle, report: Report) -> Snapshot:
        from hub.remote.fetch import fetch

        if not self._downloads.acquire(blocking=False):
            raise BusyError("Other models are just being downloaded here; try again in a minute.")
        try:
            if self.is_public:
                check_public(handle)
                _check_room()
            return fetch(handle, report)
        finally:
            self._downloads.release()

    def _open_snapshot(self, snapshot: Snapshot, report: Report) -> str:
        key = str(snapshot.handle)
        if self.models.is_open(key):
            return key
        if snapshot.card.runs_own_code and not trust.is_trusted(
            snapshot.handle, snapshot.folder, snapshot.host
        ):
            title = clean(snapshot.card.title, MAX_TITLE)
            words = prose.html(snapshot.card.prose)
            self.models.open(
                key, title, lambda: self._lay_out_stranger(snapshot, words), is_final=False
            )
            return key
        report(f"Loading {snapshot.handle.repo_id} …")
        entry = Entry.of_snapshot(snapshot)
        entry.model()  # what cannot be loaded is said here, and not after a visitor's work
        self._serve(key, entry)
        return key

    def _serve(self, key: str, entry: Entry) -> None:
        title = clean(entry.card.title, MAX_TITLE)
        _ = entry.prose  # is made here, since pages are built where the server answers
        self.models.open(key, title, lambda: self._lay_out(entry), entry.close)


def _check_room() -> None:
    """Raise BusyError when visitors have filled their share of the disk."""
    folder = places.snapshots()
    used = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file() and not p.is_symlink())
    if used > MAX_PUBLIC_BYTES:
        raise BusyError(
            "This page has downloaded as many models as it may keep. Whoever runs it can delete "
            "some; those that are open can be used."
        )
