"""One touched measure of one part: what goes, what comes, and its new bytes.

The measure's children keep their order and their bytes. New notes and rests of a voice are put
where that voice's removed notes were; a `<backup>` or `<forward>` is written wherever the reading
position would otherwise differ from where an element stood before. So nothing that stays moves.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hub.formats import xmltext
from hub.formats.musicxml_measure import (
    STEPS,
    Item,
    PartState,
    Reader,
    read_divisions,
    velocity_percent,
)
from hub.formats.musicxml_notate import (
    ACCIDENTALS,
    Glyph,
    Grid,
    Look,
    Sound,
    key_alter,
    notate,
    spell,
)
from hub.formats.xmltext import Element

Span = tuple[int, int]


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

    @classmethod
    def read(
        cls, body: bytes, start: int, reader: Reader, state: PartState, length: int
    ) -> OpenMeasure:
        element = xmltext.parse_at(body, start)
        if _inside(body, element) == element.end:
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
        return next(k for k, item in enumerate(self.items) if item.element.start == start)

    def notes(self, voice: str | None = None) -> Iterable[tuple[int, Item]]:
        for k, item in enumerate(self.items):
            if item.is_note and (voice is None or item.voice == voice):
                yield k, item

    def voices(self) -> dict[str, int]:
        """Voice label → the staff it mostly stands on."""
        counts: dict[str, dict[int, int]] = {}
        for _, item in self.notes():
            staves = counts.setdefault(item.voice, {})
            staves[item.staff] = staves.get(item.staff, 0) + 1
        return {voice: max(staves, key=lambda s: staves[s]) for voice, staves in counts.items()}

    def is_free(self, voice: str, span: Span) -> bool:
        """Does nothing that stays, and nothing new, sound in the voice during the span?"""
        start, end = span
        kept = (
            item
            for k, item in self.notes(voice)
            if k not in self.removed and not item.is_rest and item.duration
        )
        if any(item.tick < end and start < item.end for item in kept):
            return False
        return not any(s.tick < end and start < s.end for s in self.lines.get(voice, ()))

    def companion(self, staff: int, sound: Sound) -> int | None:
        """The last member of a chord that stays and has just this onset and duration."""
        for k, item in self.notes():
            fits = item.tick == sound.tick and item.duration == sound.duration
            if not fits or item.staff != staff or item.pitch is None or item.is_chord:
                continue
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
        vacant: list[Span] = []
        for k, item in self.notes(voice):
            if item.is_chord or not item.duration:
                continue
            overlapped = any(s.tick < item.end and item.tick < s.end for s in new)
            if item.is_rest and overlapped:
                self.removed.add(k)
            if self._group_gone(k) or (item.is_rest and overlapped):
                vacant.append((item.tick, item.end))
        vacant = self._whole_rest(voice, new, vacant)
        empty = _minus(vacant, [(s.tick, s.end) for s in new])
        pieces = [piece for span in empty for piece in self._cut_rest(span, looks)]
        rests = [Sound(tick=a, duration=b - a) for a, b in pieces]
        self.lines[voice] = sorted([*new, *rests], key=lambda s: s.tick)
        self.staves.setdefault(voice, self.voices().get(voice, 1))

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

    # ---------------------------------------------------------------------------- new bytes

    def write(self, style: Style) -> bytes:
        """The measure's new bytes; `settle` comes first."""
        return _Writer(self, style).run()


def _look(note: Element) -> Look | None:
    change = note.find("time-modification")
    name = note.value("type")
    if change is None or not name:
        return None
    actual, normal = change.value("actual-notes"), change.value("normal-notes")
    if not (actual.isdigit() and normal.isdigit()) or (actual, normal) == ("3", "2"):
        return None
    return Look(type=name, dots=len(note.all("dot")), ratio=(int(actual), int(normal)))


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
    for start, end in _union(spans):
        for a, b in cuts:
            if a < end and start < b:
                if start < a:
                    result.append((start, a))
                start = max(start, b)
        if start < end:
            result.append((start, end))
    return result


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


class _Writer:
    """Walks a measure in document order and keeps the reading position right."""

    def __init__(self, measure: OpenMeasure, style: Style) -> None:
        self.m = measure
        self.style = style
        self.glyphs = measure.glyphs
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
        start = _inside(body, self.m.element)
        for k, item in enumerate(items):
            before = items[k - 1].element.end if k else start
            gap = body[before : item.element.start]
            if not gap.strip():
                return gap
        return b"\n      "

    def _slots(self) -> dict[int, list[tuple[str, Glyph]]]:
        """New glyphs by the position in `items` in front of which they are written."""
        slots: dict[int, list[tuple[str, Glyph]]] = {}
        for voice, glyphs in self.glyphs.items():
            for glyph in glyphs:
                slots.setdefault(self._slot(voice, glyph.tick), []).append((voice, glyph))
        return slots

    def _slot(self, voice: str, tick: int) -> int:
        items = self.m.items
        own = [k for k, _ in self.m.notes(voice)]
        if not own:
            timed = [k for k, i in enumerate(items) if i.is_note or i.element.tag in _MOVES]
            return timed[-1] + 1 if timed else _after_attributes(items)
        place = next((k for k in own if items[k].tick >= tick), own[-1] + 1)
        while place > 0 and self._goes_behind(items[place - 1], tick):
            place -= 1
        return place

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
        inside = _inside(body, element)
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
        for voice, glyph in self.slots.get(slot, ()):
            if self.fine != self.m.state.divisions:
                self._set_divisions(self.fine)
            self._move(glyph.tick)
            if glyph.duration * self.divisions % self.m.ticks_per_quarter:
                self._set_divisions(self.fine)
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


def _inside(body: bytes, element: Element) -> int:
    """The byte behind a measure's start tag."""
    quote = b""
    for at in range(element.start, element.end):
        byte = body[at : at + 1]
        if quote:
            quote = b"" if byte == quote else quote
        elif byte in (b'"', b"'"):
            quote = byte
        elif byte == b">":
            return at + 1
    raise ValueError("a measure without an end")


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
        octave, alter = pitch.value("octave"), pitch.value("alter", "0")
        if step not in STEPS or not octave.isdigit():
            return None
        try:
            spelled = (step, round(float(alter or 0)), int(octave))
        except ValueError:
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
