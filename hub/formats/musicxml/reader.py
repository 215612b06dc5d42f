"""MusicXML (partwise) ↔ Score. Reading; `splice` edits in place.

What is read how
    ticks           least common multiple of all divisions and 24, so that sixteenths and triplets
                    can always be written; without the 24 where that would pass the limit
    measures        the n-th measures of all parts are one measure, as long as the longest of them
    repeats         are not played out: the score is read as written
    ties            make one note where start and stop meet at one pitch; other ties are ignored
    grace, cue      notes have no place in Score.notes; they stay in the file with their neighbour
    unpitched       General MIDI pitch by the note's instrument, else by its place on the staff
    velocity        the note's own `dynamics`, else the last `<sound dynamics>`, else 80
    keys            of the first part that has any, at sounding pitch
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from hub import limits
from hub.errors import BadFileError
from hub.formats.musicxml import text as xmltext
from hub.formats.musicxml.index import (
    Index,
    PartIndex,
    Segments,
    notes_of,
    segment_rows,
)
from hub.formats.musicxml.measure import (
    Drums,
    Mark,
    PartState,
    Reader,
    Timeline,
    read_divisions,
)
from hub.formats.musicxml.text import Element, XmlText
from hub.numerals import whole_number
from hub.score import (
    DEFAULT_QPM,
    Annotation,
    Key,
    Measure,
    Part,
    Score,
    Source,
    Tempo,
)

GRID = 24  # sixteenths and triplets of eighths and sixteenths to the quarter
_ANNOTATED = ("chord", "fermata", "lyric", "marker")
_ANNOTATIONS = 100_000


def read(data: bytes, name: str = "score") -> Score:
    """A Score from the bytes of a MusicXML file. Raises FileError."""
    limits.check("file_bytes", len(data))
    return read_as(data, name, "musicxml")


def read_as(data: bytes, name: str, format_name: str) -> Score:
    """`read`, for containers that hold a MusicXML file as well."""
    text = xmltext.decode(data)
    draft = _Draft(text)
    root = xmltext.parse(text.body, draft.measure)
    _check_root(root)
    return _Assembly(draft, root).score(data, name, format_name)


def _check_root(root: Element) -> None:
    prefix, _, name = root.tag.rpartition(":")
    if prefix and name in ("score-partwise", "score-timewise"):
        raise BadFileError(
            f'The elements of this MusicXML file have the prefix "{prefix[:40]}:", which MusicXML '
            "does not know; export it again from a notation program."
        )
    if root.tag == "score-timewise":
        raise BadFileError(
            "This MusicXML file is arranged by measures (score-timewise); export it as "
            "score-partwise, which every notation program writes."
        )
    if root.tag != "score-partwise":
        raise BadFileError(
            f"This XML file is no score: it begins with <{root.tag[:40]}>, "
            "a MusicXML score with <score-partwise>."
        )


def resolution(body: bytes) -> int:
    """Ticks per quarter for a document: LCM of its divisions and, if it fits, 24."""
    bound = limits.LIMITS.ticks_per_quarter
    common = 1
    plain = _plain_divisions(body)
    for text in _parsed_divisions(body) if plain is None else plain:
        common = math.lcm(common, read_divisions(text))
        limits.check("ticks_per_quarter", common)
    fine = math.lcm(common, GRID)
    return fine if fine <= bound else common


_MARKUP = re.compile(rb"<(?:(!--)|(!\[CDATA\[)|(\?)|(divisions)[\s/>])")
_MARKUP_ENDS = {1: b"-->", 2: b"]]>", 3: b"?>"}
_DIVISIONS = re.compile(rb"<divisions>([^<&]*)</divisions>")


def _plain_divisions(body: bytes) -> set[str] | None:
    """What the divisions elements say, found without parsing; None where that needs a parser."""
    found = set()
    at = 0
    while match := _MARKUP.search(body, at):
        if match[4]:
            plain = _DIVISIONS.match(body, match.start())
            if plain is None:
                return None
            found.add(plain[1])
            at = plain.end()
        else:
            at = body.find(_MARKUP_ENDS[match.lastindex or 1], match.end())
            if at < 0:
                return None
    return {text.decode("utf-8", "replace") for text in found}


def _parsed_divisions(body: bytes) -> set[str]:
    found: set[str] = set()

    def collect(root: Element, part: Element, measure: Element) -> None:
        for attributes in measure.all("attributes"):
            found.update(child.text for child in attributes.all("divisions"))

    xmltext.parse(body, collect)
    return found


@dataclass(slots=True)
class _PartDraft:
    """What one part yields while the file is read; measures still without start ticks."""

    id: str
    listed: Element | None
    reader: Reader
    state: PartState = field(default_factory=PartState)
    spans: list[tuple[int, int]] = field(default_factory=list)
    states: list[PartState] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    meters: list[PartState] = field(default_factory=list)
    marks: list[list[Mark]] = field(default_factory=list)
    rows: list[tuple[int, ...]] = field(default_factory=list)
    is_unpitched: bool = False


class _Draft:
    """Collects parts and measures as the parser closes them."""

    def __init__(self, text: XmlText) -> None:
        self.text = text
        self.ticks_per_quarter = resolution(text.body)
        self.parts: list[_PartDraft] = []
        self.elements: list[Element] = []
        self.voices: dict[str, int] = {"1": 0}
        self.notes = 0

    def measure(self, root: Element, part: Element, measure: Element) -> None:
        if not self.elements or self.elements[-1] is not part:
            self._open(root, part)
        draft = self.parts[-1]
        line = draft.reader.read(measure, draft.state)
        self._keep(draft, measure, line)
        draft.state = line.state

    def _open(self, root: Element, part: Element) -> None:
        limits.check("parts", len(self.parts) + 1)
        self.elements.append(part)
        part_id = part.attrs.get("id", "")
        listed = listed_part(root, part_id)
        reader = Reader(self.ticks_per_quarter, drums_of(listed))
        self.parts.append(_PartDraft(part_id, listed, reader))

    def _keep(self, draft: _PartDraft, measure: Element, line: Timeline) -> None:
        index = len(draft.spans)
        limits.check("measures", index + 1)
        draft.spans.append((measure.start, measure.end))
        draft.states.append(draft.state)
        draft.numbers.append(measure.attrs.get("number", str(index + 1)).strip()[:20])
        draft.lengths.append(line.length)
        draft.meters.append(line.state)
        draft.marks.append(line.marks)
        _check_crowd(line)
        draft.is_unpitched |= any(item.is_unpitched for item in line.items)
        before = len(draft.rows)
        draft.rows.extend(segment_rows(line, index, 0, len(self.parts) - 1, self.voices))
        self.notes += len(draft.rows) - before
        limits.check("notes", self.notes)


def _check_crowd(line: Timeline) -> None:
    """Refuse measures on which an edit would take too long."""
    if len(line.items) > limits.LIMITS.measure_voices:
        notes = [item for item in line.items if item.is_note]
        limits.check("measure_notes", len(notes))
        limits.check("measure_voices", len({(note.voice, note.staff) for note in notes}))


class _Assembly:
    """Brings the parts of a draft onto one timeline."""

    def __init__(self, draft: _Draft, root: Element) -> None:
        self.draft = draft
        self.root = root
        self.parts = draft.parts
        self.tpq = draft.ticks_per_quarter
        self.measures = self._measures()

    def score(self, data: bytes, name: str, format_name: str) -> Score:
        segments = self._segments()
        indices = tuple(self._part_index(draft) for draft in self.parts)
        voices = tuple(self.draft.voices)
        notes, chains = notes_of(segments, [part.dynamics for part in indices], voices)
        index = Index(
            text=self.draft.text, parts=indices, voices=voices, segments=segments, chains=chains
        )
        return Score(
            ticks_per_quarter=self.tpq,
            parts=self._parts(),
            measures=self.measures,
            notes=notes,
            tempos=self._tempos(),
            keys=self._keys(),
            annotations=self._annotations(),
            title=_title(self.root),
            source=Source(data=data, format=format_name, name=name, index=index),
        )

    def _measures(self) -> tuple[Measure, ...]:
        count = max((len(part.spans) for part in self.parts), default=0)
        if not count:
            raise BadFileError("This MusicXML file has no part with measures in it.")
        measures: list[Measure] = []
        start = 0
        for index in range(count):
            having = [part for part in self.parts if index < len(part.spans)]
            state = having[0].meters[index]
            length = max(part.lengths[index] for part in having) or nominal(state, self.tpq)
            measures.append(
                Measure(
                    number=having[0].numbers[index],
                    start=start,
                    length=length,
                    beats=state.beats,
                    beat_type=state.beat_type,
                )
            )
            start += length
        limits.check("total_quarters", start // self.tpq)
        return tuple(measures)

    def _segments(self) -> Segments:
        segments = Segments.of([row for part in self.parts for row in part.rows])
        starts = np.array([m.start for m in self.measures], dtype=np.int64)
        return replace(segments, onset=segments.onset + starts[segments.measure])

    def _part_index(self, draft: _PartDraft) -> PartIndex:
        dynamics = dict(self._marks(draft, "dynamics"))
        return PartIndex(
            starts=tuple(start for start, _ in draft.spans),
            ends=tuple(end for _, end in draft.spans),
            states=(*draft.states, draft.state),
            dynamics=tuple(sorted(dynamics.items())),
            drums=draft.reader.drums,
        )

    def _marks(self, draft: _PartDraft, *kinds: str) -> Iterable[tuple[int, Any]]:
        """(tick in the score, value) of the part's marks of a kind; none lies past the end."""
        end = self.measures[-1].end
        for measure, marks in zip(self.measures, draft.marks, strict=False):
            for mark in marks:
                if mark.kind in kinds:
                    yield min(measure.start + mark.tick, end), mark.value

    def _parts(self) -> tuple[Part, ...]:
        ids: dict[str, None] = {}
        parts = []
        for number, draft in enumerate(self.parts, start=1):
            part_id = draft.id or f"P{number}"
            while part_id in ids:
                part_id += "'"
            ids[part_id] = None
            parts.append(_part(part_id, draft))
        return tuple(parts)

    def _tempos(self) -> tuple[Tempo, ...]:
        found: dict[int, float] = {}
        for draft in self.parts:
            for tick, qpm in self._marks(draft, "tempo"):
                limits.check("tempo_qpm", qpm)
                found.setdefault(tick, qpm)
        found.setdefault(0, DEFAULT_QPM)
        return tuple(Tempo(tick, qpm) for tick, qpm in sorted(found.items()))

    def _keys(self) -> tuple[Key, ...]:
        for draft in self.parts:
            found: dict[int, tuple[int, str]] = {}
            for tick, (fifths, mode) in self._marks(draft, "key"):
                found.setdefault(tick, (_sounding_key(fifths, draft), mode))
            if found:
                return tuple(Key(tick, *key) for tick, key in sorted(found.items()))
        return ()

    def _annotations(self) -> tuple[Annotation, ...]:
        found = []
        for part, draft in zip(self._parts(), self.parts, strict=True):
            for kind in _ANNOTATED:
                for tick, value in self._marks(draft, kind):
                    found.append(Annotation(tick, kind, str(value), part.id))
        return tuple(sorted(found[:_ANNOTATIONS], key=lambda a: a.tick))


