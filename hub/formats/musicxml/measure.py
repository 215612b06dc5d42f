"""One MusicXML measure as a timeline: what stands where, and what is in force afterwards.

Conventions
    tick        within the measure: 0 is its first beat; in ticks of the score
    state       what earlier measures of the part left in force (divisions, meter, transposition …)
    item        one child element of the measure with its place in time
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from hub.errors import BadFileError
from hub.formats.musicxml.text import Element
from hub.numerals import signed_number, whole_number

STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
FORTE = 90  # the MIDI velocity that MusicXML calls 100 percent

# Where General MIDI drums usually stand on a five-line staff, for files that do not name them.
DRUM_POSITIONS = {
    ("F", 4): 36,
    ("E", 4): 35,
    ("C", 5): 38,
    ("B", 4): 40,
    ("G", 5): 42,
    ("D", 4): 44,
    ("A", 5): 49,
    ("F", 5): 51,
    ("B", 5): 57,
    ("E", 5): 50,
    ("D", 5): 47,
    ("A", 4): 43,
    ("G", 4): 41,
}


@dataclass(frozen=True, kw_only=True)
class PartState:
    """What is in force in a part. `transpose` and `fifths` are keyed by staff; 0: all staves."""

    divisions: int = 1
    beats: int = 4
    beat_type: int = 4
    staves: int = 1
    transpose: tuple[tuple[int, int], ...] = ()
    fifths: tuple[tuple[int, int], ...] = ()

    def semitones(self, staff: int) -> int:
        """Sounding pitch minus written pitch on a staff."""
        return _of_staff(self.transpose, staff)

    def key(self, staff: int) -> int:
        """Written key of a staff: sharps, negative for flats."""
        return _of_staff(self.fifths, staff)


def _of_staff(table: tuple[tuple[int, int], ...], staff: int) -> int:
    found = dict(table)
    return found.get(staff, found.get(0, 0))


@dataclass(slots=True)
class Item:
    """One child of a measure. For notes: `tick` is the onset, `duration` 0 for grace notes.

    tick, target    the reading position before and after the element
    pitch           as it sounds; None for rests, cue notes, grace notes, unreadable ones
    divisions       in force where the element stands
    """

    element: Element
    tick: int
    target: int
    divisions: int
    is_note: bool = False
    duration: int = 0
    pitch: int | None = None
    is_rest: bool = False
    is_unpitched: bool = False
    is_grace: bool = False
    is_chord: bool = False
    tie_start: bool = False
    tie_stop: bool = False
    voice: str = "1"
    staff: int = 1
    velocity: int = 0

    @property
    def end(self) -> int:
        return self.tick + self.duration


class Mark(NamedTuple):
    """Something timed that is no note: kind is "tempo", "dynamics", "key", "chord", "lyric" …"""

    tick: int
    kind: str
    value: object


@dataclass(slots=True)
class Timeline:
    """A measure read: items in document order, marks, length in ticks, the state after."""

    items: list[Item]
    marks: list[Mark]
    length: int
    state: PartState


@dataclass(frozen=True, kw_only=True)
class Drums:
    """How a part writes unpitched notes: MIDI pitch by instrument id."""

    pitches: dict[str, int] = field(default_factory=dict)

    def pitch_of(self, note: Element, unpitched: Element) -> int:
        """The General MIDI pitch of an unpitched note: by its instrument, else by its place."""
        instrument = note.find("instrument")
        if instrument is not None and instrument.attrs.get("id") in self.pitches:
            return self.pitches[instrument.attrs["id"]]
        if len(self.pitches) == 1:
            return next(iter(self.pitches.values()))
        step = unpitched.value("display-step", "B").upper()
        octave = _integer(unpitched.value("display-octave"), 4)
        natural = STEPS.get(step, 11) + 12 * (octave + 1)
        return DRUM_POSITIONS.get((step, octave), min(max(natural, 0), 127))


class Reader:
    """Reads the measures of one part, one after the other, at one resolution."""

    def __init__(self, ticks_per_quarter: int, drums: Drums | None = None) -> None:
        self.ticks_per_quarter = ticks_per_quarter
        self.drums = drums or Drums()

    def read(self, measure: Element, state: PartState) -> Timeline:
        """The timeline of a measure, given what is in force at its start."""
        position = onset = length = 0
        line = Timeline(items=[], marks=[], length=0, state=state)
        for element in measure.children:
            tag = element.tag
            item = Item(element, position, position, line.state.divisions)
            line.items.append(item)
            if tag == "note":
                self._note(item, onset, line)
                onset, position = item.tick, item.target
            elif tag == "backup":
                position = item.target = max(0, position - self._duration(element, line.state))
            elif tag == "forward":
                position = item.target = position + self._duration(element, line.state)
            elif tag == "attributes":
                self._attributes(item, line)
            else:
                self._marks(item, line)
            length = max(length, position)
        line.length = length
        return line

    def _duration(self, element: Element, state: PartState) -> int:
        """Ticks; 0 where the duration is missing, no number or negative."""
        text = element.value("duration")
        whole = whole_number(text)
        units = _decimal(text) if whole is None else whole
        return max(0, round(units * self.ticks_per_quarter / state.divisions))

    def _note(self, item: Item, onset: int, line: Timeline) -> None:
        element, state = item.element, line.state
        item.is_note = True
        pitch = unpitched = None
        is_silent = False
        for child in element.children:
            tag = child.tag
            if tag == "pitch":
                pitch = child
            elif tag == "voice":
                item.voice = child.text.strip() or "1"
            elif tag == "staff":
                item.staff = _integer(child.text, 1)
            elif tag == "chord":
                item.is_chord = True
                item.tick = onset
            elif tag == "tie":
                _tie(item, child)
            elif tag == "rest":
                item.is_rest = True
            elif tag == "grace":
                item.is_grace = is_silent = True
            elif tag == "cue":
                is_silent = True
            elif tag == "unpitched":
                unpitched = child
            elif tag == "notations":
                _notations(item, child, line)
            elif tag == "lyric":
                _lyric(item, child, line)
        if not item.is_grace:
            item.duration = self._duration(element, state)
        if not item.is_chord:
            item.target = item.tick + item.duration
        if item.duration > 0 and not is_silent and not item.is_rest:
            item.pitch = self._pitch(item, pitch, unpitched, state)
            item.velocity = _velocity(element.attrs.get("dynamics"))

    def _pitch(
        self, item: Item, pitch: Element | None, unpitched: Element | None, state: PartState
    ) -> int | None:
        if pitch is not None:
            written = written_pitch(pitch)
            return None if written is None else _midi(written + state.semitones(item.staff))
        if unpitched is not None:
            item.is_unpitched = True
            return self.drums.pitch_of(item.element, unpitched)
        return None

    def _attributes(self, item: Item, line: Timeline) -> None:
        state = line.state
        for child in item.element.children:
            if child.tag == "divisions":
                state = replace(state, divisions=self._divisions(child))
            elif child.tag == "time":
                state = _meter(child, state)
            elif child.tag == "staves":
                state = replace(state, staves=max(1, min(_integer(child.text, 1), 16)))
            elif child.tag == "transpose":
                state = replace(state, transpose=_with(state.transpose, child, _semitones(child)))
            elif child.tag == "key":
                state = self._key(child, state, item, line)
        line.state = state

    def _divisions(self, element: Element) -> int:
        value = read_divisions(element.text)
        if self.ticks_per_quarter % value:
            raise BadFileError(f"The divisions of this file cannot be read ({value}).")
        return value

    def _key(self, child: Element, state: PartState, item: Item, line: Timeline) -> PartState:
        if child.find("fifths") is None:
            return state
        fifths = max(-11, min(11, _integer(child.value("fifths"), 0)))
        mode = "minor" if child.value("mode").lower() in ("minor", "aeolian") else "major"
        staff = _integer(child.attrs.get("number", ""), 0)
        line.marks.append(Mark(item.tick, "key", (fifths, mode)))
        table = state.fifths if staff else ()
        return replace(state, fifths=_with(table, child, fifths))

    def _marks(self, item: Item, line: Timeline) -> None:
        element = item.element
        if element.tag == "direction":
            self._direction(item, line)
        elif element.tag == "sound":
            self._sound(element, item.tick, line)
        elif element.tag == "harmony":
            tick = max(0, item.tick + self._offset(element, line.state))
            line.marks.append(Mark(tick, "chord", chord_symbol(element)))
        elif element.tag == "barline" and element.find("fermata") is not None:
            line.marks.append(Mark(item.tick, "fermata", "barline"))

    def _offset(self, element: Element, state: PartState) -> int:
        text = element.value("offset")
        return round(_decimal(text) * self.ticks_per_quarter / state.divisions) if text else 0

    def _direction(self, item: Item, line: Timeline) -> None:
        element = item.element
        tick = max(0, item.tick + self._offset(element, line.state))
        sound = element.find("sound")
        if sound is not None:
            self._sound(sound, tick, line)
        for kind in element.all("direction-type"):
            metronome = kind.find("metronome")
            if metronome is not None and (sound is None or "tempo" not in sound.attrs):
                qpm = _metronome(metronome)
                if qpm:
                    line.marks.append(Mark(tick, "tempo", qpm))
            for rehearsal in kind.all("rehearsal"):
                line.marks.append(Mark(tick, "marker", rehearsal.text.strip()[:_TEXT]))

    def _sound(self, sound: Element, tick: int, line: Timeline) -> None:
        tempo = _decimal(sound.attrs.get("tempo", "0"))
        if tempo > 0:
            line.marks.append(Mark(tick, "tempo", tempo))
        velocity = _velocity(sound.attrs.get("dynamics"))
        if velocity:
            line.marks.append(Mark(tick, "dynamics", velocity))


_TEXT = 100


def read_divisions(text: str) -> int:
    """The value of a divisions element; BadFileError unless it is a whole number above 0."""
    value = _decimal(text)
    if value < 1 or value != int(value):
        raise BadFileError(
            f'This file counts "{text.strip()[:20]}" divisions to the quarter note; '
            "a whole number above 0 is needed."
        )
    return int(value)


def written_pitch(pitch: Element) -> int | None:
    """The MIDI number as written (before transposition); None where step or octave is missing."""
    step = pitch.value("step").upper()
    octave = signed_number(pitch.value("octave"))
    if step not in STEPS or octave is None:
        return None
    alter = _decimal(pitch.value("alter", "0") or "0")
    return STEPS[step] + 12 * (octave + 1) + math.floor(alter + 0.5)


def _midi(pitch: int) -> int:
    return min(max(pitch, 0), 127)


def _tie(item: Item, element: Element) -> None:
    kind = element.attrs.get("type")
    if kind == "start":
        item.tie_start = True
    elif kind == "stop":
        item.tie_stop = True


def _notations(item: Item, element: Element, line: Timeline) -> None:
    for child in element.children:
        if child.tag == "tied":
            _tie(item, child)
        elif child.tag == "fermata":
            line.marks.append(Mark(item.tick, "fermata", child.text.strip() or "normal"))


def _lyric(item: Item, element: Element, line: Timeline) -> None:
    words = "".join(c.text for c in element.children if c.tag in ("text", "elision")).strip()
    if words:
        line.marks.append(Mark(item.tick, "lyric", words[:_TEXT]))


def _velocity(percent: str | None) -> int:
    """A percentage of forte as a velocity 1..127; 0 where nothing is said."""
    if percent is None:
        return 0
    value = _decimal(percent)
    return min(max(round(value * FORTE / 100), 1), 127) if value > 0 else 0


def velocity_percent(velocity: int) -> str:
    """The inverse of reading a `dynamics` attribute."""
    return f"{velocity * 100 / FORTE:.2f}"


def _integer(text: str | None, default: int) -> int:
    number = signed_number(text or "")
    return default if number is None else number


_DECIMAL = re.compile(r"[+-]?(\d{1,12}(\.\d{0,99})?|\.\d{1,99})", re.ASCII)


def _decimal(text: str) -> float:
    """A decimal number; 0 where the text is none (files in the wild write "" and "?")."""
    text = text.strip()
    return float(text) if _DECIMAL.fullmatch(text) else 0.0


def _with(
    table: tuple[tuple[int, int], ...], element: Element, value: int
) -> tuple[tuple[int, int], ...]:
    staff = _integer(element.attrs.get("number"), 0)
    return tuple({**dict(table), staff: value}.items())


def _semitones(element: Element) -> int:
    octaves = _integer(element.value("octave-change"), 0)
    double = element.find("double")
    if double is not None:
        octaves += 1 if double.attrs.get("above") == "yes" else -1
    return round(_decimal(element.value("chromatic"))) + 12 * octaves


def _meter(element: Element, state: PartState) -> PartState:
    """Beats and beat type; compound meters (3/8 + 2/4) are brought to the finest beat type."""
    pairs = []
    beats = [child.text for child in element.all("beats")]
    types = [child.text for child in element.all("beat-type")]
    for top, bottom in zip(beats, types, strict=False):
        count = sum(_integer(piece, 0) for piece in top.split("+"))
        pairs.append((count, _integer(bottom, 0)))
    if not pairs or any(not 0 < a < 1000 or not 0 < b <= 1024 for a, b in pairs):
        return state
    finest = max(b for _, b in pairs)
    if any(finest % b for _, b in pairs):
        return state
    return replace(state, beats=sum(a * finest // b for a, b in pairs), beat_type=finest)


_UNITS = {
    "long": 16.0,
    "breve": 8.0,
    "whole": 4.0,
    "half": 2.0,
    "quarter": 1.0,
    "eighth": 0.5,
    "16th": 0.25,
    "32nd": 0.125,
    "64th": 0.0625,
}


_PER_MINUTE = re.compile(r"(?<!\d)\d{1,9}(?!\d)(\.\d{1,9})?", re.ASCII)


def _metronome(element: Element) -> float:
    """Quarter notes a minute of a metronome mark; 0 where it gives no number."""
    match = _PER_MINUTE.search(element.value("per-minute"))
    unit = _UNITS.get(element.value("beat-unit"))
    if match is None or unit is None:
        return 0.0
    dots = len(element.all("beat-unit-dot"))
    return float(match[0]) * unit * (2 - 0.5**dots)


_KINDS = {
    "major": "",
    "minor": "m",
    "augmented": "aug",
    "diminished": "dim",
    "dominant": "7",
    "major-seventh": "maj7",
    "minor-seventh": "m7",
    "diminished-seventh": "dim7",
    "augmented-seventh": "aug7",
    "half-diminished": "m7b5",
    "major-minor": "mMaj7",
    "major-sixth": "6",
    "minor-sixth": "m6",
    "dominant-ninth": "9",
    "major-ninth": "maj9",
    "minor-ninth": "m9",
    "dominant-11th": "11",
    "major-11th": "maj11",
    "minor-11th": "m11",
    "dominant-13th": "13",
    "major-13th": "maj13",
    "minor-13th": "m13",
    "suspended-second": "sus2",
    "suspended-fourth": "sus4",
    "power": "5",
    "pedal": "ped",
}


def chord_symbol(harmony: Element) -> str:
    """A harmony element as text: "Dm7", "F#7b9", "C/E", "N.C."."""
    root = harmony.find("root")
    kind = harmony.value("kind")
    if root is None or kind == "none":
        return "N.C."
    text = _named(root, "root")
    text += _KINDS.get(kind, kind if kind != "other" else "")
    for degree in harmony.all("degree"):
        text += _degree(degree)
    bass = harmony.find("bass")
    return (text + (f"/{_named(bass, 'bass')}" if bass is not None else ""))[:_TEXT]


def _named(element: Element, name: str) -> str:
    alter = round(_decimal(element.value(f"{name}-alter", "0")))
    return element.value(f"{name}-step") + _sign(alter)


def _sign(alter: int) -> str:
    return "#" * min(max(alter, 0), 3) + "b" * min(max(-alter, 0), 3)


def _degree(element: Element) -> str:
    kind = element.value("degree-type")
    value = element.value("degree-value")
    if kind == "subtract":
        return f"no{value}"
    sign = _sign(round(_decimal(element.value("degree-alter", "0"))))
    return f"add{value}" if kind == "add" and not sign else sign + value
