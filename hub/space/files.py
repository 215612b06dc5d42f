"""What belongs into a Space: name → bytes, or the file that holds them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import hub
from hub import architectures, bundle
from hub.card import CARD_FILE, ModelCard, read_card
from hub.errors import LoadError, TrustError
from hub.folder import is_downloaded
from hub.model import WEIGHTS_FILE
from hub.space.readme import PUBLIC_HUB, readme

HUB = Path(hub.__file__).resolve().parent
LICENSE_FILE = "LICENSE.scorehub"
_HERE = Path(__file__).resolve().parent
_LEFT_OUT = ("__pycache__", ".pyi")  # made by running it
_WEB_SOURCES = HUB / "ui" / "web"  # what is built of them, where it has been built, is in assets

_APP = '''\
"""The page of one Scorehub model. Written by `scorehub space`; the model's card says the rest."""

from pathlib import Path

from hub.ui import hosted

demo = hosted.build(Path(__file__).with_name("models") / "{name}")
demo.launch(**hosted.settings())
'''


@dataclass(frozen=True, kw_only=True)
class Contents:
    """The files of a Space: those written for it, and the folders and files it is copied from."""

    written: dict[str, bytes]
    copied: dict[str, Path]
    roots: tuple[tuple[str, Path], ...]  # the same as `copied`, by whole folders

    def all(self) -> dict[str, bytes | Path]:
        files: dict[str, bytes | Path] = {**self.copied, **self.written}
        return dict(sorted(files.items()))


def generate(
    model_folder: str | Path, *, model_id: str | None = None, hub_url: str = PUBLIC_HUB
) -> dict[str, bytes | Path]:
    """Every file of the model's Space by its posix name, sorted: its bytes where it is written for
    the Space, and where it is copied, the file (weights may be larger than memory).

    model_id    "user/name" of the model on the Hub, for the Space's card
    hub_url     that Hub's address, without a slash at the end

    Raises CardError or LoadError when the folder is no model that could run, FileError when
    something in it would not be published either (`hub.bundle`).
    """
    return contents(model_folder, model_id=model_id, hub_url=hub_url).all()


def contents(
    model_folder: str | Path, *, model_id: str | None = None, hub_url: str = PUBLIC_HUB
) -> Contents:
    """What `generate` gives, and where it comes from. Raises CardError, LoadError."""
    folder = Path(model_folder).resolve()
    card = read_card(folder)
    if card.runs_own_code and is_downloaded(folder):
        raise TrustError(
            f'"{folder.name}" came from a Hub, with a program of its own; a copy of it would run '
            "as yours. Use its author's Space, or copy the folder once you have read the code."
        )
    name = space_name(card)
    model = {f"models/{name}/{path}": source for path, source in bundle.files(folder).items()}
    code_folder = folder if card.runs_own_code else architectures.locate(card.entry)
    code = _architecture(card, code_folder)
    program = {name: path for name, path in code.items() if name.endswith(".py")}
    license_path = _license()
    return Contents(
        written={
            "README.md": readme(card, model_id, hub_url).encode(),
            "app.py": _APP.format(name=name).encode(),
            "packages.txt": b"fluidsynth\n",
            "requirements.txt": _requirements(folder, code_folder),
        },
        copied={**_package(), LICENSE_FILE: license_path, **code, **model, **program},
        roots=(
            ("hub", HUB),
            (LICENSE_FILE, license_path),
            (f"models/{name}", folder),
            *([] if card.runs_own_code else [(f"models/{card.entry}", code_folder)]),
        ),
    )


def space_name(card: ModelCard) -> str:
    """The model's folder in its Space: the card's name, in letters that every system takes."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", card.name).strip("-.") or "model"


def _package() -> dict[str, Path]:
    """Every file of this package: code, and the data beside it."""
    kept = (p for p in _files_below(HUB) if not any(part.endswith(_LEFT_OUT) for part in p.parts))
    return {f"hub/{path.relative_to(HUB).as_posix()}": path for path in kept}


def _files_below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path == _WEB_SOURCES:
            continue
        if path.is_dir():
            yield from _files_below(path)
        else:
            yield path


def _architecture(card: ModelCard, folder: Path) -> dict[str, Path]:
    """Code and card of a registered architecture, where `hub.architectures` looks for them."""
    if card.runs_own_code:
        if not (folder / architectures.CODE_FILE).is_file():
            raise LoadError(f'The folder "{folder.name}" has no {architectures.CODE_FILE}.')
        return {}
    wanted = (CARD_FILE, "*.py", "LICENSE*")
    files = (path for pattern in wanted for path in sorted(folder.glob(pattern)))
    return {f"models/{card.entry}/{path.name}": path for path in files}


def _requirements(folder: Path, code_folder: Path) -> bytes:
    files = ["requirements.txt"]
    if (folder / WEIGHTS_FILE).is_file() or "torch" in _imported(code_folder.glob("*.py")):
        files.append("requirements-torch.txt")
    return b"".join((_HERE / name).read_bytes() for name in files)


def _imported(files: Iterable[Path]) -> set[str]:
    """Top-level packages that Python files import, wherever in them."""
    return {name.partition(".")[0] for path in files for name in _imports(path)}


def _imports(path: Path) -> Iterator[str]:
    try:
        tree = ast.parse(path.read_bytes(), path.name)
    except (SyntaxError, ValueError) as error:
        raise LoadError(f"{path.parent.name}/{path.name} is not Python ({error}).") from error
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def _license() -> Path:
    """Scorehub's own licence: in a checkout, in a Space, or where pip put it."""
    beside = (HUB.parent / "LICENSE", HUB.parent / LICENSE_FILE)
    try:
        installed = [Path(str(p.locate())) for p in metadata.files("scorehub") or ()]
    except metadata.PackageNotFoundError:
        installed = []
    found = [p for p in (*beside, *(p for p in installed if p.name == "LICENSE")) if p.is_file()]
    if not found:
        raise LoadError("Scorehub's own LICENSE is missing; install Scorehub again.")
    return found[0]
