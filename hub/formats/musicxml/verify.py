"""Proof, from the bytes alone, that a MusicXML edit changed what it names and nothing else.

Old and new file are walked side by side: everything between touched measures has to be equal,
byte for byte. Touched measures are read again, and every element that the edit does not name has
to be there with the same bytes, in the same order, at the same tick. What may differ in a touched
measure: rests, `<backup>`, `<forward>`, an `<attributes>` with nothing but divisions, grace notes
in a voice that lost notes, white space, and the `<chord/>` of a note whose chord lost its first
note. Last, the notes of the touched parts have to be exactly those that the edit wants.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from hub.errors import BadFileError, PromiseError, SpliceError
from hub.formats import Edit
from hub.formats.musicxml import text as xmltext
from hub.formats.musicxml.index import Index, Segments, notes_of, segment_rows
from hub.formats.musicxml.measure import Item, PartState, Reader, Timeline
from hub.formats.musicxml.text import Element
from hub.score import BoolArray, Notes, Score

_MOVES = ("backup", "forward")


def verify(score: Score, edit: Edit, data: bytes) -> None:
    """None, or PromiseError that says what would have changed."""
    index = score.source.index if score.source else None
    if not isinstance(index, Index):
        raise SpliceError("This score was not read from a MusicXML file; open the file again.")
    try:
        text = xmltext.decode(data)
    except BadFileError as error:
        raise PromiseError("The edited file is no readable XML any more.") from error
    if (text.prefix, text.codec) != (index.text.prefix, index.text.codec):
        raise PromiseError("The encoding of the file would have changed.")
    _Comparison(score, index, edit, text.body).run()


@dataclass(frozen=True, kw_only=True)
class _Touched:
    """A measure that may differ; `index` counts in its part, `start == end` where it is new."""

    start: int
    end: int
    part: int
    index: int
    gone: frozenset[int] = frozenset()


@dataclass(slots=True)
class _PartResult:
    """What a part's touched measures hold now, and the state after the last one read."""

    measures: set[int] = field(default_factory=set)
    rows: list[tuple[int, ...]] = field(default_factory=list)
    state: PartState | None = None


