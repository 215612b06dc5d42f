"""One touched measure of one part: what goes, what comes, and what that leaves to be filled.

`settle` decides how everything is going to be written; `writer` makes the bytes.
"""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hub.formats.musicxml import text as xmltext
from hub.formats.musicxml.measure import (
    Item,
    PartState,
    Reader,
)
from hub.formats.musicxml.notate import (
    Glyph,
    Grid,
    Look,
    Sound,
    notate,
)
from hub.formats.musicxml.text import Element
from hub.numerals import whole_number

Span = tuple[int, int]
_START_TAG = re.compile(rb"""<(?:[^"'>]++|"[^"]*+"|'[^']*+')*+>""")


@dataclass(frozen=True, kw_only=True)
class Change:
    """A note that stays as it is but for its sounding pitch and, unless 0, its velocity."""

    pitch: int
    velocity: int = 0


@dataclass(frozen=True, kw_only=True)
class Join:
    """A new note that sounds together with a note or chord that stays; velocity 0: not stated."""

    pitch: int
    velocity: int = 0


@dataclass(slots=True)
class OpenMeasure:
    """A measure being edited. Keys of `removed` and `changed` are positions in `items`."""

    body: bytes
    element: Element
    items: list[Item]
    state: PartState
    after: PartState
    content: int
    length: int
    ticks_per_quarter: int
    removed: set[int] = field(default_factory=set)
    changed: dict[int, Change] = field(default_factory=dict)
    lines: dict[str, list[Sound]] = field(default_factory=dict)
    staves: dict[str, int] = field(default_factory=dict)
    glyphs: dict[str, list[Glyph]] = field(default_factory=dict)
    joined: dict[int, list[Join]] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    _at_byte: dict[int, int] = field(init=False)
    _by_voice: dict[str, list[int]] = field(init=False)
    _home: dict[str, int] = field(init=False)
    _chords: dict[tuple[int, int, int], list[int]] = field(init=False)
    _busy: dict[str, list[Span]] = field(default_factory=dict)
    _busy_without: int = 0

    def __post_init__(self) -> None:
        """Tables over the items, which never change once the measure is open."""
        self._at_byte = {item.element.start: k for k, item in enumerate(self.items)}
        self._by_voice, self._chords = {}, {}
        for k, item in self.notes():
            self._by_voice.setdefault(item.voice, []).append(k)
            if item.pitch is not None and not item.is_chord:
                key = item.tick, item.duration, item.staff
                self._chords.setdefault(key, []).append(k)
        self._home = self._count_staves()

    @classmethod
    def read(
        cls, body: bytes, span: Span, reader: Reader, state: PartState, length: int
    ) -> OpenMeasure:
        """The measure in `span` of the body; `length`: ticks it is to have at least."""
        start = span[0]
        element = xmltext.parse_at(body, *span)
        if inside_of(body, element) == element.end:
            body = body[start : element.end - 2] + b"></measure>"
            element = xmltext.parse_at(body, 0)
        line = reader.read(element, state)
        return cls(
            body=body,
            element=element,
            items=line.items,
            state=state,
            after=line.state,
            content=line.length,
            length=max(length, line.length),
            ticks_per_quarter=reader.ticks_per_quarter,
        )

    def item_at(self, start: int) -> int:
        """Position of the note whose element begins at byte `start`."""
        return self._at_byte[start]

    def notes(self, voice: str | None = None) -> Iterable[tuple[int, Item]]:
        """(position, note), in document order, of one voice or of all."""
        if voice is not None:
            return [(k, self.items[k]) for k in self._by_voice.get(voice, ())]
        return [(k, item) for k, item in enumerate(self.items) if item.is_note]

    def voices(self) -> dict[str, int]:
        """Voice label → the staff it mostly stands on."""
        return self._home

    def _count_staves(self) -> dict[str, int]:
        counts: dict[str, dict[int, int]] = {}
        for _, item in self.notes():
            staves = counts.setdefault(item.voice, {})
            staves[item.staff] = staves.get(item.staff, 0) + 1
        return {voice: max(staves, key=lambda s: staves[s]) for voice, staves in counts.items()}

    def is_free(self, voice: str, span: Span) -> bool:
        """Does nothing that stays, and nothing new, sound in the voice during the span?"""
        return not _overlaps(self._busy_spans(voice), span)

    def _busy_spans(self, voice: str) -> list[Span]:
        """Where the voice sounds: spans in order of time, apart from each other."""
        if self._busy_without != len(self.removed):
            self._busy.clear()
            self._busy_without = len(self.removed)
        if voice not in self._busy:
            kept = (
                (item.tick, item.end)
                for k, item in self.notes(voice)
                if k not in self.removed and not item.is_rest and item.duration
            )
            new = ((sound.tick, sound.end) for sound in self.lines.get(voice, ()))
            self._busy[voice] = _union([*kept, *new])
        return self._busy[voice]

    def companion(self, staff: int, sound: Sound) -> int | None:
        """The last member of a chord that stays and has just this onset and duration."""
        for k in self._chords.get((sound.tick, sound.duration, staff), ()):
            group = self._group(k)
            if all(
                n not in self.removed
                and self.items[n].duration == sound.duration
                and self.items[n].element.find("pitch")
                for n in group
            ):
                return group[-1]
        return None

    def add(self, voice: str, staff: int, sound: Sound) -> None:
        """A new sound in a voice that is free for it."""
        insort(self._busy_spans(voice), (sound.tick, sound.end))
        self.lines.setdefault(voice, []).append(sound)
        self.staves.setdefault(voice, self.voices().get(voice, staff))

    # ------------------------------------------------------------------ what else has to go

    def settle(self) -> None:
        """Grace notes go with their note; rests give way; what is left empty becomes rests.

        After this, `glyphs` holds for every touched voice how it is going to be written.
        """
        touched = {self.items[k].voice for k in self.removed} | set(self.lines)
        self._remove_graces()
        grid = Grid.of(self.after, self.length, self.ticks_per_quarter)
        for voice in sorted(touched):
            looks = self._looks(voice)
            self._fill(voice, looks)
            self.glyphs[voice] = notate(self.lines[voice], grid, looks)
        self.hidden = {voice for voice in touched if self._is_idle(voice)}

    def _is_idle(self, voice: str) -> bool:
        """Is only silence left in a voice, on a staff where another voice plays?"""
        if self._plays(voice):
            return False
        staves = {**self.voices(), **self.staves}
        others = [v for v, staff in staves.items() if staff == staves[voice] and v != voice]
        return any(self._plays(other) for other in others)

    def _plays(self, voice: str) -> bool:
        """Does anything sound in the voice once the edit is made?"""
        if any(not item.is_rest and k not in self.removed for k, item in self.notes(voice)):
            return True
        return any(sound.pitches for sound in self.lines.get(voice, ()))

    def _looks(self, voice: str) -> dict[Span, Look]:
        """How the removed notes of uncommon tuplets (not 3 in the time of 2) were written."""
        looks = {}
        for k, item in self.notes(voice):
            if (k in self.removed or item.is_rest) and item.duration:
                look = _look(item.element)
                if look is not None:
                    looks[item.tick, item.duration] = look
        return looks

    def _remove_graces(self) -> None:
        waiting: dict[str, list[int]] = {}
        last: dict[str, int] = {}
        for k, item in self.notes():
            if item.is_grace:
                waiting.setdefault(item.voice, []).append(k)
            elif not item.is_chord and item.duration:
                graces = waiting.pop(item.voice, [])
                if self._group_gone(k):
                    self.removed.update(graces)
                last[item.voice] = k
        for voice, graces in waiting.items():
            if voice in last and self._group_gone(last[voice]):
                self.removed.update(graces)

    def _group(self, head: int) -> list[int]:
        """The head of a chord and its members."""
        members = [head]
        for k in range(head + 1, len(self.items)):
            item = self.items[k]
            if item.is_note and not item.is_chord:
                break
            if item.is_note:
                members.append(k)
        return members

    def _group_gone(self, head: int) -> bool:
        group = [k for k in self._group(head) if not self.items[k].is_rest]
        return bool(group) and all(k in self.removed for k in group)

    def _fill(self, voice: str, looks: dict[Span, Look]) -> None:
        new = sorted(self.lines.get(voice, []), key=lambda s: s.tick)
        taken = _union((s.tick, s.end) for s in new)
        vacant: list[Span] = []
        for k, item in self.notes(voice):
            if item.is_chord or not item.duration:
                continue
            overlapped = _overlaps(taken, (item.tick, item.end))
            if item.is_rest and overlapped:
                self.removed.add(k)
            if self._group_gone(k) or (item.is_rest and overlapped):
                vacant.append((item.tick, item.end))
        vacant = self._whole_rest(voice, new, self._absorb_rests(voice, new, vacant))
        empty = _minus(vacant, [(s.tick, s.end) for s in new])
        pieces = [piece for span in empty for piece in self._cut_rest(span, looks)]
        rests = [Sound(tick=a, duration=b - a) for a, b in pieces]
        self.lines[voice] = sorted([*new, *rests], key=lambda s: s.tick)
        self.staves.setdefault(voice, self.voices().get(voice, 1))

    def _absorb_rests(self, voice: str, new: list[Sound], vacant: list[Span]) -> list[Span]:
        """Plain rests between the edited places join the silence next to them."""
        taken = [(s.tick, s.end) for s in new]
        changed = [(self.items[k].tick, self.items[k].end) for k in self.changed]
        touched = [*vacant, *taken, *changed]
        first = min((a for a, _ in touched), default=0)
        last = max((b for _, b in touched), default=0)
        silence = _minus(vacant, taken)
        starts, ends = {a for a, _ in silence}, {b for _, b in silence}
        for k, item in self.notes(voice):
            is_between = first <= item.tick and item.end <= last
            if not item.is_rest or k in self.removed or not is_between or _is_marked(item.element):
                continue
            if item.end in starts or item.tick in ends:
                self.removed.add(k)
                vacant.append((item.tick, item.end))
                starts.add(item.tick)
                ends.add(item.end)
        return vacant

    def _cut_rest(self, span: Span, looks: dict[Span, Look]) -> list[Span]:
        """A rest that begins or ends inside an uncommon tuplet, cut as that tuplet was."""
        if all(tick * 16 % self.ticks_per_quarter == 0 for tick in span):
            return [span]
        inner = sorted(
            (tick, tick + length)
            for tick, length in looks
            if span[0] <= tick and tick + length <= span[1]
        )
        return sorted([*inner, *_minus([span], inner)])

    def _whole_rest(self, voice: str, new: list[Sound], vacant: list[Span]) -> list[Span]:
        """The whole measure, where nothing but plain rests would be left in the voice."""
        staying = [(k, item) for k, item in self.notes(voice) if k not in self.removed]
        if new or any(not item.is_rest or _is_marked(item.element) for _, item in staying):
            return vacant
        covered = _union([*vacant, *((item.tick, item.end) for _, item in staying)])
        if covered != [(0, self.length)]:
            return vacant
        self.removed.update(k for k, _ in staying)
        return covered


