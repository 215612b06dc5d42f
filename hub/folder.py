"""Model ↔ folder. A folder of the user's own may run its model.py; a downloaded one may not.

The check of what may be imported sits here, at the import site, and looks at the file that is
about to be imported: code that came from a Hub runs only inside a sandbox (`hub.sandbox`), which
says so by `allow_downloaded_code`. No field of a card can name code anywhere else.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from hub import architectures, places
from hub.architectures import CODE_FILE
from hub.card import CARD_FILE, Example, ModelCard, read_card
from hub.errors import CardError, LoadError, ScorehubError, TrustError, describe
from hub.model import Model

# huggingface_hub's own cache: models--user--name/snapshots/<commit>
_HUB_CACHE = re.compile(r"(?:models|spaces|datasets)--.+")
# our own, wherever SCOREHUB_HOME was when it was filled: user--name/<commit>
_REPOSITORY, _COMMIT = re.compile(r".+--.+"), re.compile(r"[0-9a-f]{40}")

_may_import_downloaded = False


def allow_downloaded_code() -> None:
    """Let this whole process import code that came from a Hub. Only for a sandboxed child."""
    global _may_import_downloaded
    _may_import_downloaded = True


def is_downloaded(folder: Path) -> bool:
    """Did this folder come from a Hub, and not from the user's own hands?"""
    path = folder.resolve()
    if path.is_relative_to(places.snapshots().resolve()):
        return True
    pairs = zip(path.parts, path.parts[1:], strict=False)
    return any(_HUB_CACHE.fullmatch(part) for part in path.parts) or any(
        _REPOSITORY.fullmatch(above) and _COMMIT.fullmatch(part) for above, part in pairs
    )


class _SourceOnly(SourceFileLoader):
    """Runs what is written in the file, and never a compiled copy that lies beside it."""

    def get_code(self, fullname: str) -> CodeType:
        code: CodeType = self.source_to_code(self.get_data(self.path), self.path)
        return code


def load(folder: str | Path, *, name: str | None = None) -> Model:
    """The model in a local folder: card, code, weights; `name` if it is not the folder's.

    Raises CardError, LoadError, and TrustError for a folder that came from a Hub.
    """
    path = Path(folder)
    if not path.is_dir():
        raise LoadError(f'There is no model folder "{folder}"; give the path of one with a card.')
    card = read_card(path, name)
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
    if not card.runs_own_code:
        return _only_model_class(_import_code(architectures.locate(card.entry)), card.entry)
    class_name = card.entry.partition(":")[2]
    found = getattr(_import_code(folder), class_name, None)
    if not (isinstance(found, type) and issubclass(found, Model)):
        raise LoadError(
            f'The card of "{card.name}" names {card.entry}, but {CODE_FILE} defines no such '
            "subclass of hub.Model."
        )
    return found


def _only_model_class(module: ModuleType, architecture: str) -> type[Model]:
    own = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Model)
        and value.__module__ == module.__name__
    ]
    if len(own) != 1:
        raise LoadError(
            f'The code of the architecture "{architecture}" must define one subclass of '
            f"hub.Model; it has {len(own)}."
        )
    return own[0]


def _import_code(folder: Path) -> ModuleType:
    """The folder's model.py as a module of its own, so that two models never share names."""
    path = folder / CODE_FILE
    if not path.is_file():
        raise LoadError(f'The folder "{folder.name}" has no {CODE_FILE}.')
    if not _may_import_downloaded and (is_downloaded(folder) or is_downloaded(path.resolve())):
        raise TrustError(
            f"This folder came from a Hub, and its {CODE_FILE} is a stranger's program; it is not "
            "run. Load it by its name, user/name, and trust its commit (scorehub trust), or copy "
            "the folder once you have read the code."
        )
    name = f"scorehub_model_{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}"
    spec = importlib.util.spec_from_file_location(name, path, loader=_SourceOnly(name, str(path)))
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
