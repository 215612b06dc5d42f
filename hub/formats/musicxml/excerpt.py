"""A few measures of the user's own MusicXML, as a small document that can be drawn by itself.

Cut out by byte spans, so the engraving is the user's: beams, slurs, lyrics, directions. The first
measure gets the attributes in force there; notes and measures get our ids. Document type, credits
and layout are left out. For display only, never for saving.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from hub.errors import PreviewError
from hub.formats.musicxml.index import Index
from hub.score import IntArray, Score

_ROOT = (
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b'<score-partwise version="4.0" xmlns:xlink="http://www.w3.org/1999/xlink">'
)
_TAG = re.compile(rb"""<[\w:.-]+(?:[^"'>]|"[^"]*"|'[^']*')*>""")
_ID = re.compile(rb"""\sid\s*=\s*("[^"]*"|'[^']*')""")
_ATTRIBUTES = re.compile(rb"<attributes\s*/>|<attributes(?:\s[^>]*)?>(.*?)</attributes\s*>", re.S)
_MUSIC = re.compile(rb"<(?:note|backup|forward|harmony|direction)[\s>]")
_COMMENT = re.compile(rb"<!--.*?-->", re.S)
# In the order of the schema; what is not here (measure-style) would spread over later measures.
_KEPT = (
    b"divisions", b"key", b"time", b"staves", b"part-symbol", b"instruments", b"clef",
    b"staff-details", b"transpose",
)  # fmt: skip
_CHILD = re.compile(rb"<(" + b"|".join(_KEPT) + rb")((?:\s[^>]*?)?)(?:/>|>(?:.*?)</\1\s*>)", re.S)
_NUMBER = re.compile(rb"""\snumber\s*=\s*["'](\d+)""")
_MEASURE_STYLE = re.compile(rb"<measure-style.*?</measure-style\s*>", re.S)


def index_of(score: Score) -> Index | None:
    """What the MusicXML reader remembers, also through an .mxl; None for other sources."""
    index = score.source.index if score.source is not None else None
    inner = getattr(index, "source", None)
    found = inner.index if inner is not None else index
    return found if isinstance(found, Index) else None


def excerpt(score: Score, measures: tuple[int, int], parts: Sequence[int]) -> bytes:
    """MusicXML of measures [a, b) of some parts (indices), with ids as `engrave` writes them."""
    return Excerpts(score).cut(measures, parts)


class Excerpts:
    """Many excerpts of one score: what is in force where is looked up once, not for each."""

    def __init__(self, score: Score) -> None:
        index = index_of(score)
        if index is None:
            raise PreviewError("This score does not come from a MusicXML file.")
        self._score = score
        self._index = index
        self._rows = _rows_of_segments(index)
        self._in_force = {
            part: _InForce(index.text.body, index.parts[part].starts)
            for part in range(len(index.parts))
        }

    def cut(self, measures: tuple[int, int], parts: Sequence[int]) -> bytes:
        """MusicXML of measures [a, b) of some parts (indices)."""
        names = [self._score.parts[part].id for part in parts]
        out = [_ROOT, b"<part-list>"]
        out += [_score_part(self._index, name) for name in names]
        out.append(b"</part-list>")
        for part, name in zip(parts, names, strict=True):
            out += _part(self._index, name, part, measures, self._rows, self._in_force[part])
        out.append(b"</score-partwise>")
        return b"".join(out)


def _rows_of_segments(index: Index) -> tuple[IntArray, IntArray]:
    """Row of `Score.notes` and place in its chain, for every segment; row −1: none."""
    chains = index.chains
    rows = np.full(len(index.segments), -1, dtype=np.int64)
    places = np.zeros(len(index.segments), dtype=np.int64)
    lengths = np.diff(chains.pointers)
    rows[chains.members] = np.repeat(np.arange(len(lengths)), lengths)
    firsts = np.repeat(chains.pointers[:-1], lengths)
    places[chains.members] = np.arange(len(chains.members)) - firsts
    return rows, places


def _score_part(index: Index, part_id: str) -> bytes:
    body = index.text.body[
        : min((part.starts[0] for part in index.parts if len(part.starts)), default=0)
    ]
    name = re.escape(_quoted(part_id))
    pattern = rb"<score-part\b[^>]*?\sid\s*=\s*[\"']" + name + rb"[\"'].*?</score-part\s*>"
    match = re.search(pattern, body, re.S)
    return match[0] if match else b'<score-part id="%s"><part-name/></score-part>' % name


def _quoted(text: str) -> bytes:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;").encode()


def _part(
    index: Index,
    part_id: str,
    part: int,
    measures: tuple[int, int],
    rows: tuple[IntArray, IntArray],
    in_force: _InForce,
) -> Iterator[bytes]:
    spans = list(zip(index.parts[part].starts, index.parts[part].ends, strict=True))
    first, last = measures
    yield b'<part id="%s">' % _quoted(part_id)
    for place in range(first, min(last, len(spans))):
        start, end = spans[place]
        measure = _with_note_ids(index, part, (start, end), rows)
        tag = _TAG.match(measure)
        if tag is None:
            raise PreviewError("A measure of this score cannot be found again.")
        content = _MEASURE_STYLE.sub(b"", measure[tag.end() :])
        yield _with_id(tag[0], b"m%d.p%d" % (place, part))
        if place == first:
            yield in_force.attributes(place, content)
            content = _without_leading_attributes(content)
        yield content
    yield b"</part>"


def _with_note_ids(
    index: Index, part: int, span: tuple[int, int], rows: tuple[IntArray, IntArray]
) -> bytes:
    """One measure's bytes with our ids on the notes that are rows of the score."""
    body, segments = index.text.body, index.segments
    low, high = np.searchsorted(segments.start, span)
    out, position = [], span[0]
    for segment in range(int(low), int(high)):
        row, place = int(rows[0][segment]), int(rows[1][segment])
        start = int(segments.start[segment])
        tag = _TAG.match(body, start)
        if row < 0 or tag is None or segments.part[segment] != part:
            continue
        out.append(body[position:start])
        out.append(_with_id(tag[0], b"n%d.%d" % (row, place) if place else b"n%d" % row))
        position = tag.end()
    return b"".join([*out, body[position : span[1]]])


def _with_id(tag: bytes, name: bytes) -> bytes:
    """A start tag with its id replaced."""
    bare = _ID.sub(b"", tag)
    stop = re.match(rb"<[\w:.-]+", bare)
    assert stop is not None
    return bare[: stop.end()] + b' id="' + name + b'"' + bare[stop.end() :]


_State = dict[tuple[bytes, bytes], bytes]  # (element, its number) → the element
_CHECKPOINT = 64  # measures


class _InForce:
    """The <attributes> in force at any measure of one part: the last of each kind so far.

    What lies between two checkpoints is read when something behind it is first asked for.
    """

    def __init__(self, body: bytes, starts: Sequence[int]) -> None:
        self._body = body
        self._starts = starts
        self._states: list[_State] = [{}]  # before measures 0, 64, 128 …

    def attributes(self, measure: int, content: bytes) -> bytes:
        """For a picture that begins with `measure`; `content` is what that measure holds."""
        checkpoint = measure // _CHECKPOINT
        while len(self._states) <= checkpoint:
            at = len(self._states) * _CHECKPOINT
            self._states.append(self._after(self._states[-1], at - _CHECKPOINT, at))
        state = self._after(self._states[checkpoint], checkpoint * _CHECKPOINT, measure)
        state = _with_attributes(state, _leading(content))
        kinds = (sorted(key for key in state if key[0] == kind) for kind in _KEPT)
        inside = [state[key] for keys in kinds for key in keys]
        return b"<attributes>" + b"".join(inside) + b"</attributes>"

    def _after(self, state: _State, first: int, last: int) -> _State:
        return _with_attributes(state, self._body[self._starts[first] : self._starts[last]])


def _with_attributes(state: _State, text: bytes) -> _State:
    """What is in force after a stretch of a part's text."""
    state = dict(state)
    for block in _ATTRIBUTES.finditer(_COMMENT.sub(b"", text)):
        for child in _CHILD.finditer(block[1] or b""):
            number = _NUMBER.search(child[2])
            if child[1] in (b"key", b"time", b"transpose") and number is None:
                state = {k: v for k, v in state.items() if k[0] != child[1]}
            state[child[1], number[1] if number else b""] = child[0]
    return state


def _leading(content: bytes) -> bytes:
    """What stands before the first music of a measure."""
    music = _MUSIC.search(content)
    return content[: music.start()] if music else content


def _without_leading_attributes(content: bytes) -> bytes:
    head = _leading(content)
    return _ATTRIBUTES.sub(b"", head) + content[len(head) :]
