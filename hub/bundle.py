"""Which files of a folder, or of a repository, are the model; and how large they may be.

A list of what goes, and never of what does not: the card, `model.safetensors`, Python files beside
it, a licence, and the examples that the card names. Caches, notes, other weights and whatever else
lies in the folder stay where they are.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path, PurePosixPath

from hub import formats
from hub.card import CARD_FILE, MAX_CARD_BYTES, ModelCard, read_card
from hub.errors import FileError, LoadError
from hub.limits import LIMITS
from hub.model import WEIGHTS_FILE
from hub.secrets import secret_in

MAX_CODE_BYTES = 1 << 20
MAX_WEIGHTS_BYTES = 4 << 30  # far below the Hub's own bound; also what a download may have
HEADER_LENGTH_BYTES = 8  # how a safetensors file begins
MAX_HEADER_BYTES = 100 << 20  # as the format says
MAX_CODE_FILES = 64
MAX_LICENCE_BYTES = 256 << 10
MAX_SCORES_BYTES = 128 << 20  # all examples together

NO_NAME = frozenset('<>:"|?*\\')  # what Windows takes in no file's name

_CODE = re.compile(r"[A-Za-z_]\w{0,80}\.py")
_LICENCE = re.compile(r"LICEN[CS]E[A-Za-z0-9._-]{0,40}")


def files(folder: str | Path) -> dict[str, Path]:
    """posix name → path of exactly what belongs to the model, sorted by name.

    Raises CardError; FileError for a link, a file that is too large, or one with a secret in it.
    """
    root = Path(folder).resolve()
    card = read_card(root)
    there = [path.name for path in root.iterdir()]
    examples = [example.file for example in card.examples]
    for name in examples:
        _check_example(name)
    names = {*chosen(there, card), *examples}
    _check_code(names, card)
    for name in names:
        _check(name, root / name, root)
    scores = sum((root / name).stat().st_size for name in names if is_score(name))
    if scores > MAX_SCORES_BYTES:
        raise FileError(
            f"The examples have {scores:,} bytes together; at most {MAX_SCORES_BYTES:,} go."
        )
    return {name: root / name for name in sorted(names)}


def chosen(names: Iterable[str], card: ModelCard) -> list[str]:
    """Those of the names, posix and relative, that make up the model with this card."""
    examples = {example.file for example in card.examples if is_score(example.file)}
    return [
        name
        for name in names
        if name in (CARD_FILE, WEIGHTS_FILE)
        or _CODE.fullmatch(name)
        or _LICENCE.fullmatch(name)
        or name in examples
    ]


def is_score(name: str) -> bool:
    """Is it, by its name, a score where an example may lie, and nothing that Python would run?"""
    places = name.split("/")
    return name.lower().endswith(tuple(formats.extensions())) and not any(
        place.startswith(".") or place == "__pycache__" for place in places
    )


def most_bytes(name: str) -> int:
    """How large a file of the model may be, on this disk and as a download."""
    if name == WEIGHTS_FILE:
        return MAX_WEIGHTS_BYTES
    if name == CARD_FILE:
        return MAX_CARD_BYTES
    if _LICENCE.fullmatch(name):
        return MAX_LICENCE_BYTES
    return MAX_CODE_BYTES if name.endswith(".py") else LIMITS.file_bytes


def left_out(folder: str | Path, bundled: Mapping[str, Path]) -> list[str]:
    """What lies in the folder and does not go; folders that are only a cache are not named."""
    root = Path(folder).resolve()
    names = (path.relative_to(root) for path in sorted(root.rglob("*")) if not path.is_dir())
    return [
        name.as_posix()
        for name in names
        if name.as_posix() not in bundled
        and not any(part == "__pycache__" or part.startswith(".") for part in name.parts[:-1])
    ]


def _check_example(name: str) -> None:
    """Would it be looked for by this very name, wherever the model is opened?"""
    if not is_score(name):
        raise FileError(
            f'The example "{name}" is no score; name a MIDI, MusicXML or ABC file that is not '
            "hidden."
        )
    if PurePosixPath(name).as_posix() != name or not name.isprintable() or set(name) & NO_NAME:
        raise FileError(
            f"The example {name!a} has a name that not every system takes; name it such as "
            "examples/tune.mid."
        )


def _check_code(names: Collection[str], card: ModelCard) -> None:
    code = [name for name in names if name.endswith(".py")]
    if len(code) > MAX_CODE_FILES:
        raise FileError(f"There are {len(code)} Python files; at most {MAX_CODE_FILES} go.")
    file, is_own, _ = card.entry.partition(":")
    if is_own and file not in code:
        raise LoadError(f"The card names {card.entry}, but there is no {file}.")


def _check(name: str, path: Path, root: Path) -> None:
    if any((root / part).is_symlink() for part in _prefixes(name)):
        raise FileError(f'"{name}" is reached by a symbolic link; put the file itself there.')
    if not path.is_file():
        raise LoadError(f'The card of "{root.name}" names {name}, but there is no such file.')
    size, most = path.stat().st_size, most_bytes(name)
    if size > most:
        raise FileError(f'"{name}" has {size:,} bytes; at most {most:,} are published.')
    if found := secret_in(_scanned(name, path)):
        raise FileError(
            f'"{name}" has {found[0]} in line {found[1]}. Nothing was published; remove it, and '
            "make it invalid where it is known."
        )


def _scanned(name: str, path: Path) -> bytes:
    """What a secret could stand in: all of a file, and of weights the header with its metadata."""
    if name != WEIGHTS_FILE:
        return path.read_bytes()
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(HEADER_LENGTH_BYTES), "little")
        return stream.read(min(length, MAX_HEADER_BYTES))


def _prefixes(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]
