"""Score and takes → HTML for the page: notation and piano roll with the region marked.

A picture that cannot be made costs the picture, never the take: its sentence is shown instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

import numpy as np

from hub.model import Take, measures_text
from hub.receipt import unchanged_rows
from hub.region import Region
from hub.score import IntArray, Score
from hub.ui.downloads import around
from hub.ui.errors import sentence

MARGIN_MEASURES = 2
NOTATION_WIDTH = 1040  # pixels; the page shrinks it to what it has
CARD_WIDTH = 520
MAX_ENGRAVED_PARTS = 8  # of an orchestra, in the overview; the piano roll shows all
PAGE_MEASURES = 8  # of the notation, when pages are turned
OVERVIEW_MEASURES = 64  # of the piano roll above; longer scores show a window around the region


def message(text: str, kind: str = "error") -> str:
    """A sentence in a box; '' for none. kind: "error" (announced at once), "note"."""
    if not text:
        return ""
    role = "alert" if kind == "error" else "status"
    return f'<p class="sh-message sh-{kind}" role="{role}">{escape(text)}</p>'


def progress(fraction: float | None, text: str = "") -> str:
    """A progress bar with a word; without a fraction, one that only moves."""
    value = "" if fraction is None else f' value="{min(max(fraction, 0.0), 1.0):.3f}"'
    word = escape(text or "Working …")
    bar = f'<progress max="1"{value}>{word}</progress>'
    return f'<div class="sh-progress">{bar}<span>{word}</span></div>'


def ready(count: int) -> str:
    """What the progress bar leaves behind."""
    return f'<p class="sh-small">{count} take{"s are" if count > 1 else " is"} ready below.</p>'


def heading(takes: Sequence[Take], region: Region | None) -> str:
    """Over the takes: what they are of, and whether `region`, the one marked now, is another."""
    if not takes:
        return "<h2>Takes</h2>"
    first = takes[0]
    place = f"measures {first.measures_text()}, {', '.join(first.region.parts())}"
    origin = "" if region in (None, first.region) else "From an earlier region: "
    return f'<h2>Takes</h2><p class="sh-small">{escape((origin or "Of ") + place)}.</p>'


def take_head(takes: Sequence[Take], number: int) -> str:
    """Number (from 1), seed, receipt and log of one of a run's takes."""
    made = takes[number - 1]
    facts = f"Measures {made.measures_text()}, {made.seconds:.2f} s."
    return (
        f'<h3>Take {number} <span class="sh-seed">seed {made.seed}</span></h3>'
        f'<p class="sh-receipt">{escape(made.receipt.sentence())}</p>'
        f"{message(repeated(takes, number), 'note')}"
        f'<p class="sh-small">{escape(facts)}</p>{listed("Log", list(made.log))}'
    )


def repeated(takes: Sequence[Take], number: int) -> str:
    """What take `number` (from 1) repeats note for note, in a sentence; '' for nothing."""
    made = takes[number - 1]
    if not made.receipt.removed and not made.receipt.added:
        return "The same notes as the original."
    for other, earlier in enumerate(takes[: number - 1], start=1):
        if made.notes == earlier.notes:
            return f"The same notes as take {other}."
    return ""


def original_head(score: Score, region: Region) -> str:
    inside = int(region.contains(score.notes, score).sum())
    return (
        '<h3>Original</h3><p class="sh-receipt">What you had: '
        f"{inside} notes in the region.</p>"
        f'<p class="sh-small">Measures {escape(measures_text(score, region))}.</p>'
    )


def waiting() -> str:
    return '<div class="sh-waiting">Drawing …</div>'


def listed(title: str, lines: list[str]) -> str:
    """A folded list, '' when empty."""
    if not lines:
        return ""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    head = f"<summary>{escape(title)} ({len(lines)})</summary>"
    return f'<details class="sh-list">{head}<ul>{items}</ul></details>'


