"""Registered architectures: code that is installed here, for cards and weights from anywhere.

A card whose `entry` is such a name brings no code of its own: it is data, and loads freely. The
registry maps the name to a folder on this disk whose model.py defines the one subclass of
hub.Model that serves it. Bundled are the folders in `models/` beside the package.
"""

from __future__ import annotations

from pathlib import Path

from hub.errors import LoadError, suggestion

CODE_FILE = "model.py"
BUNDLED = Path(__file__).resolve().parents[1] / "models"

_registered: dict[str, Path] = {}


def register(name: str, folder: str | Path) -> None:
    """Serve the architecture `name` by the model.py of a folder of your own. The later wins."""
    path = Path(folder).resolve()
    if not (path / CODE_FILE).is_file():
        raise LoadError(f'There is no {CODE_FILE} in "{folder}" to register as "{name}".')
    _registered[name] = path


def names() -> list[str]:
    """Every architecture that can be loaded here."""
    folders = (path.parent for path in BUNDLED.glob(f"*/{CODE_FILE}"))
    bundled = (folder.name for folder in folders if (folder / "README.md").is_file())
    return sorted({*_registered, *bundled})


def locate(name: str) -> Path:
    """The folder whose model.py serves `name`. Raises LoadError."""
    if name in _registered:
        return _registered[name]
    if name in names():
        return BUNDLED / name
    known = ", ".join(names()) or "none"
    raise LoadError(
        f'This model needs the architecture "{name}", which is not installed here.'
        f"{suggestion(name, names())} Installed: {known}."
    )
