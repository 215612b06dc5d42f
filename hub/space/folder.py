"""A Space's files → a folder, which may hold an earlier one. Nobody else's file is touched.

What was written is recorded in RECORD, so that the next time tells its own files, those that were
edited since, and foreign ones apart. The record stays on this disk; it is not part of a Space.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from hub.errors import FileError, LoadError, ScorehubError
from hub.space.files import contents

RECORD = ".scorehub-space.json"
_NOT_OURS_BUT_WELCOME = {".git"}  # a clone of the Space's repository
_CACHE = "__pycache__"


@dataclass(frozen=True)
class Link:
    """What a symbolic link points to, from where it lies."""

    target: Path


Content = bytes | Path | Link  # a file's bytes, the file to be copied, or a link
Marks = dict[str, str]  # name → what lies there: a file's SHA-256, or "link to " and its target


def write(
    model_folder: str | Path, out: str | Path, *, model_id: str | None = None
) -> tuple[str, ...]:
    """Write the model's Space into `out`, in place of an earlier one; the names, sorted.

    Raises ScorehubError, and changes nothing, when `out` holds anything but an earlier Space as
    it was written; CardError or LoadError when there is no model.
    """
    files: Mapping[str, Content] = contents(model_folder, model_id=model_id).all()
    return _lay_down(files, Path(out))


def link(
    model_folder: str | Path, out: str | Path, *, model_id: str | None = None
) -> tuple[str, ...]:
    """Like `write`, but the code and the model are links to where they are.

    For a Space inside the project that they belong to: it is complete, takes no room and never
    falls behind. Copied with links followed, it is what `write` writes.
    """
    space, place = contents(model_folder, model_id=model_id), Path(out).absolute()
    links: dict[str, Link] = {}
    for name, root in space.roots:
        target = Link(Path(os.path.relpath(root, (place / name).parent.resolve())))
        if links.setdefault(name, target) != target:
            raise LoadError(f'"{name}" comes from two folders; write the Space without links.')
    new: dict[str, Content] = {**space.written, **links}
    return _lay_down(new, Path(out))


def _lay_down(new: Mapping[str, Content], out: Path) -> tuple[str, ...]:
    earlier = _recorded(out)
    _check_unchanged(out, earlier)
    _check_free(out, new, earlier)
    out.mkdir(parents=True, exist_ok=True)
    for name in earlier:
        if name not in new or isinstance(new[name], Link):
            _remove(out, name)
    for name, content in new.items():
        _put(out / name, content)
    marks = {name: _mark(out / name) for name in sorted(new)}
    text = json.dumps({"files": marks}, indent=1, sort_keys=True, ensure_ascii=False)
    _put(out / RECORD, f"{text}\n".encode())
    return tuple(marks)


def _recorded(out: Path) -> Marks:
    """What an earlier call wrote into `out`."""
    if not out.exists():
        return {}
    if not out.is_dir():
        raise ScorehubError(f'"{out}" is a file; name a folder for the Space.')
    there = {path.name for path in out.iterdir()} - _NOT_OURS_BUT_WELCOME
    if not there:
        return {}
    try:
        files = json.loads((out / RECORD).read_text(encoding="utf-8"))["files"]
        return {str(name): str(mark) for name, mark in files.items() if _is_inside(str(name))}
    except FileNotFoundError:
        raise ScorehubError(
            f'"{out}" holds other files ({_some(there)}) and no Space of Scorehub\'s; name a new '
            "or empty folder."
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ScorehubError(
            f'"{out / RECORD}" is damaged, so it is not known which files may be replaced; name a '
            "new folder."
        ) from error


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts


def _check_unchanged(out: Path, earlier: Marks) -> None:
    edited = [n for n, mark in earlier.items() if not _is_as_written(out, n, mark)]
    if edited:
        raise ScorehubError(
            f'"{out}" has been edited since it was written ({_some(edited)}). Nothing was changed: '
            "move the edited files away, or name a new folder."
        )


def _is_as_written(out: Path, name: str, mark: str) -> bool:
    """Is it still what was written, or gone? Behind a link it is somebody else's."""
    if any((out / above).is_symlink() for above in PurePosixPath(name).parents[:-1]):
        return False
    return not os.path.lexists(out / name) or _mark(out / name) == mark


def _check_free(out: Path, new: Mapping[str, Content], earlier: Marks) -> None:
    taken = [name for name in new if not _is_free(out, name, earlier)]
    if taken:
        raise ScorehubError(
            f'"{out}" has files of its own where the Space\'s would go ({_some(taken)}). Nothing '
            "was changed: move them away, or name a new folder."
        )


def _is_free(out: Path, name: str, earlier: Marks) -> bool:
    """May `name` be written: is whatever lies there, or on the way there, ours?"""
    for above in reversed(PurePosixPath(name).parents[:-1]):
        path = out / above
        if path.is_symlink() or path.is_file():
            return str(above) in earlier
    path = out / name
    if path.is_dir() and not path.is_symlink():  # a link may take the place of our own folder
        files = [p for p in path.rglob("*") if not p.is_dir() and _CACHE not in p.parts]
        return all(p.relative_to(out).as_posix() in earlier for p in files)
    return not os.path.lexists(path) or name in earlier


def _some(names: set[str] | list[str]) -> str:
    listed = sorted(names)
    return ", ".join(listed[:3]) + (", …" if len(listed) > 3 else "")


def _mark(path: Path) -> str:
    if path.is_symlink():
        return f"link to {Path(os.readlink(path)).as_posix()}"
    if not path.is_file():
        return "not a file"
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _remove(out: Path, name: str) -> None:
    """Delete a file or link of ours, and the folders that are empty without it."""
    path = out / name
    path.unlink(missing_ok=True)
    for folder in path.parents:
        if folder == out or not folder.is_dir():
            break
        if {p.name for p in folder.iterdir()} - {_CACHE}:
            break
        shutil.rmtree(folder)


def _put(path: Path, content: Content) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, Link):
        path.symlink_to(content.target, target_is_directory=True)
        return
    if path.is_file() and _mark(path) == _mark_of(content):
        return
    part = path.with_name(f"{path.name}.part")
    _fill(part, content)
    part.replace(path)


def _mark_of(content: bytes | Path) -> str:
    return hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else _mark(content)


def _fill(part: Path, content: bytes | Path) -> None:
    if isinstance(content, bytes):
        part.write_bytes(content)
        return
    try:
        shutil.copyfile(content, part)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise FileError(f'"{content.name}" cannot be copied ({error.strerror}).') from error