def overview(score: Score, region: Region | None, first: int | None = None) -> str:
    """The score being worked on: notation around the region, piano roll of much more.

    `first` is the first measure (index) of the notation where a visitor has turned the pages.
    """
    near = _window(score, region, MARGIN_MEASURES, first)
    wide = _window(score, region, OVERVIEW_MEASURES // 2, first)
    parts = engraved_parts(score, region)
    return _figure(
        _tried("Notation", lambda: notation_picture(score, near, region, parts)),
        _tried("Piano roll", lambda: roll_picture(score, wide, region)),
    )


def turned(score: Score, region: Region | None, first: int | None, pages: int) -> int:
    """First measure (index) of the notation `pages` further on, within the score."""
    now = _window(score, region, MARGIN_MEASURES, first)[0]
    return max(0, min(now + pages * PAGE_MEASURES, len(score.measures) - PAGE_MEASURES))


def engraved_parts(score: Score, region: Region | None) -> list[str]:
    """Ids of the parts to engrave: the region's, and others while there is room; score order."""
    marked = list(region.parts()) if region is not None else []
    others = [part.id for part in score.parts if part.id not in marked]
    chosen = {*marked, *others[: max(0, MAX_ENGRAVED_PARTS - len(marked))]}
    return [part.id for part in score.parts if part.id in chosen]


def take(takes: Sequence[Take], number: int) -> str:
    """Take `number` (from 1) around its region: what is new is marked, what went is hatched."""
    made = takes[number - 1]
    window = around(made.before, made.region, MARGIN_MEASURES)
    new, gone = changes(made)
    parts = list(made.region.parts())
    return take_head(takes, number) + _figure(
        _tried("Notation", lambda: notation_picture(
            made.score, window, made.region, parts, new, CARD_WIDTH, made.before)),
        _tried("Piano roll", lambda: roll_picture(
            made.score, window, made.region, parts, new, made.before, gone, CARD_WIDTH)),
    )  # fmt: skip


def original(score: Score, region: Region) -> str:
    """The original around the region, in the same frame as the takes."""
    window = around(score, region, MARGIN_MEASURES)
    parts = list(region.parts())
    return original_head(score, region) + _figure(
        _tried("Notation", lambda: notation_picture(
            score, window, region, parts, width=CARD_WIDTH)),
        _tried("Piano roll", lambda: roll_picture(score, window, region, parts, width=CARD_WIDTH)),
    )  # fmt: skip


def changes(made: Take) -> tuple[IntArray, IntArray]:
    """Rows of the take's notes that are new, and rows of the original's that are gone."""
    before, after = made.before, made.score
    was = np.flatnonzero(made.region.contains(before.notes, before))
    now = np.flatnonzero(made.region.contains(after.notes, after))
    same_before, same_after = unchanged_rows(before.notes[was], after.notes[now])
    return now[~same_after], was[~same_before]


def notation_picture(
    score: Score,
    measures: tuple[int, int],
    region: Region | None,
    parts: list[str] | None = None,
    changed_rows: IntArray | None = None,
    width: int = NOTATION_WIDTH,
    keys_from: Score | None = None,
) -> str:
    from hub.preview import notation

    pages = notation.notation_svg(
        notation.in_keys_of(score, keys_from or score),
        measures=measures,
        parts=parts,
        region=region,
        changed_rows=[] if changed_rows is None else changed_rows.tolist(),
        width=width,
    )
    return "".join(pages)


def roll_picture(
    score: Score,
    measures: tuple[int, int],
    region: Region | None,
    parts: list[str] | None = None,
    changed_rows: IntArray | None = None,
    removed: Score | None = None,
    removed_rows: IntArray | None = None,
    width: int = NOTATION_WIDTH,
) -> str:
    from hub.preview import roll

    return roll.roll_svg(
        score,
        measures=measures,
        region=region,
        changed_rows=[] if changed_rows is None else changed_rows.tolist(),
        removed=removed,
        removed_rows=[] if removed_rows is None else removed_rows.tolist(),
        parts=parts,
        width=width,
    )


def _window(
    score: Score, region: Region | None, margin: int, first: int | None = None
) -> tuple[int, int]:
    """Measure indices [first, last) to draw, `margin` measures more than what is looked at."""
    count = len(score.measures)
    if first is not None:
        extra = max(0, margin - MARGIN_MEASURES)
        return max(0, first - extra), min(count, first + PAGE_MEASURES + extra)
    if region is None:
        return 0, min(count, PAGE_MEASURES + margin)
    return around(score, region, margin)


def _figure(*pictures: str) -> str:
    return '<div class="sh-pictures">' + "".join(pictures) + "</div>"


def _tried(name: str, draw: Callable[[], str]) -> str:
    try:
        title = escape(name)
        reach = f'tabindex="0" role="group" aria-label="{title}"'  # so that arrow keys scroll it
        return f'<div class="sh-picture" data-picture="{title}" {reach}>{draw()}</div>'
    except Exception as error:  # the take itself is fine: say why there is no picture
        why = escape(sentence(error))
        return f'<p class="sh-message sh-note">{escape(name)}: no picture. {why}</p>'
