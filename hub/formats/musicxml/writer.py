"""The new bytes of a touched measure.

The measure's children keep their order and their bytes. New notes and rests of a voice are put
where that voice's removed notes were; a `<backup>` or `<forward>` is written wherever the reading
position would otherwise differ from where an element stood before. So nothing that stays moves.
Where the measure's divisions are too coarse for what is new, finer ones are switched on, and off
again in front of everything that stays.
"""

from __future__ import annotations

import itertools
import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hub.formats.musicxml.measure import STEPS, Item, read_divisions, velocity_percent
from hub.formats.musicxml.notate import ACCIDENTALS, Glyph, key_alter, spell
from hub.formats.musicxml.open import Join, OpenMeasure, inside_of
from hub.formats.musicxml.text import Element
from hub.numerals import signed_number


@dataclass(frozen=True, kw_only=True)
class Style:
    """How a part writes its notes.

    drum_notes      MIDI pitch → (instrument id, step, octave) for unpitched notes
    instrument      id for the `<instrument>` element of new notes, where the part has several
    """

    has_voices: bool = True
    has_staves: bool = False
    is_unpitched: bool = False
    drum_notes: dict[int, tuple[str, str, int]] = field(default_factory=dict)
    instrument: str = ""


Spelled = tuple[str, int, int]


def write_measure(measure: OpenMeasure, style: Style) -> bytes:
    """The new bytes of a measure that has been settled."""
    return _Writer(measure, style).run()


