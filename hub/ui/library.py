"""The models of one app: their cards now, their code and weights when somebody first uses them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from hub.card import Example, ModelCard, read_card
from hub.errors import CardError, LoadError, ScorehubError, suggestion
from hub.folder import example_path, load
from hub.formats import open_score
from hub.model import Model
from hub.score import Score


@dataclass(eq=False)
class Entry:
    """One model folder. `card` is read at once, `model()` loads on first use and keeps it."""

    folder: Path
    card: ModelCard
    _model: Model | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def name(self) -> str:
        return self.card.name

    def model(self) -> Model:
        """The loaded model. Raises LoadError."""
        with self._lock:
            if self._model is None:
                self._model = load(self.folder)
            return self._model

    def warm(self) -> None:
        """Load in the background, so that the first run need not wait; failures show up there."""
        if self._model is None:
            threading.Thread(target=self._try_to_load, daemon=True, name="scorehub-load").start()

    def _try_to_load(self) -> None:
        with contextlib.suppress(ScorehubError):
            self.model()

    def example_score(self, example: Example) -> Score:
        """An example of the card. Raises CardError and FileError."""
        return open_score(example_path(self.folder, example))


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
