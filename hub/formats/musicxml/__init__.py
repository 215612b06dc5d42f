"""MusicXML: text files (.musicxml, .xml), read by `reader`, edited in place by `splice`."""

from __future__ import annotations

from hub.formats import Format
from hub.formats.musicxml.reader import read, read_as, sniff
from hub.formats.musicxml.splice import splice
from hub.formats.musicxml.verify import verify
from hub.score import Score

__all__ = ["FORMAT", "read", "read_as", "sniff", "splice", "verify"]


def _write(score: Score) -> bytes:
    from hub.engrave import to_musicxml

    return to_musicxml(score)


FORMAT = Format(
    name="musicxml",
    label="MusicXML",
    extensions=(".musicxml", ".xml"),
    media_type="application/vnd.recordare.musicxml+xml",
    sniff=sniff,
    read=read,
    splice=splice,
    verify=verify,
    write=_write,
)
