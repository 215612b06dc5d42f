"""Bytes ↔ Score, and the splice. One file a format, one table; a new format adds a row.

A format module defines `FORMAT`. `read` keeps the bytes in `Score.source`; `splice` edits those
bytes in place; `verify` re-reads the result and raises PromiseError unless everything that the
edit does not name is still there, byte for byte.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from hub import limits
from hub.errors import BadFileError, FileError, SpliceError, UnknownFormatError
from hub.score import IntArray, Notes, Score


@dataclass(frozen=True, kw_only=True)
class Edit:
    """What a splice does to a score's source.

    removed     rows (R,) of `score.notes` that go, ascending
    added       notes that come; `part` indexes `score.parts`, ticks are the score's
    """

    removed: IntArray
    added: Notes


@dataclass(frozen=True, kw_only=True)
class Format:
    """One row of the table.

    sniff   do these bytes look like this format? (cheap: looks at the head only)
    read    (bytes, file name) → Score with `source` set; raises FileError and nothing else
    fit     (score, edit) → the added notes as such a file can hold them (see `fit` below);
            None: it holds any notes
    splice  (score, edit) → new bytes, edited in place; None: converted on import, see `read`
    verify  (score, edit, new bytes) → None, or PromiseError; does not trust `splice`
    write   score → new bytes, a rendering; None: this format is not written
    part_keys   score → what names each part in the file, see `part_keys`; None: its id
    """

    name: str
    label: str
    extensions: tuple[str, ...]
    media_type: str
    sniff: Callable[[bytes], bool]
    read: Callable[[bytes, str], Score]
    fit: Callable[[Score, Edit], Notes] | None = None
    splice: Callable[[Score, Edit], bytes] | None = None
    verify: Callable[[Score, Edit, bytes], None] | None = None
    write: Callable[[Score], bytes] | None = None
    part_keys: Callable[[Score], tuple[Hashable, ...]] | None = None


# Order matters for sniffing only: the surest signatures first.
_MODULES = {
    "midi": "hub.formats.midi",
    "mxl": "hub.formats.mxl",
    "musicxml": "hub.formats.musicxml",
    "abc": "hub.formats.abc",
}
NAMES = tuple(_MODULES)


def get(name: str) -> Format:
    """The format called `name`; its module is imported on first use."""
    if name not in _MODULES:
        raise UnknownFormatError(f'There is no format "{name}"; known: {", ".join(NAMES)}.')
    row: Format = importlib.import_module(_MODULES[name]).FORMAT
    return row


def all_formats() -> tuple[Format, ...]:
    return tuple(get(name) for name in NAMES)


def extensions() -> tuple[str, ...]:
    """Every file name ending that can be opened, with its dot."""
    return tuple(ext for row in all_formats() for ext in row.extensions)


def detect(data: bytes, name: str) -> Format:
    """The format of these bytes: by content first, by the name's ending second."""
    limits.check("file_bytes", len(data))
    if not data.strip():
        raise BadFileError(f'"{name}" is empty.')
    for row in map(get, NAMES):
        if row.sniff(data):
            return row
    suffix = PurePath(name).suffix.lower()
    named = next((row for row in all_formats() if suffix in row.extensions), None)
    if named is not None:
        raise BadFileError(
            f'"{name}" is named like {named.label} but does not begin like it; '
            "it may be damaged or renamed. Export it again and retry."
        )
    raise UnknownFormatError(
        f'"{name}" is not a score this hub can read; it reads {", ".join(extensions())}.'
    )


def read_score(data: bytes, name: str = "score") -> Score:
    """A Score from a file's bytes; `name` is for messages and downloads. Raises FileError."""
    name = PurePath(name.replace("\\", "/")).name or "score"
    row = detect(data, name)
    try:
        return row.read(data, name)
    except FileError:
        raise
    except (ValueError, IndexError, KeyError, OverflowError, ArithmeticError) as error:
        raise BadFileError(
            f'"{name}" cannot be read as {row.label}: it seems damaged ({type(error).__name__}).'
        ) from error


def open_score(path: str | Path) -> Score:
    """`read_score` from a path. Raises FileError when there is no such file."""
    path = Path(path)
    try:
        if path.exists() and not path.is_file():
            raise BadFileError(f'"{path}" is not a file; give the path of a score.')
        limits.check("file_bytes", path.stat().st_size)
        with path.open("rb") as stream:
            data = stream.read(limits.LIMITS.file_bytes + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadFileError(f'"{path}" cannot be opened: {reason}.') from error
    return read_score(data, path.name)


def fit(score: Score, edit: Edit) -> Edit:
    """The edit with its added notes as the score's file can hold them.

    A new MIDI note, for example, ends where an old one of its pitch begins. The receipt counts
    what is really written, so this comes before the splice.
    """
    row = get(score.source.format) if score.source is not None else None
    if row is None or row.fit is None:
        return edit
    return replace(edit, added=row.fit(score, edit))


def splice(score: Score, edit: Edit) -> bytes:
    """The score's own file with the edit in it, verified. Raises SpliceError, PromiseError."""
    if score.source is None:
        raise SpliceError("This score was not read from a file, so there is nothing to edit.")
    row = get(score.source.format)
    if row.splice is None or row.verify is None:
        raise SpliceError(f"{row.label} files cannot be edited in place.")
    if not len(edit.removed) and not len(edit.added):
        return score.source.data
    data = row.splice(score, edit)
    row.verify(score, edit, data)
    return data


def part_keys(score: Score) -> tuple[Hashable, ...]:
    """What names each part in the score's file, so that the same part of two versions of the file
    is found even where another one has come or gone (MIDI counts "P1", "P2" … anew)."""
    row = get(score.source.format) if score.source is not None else None
    if row is None or row.part_keys is None:
        return tuple(part.id for part in score.parts)
    return row.part_keys(score)


def write_score(score: Score, format_name: str) -> bytes:
    """A rendering of the score in a format (not an edit of its file)."""
    row = get(format_name)
    if row.write is None:
        raise UnknownFormatError(f"{row.label} is read only; write midi or musicxml.")
    return row.write(score)
