"""The zip around a MusicXML file: opened within limits, edited without touching other entries."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from hub.errors import BadFileError, FileError, LimitError, PromiseError
from hub.formats import Edit, mxl
from hub.score import Note, Notes

SCORE = b"""<?xml version="1.0" encoding="UTF-8"?>
<score-partwise version="4.0">
  <part-list><score-part id="P1"><part-name>Flute</part-name></score-part></part-list>
  <part id="P1">
    <measure number="1">
      <attributes><divisions>1</divisions><time><beats>4</beats><beat-type>4</beat-type></time>
      </attributes>
      <note><pitch><step>C</step><octave>4</octave></pitch><duration>4</duration><type>whole</type>
      </note>
    </measure>
  </part>
</score-partwise>
"""
CONTAINER = b"""<?xml version="1.0"?><container><rootfiles>
<rootfile full-path="music.xml"/><rootfile full-path="page.pdf" media-type="application/pdf"/>
</rootfiles></container>"""


def archive(entries: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as out:
        for name, content in entries:
            info = zipfile.ZipInfo(name, (2019, 3, 7, 12, 30, 42))
            out.writestr(info, content, method)
        out.comment = b"kept"
    return buffer.getvalue()


@pytest.fixture
def data() -> bytes:
    return archive(
        [("META-INF/container.xml", CONTAINER), ("page.pdf", b"%PDF" * 99), ("music.xml", SCORE)]
    )


EDIT = Edit(removed=np.array([0]), added=Notes.of([Note(0, 12, 64), Note(12, 84, 65)]))


def test_reads_the_score_that_the_container_names(data: bytes) -> None:
    score = mxl.read(data, "a.mxl")
    assert [tuple(n[:3]) for n in score.notes] == [(0, 96, 60)]
    assert score.source is not None and score.source.data == data and score.source.format == "mxl"


def test_a_splice_changes_the_scores_entry_only(data: bytes) -> None:
    score = mxl.read(data, "a.mxl")
    edited = mxl.splice(score, EDIT)
    mxl.verify(score, EDIT, edited)
    old, new = (zipfile.ZipFile(io.BytesIO(d)) for d in (data, edited))
    assert new.testzip() is None
    assert new.namelist() == old.namelist() and new.comment == b"kept"
    for info in old.infolist():
        twin = new.getinfo(info.filename)
        assert (twin.date_time, twin.external_attr) == (info.date_time, info.external_attr)
        assert (new.read(twin) == old.read(info)) == (info.filename != "music.xml")
    assert [tuple(n[:3]) for n in mxl.read(edited, "b.mxl").notes] == [(0, 12, 64), (12, 84, 65)]


def test_verify_sees_another_entry_change(data: bytes) -> None:
    score = mxl.read(data, "a.mxl")
    edited = mxl.splice(score, EDIT)
    content = zipfile.ZipFile(io.BytesIO(edited)).read("music.xml")
    forged = archive(
        [("META-INF/container.xml", CONTAINER), ("page.pdf", b"%PDX" * 99), ("music.xml", content)]
    )
    with pytest.raises(PromiseError, match=r"page\.pdf"):
        mxl.verify(score, EDIT, forged)


def test_a_bomb_is_refused_by_its_directory() -> None:
    bomb = archive([("META-INF/container.xml", CONTAINER), ("music.xml", b" " * (60 << 20))])
    with pytest.raises(LimitError, match="unzipped"):
        mxl.read(bomb, "bomb.mxl")


def test_a_false_size_is_refused(data: bytes) -> None:
    at = data.rindex(b"PK\x01\x02")
    small = data[: at + 24] + struct.pack("<L", 10) + data[at + 28 :]
    with pytest.raises(BadFileError):
        mxl.read(small, "small.mxl")


@pytest.mark.parametrize("name", ["../music.xml", "/music.xml", "a/../../b.xml"])
def test_paths_out_of_the_archive_are_refused(name: str) -> None:
    with pytest.raises(BadFileError, match="path"):
        mxl.read(archive([(name, SCORE)]), "odd.mxl")


def test_an_encrypted_archive_is_refused(data: bytes) -> None:
    at = data.rindex(b"PK\x01\x02")
    locked = data[: at + 8] + b"\x01\x00" + data[at + 10 :]
    with pytest.raises(BadFileError, match="password"):
        mxl.read(locked, "locked.mxl")


def test_every_cut_off_archive_is_a_file_error(data: bytes) -> None:
    for end in range(4, len(data) - 1, 37):
        with pytest.raises(FileError):
            mxl.read(data[:end], "cut.mxl")


def test_a_container_is_not_needed_where_one_entry_is_a_score() -> None:
    assert len(mxl.read(archive([("x.musicxml", SCORE)]), "plain.mxl").notes) == 1
    with pytest.raises(BadFileError, match="which of its entries"):
        mxl.read(archive([("x.xml", SCORE), ("y.xml", SCORE)]), "two.mxl")


def test_a_container_that_is_no_xml_is_passed_over() -> None:
    container = b"<container><rootfiles><rootfile full-path='It's.xml'/></rootfiles></container>"
    data = archive([("META-INF/container.xml", container), ("It's.xml", SCORE)])
    assert len(mxl.read(data, "its.mxl").notes) == 1


def test_real_archives_keep_their_other_entries(shared_scores: Path) -> None:
    path = shared_scores / "musicxmlTestSuite/xmlFiles/90a-Compressed-MusicXML.mxl"
    data = path.read_bytes()
    score = mxl.read(data, path.name)
    edit = Edit(removed=np.arange(3), added=Notes.empty())
    edited = mxl.splice(score, edit)
    mxl.verify(score, edit, edited)
    old, new = (zipfile.ZipFile(io.BytesIO(d)) for d in (data, edited))
    assert new.testzip() is None and new.namelist() == old.namelist()
    changed = [n for n in old.namelist() if old.read(n) != new.read(n)]
    assert changed == ["20a-Compressed-MusicXML.xml"]


@pytest.mark.parametrize("flag", [0x20, 0x40])
def test_patched_or_strongly_encrypted_data_is_a_file_error(data: bytes, flag: int) -> None:
    at = data.rindex(b"PK\x01\x02")
    odd = data[: at + 8] + flag.to_bytes(2, "little") + data[at + 10 :]
    with pytest.raises(BadFileError, match=r"music\.xml inside this \.mxl is damaged"):
        mxl.read(odd, "odd.mxl")


@pytest.mark.parametrize("offset", [0xFFFF_FFF0, 5, 0])
def test_an_entry_that_is_elsewhere_is_refused_on_opening(data: bytes, offset: int) -> None:
    at = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)  # page.pdf
    odd = data[: at + 42] + offset.to_bytes(4, "little") + data[at + 46 :]
    with pytest.raises(BadFileError, match="is not where the directory"):
        mxl.read(odd, "odd.mxl")


def test_an_entry_longer_than_the_file_is_refused_on_opening(data: bytes) -> None:
    at = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)
    odd = data[: at + 20] + (1 << 20).to_bytes(4, "little") + data[at + 24 :]
    with pytest.raises(BadFileError, match=r"page\.pdf is not where"):
        mxl.read(odd, "odd.mxl")
