"""Score → notation pictures. What is to be shown (`display`) is kept apart from who draws it.

`display` gives MusicXML of just the measures wanted, with ids on notes and measures, and what to
mark there; `notation_svg` has verovio draw it in a child process. A browser can draw the same
display data with its own engraver.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from hub import child, engrave
from hub.engrave.spelling import keys_of
from hub.engrave.staves import layout
from hub.errors import PreviewError
from hub.formats.musicxml import excerpt as musicxml_excerpt
from hub.region import Box, Region
from hub.score import Score

PAGE_HEIGHT = 1400  # pixels; taller music continues on another picture
MAX_PAGES = 12
MAX_MEASURES = 64  # of one display; more are cut, the page asks for the next ones


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A stretch of one measure to shade.

    measure         id of the measure in the display's MusicXML
    staves          [first, last) of the system's staves, counted from the top
    start, end      shares 0..1 of the measure
    """

    measure: str
    staves: tuple[int, int]
    start: float = 0.0
    end: float = 1.0

    def to_json(self) -> dict[str, Any]:
        return {
            "measure": self.measure,
            "staves": list(self.staves),
            "from": self.start,
            "to": self.end,
        }


@dataclass(frozen=True, kw_only=True)
class Display:
    """Everything an engraver needs: MusicXML with ids, what to shade, which notes to colour."""

    musicxml: bytes
    measures: tuple[int, int]
    marks: tuple[Mark, ...] = ()
    changed: tuple[str, ...] = ()
    title: str = ""


def in_keys_of(score: Score, other: Score) -> Score:
    """The score with the keys that `other` is printed in, for pictures to be compared.

    A file without key signatures gets an estimate, which a few new notes must not turn over.
    """
    return replace(score, keys=keys_of(other))


def notation_svg(
    score: Score,
    *,
    measures: tuple[int, int] | None = None,
    parts: Sequence[str] | None = None,
    region: Region | None = None,
    changed_rows: Iterable[int] = (),
    width: int = 960,
    prefix: str | None = None,
    timeout_seconds: float = 20.0,
) -> list[str]:
    """SVG pictures (one a page) of measures [a, b), safe to put into a web page.

    `parts` are part ids (default: those that sound there or are marked); `region` is shaded and
    notes in `changed_rows` are coloured; `prefix` makes the ids of one picture unique on a page
    (default: from the content). Raises PreviewError.
    """
    rows = tuple(changed_rows)

    def picture(*, own: bool) -> list[str]:
        shown = display(
            score, measures=measures, parts=parts, region=region, changed_rows=rows, own=own
        )
        return draw(shown, width=width, prefix=prefix, timeout_seconds=timeout_seconds)

    if musicxml_excerpt.index_of(score) is not None:
        with contextlib.suppress(PreviewError):  # verovio may refuse what the user's file says
            return picture(own=True)
    return picture(own=False)


def draw(
    shown: Display, *, width: int = 960, prefix: str | None = None, timeout_seconds: float = 20.0
) -> list[str]:
    """Have verovio draw a display."""
    marks = [mark.to_json() for mark in shown.marks]
    unique = prefix or "v" + _digest(shown.musicxml, json.dumps([marks, shown.changed]).encode())
    answer = child.call(
        "hub.preview.engraver:render",
        shown.musicxml,
        timeout_seconds=timeout_seconds,
        memory_mb=1536,
        width=width,
        page_height=PAGE_HEIGHT,
        max_pages=MAX_PAGES,
        prefix=f"{unique}-",
        title=shown.title,
        marks=marks,
        changed=list(shown.changed),
    )
    pictures: list[str] = json.loads(answer)
    return pictures


def _digest(*pieces: bytes) -> str:
    digest = blake2b(digest_size=5)
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def display(
    score: Score,
    *,
    measures: tuple[int, int] | None = None,
    parts: Sequence[str] | None = None,
    region: Region | None = None,
    changed_rows: Iterable[int] = (),
    own: bool = True,
) -> Display:
    """What to show of measures [a, b): see `notation_svg`.

    Scores from MusicXML show the user's own engraving if `own`; all others are engraved here.
    """
    window = _window(score, measures)
    chosen = [score.part_index(p) for p in parts] if parts else _busy_parts(score, window, region)
    if own and musicxml_excerpt.index_of(score) is not None:
        data = musicxml_excerpt.excerpt(score, window, chosen)
        staves = [score.parts[index].staves for index in chosen]
    else:
        ids = [score.parts[index].id for index in chosen]
        data = engrave.to_musicxml(score, ids=True, measures=window, parts=ids)
        staves = [len(layout(score, index).clefs) for index in chosen]
    marks = _marks(score, dict(zip(chosen, staves, strict=True)), region, window)
    return Display(
        musicxml=data,
        measures=window,
        marks=tuple(marks),
        changed=tuple(f"n{row}" for row in changed_rows),
        title=_title(score, window),
    )


def _window(score: Score, measures: tuple[int, int] | None) -> tuple[int, int]:
    first, last = measures or (0, len(score.measures))
    first = max(0, first)
    last = min(last, len(score.measures), first + MAX_MEASURES)
    if first >= last or not score.parts:
        raise PreviewError("There are no measures to draw in this part of the score.")
    return first, last


def _busy_parts(score: Score, window: tuple[int, int], region: Region | None) -> list[int]:
    """Parts that sound in the window or are marked; all of them where none is."""
    start, end = score.measures[window[0]].start, score.measures[window[1] - 1].end
    notes = score.notes
    sounding = set(notes.part[(notes.onset < end) & (notes.end > start)].tolist())
    if region is not None:
        sounding |= {score.part_index(part) for part in region.resolve(score).parts()}
    return sorted(sounding) or list(range(len(score.parts)))


def _title(score: Score, window: tuple[int, int]) -> str:
    first, last = score.measures[window[0]].number, score.measures[window[1] - 1].number
    return f"Notation, measures {first} to {last}"


def _marks(
    score: Score, staff_counts: dict[int, int], region: Region | None, window: tuple[int, int]
) -> Iterator[Mark]:
    """One mark for each measure and part that a box touches. Measures go by the first part's id."""
    if region is None:
        return
    staves, top = {}, 0
    for part, count in staff_counts.items():
        staves[score.parts[part].id] = (top, top + count)
        top += count
    first_part = next(iter(staff_counts))
    for box in region.resolve(score).boxes:
        if box.part in staves:
            for index, start, end in _shares(score, box, window):
                name = f"m{index}.p{first_part}"
                yield Mark(measure=name, staves=staves[box.part], start=start, end=end)


def _shares(score: Score, box: Box, window: tuple[int, int]) -> Iterator[tuple[int, float, float]]:
    """(measure index, start, end) of a box, as shares of the measure's length."""
    for index in range(*window):
        measure = score.measures[index]
        start, end = max(box.start_tick, measure.start), min(box.end_tick, measure.end)
        if start < end:
            length = max(1, measure.length)
            yield index, (start - measure.start) / length, (end - measure.start) / length