class _Comparison:
    def __init__(self, score: Score, index: Index, edit: Edit, body: bytes) -> None:
        self.score = score
        self.index = index
        self.edit = edit
        self.old = index.text.body
        self.new = body
        self.voices = {label: k for k, label in enumerate(index.voices)}
        self.results: dict[int, _PartResult] = {}

    def run(self) -> None:
        old_at = new_at = 0
        for touched in self._touched():
            new_at = self._same_until(old_at, touched.start, new_at)
            old_at = touched.end
            new_at = self._measure(touched, new_at)
        if self.old[old_at:] != self.new[new_at:]:
            raise self._changed_bytes(old_at)
        for part, result in sorted(self.results.items()):
            self._same_notes(part, result)

    # -------------------------------------------------------------------------- which measures

    def _touched(self) -> list[_Touched]:
        """All measures that the edit names, in the order of the file."""
        named: dict[tuple[int, int], set[int]] = {}
        segments = self.index.segments
        for row in np.asarray(self.edit.removed).tolist():
            for k in self.index.chains.of(row):
                place = int(segments.part[k]), int(segments.measure[k])
                named.setdefault(place, set()).add(int(segments.start[k]))
        count = len(self.score.measures)
        for part, first, last in self._spans_of_added():
            for number in range(first, last + 1):
                named.setdefault((part, number), set())
            count = max(count, last + 1)
        for part, own in enumerate(self.index.parts):
            used = max((n for p, n in named if p == part), default=-1) + 1
            wanted = count if count > len(self.score.measures) else used
            for number in range(len(own.starts), wanted):
                named.setdefault((part, number), set())
        found = [self._place(*place, frozenset(gone)) for place, gone in named.items()]
        return sorted(found, key=lambda t: (t.start, t.index))

    def _spans_of_added(self) -> Iterator[tuple[int, int, int]]:
        for note in self.edit.added:
            last = note.onset + note.duration - 1
            yield note.part, self._number(note.onset), self._number(last)

    def _number(self, tick: int) -> int:
        """Index of the measure at a tick; past the end, measures go on like the last one."""
        final = self.score.measures[-1]
        if tick < final.end:
            return self.score.measure_at(tick)
        return len(self.score.measures) + (tick - final.end) // final.length

    def _place(self, part: int, number: int, gone: frozenset[int]) -> _Touched:
        own = self.index.parts[part]
        if number < len(own.starts):
            start, end = own.starts[number], own.ends[number]
        else:
            start = end = own.ends[-1]
        return _Touched(start=start, end=end, part=part, index=number, gone=gone)

    # ------------------------------------------------------------------------- bytes and elements

    def _same_until(self, old_at: int, old_end: int, new_at: int) -> int:
        length = old_end - old_at
        if self.old[old_at:old_end] != self.new[new_at : new_at + length]:
            raise self._changed_bytes(old_at)
        return new_at + length

    def _changed_bytes(self, old_at: int) -> PromiseError:
        line = self.old.count(b"\n", 0, old_at) + 1
        return PromiseError(
            f"Something outside the region would have changed (from line {line} of the file on); "
            "nothing was written."
        )

    def _measure(self, touched: _Touched, new_at: int) -> int:
        """Compare one measure; returns the byte behind it in the new body."""
        own = self.index.parts[touched.part]
        reader = Reader(self.score.ticks_per_quarter, own.drums)
        result = self.results.setdefault(touched.part, _PartResult())
        is_new = touched.start == touched.end
        if is_new:
            new_at += len(self.new[new_at : new_at + 200]) - len(
                self.new[new_at : new_at + 200].lstrip()
            )
        state = own.last_state if is_new else own.states[touched.index]
        try:
            element = xmltext.parse_at(self.new, new_at)
            line = reader.read(element, state)
        except BadFileError as error:
            raise PromiseError("A measure of the edited file cannot be read again.") from error
        if element.tag != "measure":
            raise self._changed_bytes(touched.start)
        if is_new:
            self._only_music(line, touched)
        else:
            old = xmltext.parse_at(self.old, touched.start, touched.end)
            self._same_measure(touched, old, reader.read(old, state), element, line)
        start = self._start_of(touched.index)
        result.measures.add(touched.index)
        result.rows += segment_rows(line, touched.index, start, touched.part, self.voices)
        return element.end

    def _start_of(self, number: int) -> int:
        measures = self.score.measures
        if number < len(measures):
            return measures[number].start
        return measures[-1].end + (number - len(measures)) * measures[-1].length

    def _only_music(self, line: Timeline, touched: _Touched) -> None:
        if any(i.element.tag not in ("note", "attributes", *_MOVES) for i in line.items):
            raise self._lost(touched, "a new measure")

    def _same_measure(
        self, touched: _Touched, old: Element, before: Timeline, new: Element, after: Timeline
    ) -> None:
        if old.attrs != new.attrs or before.state != after.state:
            raise self._lost(touched, "its attributes")
        length = self._start_of(touched.index + 1) - self._start_of(touched.index)
        if after.length < before.length or after.length > max(length, before.length):
            raise self._lost(touched, "its length")
        losing = {i.voice for i in before.items if i.element.start in touched.gone}
        waiting = [i for i in before.items if self._has_to_stay(i, touched)]
        for item in after.items:
            if not self._matches(waiting, item, losing) and not _may_be_new(item):
                raise self._lost(touched, f"<{item.element.tag}>")
        left = [i for i in waiting if not _may_go(i, losing)]
        if left:
            raise self._lost(touched, f"<{left[0].element.tag}>")

    def _has_to_stay(self, item: Item, touched: _Touched) -> bool:
        is_plain = item.element.tag in _MOVES or item.is_rest
        return not is_plain and item.element.start not in touched.gone

    def _matches(self, waiting: list[Item], item: Item, losing: set[str]) -> bool:
        """Take the item from the front of what waits (behind grace notes that may go)."""
        for k, candidate in enumerate(waiting):
            if candidate.tick == item.tick and self._same_bytes(candidate.element, item.element):
                del waiting[: k + 1]
                return True
            if not _may_go(candidate, losing):
                return False
        return False

    def _same_bytes(self, old: Element, new: Element) -> bool:
        a, b = self.old[old.start : old.end], self.new[new.start : new.end]
        if a == b:
            return True
        chord = old.find("chord")
        if chord is None or new.find("chord") is not None:
            return False
        return a[: chord.start - old.start].rstrip() + a[chord.end - old.start :] == b

    def _lost(self, touched: _Touched, what: str) -> PromiseError:
        number = self.score.measures[min(touched.index, len(self.score.measures) - 1)].number
        return PromiseError(
            f"In measure {number} of part {self.score.parts[touched.part].id}, {what} outside the "
            "region would have changed; nothing was written."
        )

    # ------------------------------------------------------------------------------------ notes

    def _same_notes(self, part: int, result: _PartResult) -> None:
        """Compare the notes that touched measures or ties have a part in; no others can differ."""
        segments = self.index.segments
        own = segments.part == part
        is_touched = own & np.isin(segments.measure, sorted(result.measures))
        is_tied = own & (segments.ties != 0)
        staying = segments.take(np.flatnonzero(is_tied & ~is_touched))
        dynamics = [own.dynamics for own in self.index.parts]
        now, _ = notes_of(staying + Segments.of(result.rows), dynamics, tuple(self.voices))
        if _rows(now) != _rows(self._wanted(part, is_touched | is_tied)):
            raise PromiseError(
                f"The notes of part {self.score.parts[part].id} would not be the wanted ones; "
                "nothing was written."
            )

    def _wanted(self, part: int, concerned: BoolArray) -> Notes:
        """What has to be there of the notes whose first segment is concerned."""
        old, added = self.score.notes, self.edit.added
        stays = concerned[self.index.chains.heads()]
        stays[self.edit.removed] = False
        return old[np.flatnonzero(stays)] + added[np.flatnonzero(added.part == part)]


def _may_be_new(item: Item) -> bool:
    element = item.element
    if element.tag == "attributes":
        return [child.tag for child in element.children] == ["divisions"]
    return element.tag in _MOVES or item.is_rest or item.pitch is not None


def _may_go(item: Item, losing: set[str]) -> bool:
    return item.is_grace and item.voice in losing


def _rows(notes: Notes) -> list[tuple[int, ...]]:
    table = np.stack([notes.onset, notes.pitch, notes.duration, notes.velocity])
    return sorted(map(tuple, table.T.tolist()))
