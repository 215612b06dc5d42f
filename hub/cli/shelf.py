"""Where the command line finds models: a path, a bare name in models/ here or by the package, or
what `hub.handle` understands. A bare name is never a question to the network."""

from __future__ import annotations

from pathlib import Path

from hub import folder
from hub.card import CARD_FILE
from hub.errors import LoadError, suggestion
from hub.handle import FolderHandle, Handle, parse_handle

SHELF = "models"
WHAT_MODEL = "a model folder, a name in models/, user/name[@revision] or space:user/name"


def shelves() -> list[Path]:
    """The folders of models that exist: ./models, and the one that stands beside the package."""
    beside_package = Path(__file__).resolve().parents[2] / SHELF
    found = {path.resolve(): path for path in (beside_package, Path(SHELF)) if path.is_dir()}
    return list(reversed(found.values()))


def locate(name: str) -> Path:
    """The model folder that `name` means. Raises LoadError with the names there are."""
    if Path(name).is_dir():
        return Path(name)
    if "/" not in name and "\\" not in name:
        for shelf in shelves():
            if (shelf / name / CARD_FILE).is_file():
                return shelf / name
    known = [path.name for path in at_hand()]
    listed = f" At hand: {', '.join(known)}." if known else ""
    raise LoadError(f'There is no model folder "{name}".{suggestion(name, known)}{listed}')


def handle(text: str) -> Handle:
    """Whatever model `text` means: those at hand first, then the Hub. Raises LoadError."""
    if "/" in text or ":" in text:
        found = parse_handle(text)
        if not isinstance(found, FolderHandle):
            return found
    return FolderHandle(path=locate(text))


def at_hand(place: str | None = None) -> list[Path]:
    """Model folders in `place` (or `place` itself, if it is one); default: on all shelves."""
    if place is None:
        by_name = {path.name: path for shelf in reversed(shelves()) for path in folder.find(shelf)}
        return [by_name[name] for name in sorted(by_name)]
    if not Path(place).is_dir():
        raise LoadError(f'There is no folder "{place}".')
    return [Path(place)] if (Path(place) / CARD_FILE).is_file() else list(folder.find(place))
