"""Runs in a child process: the text of one ABC tune → MusicXML, through music21."""

from __future__ import annotations

import re

from hub.errors import BadFileError

_DATE = re.compile(rb"<encoding-date>[^<]*</encoding-date>")  # one text, one file, on any day


def to_musicxml(data: bytes) -> bytes:
    """UTF-8 MusicXML of a UTF-8 ABC tune. Never touches music21's pickle cache."""
    from music21 import converter, instrument, stream
    from music21.musicxml.m21ToXml import GeneralObjectExporter

    parsed = converter.parse(data.decode(), format="abc", forceSource=True)
    if isinstance(parsed, stream.Opus):
        parsed = parsed.scores[0]
    if not parsed.recurse().notesAndRests:
        raise BadFileError("This ABC tune has no notes.")
    for number, part in enumerate(parsed.getElementsByClass(stream.Part), start=1):
        player = instrument.Instrument(part.partName or f"Voice {number}")
        player.partId, player.instrumentId = f"P{number}", f"I{number}"  # else drawn by lot
        part.insert(0, player)
    xml: bytes = GeneralObjectExporter(parsed).parse()
    return _DATE.sub(b"", xml)
