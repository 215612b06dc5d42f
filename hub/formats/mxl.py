"""Compressed MusicXML (.mxl): a zip whose `META-INF/container.xml` names the score inside.

Sizes are checked from the zip's directory before anything is inflated, and again while inflating.
A splice replaces the score's entry only: every other entry keeps its compressed bytes, its header
fields, its name and its place.
"""

from __future__ import annotations

import contextlib
import io
import struct
import zipfile
import zlib
from dataclasses import dataclass, replace
from typing import NamedTuple

from hub import limits
from hub.errors import BadFileError, PromiseError
from hub.formats import Edit, Format, musicxml
from hub.formats.musicxml import text as xmltext
from hub.formats.musicxml.text import Element
from hub.score import Score, Source

_CONTAINER = "META-INF/container.xml"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_MEDIA_TYPE = "application/vnd.recordare.musicxml"
_ROOT_TYPES = ("", "application/vnd.recordare.musicxml+xml", "text/xml", "application/xml")


@dataclass(frozen=True, kw_only=True)
class Inside:
    """What `Source.index` holds for an .mxl: where the score is, and the score's own source."""

    root: str
    source: Source | None


def sniff(data: bytes) -> bool:
    """A zip archive that mentions the container file of MusicXML, or an entry like a score."""
    if not data.startswith(b"PK\x03\x04"):
        return False
    return b"META-INF/container.xml" in data or b".musicxml" in data or b".xml" in data


def read(data: bytes, name: str = "score") -> Score:
    """A Score from the bytes of an .mxl file. Raises FileError."""
    limits.check("file_bytes", len(data))
    archive = _open(data)
    root = _root_name(archive)
    score = musicxml.read(_inflate(archive, archive.getinfo(root)), root)
    index = Inside(root=root, source=score.source)
    return replace(score, source=Source(data=data, format="mxl", name=name, index=index))


def splice(score: Score, edit: Edit) -> bytes:
    """The archive with the edit in its score. Raises SpliceError."""
    inside = _inside(score)
    content = musicxml.splice(unpacked(score), edit)
    return _replaced(_data(score), inside.root, content)


def verify(score: Score, edit: Edit, data: bytes) -> None:
    """PromiseError unless only the score's entry changed, and only where the edit says."""
    inside = _inside(score)
    before = _data(score)
    old, new = _open(before).infolist(), _open(data)
    if [_fixed(i) for i in old] != [_fixed(i) for i in new.infolist()]:
        raise PromiseError("The entries of the .mxl archive would have changed.")
    for info in old:
        if info.filename != inside.root and _local(info, before) != _local(
            new.getinfo(info.filename), data
        ):
            raise PromiseError(f"{info.filename} inside the .mxl would have changed.")
    content = _inflate(new, new.getinfo(inside.root))
    musicxml.verify(unpacked(score), edit, content)


def write(score: Score) -> bytes:
    """A rendering of the score as a new .mxl."""
    from hub.engrave import to_musicxml

    content = to_musicxml(score)
    container = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<container><rootfiles>'
        '<rootfile full-path="score.musicxml"/></rootfiles></container>\n'
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in ((_CONTAINER, container.encode()), ("score.musicxml", content)):
            archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _inside(score: Score) -> Inside:
    index = score.source.index if score.source else None
    if not isinstance(index, Inside):
        raise BadFileError("This score was not read from an .mxl file; open the file again.")
    return index


def _data(score: Score) -> bytes:
    return score.source.data if score.source else b""


def unpacked(score: Score) -> Score:
    """The same score with the MusicXML inside the archive as its source."""
    return replace(score, source=_inside(score).source)


# ------------------------------------------------------------------------------------ reading


def _open(data: bytes) -> zipfile.ZipFile:
    """The archive, its directory checked against the limits."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, struct.error) as error:
        raise BadFileError(
            "This .mxl is not a complete zip archive; it may be cut off. Export it again."
        ) from error
    infos = archive.infolist()
    limits.check("zip_entries", len(infos))
    limits.check("unzipped_bytes", sum(info.file_size for info in infos))
    for info in infos:
        _check_entry(info)
    _check_places(infos, data)
    if len({info.filename for info in infos}) != len(infos):
        raise BadFileError("This .mxl holds two entries of one name; export it again.")
    return archive


def _check_entry(info: zipfile.ZipInfo) -> None:
    if info.flag_bits & 1:
        raise BadFileError("This .mxl is encrypted; save it without a password.")
    if info.compress_type not in _METHODS:
        raise BadFileError("This .mxl is packed in an unusual way; save it as ordinary zip.")
    path = info.filename.replace("\\", "/")
    if path.startswith("/") or ".." in path.split("/") or "\0" in path:
        raise BadFileError("This .mxl holds an entry with a path out of the archive; refused.")
    if info.file_size > _SMALL:
        limits.check("unzip_ratio", info.file_size / max(info.compress_size, 1))


def _check_places(infos: list[zipfile.ZipInfo], data: bytes) -> None:
    """Every entry must lie where the directory says, inside the file and apart from the others."""
    reached = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        at = info.header_offset
        if at < reached or data[at : at + 4] != _LOCAL_MARK or at + _LOCAL.size > len(data):
            raise _misplaced(info)
        fields = _LOCAL.unpack_from(data, at)
        reached = at + _LOCAL.size + fields[9] + fields[10] + info.compress_size
        if reached > len(data):
            raise _misplaced(info)


def _misplaced(info: zipfile.ZipInfo) -> BadFileError:
    return BadFileError(
        f"{info.filename} is not where the directory of this .mxl says; export it again."
    )


_LOCAL_MARK = b"PK\x03\x04"
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    struct.error,
    RuntimeError,  # NotImplementedError too: encrypted or patched data
)
_SMALL = 1 << 20  # below this, a high ratio is only a repetitive score


def _inflate(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """An entry's bytes; never more than its directory says."""
    try:
        with archive.open(info) as stream:
            content = stream.read(info.file_size + 1)
    except _UNREADABLE as error:
        raise BadFileError(
            f"{info.filename} inside this .mxl is damaged; export it again."
        ) from error
    if len(content) != info.file_size:
        raise BadFileError(f"{info.filename} inside this .mxl has a false size; export it again.")
    return content


