"""Pages of notation: MusicXML of a few measures of a score, for the browser to draw.

Conventions
    page        measures [first, first + count) of chosen parts, as a document of its own
    note id     "n<row of score.notes>"; noteheads tied to it are "n<row>.1", "n<row>.2" …
    measure id  "m<measure index>.p<part index>"

The browser keeps a page on screen while later edits renumber the rows, so a page also says which
(part, onset, pitch) each of its rows was. A page costs what its own measures cost, wherever it is.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from hub import engrave
from hub.engrave.spelling import keys_of
from hub.engrave.staves import layout
from hub.errors import PreviewError
from hub.formats.musicxml.excerpt import Excerpts, index_of
from hub.score import IntArray, Key, Score

MAX_MEASURES = 64  # of one page
CACHE_BYTES = 16 << 20
_KEPT_REVISIONS = 4
_NOTE_ID = re.compile(r"""\sid="n(\d+)["'.]""")


@dataclass(frozen=True, kw_only=True, eq=False)
class Page:
    """measures [first, last); rows (N,) of the score's notes that are drawn, ascending."""

    revision: int
    first: int
    last: int
    musicxml: str = field(repr=False)
    staves: tuple[int, ...]  # of each part drawn, from the top
    parts: tuple[int, ...]
    rows: IntArray = field(repr=False)
    notes: dict[str, list[int]] = field(repr=False)

    @property
    def note_ids(self) -> dict[str, tuple[int, int, int]]:
        """Drawn note id → (part index, onset tick, pitch)."""
        columns = (self.notes[name] for name in ("row", "part", "onset", "pitch"))
        return {
            f"n{row}": (part, onset, pitch)
            for row, part, onset, pitch in zip(*columns, strict=True)
        }

    @property
    def measure_ids(self) -> dict[str, int]:
        """Drawn measure id → measure index."""
        return {f"m{i}.p{p}": i for i in range(self.first, self.last) for p in self.parts}

    def to_json(self) -> dict[str, Any]:
        return {
            "revision": self.revision,
            "first": self.first,
            "count": self.last - self.first,
            "parts": list(self.parts),
            "staves": list(self.staves),
            "notes": self.notes,
            "musicxml": self.musicxml,
        }


@dataclass(kw_only=True)
class _Revision:
    """What every page of one revision needs, looked up once."""

    score: Score
    excerpts: Excerpts | None


class PageBook:
    """The pages of one document, by revision; bounded, and safe to ask from several threads.

    A score without key signatures is printed in the keys estimated for its first revision, so
    that an edit does not respell measures that it does not touch.
    """

    def __init__(self, *, max_bytes: int = CACHE_BYTES) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._revisions: OrderedDict[int, _Revision] = OrderedDict()
        self._pages: OrderedDict[tuple[Any, ...], Page] = OrderedDict()
        self._bytes = 0
        self._stated: tuple[Key, ...] = ()
        self._printed: tuple[Key, ...] | None = None

    def page(
        self,
        score: Score,
        revision: int,
        first: int,
        count: int,
        *,
        parts: Sequence[int] | None = None,
        own: bool = True,
    ) -> Page:
        """Measures [first, first + count) of `score`, which is revision `revision`.

        parts       indices, from the top; default: all
        own         show the user's own engraving where there is one; else, or if False (what the
                    engraver in the browser refused), it is engraved from the notes
        Raises PreviewError and LimitError.
        """
        chosen = tuple(parts) if parts is not None else tuple(range(len(score.parts)))
        span = _span(score, first, count, chosen)
        key = (revision, *span, chosen, own)
        with self._lock:
            if key in self._pages:
                self._pages.move_to_end(key)
                return self._pages[key]
            known = self._revision(score, revision)
            page = _draw_up(known, revision, span, chosen, own=own)
            self._keep(key, page)
        return page

    def _revision(self, score: Score, revision: int) -> _Revision:
        known = self._revisions.get(revision)
        if known is None:
            excerpts = Excerpts(score) if index_of(score) is not None else None
            known = _Revision(score=self._in_printed_keys(score), excerpts=excerpts)
            self._revisions[revision] = known
            if len(self._revisions) > _KEPT_REVISIONS:
                self._revisions.popitem(last=False)
        return known

    def _in_printed_keys(self, score: Score) -> Score:
        if self._printed is None or score.keys != self._stated:
            self._stated, self._printed = score.keys, keys_of(score)
        return replace(score, keys=self._printed)

    def _keep(self, key: tuple[Any, ...], page: Page) -> None:
        self._pages[key] = page
        self._bytes += len(page.musicxml)
        while self._bytes > self._max_bytes and len(self._pages) > 1:
            _, dropped = self._pages.popitem(last=False)
            self._bytes -= len(dropped.musicxml)


def _span(score: Score, first: int, count: int, parts: tuple[int, ...]) -> tuple[int, int]:
    """The measures [a, b) that there are; PreviewError where a page would be empty or too long."""
    if not score.measures or not score.parts or not parts:
        raise PreviewError("This score has no measures to draw.")
    if not all(0 <= part < len(score.parts) for part in parts):
        raise PreviewError(f"This score has parts 0 to {len(score.parts) - 1}; got {list(parts)}.")
    if count > MAX_MEASURES:
        raise PreviewError(
            f"A page holds at most {MAX_MEASURES} measures; got {count}. Ask for several pages."
        )
    last = min(first + count, len(score.measures))
    if not 0 <= first < last:
        raise PreviewError(
            f"There are no measures to draw from index {first} on; "
            f"this score has {len(score.measures)}."
        )
    return first, last


def _draw_up(
    known: _Revision, revision: int, span: tuple[int, int], parts: tuple[int, ...], *, own: bool
) -> Page:
    score = known.score
    if own and known.excerpts is not None:
        data = known.excerpts.cut(span, parts)
        staves = tuple(score.parts[part].staves for part in parts)
    else:
        ids = [score.parts[part].id for part in parts]
        data = engrave.to_musicxml(score, ids=True, measures=span, parts=ids, is_continued=True)
        staves = tuple(len(layout(score, part).clefs) for part in parts)
    text = data.decode()
    rows = np.unique(np.array([int(row) for row in _NOTE_ID.findall(text)], dtype=np.int64))
    return Page(
        revision=revision,
        first=span[0],
        last=span[1],
        musicxml=text,
        staves=staves,
        parts=parts,
        rows=rows,
        notes=_columns(score, rows),
    )


def _columns(score: Score, rows: IntArray) -> dict[str, list[int]]:
    notes = score.notes
    return {
        "row": rows.tolist(),
        "part": notes.part[rows].tolist(),
        "onset": notes.onset[rows].tolist(),
        "pitch": notes.pitch[rows].tolist(),
    }