def nominal(state: PartState, ticks_per_quarter: int) -> int:
    """Length in ticks of a full measure of the meter in force; at least 1."""
    return max(1, 4 * ticks_per_quarter * state.beats // state.beat_type)


def listed_part(root: Element, part_id: str) -> Element | None:
    """The score-part element of the part list with this id."""
    part_list = root.find("part-list")
    entries = part_list.all("score-part") if part_list is not None else []
    return next((entry for entry in entries if entry.attrs.get("id") == part_id), None)


def drums_of(listed: Element | None) -> Drums:
    """The unpitched instruments of a score-part."""
    pitches = {}
    for instrument in listed.all("midi-instrument") if listed is not None else []:
        pitch = _midi_number(instrument, "midi-unpitched", 128)
        if pitch is not None:
            pitches[instrument.attrs.get("id", "")] = pitch
    return Drums(pitches=pitches)


def _part(part_id: str, draft: _PartDraft) -> Part:
    listed = draft.listed
    instrument = listed.find("midi-instrument") if listed is not None else None
    channel = _midi_number(instrument, "midi-channel", 16)
    states = [*draft.states, draft.state]
    return Part(
        id=part_id,
        name=_one_line(listed.value("part-name") if listed is not None else "")[:200] or part_id,
        program=_midi_number(instrument, "midi-program", 128),
        is_drums=channel == _DRUM_CHANNEL or bool(draft.reader.drums.pitches) or draft.is_unpitched,
        staves=max(state.staves for state in states),
        channel=channel,
    )


_DRUM_CHANNEL = 9


def _midi_number(instrument: Element | None, tag: str, bound: int) -> int | None:
    """A number that MusicXML counts from 1, counted from 0; None where there is no valid one."""
    number = whole_number(instrument.value(tag)) if instrument is not None else None
    return number - 1 if number is not None and 1 <= number <= bound else None


def _sounding_key(fifths: int, draft: _PartDraft) -> int:
    """A written key as it sounds: every semitone of transposition is seven fifths."""
    semitones = draft.meters[0].semitones(1)
    turned = fifths + 7 * semitones
    return turned - 12 * round((turned - fifths) / 12) if semitones % 12 else fifths


def _title(root: Element) -> str:
    work = root.find("work")
    title = work.value("work-title") if work is not None else ""
    return _one_line(title or root.value("movement-title"))[:500]


def _one_line(text: str) -> str:
    """Line breaks and runs of white space as single spaces."""
    return " ".join(text.split())


_HEAD = 1 << 16
_ROOT = re.compile(rb"<(?:[\w.-]+:)?score-(?:partwise|timewise)[\s/>]")


def sniff(data: bytes) -> bool:
    """Do these bytes hold the beginning of a MusicXML score?"""
    head = data[:_HEAD].replace(b"\0", b"")
    return _ROOT.search(head) is not None
