"""Model ↔ folder. A folder named by the user on their own disk is trusted to run its model.py.

The check of what may be imported sits here, at the import site; no field of a card can name
code anywhere else.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from hub.card import CARD_FILE, Example, ModelCard, read_card
from hub.errors import CardError, LoadError, ScorehubError, describe
from hub.model import Model

CODE_FILE = "model.py"


def load(folder: str | Path) -> Model:
    """The model in a local folder: card, code, weights. Raises CardError or LoadError."""
    path = Path(folder)
    if not path.is_dir():
        raise LoadError(f'There is no model folder "{folder}"; give the path of one with a card.')
    card = read_card(path)
    model_class = _entry_class(path.resolve(), card)
    try:
        return model_class(card, path.resolve())
    except (ScorehubError, KeyboardInterrupt):
        raise
    except BaseException as error:  # a model may even call sys.exit()
        raise LoadError(f'The model "{card.name}" fails to start ({describe(error)}).') from error


def find(folder: str | Path) -> Iterator[Path]:
    """Model folders directly under `folder` (those with a card), by name."""
    root = Path(folder)
    if root.is_dir():
        yield from sorted(path.parent for path in root.glob(f"*/{CARD_FILE}"))


def example_path(model_folder: Path, example: Example) -> Path:
    """Where an example of the card lies. Raises CardError when it is missing or outside."""
    root = model_folder.resolve()
    path = (root / example.file).resolve()
    if not path.is_relative_to(root) or not path.is_file():
        raise CardError(f'The example "{example.file}" is not in the folder "{root.name}".')
    return path


def _entry_class(folder: Path, card: ModelCard) -> type[Model]:
    class_name = card.entry.partition(":")[2]
    found = getattr(_import_code(folder), class_name, None)
    if not (isinstance(found, type) and issubclass(found, Model)):
        raise LoadError(
            f'The card of "{card.name}" names {card.entry}, but {CODE_FILE} defines no such '
            "subclass of hub.Model."
        )
    return found


def _import_code(folder: Path) -> ModuleType:
    """The folder's model.py as a module of its own, so that two models never share names."""
    path = folder / CODE_FILE
    if not path.is_file():
        raise LoadError(f'The folder "{folder.name}" has no {CODE_FILE}.')
    name = f"scorehub_model_{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]
        if isinstance(error, ScorehubError | KeyboardInterrupt):
            raise
        raise LoadError(
            f"{folder.name}/{CODE_FILE} cannot be imported ({describe(error)})."
        ) from error
    return module
