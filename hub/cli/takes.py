"""From what was typed for `scorehub inpaint` to files on disk."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import hub
from hub import formats
from hub.cli import shelf
from hub.cli.output import say
from hub.errors import FileError, RegionError, ScorehubError, UnknownFormatError
from hub.handle import ModelHandle
from hub.model import Model, Progress, Take, fresh_seed
from hub.region import Region
from hub.score import Score

LISTED = 12  # parts named in a message


class UsageError(ScorehubError):
    """What was typed does not make sense together."""

    exit_code = 2


@dataclass(frozen=True, kw_only=True)
class Order:
    """One `scorehub inpaint`, as typed."""

    score: Path
    model: str
    measures: str | None
    parts: str | None
    region: str | None
    settings: Sequence[str]
    takes: int
    seed: int | None
    output: Path | None
    force: bool
    deadline_seconds: float


def carry_out(order: Order, show: Callable[[Progress | None], None]) -> Iterator[dict[str, Any]]:
    """Write each take as soon as it is ready; yields its receipt as JSON values."""
    settings = dict(map(_setting, order.settings))
    score = hub.open_score(order.score)
    _check_output(order, score)
    if not (order.measures or order.region):
        raise UsageError(_what_to_choose(score, order.score.name))
    region = _region(order, score)
    model = _model(order.model)
    steps = hub.stream(
        model, score, region, settings,
        n=order.takes,
        seed=fresh_seed() if order.seed is None else order.seed,
        deadline_seconds=order.deadline_seconds,
    )  # fmt: skip
    try:
        for step in steps:
            if isinstance(step, Progress):
                show(step)
            else:
                show(None)
                path = _write(order, model, step)
                yield _receipt(path, model, step)
    finally:
        show(None)


def _model(text: str) -> Model:
    """The model that was named, wherever it is. A download says what it does."""
    handle = shelf.handle(text)
    if not isinstance(handle, ModelHandle):
        return hub.load(handle, report=say)
    from hub.loading import open_snapshot
    from hub.remote.fetch import fetch

    snapshot = fetch(handle, say)
    if snapshot.is_stale:
        say(f"The Hub cannot be asked; using {snapshot.handle}, as it was last seen.")
    return open_snapshot(snapshot)


def _setting(text: str) -> tuple[str, Any]:
    """From NAME=VALUE; values that look like JSON objects, lists or null are read as such."""
    name, equals, value = text.partition("=")
    if not (name.strip() and equals):
        raise UsageError(f'--set takes NAME=VALUE, such as --set temperature=0.9; got "{text}".')
    if not value.startswith(("{", "[")) and value != "null":
        return name.strip(), value
    return name.strip(), _json(value, f"--set {name.strip()}")


def _json(text: str, option: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{option} is not valid JSON ({error}).") from error


def _what_to_choose(score: Score, name: str) -> str:
    first, last = (score.measures[i].number for i in (0, -1)) if score.measures else ("-", "-")
    named = [f"{part.id} ({part.name})" for part in score.parts[:LISTED]]
    more = f" and {len(score.parts) - LISTED} more" if len(score.parts) > LISTED else ""
    return (
        f'Say which measures to rewrite, such as --measures {last}. "{name}" has measures {first} '
        f"to {last}, and parts to choose from with --parts: {', '.join(named)}{more}."
    )


def _region(order: Order, score: Score) -> Region:
    if order.region is None:
        return Region.measures(score, order.measures or "", _part_ids(order.parts, score))
    if order.measures or order.parts:
        raise UsageError("Give either --region, or --measures with --parts, not both.")
    return Region.from_json(_json(order.region, "--region"))


def _part_ids(text: str | None, score: Score) -> list[str] | None:
    """Ids from ids or names; what is neither is left for the region to refuse."""
    if text is None:
        return None
    names = [part.name.casefold() for part in score.parts]
    found = []
    for word in filter(None, (word.strip() for word in text.split(","))):
        if word not in score.part_indices and names.count(word.casefold()) == 1:
            word = score.parts[names.index(word.casefold())].id
        found.append(word)
    if not found:
        raise RegionError("--parts names no part; leave it out to mean every part.")
    return found


# --- files --------------------------------------------------------------------------------------


def _check_output(order: Order, score: Score) -> None:
    """Refuse what cannot be written before the model has worked for it."""
    path = _single_file(order)
    if path is None:
        _check_folder(order.output or Path())
        return
    if order.takes > 1:
        raise UsageError(f'{order.takes} takes do not fit into the file "{path}"; name a folder.')
    _format_of(path, score)
    _refuse_overwriting(path, order)


def _check_folder(folder: Path) -> None:
    """Can the folder be made and written into? Nothing is made yet."""
    there = next(place for place in (folder, *folder.absolute().parents) if _exists(place))
    if not os.path.isdir(there):
        raise FileError(f'"{folder}" cannot be a folder: "{there}" is a file.')
    if not os.access(there, os.W_OK):
        raise FileError(f'Nothing can be written into "{there}"; name another folder with -o.')


def _single_file(order: Order) -> Path | None:
    """The file that -o names, or None if it names a folder or nothing."""
    path = order.output
    return path if path is not None and path.suffix and not os.path.isdir(path) else None


def _format_of(path: Path, score: Score) -> formats.Format:
    """The format a file name asks for; the score's own whenever the ending fits it."""
    assert score.source is not None
    own = formats.get(score.source.format)
    rows = [row for row in (own, *formats.all_formats()) if path.suffix.lower() in row.extensions]
    if not rows:
        known = ", ".join(formats.extensions())
        raise UnknownFormatError(f'"{path.name}" has none of the endings {known}.')
    return rows[0]


def _refuse_overwriting(path: Path, order: Order) -> None:
    if not _exists(path):
        return
    if path.samefile(order.score):
        raise FileError(f'"{path}" is the score itself, which is never overwritten; name another.')
    if not order.force:
        raise FileError(f'"{path}" exists already; --force overwrites it.')


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise FileError(f'"{path}" cannot be written: {error.strerror}.') from error


def _write(order: Order, model: Model, take: Take) -> Path:
    path = _single_file(order)
    if path is None:
        path = (order.output or Path()) / _file_name(take, model)
    _refuse_overwriting(path, order)
    data = _contents(take, path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise FileError(f'"{path}" cannot be written: {error.strerror}.') from error
    return path


def _file_name(take: Take, model: Model) -> str:
    """ "kesh-jig.m7-10.inpaintnet.seed42.mid", whatever the measures are numbered."""
    source = take.before.source
    assert source is not None
    extensions = formats.get(source.format).extensions
    own = Path(source.name).suffix.lower()
    stem = re.sub(r'[\\/:*?"<>|\x00-\x1f]', "_", take.file_stem(model.card.name))
    return stem + (own if own in extensions else extensions[0])


def _contents(take: Take, path: Path) -> bytes:
    """The edited file itself; a rendering where the file name asks for another format."""
    assert take.before.source is not None and take.data is not None
    wanted = _format_of(path, take.before)
    if wanted.name == take.before.source.format:
        return take.data
    return hub.write_score(replace(take.score, source=None), wanted.name)


def _receipt(path: Path, model: Model, take: Take) -> dict[str, Any]:
    return {
        "file": str(path),
        "model": model.card.name,
        "measures": take.measures_text(),
        "seed": take.seed,
        "seconds": round(take.seconds, 4),
        "sentence": take.receipt.sentence(),
        "receipt": take.receipt.to_json(),
        "log": list(take.log),
        "region": take.region.to_json(),
    }
