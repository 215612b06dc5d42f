"""A document as one file that its user keeps and opens again: a zip of session.json and files/.

    files/0, files/1, …     each version's file, equal ones once; 0 is the score as it was opened
    session.json            the tree of versions, and the takes that wait beside them

The file comes back from a stranger: it is measured before it is unpacked, nothing in it names a
place on a disk, and every version is read by the format's own reader when it is shown.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from hub import formats
from hub import limits as limits_
from hub.errors import BadFileError, FileError, RegionError
from hub.limits import LIMITS
from hub.region import Region
from hub.score import NOTE_COLUMNS, Notes
from hub.ui.document import (
    MAX_BYTES,
    MAX_LABEL,
    MAX_NODES,
    MAX_TAKES,
    ROOT,
    Document,
    Node,
    Waiting,
)

SUFFIX = ".scorehub"
KIND = "scorehub session"
VERSION = 1
INDEX = "session.json"
MAX_INDEX_BYTES = 32 << 20
SESSION_LIMITS = replace(
    LIMITS,
    file_bytes=MAX_BYTES + MAX_INDEX_BYTES,
    unzipped_bytes=MAX_BYTES + MAX_INDEX_BYTES,
    zip_entries=MAX_NODES + 1,
)
_DATE = (1980, 1, 1, 0, 0, 0)  # equal documents make equal files
_MAX_NUMBER = 1 << 53
_MAX_DETAIL_CHARACTERS = 400_000
_KINDS = ("opened", "take", "edit")
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError)


def to_bytes(document: Document) -> bytes:
    """The session file of a document."""
    files: dict[bytes, int] = {}
    for number in sorted(document.nodes):
        files.setdefault(document.nodes[number].data, len(files))
    index = {
        "kind": KIND,
        "version": VERSION,
        "name": document.name,
        "convertedFrom": document.converted_from,
        "current": document.current,
        "next": document.next_number,
        "forward": sorted(document.forward.items()),
        "nodes": [_node_to_json(document.nodes[n], files) for n in sorted(document.nodes)],
        "takes": [_take_to_json(take) for take in document.waiting],
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        _write(archive, INDEX, json.dumps(index, separators=(",", ":")).encode())
        for data, place in files.items():
            _write(archive, f"files/{place}", data)
    return buffer.getvalue()


def from_bytes(data: bytes) -> Document:
    """The document of a session file, with its opened and its current version read. FileError."""
    limits_.check("file_bytes", len(data), SESSION_LIMITS)
    index, files = _unpacked(data)
    try:
        document = _document(index, files)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError) as error:
        raise _damaged() from error
    try:
        document.score_at(ROOT)
        _ = document.score
    except FileError as error:
        raise BadFileError(f"The score in this session cannot be read. {error}") from error
    return document


def is_session(data: bytes) -> bool:
    """Do these bytes look like a session file? (cheap)"""
    return data.startswith(b"PK\x03\x04") and data[30 : 30 + len(INDEX)] == INDEX.encode()


def _damaged() -> BadFileError:
    return BadFileError("This session file is damaged, or was not made here; open another one.")


def _write(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, _DATE), data, zipfile.ZIP_DEFLATED)


def _node_to_json(node: Node, files: Mapping[bytes, int]) -> dict[str, Any]:
    return {
        "number": node.number,
        "parent": node.parent,
        "kind": node.kind,
        "label": node.label,
        "file": files[node.data],
        "madeAt": node.made_at,
        "detail": dict(node.detail),
    }


def _take_to_json(take: Waiting) -> dict[str, Any]:
    return {
        "number": take.number,
        "node": take.node,
        "seed": take.seed,
        "model": take.model,
        "params": dict(take.params),
        "region": dict(take.region),
        "receipt": dict(take.receipt),
        "seconds": take.seconds,
        "madeAt": take.made_at,
        "notes": {name: getattr(take.notes, name).tolist() for name in NOTE_COLUMNS},
    }


# ---------------------------------------------------------------------------------------- reading


def _unpacked(data: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """session.json, and the files in their order."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        infos = {info.filename: info for info in archive.infolist()}
        _check_entries(archive)
        index = _json(_content(archive, infos[INDEX], MAX_INDEX_BYTES))
        names = [f"files/{place}" for place in range(len(infos) - 1)]
        return index, [_content(archive, infos[name], LIMITS.file_bytes) for name in names]
    except (*_UNREADABLE, KeyError) as error:
        raise _damaged() from error