class _Writer:
    """Walks a measure in document order and keeps the reading position right."""

    def __init__(self, measure: OpenMeasure, style: Style) -> None:
        self.m = measure
        self.style = style
        self.glyphs = measure.glyphs
        self._lines: dict[str, tuple[list[int], list[int]]] = {}
        self._behind = _behind_music(measure.items)
        self.slots = self._slots()
        self.spelling = _Spelling(self)
        self.fine = self._fine()
        self.cursor = self.reached = 0
        self.divisions = measure.state.divisions
        self.out: list[bytes] = []
        self.gap = self._gap()

    # -------------------------------------------------------------------------------- layout

    def _gap(self) -> bytes:
        """The white space in front of a note, to write new ones like their neighbours."""
        body, items = self.m.body, self.m.items
        ends = [inside_of(body, self.m.element), *(item.element.end for item in items)]
        gaps = [body[a : item.element.start] for a, item in zip(ends, items, strict=False)]
        notes = [gap for gap, item in zip(gaps, items, strict=True) if item.is_note]
        return next((gap for gap in (*notes, *gaps) if not gap.strip()), b"\n      ")

    def _slots(self) -> dict[int, list[tuple[str, Glyph]]]:
        """New glyphs by the position in `items` in front of which they are written."""
        slots: dict[int, list[tuple[str, Glyph]]] = {}
        for voice, glyphs in self.glyphs.items():
            for glyph in glyphs:
                slots.setdefault(self._slot(voice, glyph.tick), []).append((voice, glyph))
        return slots

    def _slot(self, voice: str, tick: int) -> int:
        items = self.m.items
        own, reached = self._notes_of(voice)
        if not own:
            return self._behind
        later = bisect_left(reached, tick)
        place = own[later] if later < len(own) else own[-1] + 1
        while place > 0 and self._goes_behind(items[place - 1], tick):
            place -= 1
        return place

    def _notes_of(self, voice: str) -> tuple[list[int], list[int]]:
        """Positions of a voice's notes, and the latest onset up to each of them."""
        if voice not in self._lines:
            notes = list(self.m.notes(voice))
            ticks = itertools.accumulate((item.tick for _, item in notes), max)
            self._lines[voice] = [k for k, _ in notes], list(ticks)
        return self._lines[voice]

    def _goes_behind(self, item: Item, tick: int) -> bool:
        """Must a new glyph at `tick` be written before this non-note item?"""
        if item.is_note or item.element.tag == "backup":
            return False
        return item.target > tick

    def _fine(self) -> int:
        """Divisions, a multiple of the measure's, that can express every new tick."""
        tpq = self.m.ticks_per_quarter
        units = [tpq // item.divisions for item in self.m.items]
        ticks = [t for item in self.m.items for t in (item.tick, item.target)]
        new = [t for gs in self.glyphs.values() for g in gs for t in (g.tick, g.duration)]
        base = tpq // self.m.state.divisions
        return tpq // math.gcd(base, self.m.content, *units, *ticks, *new)

    # --------------------------------------------------------------------------------- walk

    def run(self) -> bytes:
        body, items, element = self.m.body, self.m.items, self.m.element
        inside = inside_of(body, element)
        head = body[element.start : inside] if inside else body[element.start : element.end]
        self.out.append(head)
        before = inside
        for k, item in enumerate(items):
            self._new(k)
            gap = body[before : item.element.start]
            before = item.element.end
            if k in self.m.removed:
                if gap.strip():
                    self.out.append(gap)
                continue
            self._keep(k, item, gap)
        self._new(len(items))
        self._finish()
        self.out.append(body[before : element.end])
        return b"".join(self.out)

    def _keep(self, k: int, item: Item, gap: bytes) -> None:
        element = item.element
        raw = self.m.body[element.start : element.end]
        if element.tag in _MOVES:
            if self.cursor != item.tick or self.divisions != item.divisions:
                if gap.strip():
                    self.out.append(gap)
                return
        elif item.is_note:
            raw = self._kept_note(k, item, raw)
        else:
            self._move(item.tick)
        self.out += (gap, raw)
        if element.tag == "attributes":
            for child in element.all("divisions"):
                self.divisions = read_divisions(child.text)
        if not (item.is_note and item.is_chord):
            self._at(item.target)
        for n, join in enumerate(self.m.joined.get(k, ())):
            self.out += (self.gap, self._joined_note(k, n, item, join))

    def _joined_note(self, k: int, n: int, item: Item, join: Join) -> bytes:
        """A new chord member, written like the note that it joins."""
        spelled, accidental = self.spelling.of((k, n))
        lines = ["<chord/>", pitch_text(spelled)]
        place = 0
        for child in item.element.children:
            if child.tag in _SHARED:
                lines.append(self.m.body[child.start : child.end].decode())
            if child.tag in ("duration", "instrument", "voice", "type", "dot"):
                place = len(lines)
        if accidental:
            lines.insert(place, f"<accidental>{accidental}</accidental>")
        indent = self.gap.decode("ascii", "ignore")
        inner = indent + "  " if "\n" in indent else ""
        head = f' dynamics="{velocity_percent(join.velocity)}"' if join.velocity else ""
        end = indent if inner else ""
        return f"<note{head}>{inner}{inner.join(lines)}{end}</note>".encode()

    def _kept_note(self, k: int, item: Item, raw: bytes) -> bytes:
        promoted = item.is_chord and self._is_first_left(k)
        if k in self.m.changed:
            raw = self._changed_note(k, item, raw)
        if promoted:
            raw = _without(raw, item.element, "chord")
        raw = self._started(k, raw)
        if not item.is_chord or promoted:
            self._move(item.tick)
        if item.duration:
            self._set_divisions(item.divisions)
        if promoted:
            self._at(item.end)
        return raw

    def _is_first_left(self, k: int) -> bool:
        """Is this chord member the first of its chord that stays?"""
        while self.m.items[k].is_chord or not self.m.items[k].is_note:
            k -= 1
            if k < 0:
                return True
            if self.m.items[k].is_note and k not in self.m.removed:
                return False
        return True

    def _changed_note(self, k: int, item: Item, raw: bytes) -> bytes:
        change = self.m.changed[k]
        if change.pitch != item.pitch:
            spelled, accidental = self.spelling.of(k)
            raw = _repitched(raw, item.element, spelled, accidental)
        return raw

    def _started(self, k: int, raw: bytes) -> bytes:
        """The bytes with the changed velocity in the start tag (last, so that spans hold)."""
        change = self.m.changed.get(k)
        return _with_dynamics(raw, change.velocity) if change and change.velocity else raw

    def _new(self, slot: int) -> None:
        glyphs = self.slots.get(slot, ())
        ticks = [tick for _, glyph in glyphs for tick in (glyph.tick, glyph.duration)]
        if any(tick * self.divisions % self.m.ticks_per_quarter for tick in ticks):
            self._set_divisions(self.fine)
        for voice, glyph in glyphs:
            self._move(glyph.tick)
            for text in self._note_texts(voice, glyph):
                self.out += (self.gap, text)
            self._at(glyph.end)

    def _finish(self) -> None:
        if self.reached < self.m.content:
            self._move(self.m.content)
        self._set_divisions(self.m.after.divisions)

    def _at(self, tick: int) -> None:
        self.cursor = tick
        self.reached = max(self.reached, tick)

    def _move(self, tick: int) -> None:
        if tick == self.cursor:
            return
        step = tick - self.cursor
        if abs(step) * self.divisions % self.m.ticks_per_quarter:
            self._set_divisions(self.fine)
        name = b"forward" if step > 0 else b"backup"
        units = abs(step) * self.divisions // self.m.ticks_per_quarter
        text = b"<%s><duration>%d</duration></%s>" % (name, units, name)
        self.out += (self.gap, text)
        self._at(tick)

    def _set_divisions(self, divisions: int) -> None:
        if divisions != self.divisions:
            text = b"<attributes><divisions>%d</divisions></attributes>" % divisions
            self.out += (self.gap, text)
            self.divisions = divisions

    # --------------------------------------------------------------------------------- notes

    def _note_texts(self, voice: str, glyph: Glyph) -> Iterable[bytes]:
        pitches: Sequence[int | None] = glyph.sound.pitches or (None,)
        for place, pitch in enumerate(pitches):
            yield self._note_text(voice, glyph, place, pitch).encode("ascii", "xmlcharrefreplace")

    def _note_text(self, voice: str, glyph: Glyph, place: int, pitch: int | None) -> str:
        indent = self.gap.decode("ascii", "ignore")
        inner = indent + "  " if "\n" in indent else ""
        lines = [*self._what(glyph, place, pitch)]
        units = glyph.duration * self.divisions // self.m.ticks_per_quarter
        lines.append(f"<duration>{units}</duration>")
        lines += [f'<tie type="{kind}"/>' for kind in _ties(glyph)]
        lines += self._instrument(pitch)
        if self.style.has_voices:
            lines.append(f"<voice>{_escape(voice)}</voice>")
        lines += self._look(glyph, place, pitch)
        if self.style.has_staves:
            lines.append(f"<staff>{self.m.staves.get(voice, 1)}</staff>")
        if place == 0:
            beams = enumerate(glyph.beams, start=1)
            lines += [f'<beam number="{n}">{text}</beam>' for n, text in beams]
        lines += _notations(glyph, place)
        outer = indent if inner else ""
        return self._open_tag(voice, glyph, place) + inner + inner.join(lines) + outer + "</note>"

    def _open_tag(self, voice: str, glyph: Glyph, place: int) -> str:
        if not glyph.sound.pitches:
            return '<note print-object="no">' if voice in self.m.hidden else "<note>"
        velocity = glyph.sound.velocities[place]
        is_stated = velocity and glyph.tick == glyph.sound.tick
        return f'<note dynamics="{velocity_percent(velocity)}">' if is_stated else "<note>"

    def _what(self, glyph: Glyph, place: int, pitch: int | None) -> list[str]:
        chord = ["<chord/>"] if place else []
        if pitch is None:
            return ["<rest/>" if glyph.type else '<rest measure="yes"/>']
        if self.style.is_unpitched:
            _, step, octave = self.style.drum_notes[pitch]
            where = f"<display-step>{step}</display-step><display-octave>{octave}</display-octave>"
            return [*chord, f"<unpitched>{where}</unpitched>"]
        return [*chord, pitch_text(self.spelling.of((id(glyph), place))[0])]

    def _instrument(self, pitch: int | None) -> list[str]:
        name = self.style.instrument if pitch is not None else ""
        if self.style.is_unpitched and pitch is not None:
            name = self.style.drum_notes[pitch][0]
        return [f'<instrument id="{_escape(name)}"/>'] if name else []

    def _look(self, glyph: Glyph, place: int, pitch: int | None) -> list[str]:
        lines = [f"<type>{glyph.type}</type>"] if glyph.type else []
        lines += ["<dot/>"] * glyph.dots
        if pitch is not None and not self.style.is_unpitched:
            accidental = self.spelling.of((id(glyph), place))[1]
            lines += [f"<accidental>{accidental}</accidental>"] if accidental else []
        if glyph.ratio:
            lines.append(
                f"<time-modification><actual-notes>{glyph.ratio[0]}</actual-notes>"
                f"<normal-notes>{glyph.ratio[1]}</normal-notes></time-modification>"
            )
        return lines


_MOVES = ("backup", "forward")


def _behind_music(items: Sequence[Item]) -> int:
    """Where a voice begins that the measure does not have yet."""
    timed = [k for k, i in enumerate(items) if i.is_note or i.element.tag in _MOVES]
    return timed[-1] + 1 if timed else _after_attributes(items)


def _after_attributes(items: Sequence[Item]) -> int:
    """Behind the last leading item that has to stay in front of the notes."""
    place = 0
    for k, item in enumerate(items):
        if item.element.tag in ("attributes", "print", "direction", "sound"):
            place = k + 1
    return place


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def _ties(glyph: Glyph) -> list[str]:
    return ["stop"] * glyph.tie_in + ["start"] * glyph.tie_out


def _notations(glyph: Glyph, place: int) -> list[str]:
    inner = [f'<tied type="{kind}"/>' for kind in _ties(glyph)]
    if place == 0:
        inner += [f'<tuplet type="{kind}"/>' for kind in glyph.tuplet]
        inner += glyph.marks
    return [f"<notations>{''.join(inner)}</notations>"] if inner else []


def pitch_text(spelled: Spelled) -> str:
    step, alter, octave = spelled
    middle = f"<alter>{alter}</alter>" if alter else ""
    return f"<pitch><step>{step}</step>{middle}<octave>{octave}</octave></pitch>"


def _without(raw: bytes, element: Element, tag: str) -> bytes:
    """A note's bytes (already edited, perhaps, behind the child) without one of its children."""
    child = element.find(tag)
    if child is None:
        return raw
    return raw[: child.start - element.start].rstrip() + raw[child.end - element.start :]


def _repitched(raw: bytes, element: Element, spelled: Spelled, accidental: str) -> bytes:
    """A note's bytes with another `<pitch>` and `<accidental>`; everything else as it is."""
    edits: list[tuple[int, int, bytes]] = []
    anchor = 0
    for child in element.children:
        if child.tag == "pitch":
            edits.append((child.start, child.end, pitch_text(spelled).encode()))
        elif child.tag == "accidental":
            edits.append((child.start, child.end, b""))
        if child.tag in _BEFORE_ACCIDENTAL:
            anchor = child.end
    if accidental:
        edits.append((anchor, anchor, f"<accidental>{accidental}</accidental>".encode()))
    for start, end, text in sorted(edits, reverse=True):
        raw = raw[: start - element.start] + text + raw[end - element.start :]
    return raw


_DYNAMICS = re.compile(rb"""\sdynamics\s*=\s*("[^"]*"|'[^']*')""")


def _with_dynamics(raw: bytes, velocity: int) -> bytes:
    head, close, rest = raw.partition(b">")
    text = b' dynamics="%s"' % velocity_percent(velocity).encode()
    return _DYNAMICS.sub(b"", head) + text + close + rest


_SHARED = ("duration", "instrument", "voice", "type", "dot", "time-modification", "stem", "staff")
_BEFORE_ACCIDENTAL = ("pitch", "duration", "tie", "instrument", "voice", "type", "dot")


class _Spelling:
    """Step, alteration, octave and accidental of everything that gets a new pitch.

    An accidental is written where the alteration differs from what is in force on that line of
    the staff: the last note before, kept or new, else the key signature.
    """

    def __init__(self, writer: _Writer) -> None:
        self.state = writer.m.after
        entries: list[tuple[int, int, object, Spelled, bool]] = []
        for k, item in writer.m.notes():
            entry = self._kept(writer.m, k, item)
            if entry:
                entries.append(entry)
            for n, join in enumerate(writer.m.joined.get(k, ())):
                spelled = self._spell(join.pitch, item.staff)
                entries.append((item.tick, item.staff, (k, n), spelled, False))
        for voice, glyphs in writer.glyphs.items():
            staff = writer.m.staves.get(voice, 1)
            for glyph in glyphs:
                entries += self._new(glyph, staff)
        self.table = self._accidentals(sorted(entries, key=lambda e: e[0]))

    def of(self, key: object) -> tuple[Spelled, str]:
        return self.table[key]

    def _kept(
        self, m: OpenMeasure, k: int, item: Item
    ) -> tuple[int, int, object, Spelled, bool] | None:
        pitch = item.element.find("pitch")
        if pitch is None or k in m.removed:
            return None
        if k in m.changed and m.changed[k].pitch != item.pitch:
            spelled = self._spell(m.changed[k].pitch, item.staff)
            return item.tick, item.staff, k, spelled, item.tie_stop
        step = pitch.value("step").upper()
        octave, alter = signed_number(pitch.value("octave")), pitch.value("alter", "0")
        if step not in STEPS or octave is None:
            return None
        try:
            spelled = (step, round(float(alter or 0)), octave)
        except (ValueError, OverflowError):
            return None
        return item.tick, item.staff, k, spelled, True

    def _new(self, glyph: Glyph, staff: int) -> Iterable[tuple[int, int, object, Spelled, bool]]:
        for place, pitch in enumerate(glyph.sound.pitches):
            spelled = self._spell(pitch, staff)
            yield glyph.tick, staff, (id(glyph), place), spelled, glyph.tie_in

    def _spell(self, sounding: int, staff: int) -> Spelled:
        return spell(sounding - self.state.semitones(staff), self.state.key(staff))

    def _accidentals(
        self, entries: list[tuple[int, int, object, Spelled, bool]]
    ) -> dict[object, tuple[Spelled, str]]:
        in_force: dict[tuple[int, str, int], int] = {}
        table: dict[object, tuple[Spelled, str]] = {}
        for _, staff, key, (step, alter, octave), is_silent in entries:
            line = (staff, step, octave)
            expected = in_force.get(line, key_alter(step, self.state.key(staff)))
            shown = "" if alter == expected or is_silent else ACCIDENTALS.get(alter, "")
            table[key] = (step, alter, octave), shown
            in_force[line] = alter
        return table