def _root_name(archive: zipfile.ZipFile) -> str:
    """Name of the entry that holds the score."""
    names = archive.namelist()
    paths: list[str] = []
    if _CONTAINER in names:
        # Where the container is no XML (programs write full-path='It's.xml'), the names decide.
        with contextlib.suppress(BadFileError):
            paths = _root_files(_inflate(archive, archive.getinfo(_CONTAINER)))
    found = next((path for path in paths if path in names), None)
    if found is not None:
        return found
    likely = [n for n in names if n.endswith((".musicxml", ".xml")) and not n.startswith("META-")]
    if len(likely) != 1:
        raise BadFileError(
            "This .mxl does not say which of its entries is the score "
            "(META-INF/container.xml is missing or wrong); export it again."
        )
    return likely[0]


def _root_files(container: bytes) -> list[str]:
    tree = xmltext.parse(xmltext.decode(container).body, _ignore)
    files = [e for e in tree.walk() if e.tag.rpartition(":")[2] == "rootfile"]
    musical = [e for e in files if e.attrs.get("media-type", "") in _ROOT_TYPES]
    return [e.attrs.get("full-path", "") for e in musical or files]


def _ignore(*elements: Element) -> None:
    """A container has no measures."""


# ------------------------------------------------------------------------------------ writing

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_DESCRIPTOR = 8  # flag: the sizes follow the data instead of standing in the local header
_END = struct.Struct("<4s4H2LH")


def _fixed(info: zipfile.ZipInfo) -> tuple[object, ...]:
    """What of an entry may never change."""
    return info.filename, info.date_time, info.compress_type, info.extra, info.comment


def _replaced(data: bytes, name: str, content: bytes) -> bytes:
    """The archive with other content in one entry; all other entries are copied as they lie."""
    archive = zipfile.ZipFile(io.BytesIO(data))
    infos = archive.infolist()
    out = bytearray()
    rows: dict[str, bytes] = {}
    for info in sorted(infos, key=lambda info: info.header_offset):
        packed = _pack(info, content) if info.filename == name else _as_it_was(info, data)
        rows[info.filename] = _directory_row(info, packed, len(out))
        out += _local(info, data, packed)
    directory = b"".join(rows[info.filename] for info in infos)
    end = _END.pack(
        b"PK\x05\x06", 0, 0, len(infos), len(infos), len(directory), len(out), len(archive.comment)
    )
    return bytes(out) + directory + end + archive.comment


class _Packed(NamedTuple):
    """An entry's compressed bytes, and what its headers say of them."""

    data: bytes
    crc: int
    size: int


def _pack(info: zipfile.ZipInfo, content: bytes) -> _Packed:
    data = content
    if info.compress_type == zipfile.ZIP_DEFLATED:
        squeeze = zlib.compressobj(6, zlib.DEFLATED, -15)
        data = squeeze.compress(content) + squeeze.flush()
    return _Packed(data, zlib.crc32(content), len(content))


def _as_it_was(info: zipfile.ZipInfo, data: bytes) -> _Packed:
    fields = _LOCAL.unpack_from(data, info.header_offset)
    start = info.header_offset + _LOCAL.size + fields[9] + fields[10]
    return _Packed(data[start : start + info.compress_size], info.CRC, info.file_size)


def _local(info: zipfile.ZipInfo, data: bytes, packed: _Packed | None = None) -> bytes:
    """An entry's local header and compressed bytes; a trailing data descriptor is not needed."""
    packed = packed or _as_it_was(info, data)
    fields = list(_LOCAL.unpack_from(data, info.header_offset))
    start = info.header_offset + _LOCAL.size
    names = data[start : start + fields[9] + fields[10]]
    fields[2] &= ~_DESCRIPTOR
    fields[6:9] = [packed.crc, len(packed.data), packed.size]
    return _LOCAL.pack(*fields) + names + packed.data


def _directory_row(info: zipfile.ZipInfo, packed: _Packed, offset: int) -> bytes:
    """The entry's row in the directory at the end of the archive."""
    raw_name = info.orig_filename.encode("utf-8" if info.flag_bits & 0x800 else "cp437")
    date = (info.date_time[0] - 1980) << 9 | info.date_time[1] << 5 | info.date_time[2]
    time = info.date_time[3] << 11 | info.date_time[4] << 5 | info.date_time[5] // 2
    head = _CENTRAL.pack(
        b"PK\x01\x02",
        info.create_version | info.create_system << 8,
        info.extract_version,
        info.flag_bits & ~_DESCRIPTOR,
        info.compress_type,
        time,
        date,
        packed.crc,
        len(packed.data),
        packed.size,
        len(raw_name),
        len(info.extra),
        len(info.comment),
        0,
        info.internal_attr,
        info.external_attr,
        offset,
    )
    return head + raw_name + info.extra + info.comment


FORMAT = Format(
    name="mxl",
    label="compressed MusicXML",
    extensions=(".mxl",),
    media_type=_MEDIA_TYPE,
    sniff=sniff,
    read=read,
    splice=splice,
    verify=verify,
    write=write,
)