def _check_entries(archive: zipfile.ZipFile) -> None:
    entries = archive.infolist()
    limits_.check("zip_entries", len(entries), SESSION_LIMITS)
    limits_.check("unzipped_bytes", sum(info.file_size for info in entries), SESSION_LIMITS)
    methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    if any(info.compress_type not in methods or info.flag_bits & 1 for info in entries):
        raise _damaged()
    if len({info.filename for info in entries}) != len(entries):
        raise _damaged()


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most_bytes: int) -> bytes:
    """An entry's bytes, never more than its directory says; zipfile compares the checksum."""
    if info.file_size > most_bytes:
        raise _damaged()
    with archive.open(info) as stream:
        content = stream.read(info.file_size + 1)
    if len(content) != info.file_size:
        raise _damaged()
    return content


def _json(data: bytes) -> dict[str, Any]:
    try:
        index = json.loads(data, parse_constant=_refused)
    except RecursionError as error:
        raise _damaged() from error
    if not isinstance(index, dict) or index.get("kind") != KIND:
        raise _damaged()
    version = index.get("version")
    if version != VERSION:
        raise BadFileError(
            f"This session was saved by another version of the hub (format {str(version)[:20]}, "
            f"here {VERSION}); update the hub to open it."
        )
    return index


def _refused(name: str) -> float:
    raise ValueError(name)


def _document(index: dict[str, Any], files: list[bytes]) -> Document:
    nodes = _nodes(index["nodes"], files)
    takes = tuple(_take(item, nodes) for item in _list(index["takes"], MAX_TAKES))
    converted_from = index["convertedFrom"]
    if converted_from is not None and converted_from not in formats.NAMES:
        raise ValueError
    forward = {_number(a): _number(b) for a, b in _list(index["forward"], MAX_NODES)}
    if any(b not in nodes or nodes[b].parent != a for a, b in forward.items()):
        raise ValueError
    numbers = [*nodes, *(take.number for take in takes)]
    next_number = _number(index["next"])
    if len(set(numbers)) != len(numbers) or next_number <= max(numbers):
        raise ValueError
    current = _number(index["current"])
    return Document(
        name=_file_name(index["name"]),
        nodes=MappingProxyType(nodes),
        current=nodes[current].number,
        forward=MappingProxyType(forward),
        waiting=takes,
        next_number=next_number,
        converted_from=converted_from,
    )


def _nodes(items: object, files: list[bytes]) -> dict[int, Node]:
    """The tree: a parent has a smaller number than its children, so there are no circles."""
    nodes: dict[int, Node] = {}
    for item in _list(items, MAX_NODES):
        number, parent = _number(item["number"]), item["parent"]
        if (parent is None) != (number == ROOT) or number in nodes:
            raise ValueError
        if parent is not None and (_number(parent) not in nodes or parent >= number):
            raise ValueError
        if item["kind"] not in _KINDS:
            raise ValueError
        nodes[number] = Node(
            number=number,
            parent=parent,
            kind=item["kind"],
            label=_text(item["label"]),
            data=files[_number(item["file"])],
            made_at=_seconds(item["madeAt"]),
            detail=_detail(item["detail"]),
        )
    if ROOT not in nodes:
        raise ValueError
    return nodes


def _take(item: dict[str, Any], nodes: Mapping[int, Node]) -> Waiting:
    try:
        Region.from_json(item["region"])
    except RegionError as error:
        raise _damaged() from error
    return Waiting(
        number=_number(item["number"]),
        node=nodes[_number(item["node"])].number,
        seed=_number(item["seed"]),
        notes=_notes(item["notes"]),
        region=_detail(item["region"]),
        model=_text(item["model"]),
        params=_detail(item["params"]),
        receipt=_detail(item["receipt"]),
        seconds=_seconds(item["seconds"]),
        made_at=_seconds(item["madeAt"]),
    )


def _notes(columns: dict[str, Any]) -> Notes:
    """Whether they fit the score, `edits.apply` decides when the take is heard or kept."""
    table = {
        name: [_number(value) for value in _list(columns[name], LIMITS.notes)]
        for name in NOTE_COLUMNS
    }
    if len({len(column) for column in table.values()}) != 1:
        raise ValueError
    return Notes.of(zip(*table.values(), strict=True))


def _list(value: object, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise ValueError
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _MAX_NUMBER:
        raise ValueError
    return value


def _seconds(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1e12:
        raise ValueError
    return float(value)


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_LABEL:
        raise ValueError
    return value


def _file_name(value: object) -> str:
    """A name without folders: it is shown, and suggested for downloads."""
    name = _text(value).replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in name if c.isprintable()) or "score"


def _detail(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict) or len(json.dumps(value)) > _MAX_DETAIL_CHARACTERS:
        raise ValueError
    return MappingProxyType(value)
