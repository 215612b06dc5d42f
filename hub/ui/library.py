"""The models of one app: their cards now, their code and weights when somebody first uses them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from hub.card import Example, ModelCard, read_card
from hub.errors import CardError, LoadError, ScorehubError, suggestion
from hub.folder import example_path, load
from hub.formats import open_score
from hub.model import Model
from hub.preview import prose
from hub.score import Score

if TYPE_CHECKING:
    from hub.handle import SpaceHandle
    from hub.remote.fetch import Snapshot


@dataclass(eq=False)
class Entry:
    """One model. `card` is there at once, `model()` loads on first use and keeps it.

    folder  its own folder or its snapshot; None for a model that runs elsewhere
    load    gets the model; default: the user's own folder is loaded
    origin  where it comes from, in a sentence, if it is not the user's own
    """

    folder: Path | None
    card: ModelCard
    load: Callable[[], Model] | None = None
    origin: str = ""
    _model: Model | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def of_snapshot(cls, snapshot: Snapshot) -> Entry:
        """A downloaded model of the Hub, loaded as far as it may be: see `hub.loading`."""
        from hub.loading import open_snapshot

        card = replace(snapshot.card, name=snapshot.handle.name)
        way = " Its own program runs in a sandbox." if card.runs_own_code else ""
        stale = " As last seen: the Hub could not be asked." if snapshot.is_stale else ""
        place = f"{snapshot.handle.repo_id} on {snapshot.host}, commit {snapshot.commit[:12]}."
        origin = f"{place}{stale}{way}"
        return cls(snapshot.folder, card, lambda: open_snapshot(snapshot), origin)

    @classmethod
    def of_space(cls, handle: SpaceHandle, model: Model) -> Entry:
        """The model of a running Space. Its examples lie there and not here."""
        origin = (
            f"{handle.place}: runs on its author's machine. When you press Inpaint, your score "
            "goes there without what is to be rewritten, and nothing else of yours."
        )
        return cls(None, replace(model.card, examples=()), origin=origin, _model=model)

    @property
    def name(self) -> str:
        return self.card.name

    @cached_property
    def prose(self) -> str:
        """What the card says beside its front matter, as safe HTML; made on first use."""
        return prose.html(self.card.prose)

    def model(self) -> Model:
        """The loaded model. Raises LoadError."""
        with self._lock:
            if self._model is None:
                self._model = self.load() if self.load else load(self._own_folder())
            return self._model

    def close(self) -> None:
        """Let go of the model: a sandboxed one is a process."""
        with self._lock:
            model, self._model = self._model, None
        if callable(close := getattr(model, "close", None)):
            close()

    def warm(self) -> None:
        """Load in the background, so that the first run need not wait; failures show up there."""
        if self._model is None:
            threading.Thread(target=self._try_to_load, daemon=True, name="scorehub-load").start()

    def _try_to_load(self) -> None:
        with contextlib.suppress(ScorehubError):
            self.model()

    def example_score(self, example: Example) -> Score:
        """An example of the card. Raises CardError and FileError."""
        return open_score(example_path(self._own_folder(), example))

    def _own_folder(self) -> Path:
        if self.folder is None:
            raise LoadError(f"{self.card.title} has no folder here.")
        return self.folder


@dataclass(frozen=True, kw_only=True)
class Library:
    """The usable models, and what is wrong with the other folders: (folder name, sentence)."""

    entries: tuple[Entry, ...]
    broken: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> Entry:
        """The model called `name`; '' is the only one. Raises LoadError, naming those there are."""
        names = [entry.name for entry in self.entries]
        if not name and len(names) == 1:
            return self.entries[0]
        if name not in names:
            asked = f'There is no model "{name}" here.' if name else "Say which model to use."
            known = ", ".join(names) or "none"
            raise LoadError(f"{asked}{suggestion(name, names)} Models: {known}.")
        return self.entries[names.index(name)]


def open_library(folders: Iterable[str | Path]) -> Library:
    """The cards of model folders. A folder whose card cannot be read is named, not dropped.

    Raises LoadError when two folders are called the same: their pages would share one address.
    """
    entries: dict[str, Entry] = {}
    broken = []
    for folder in dict.fromkeys(Path(f).resolve() for f in folders):
        try:
            card = read_card(folder)
        except CardError as error:
            broken.append((folder.name, str(error).replace(str(folder), folder.name)))
            continue
        if card.name in entries:
            raise LoadError(
                f'Two model folders are called "{card.name}" ({entries[card.name].folder} and '
                f"{folder}); rename one of them."
            )
        entries[card.name] = Entry(folder, card)
    return Library(entries=tuple(entries.values()), broken=tuple(broken))
