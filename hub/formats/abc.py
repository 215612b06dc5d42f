"""ABC notation on import: converted to MusicXML, which is what is edited and downloaded from then.

Limits hold before any library sees the text; music21 reads it in a child process. Of a tune book
the first tune is taken, and an annotation says so.
"""

from __future__ import annotations

import re
from dataclasses import replace

from hub import child
from hub.errors import BadFileError, ChildError, LimitError
from hub.formats import Format, musicxml
from hub.score import Annotation, Score

MAX_BYTES = 200_000
MAX_LINES = 5_000
MAX_LINE_LENGTH = 5_000
TIMEOUT_SECONDS = 20.0

_REFERENCE = re.compile(r"^X:\s*\d*.*$", re.M)
_FIELD = re.compile(r"^(?:[A-Za-z+]:|%).*$|%.*$", re.M)  # fields and comments hold no notes
_QUOTED = re.compile(r'"[^"\n]*"|![^!\n]*!')
_LONG_NUMBER = re.compile(r"\d{5,}")
_KEY = re.compile(r"^K:", re.M)
_LENGTH = re.compile(r"^[LM]:", re.M)
_TITLE = re.compile(r"^T:\s*(.*?)\s*$", re.M)


def sniff(data: bytes) -> bool:
    """Text with a reference number (X:) and a key (K:) in its first lines."""
    head = data[:20_000]
    if b"\0" in head:
        return False
    text = _text(head)
    return text.startswith("%abc") or bool(_REFERENCE.search(text) and _KEY.search(text))


def read(data: bytes, name: str = "score") -> Score:
    """A Score whose source is the converted MusicXML. Raises FileError."""
    tune, count = _first_tune(_checked(data))
    try:
        xml = child.call(
            "hub.formats.abc_convert:to_musicxml",
            tune.encode(),
            timeout_seconds=TIMEOUT_SECONDS,
            memory_mb=2048,
        )
    except ChildError as error:
        raise BadFileError(
            f'"{name}" cannot be read as ABC: {error} Check the tune in an ABC editor.'
        ) from error
    score = musicxml.read(xml, name)
    assert score.source is not None
    title = _TITLE.search(tune)
    return replace(
        score,
        title=title[1] if title else score.title,
        source=replace(score.source, converted_from="abc"),
        annotations=(*_note_on_tunes(count), *score.annotations),
    )


def _checked(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise LimitError(
            f"This ABC file has {len(data):,} bytes; at most {MAX_BYTES:,} are accepted. "
            "Cut the tune you want into a file of its own."
        )
    text = _text(data)
    lines = text.split("\n")
    if len(lines) > MAX_LINES or max(map(len, lines)) > MAX_LINE_LENGTH:
        raise LimitError(
            f"This ABC file has {len(lines):,} lines of up to {max(map(len, lines)):,} letters; "
            f"at most {MAX_LINES:,} lines of {MAX_LINE_LENGTH:,} are accepted."
        )
    _check_numbers(text)
    return text


def _check_numbers(text: str) -> None:
    """No note, tuplet or meter needs a number this long; a reader would fill memory with it."""
    music = _QUOTED.sub("", _FIELD.sub("", text))
    match = _LONG_NUMBER.search(music)
    if match:
        raise LimitError(
            f"This ABC tune holds the number {match[0][:12]}…; note lengths have at most 4 digits."
        )


def _text(data: bytes) -> str:
    """UTF-8 or, as in older files, Latin-1; line ends as line feeds."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _first_tune(text: str) -> tuple[str, int]:
    """The first tune, with the file's own header before it, and the number of tunes."""
    starts = [match.start() for match in _REFERENCE.finditer(text)]
    if not _KEY.search(text):
        raise BadFileError("This ABC file has no key (K:), so no tune begins in it.")
    tune = text[: starts[1]] if len(starts) > 1 else text
    if not _LENGTH.search(tune):  # the standard's default, which music21 does not know
        tune = _KEY.sub("L:1/8\nK:", tune, count=1)
    return tune.rstrip() + "\n", max(1, len(starts))


def _note_on_tunes(count: int) -> tuple[Annotation, ...]:
    if count < 2:
        return ()
    return (Annotation(0, "notice", f"This is the first of {count} tunes in the file."),)


FORMAT = Format(
    name="abc",
    label="ABC",
    extensions=(".abc",),
    media_type="text/vnd.abc",
    sniff=sniff,
    read=read,
)
