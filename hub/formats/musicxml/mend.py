"""Slurs, tuplets and beams that an edit cut in two are joined to new notes where that is possible.

A note that stays keeps its bytes, so a slur, bracket or beam that it begins has to end on a new
note when the note where it ended is gone, and the other way round. Where no new note stands there,
the half that stays is left as it is; readers cope with that.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hub.formats.musicxml.measure import Item
from hub.formats.musicxml.notate import Glyph
from hub.formats.musicxml.open import OpenMeasure
from hub.formats.musicxml.text import Element


def mend_measure(measure: OpenMeasure) -> None:
    """Brackets and beams; they do not reach over a barline."""
    for voice, glyphs in measure.glyphs.items():
        items = [(k, item) for k, item in measure.notes(voice)]
        for pair in _tuplets(items):
            _mend_tuplet(pair, glyphs, measure.removed)
        for group in _beam_groups(items):
            _mend_beam(group, glyphs, measure.removed)


# ------------------------------------------------------------------------------------------ tuplets

_Ends = tuple[tuple[int, Item], tuple[int, Item], str]


def _tuplets(items: Sequence[tuple[int, Item]]) -> list[_Ends]:
    """(first, last, number) of every bracket of a voice."""
    begun: dict[str, tuple[int, Item]] = {}
    pairs: list[_Ends] = []
    for k, item in items:
        for mark in _marks(item.element, "tuplet"):
            number = mark.attrs.get("number", "")
            if mark.attrs.get("type") == "start":
                begun[number] = (k, item)
            elif number in begun:
                pairs.append((begun.pop(number), (k, item), number))
    return pairs


def _mend_tuplet(ends: _Ends, glyphs: list[Glyph], removed: set[int]) -> None:
    (first, head), (last, tail), number = ends
    lost = first in removed, last in removed
    if all(lost):
        return
    inside = [n for n in _between(glyphs, head.tick, tail.end) if glyphs[n].end <= tail.end]
    if not inside:
        return
    for n in inside:
        glyphs[n] = replace(glyphs[n], tuplet=())
    attribute = f' number="{number}"' if number else ""
    if lost[0]:
        _mark(glyphs, inside[0], f'<tuplet type="start"{attribute}/>')
    if lost[1]:
        _mark(glyphs, inside[-1], f'<tuplet type="stop"{attribute}/>')


def _between(glyphs: list[Glyph], start: int, end: int) -> range:
    """Places of the glyphs that begin in [start, end); glyphs are in order of time."""
    low, high = (bisect_left(glyphs, tick, key=lambda g: g.tick) for tick in (start, end))
    return range(low, high)


def _mark(glyphs: list[Glyph], place: int, text: str) -> None:
    glyphs[place] = replace(glyphs[place], marks=(*glyphs[place].marks, text))


# -------------------------------------------------------------------------------------------- beams


def _beam_groups(items: Sequence[tuple[int, Item]]) -> list[list[tuple[int, Item]]]:
    """The notes under every primary beam of a voice."""
    groups: list[list[tuple[int, Item]]] = []
    group: list[tuple[int, Item]] = []
    for k, item in items:
        kind = next((b.text.strip() for b in item.element.all("beam") if _is_first(b)), "")
        if item.is_grace or item.is_chord or not (kind or group):
            continue
        group = [(k, item)] if kind == "begin" else [*group, (k, item)]
        if kind == "end":
            groups.append(group)
            group = []
    return groups


def _is_first(beam: Element) -> bool:
    return beam.attrs.get("number", "1") == "1"


def _mend_beam(group: list[tuple[int, Item]], glyphs: list[Glyph], removed: set[int]) -> None:
    gone = [k in removed for k, _ in group]
    if all(gone) or not any(gone):
        return
    start, end = group[0][1].tick, group[-1][1].end
    inside = list(_between(glyphs, start, end))
    if not gone[0] and not gone[-1]:
        _bridge(inside, glyphs)
    elif gone[-1]:
        _run_on(inside, glyphs, step=1, last="end")
    else:
        _run_on(inside[::-1], glyphs, step=-1, last="begin")


def _bridge(inside: list[int], glyphs: list[Glyph]) -> None:
    """New glyphs between two notes that stay under one beam."""
    if inside and all(glyphs[n].is_short for n in inside):
        for n in inside:
            _set_beam(glyphs, n, "continue")
        return
    _run_on(inside, glyphs, step=1, last="end")
    _run_on(inside[::-1], glyphs, step=-1, last="begin")


def _run_on(inside: list[int], glyphs: list[Glyph], *, step: int, last: str) -> None:
    """Carry the beam of a neighbour that stays over the new glyphs next to it, and close it."""
    chosen: list[int] = []
    for n in inside:
        if not glyphs[n].is_short:
            break
        chosen.append(n)
    if not chosen:
        return
    while glyphs[chosen[-1]].beams and glyphs[chosen[-1]].beams[0] not in ("", last):
        following = chosen[-1] + step
        if not 0 <= following < len(glyphs) or not glyphs[following].beams:
            break
        chosen.append(following)
    for n in chosen[:-1]:
        _set_beam(glyphs, n, "continue")
    _set_beam(glyphs, chosen[-1], last)


def _set_beam(glyphs: list[Glyph], place: int, text: str) -> None:
    glyph = glyphs[place]
    further = glyph.beams[1:] or ("backward hook",) * (glyph.flags - 1)
    glyphs[place] = replace(glyph, beams=(text, *further))


# -------------------------------------------------------------------------------------------- slurs


@dataclass(frozen=True, kw_only=True)
class _SlurEnd:
    tick: int  # in the score
    kind: str
    number: str
    voice: str
    is_removed: bool


def mend_slurs(run: Sequence[tuple[int, OpenMeasure]]) -> None:
    """For touched measures that follow each other, each with its start tick in the score."""
    begun: dict[str, list[_SlurEnd]] = {}
    for end in _slur_ends(run):
        if end.kind == "start":
            begun.setdefault(end.number, []).append(end)
            continue
        waiting = begun.get(end.number)
        partner = waiting.pop() if waiting else None
        if partner is None:
            if end.is_removed:
                _attach(run, end, after=-1, before=None)
        elif end.is_removed and not partner.is_removed:
            _attach(run, end, after=partner.tick, before=None)
        elif partner.is_removed and not end.is_removed:
            _attach(run, partner, after=-1, before=end.tick)
    for left in (end for waiting in begun.values() for end in waiting if end.is_removed):
        _attach(run, left, after=-1, before=None)


def _slur_ends(run: Sequence[tuple[int, OpenMeasure]]) -> list[_SlurEnd]:
    ends = []
    for start, measure in run:
        for k, item in measure.notes():
            for mark in _marks(item.element, "slur"):
                end = _SlurEnd(
                    tick=start + item.tick,
                    kind=mark.attrs.get("type", ""),
                    number=mark.attrs.get("number", "1"),
                    voice=item.voice,
                    is_removed=k in measure.removed,
                )
                if end.kind in ("start", "stop"):
                    ends.append(end)
    return sorted(ends, key=lambda e: (e.tick, e.kind == "start"))


def _attach(
    run: Sequence[tuple[int, OpenMeasure]], end: _SlurEnd, *, after: int, before: int | None
) -> None:
    """Give a slur's lost end to the new note nearest to where it was."""
    found = [
        (voice != end.voice, abs(start + glyph.tick - end.tick), start, place, glyphs)
        for start, measure in run
        for voice, glyphs in measure.glyphs.items()
        for place, glyph in enumerate(glyphs)
        if glyph.sound.pitches
        and start + glyph.tick > after
        and (before is None or start + glyph.tick < before)
    ]
    if found:
        *_, place, glyphs = min(found, key=lambda f: f[:4])
        _mark(glyphs, place, f'<slur type="{end.kind}" number="{end.number}"/>')


def _marks(note: Element, tag: str) -> Iterable[Element]:
    for notations in note.all("notations"):
        yield from notations.all(tag)