_TUPLET = ("actual", "normal")


def _look(note: Element) -> Look | None:
    change = note.find("time-modification")
    name = note.value("type")
    if change is None or not name:
        return None
    actual, normal = (whole_number(change.value(f"{which}-notes")) for which in _TUPLET)
    if not actual or not normal or (actual, normal) == (3, 2):
        return None
    return Look(type=name, dots=len(note.all("dot")), ratio=(actual, normal))


def _is_marked(rest: Element) -> bool:
    return any(child.tag in ("notations", "lyric") for child in rest.children)


def _union(spans: Iterable[Span]) -> list[Span]:
    result: list[Span] = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def _minus(spans: Iterable[Span], holes: Iterable[Span]) -> list[Span]:
    result = []
    cuts = _union(holes)
    place = 0
    for start, end in _union(spans):
        while place < len(cuts) and cuts[place][1] <= start:
            place += 1
        at = place
        while at < len(cuts) and cuts[at][0] < end:
            a, b = cuts[at]
            if start < a:
                result.append((start, a))
            start = max(start, b)
            at += 1
        if start < end:
            result.append((start, end))
    return result


def _overlaps(spans: Sequence[Span], span: Span) -> bool:
    """Does the span meet one of `spans`, which are in order of time and apart?"""
    start, end = span
    place = bisect_left(spans, (end,))
    return place > 0 and spans[place - 1][1] > start


def inside_of(body: bytes, element: Element) -> int:
    """The byte behind a measure's start tag."""
    tag = _START_TAG.match(body, element.start, element.end)
    assert tag is not None, "a parsed element has a start tag"
    return tag.end()
