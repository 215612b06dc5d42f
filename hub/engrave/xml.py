"""The elements of an engraved MusicXML document as text, in the order the schema wants them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from hub.engrave.quantise import UNITS, Bar
from hub.engrave.rhythm import Value
from hub.engrave.spelling import Spelled
from hub.engrave.staves import Clef, Layout, stroke
from hub.score import DEFAULT_QPM, Annotation, Key, Measure, Part, Score, Tempo

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">\n'
    '<score-partwise version="4.0">'
)
_ACCIDENTALS = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}
_TEMPO_CHANGE = 0.06  # a smaller change is rubato and is not printed


class Where(NamedTuple):
    """The voice, and the staff where the part has several."""

    voice: int
    staff: int | None

    @property
    def staff_xml(self) -> str:
        return f"<staff>{self.staff}</staff>" if self.staff else ""


def clean(text: str, length: int = 200) -> str:
    """Escaped, bounded, on one line, without control characters that XML cannot hold."""
    line = " ".join(text.split())
    return escape("".join(c for c in line if c.isprintable())[:length])


def part_id(index: int) -> str:
    return f"P{index + 1}"


def titles(title: str) -> str:
    movement = f"<movement-title>{clean(title)}</movement-title>" if title else ""
    software = "<encoding><software>Scorehub</software></encoding>"
    return f"{movement}<identification>{software}</identification>"


def score_part(part: Part, plan: Layout) -> str:
    """The part's name and how it sounds."""
    name, xml_id = clean(part.name or part.id), part_id(plan.index)
    sounds = (
        [(f"I{p}", f"Drum {p}", f"<midi-unpitched>{p + 1}</midi-unpitched>") for p in plan.drums]
        if plan.is_drums
        else [("I1", name, f"<midi-program>{(part.program or 0) + 1}</midi-program>")]
    )
    channel = 10 if plan.is_drums else min(16, (part.channel or 0) + 1)
    instruments = "".join(
        f'<score-instrument id="{xml_id}-{i}"><instrument-name>{n}</instrument-name>'
        "</score-instrument>"
        for i, n, _ in sounds
    )
    midi = "".join(
        f'<midi-instrument id="{xml_id}-{i}"><midi-channel>{channel}</midi-channel>{sound}'
        "</midi-instrument>"
        for i, _, sound in sounds
    )
    return (
        f'<score-part id="{xml_id}"><part-name>{name}</part-name>{instruments}{midi}</score-part>'
    )


def measure_start(bar: Bar, measure_id: str | None) -> str:
    implicit = ' implicit="yes"' if bar.phase else ""
    id_xml = f' id="{measure_id}"' if measure_id else ""
    return f"<measure number={quoteattr(clean(bar.measure.number))}{implicit}{id_xml}>"


def attributes(
    *, is_first: bool, key: Key | None, meter: Measure | None, clefs: Sequence[Clef]
) -> str:
    """What changes at this measure; "" where nothing does."""
    inside = [f"<divisions>{UNITS}</divisions>"] if is_first else []
    if key is not None:
        mode = f"<mode>{key.mode}</mode>" if key.mode in ("major", "minor") else ""
        inside.append(f"<key><fifths>{key.fifths}</fifths>{mode}</key>")
    if meter is not None:
        inside.append(
            f"<time><beats>{meter.beats}</beats><beat-type>{meter.beat_type}</beat-type></time>"
        )
    if is_first:
        inside += [f"<staves>{len(clefs)}</staves>"] if len(clefs) > 1 else []
        inside += [_clef(number, clef) for number, clef in enumerate(clefs, start=1)]
    return f"<attributes>{''.join(inside)}</attributes>" if inside else ""


def _clef(number: int, clef: Clef) -> str:
    octave = f"<clef-octave-change>{clef.octave}</clef-octave-change>" if clef.octave else ""
    return (
        f'<clef number="{number}"><sign>{clef.sign}</sign><line>{clef.line}</line>{octave}</clef>'
    )


def pitch(name: Spelled) -> str:
    alter = f"<alter>{name.alter}</alter>" if name.alter else ""
    return f"<pitch><step>{name.step}</step>{alter}<octave>{name.octave}</octave></pitch>"


class Drum(NamedTuple):
    """A drum stroke's elements: place on the staff, instrument, notehead."""

    place: str
    instrument: str
    head: str


def drum(part: int, midi_pitch: int) -> Drum:
    where = stroke(midi_pitch)
    return Drum(
        f"<unpitched><display-step>{where.step}</display-step>"
        f"<display-octave>{where.octave}</display-octave></unpitched>",
        f'<instrument id="{part_id(part)}-I{midi_pitch}"/>',
        f"<notehead>{where.head}</notehead>" if where.head else "",
    )


def note(
    value: Value,
    where: Where,
    *,
    pitch: str | Drum,
    note_id: str | None,
    is_chord: bool,
    tied: tuple[bool, bool],
    accidental: int | None,
    words: str,
) -> str:
    """One notehead. `tied`: (from the one before, to the one after); `words`: lyrics, fermatas."""
    place, instrument, head = pitch if isinstance(pitch, Drum) else (pitch, "", "")
    id_xml = f' id="{note_id}"' if note_id else ""
    before, after = tied
    fermata, _, lyric = words.partition("\n")
    return "".join(
        [
            f"<note{id_xml}>",
            "<chord/>" if is_chord else "",
            place,
            f"<duration>{value.length}</duration>",
            '<tie type="stop"/>' if before else "",
            '<tie type="start"/>' if after else "",
            instrument,
            f"<voice>{where.voice}</voice>",
            _kind(value, accidental),
            head,
            where.staff_xml,
            "" if is_chord else _beams(value),
            _notations(value, before, after, fermata, is_chord=is_chord),
            "" if is_chord else lyric,
            "</note>",
        ]
    )


def _kind(value: Value, accidental: int | None) -> str:
    """Type, dots, accidental and triplet ratio."""
    sign = f"<accidental>{_ACCIDENTALS[accidental]}</accidental>" if accidental is not None else ""
    ratio = (
        "<time-modification><actual-notes>3</actual-notes><normal-notes>2</normal-notes>"
        "</time-modification>"
        if value.is_triplet
        else ""
    )
    return f"<type>{value.type}</type>{'<dot/>' * value.dots}{sign}{ratio}"


def _beams(value: Value) -> str:
    return "".join(
        f'<beam number="{level}">{state}</beam>' for level, state in enumerate(value.beams, start=1)
    )


def _notations(value: Value, before: bool, after: bool, fermata: str, *, is_chord: bool) -> str:
    inside = '<tied type="stop"/>' if before else ""
    inside += '<tied type="start"/>' if after else ""
    if not is_chord:
        inside += _tuplet(value) + fermata
    return f"<notations>{inside}</notations>" if inside else ""


def _tuplet(value: Value) -> str:
    start = '<tuplet type="start" bracket="yes"/>' if value.starts_tuplet else ""
    stop = '<tuplet type="stop"/>' if value.stops_tuplet else ""
    return start + stop


def rest(value: Value, where: Where, *, is_hidden: bool) -> str:
    """A rest; in a second voice only the ones that a triplet needs are shown."""
    if is_hidden and not value.is_triplet:
        return f"<forward><duration>{value.length}</duration></forward>"
    notations = f"<notations>{_tuplet(value)}</notations>" if _tuplet(value) else ""
    return (
        f"<note><rest/><duration>{value.length}</duration><voice>{where.voice}</voice>"
        f"{_kind(value, None)}{where.staff_xml}{notations}</note>"
    )


def whole_rest(length: int, where: Where) -> str:
    return (
        f'<note><rest measure="yes"/><duration>{length}</duration>'
        f"<voice>{where.voice}</voice>{where.staff_xml}</note>"
    )


def signs(
    score: Score,
    part: int,
    excerpt: Sequence[Bar],
    *,
    with_tempo: bool,
    is_continued: bool = False,
) -> dict[int, list[str]]:
    """Measure index → chord symbols, words and tempos above it.

    is_continued    the measures before are shown too, so their tempo is not printed again
    """
    out: dict[int, list[str]] = defaultdict(list)
    if with_tempo:
        for bar, qpm in _printed_tempos(score, excerpt, is_continued=is_continued):
            out[bar.index].append(_metronome(qpm, bar))
    own = (score.parts[part].id, None if with_tempo else score.parts[part].id)
    begin, end = excerpt[0].measure.start, excerpt[-1].measure.end
    places = {bar.index: bar for bar in excerpt}
    for text in score.annotations:
        if text.part in own and begin <= text.tick < end:
            bar = places[min(max(score.measure_at(text.tick), excerpt[0].index), excerpt[-1].index)]
            out[bar.index].append(_sign(text, score, bar))
    return out


def _printed_tempos(
    score: Score, excerpt: Sequence[Bar], *, is_continued: bool
) -> Iterator[tuple[Bar, float]]:
    """The tempo of the first measure, and clear changes at later measures' beginnings."""
    tempos = score.tempos or (Tempo(0, DEFAULT_QPM),)
    ticks = [tempo.tick for tempo in tempos]

    def qpm_at(tick: int) -> float:
        return tempos[max(0, bisect_right(ticks, tick) - 1)].qpm

    begin = excerpt[0].measure.start
    printed = qpm_at(begin - 1) if is_continued and begin > 0 else None
    for bar in excerpt:
        qpm = qpm_at(bar.measure.start)
        if printed is None or abs(qpm / printed - 1) > _TEMPO_CHANGE:
            yield bar, qpm
            printed = qpm


def _metronome(qpm: float, bar: Bar) -> str:
    is_compound = bar.measure.beat_type == 8 and bar.measure.beats % 3 == 0
    rate = f"{qpm / 1.5 if is_compound else qpm:.0f}"
    dot = "<beat-unit-dot/>" if is_compound else ""
    return (
        '<direction placement="above"><direction-type><metronome><beat-unit>quarter</beat-unit>'
        f"{dot}<per-minute>{rate}</per-minute></metronome></direction-type>"
        f'<sound tempo="{qpm:.6g}"/></direction>'
    )


_CHORD = re.compile(r"^\s*([A-G])([#♯b♭-]*)([^/]*)(?:/([A-G])([#♯b♭]?))?\s*$")
_KINDS = {
    "": "major", "maj": "major", "M": "major", "m": "minor", "min": "minor", "-": "minor",
    "7": "dominant", "maj7": "major-seventh", "M7": "major-seventh", "m7": "minor-seventh",
    "min7": "minor-seventh", "dim": "diminished", "o": "diminished", "aug": "augmented",
    "+": "augmented", "6": "major-sixth", "m6": "minor-sixth", "sus4": "suspended-fourth",
    "sus2": "suspended-second", "9": "dominant-ninth", "m7b5": "half-diminished",
    "dim7": "diminished-seventh", "o7": "diminished-seventh", "5": "power",
}  # fmt: skip


def _sign(text: Annotation, score: Score, bar: Bar) -> str:
    units = round((text.tick - bar.measure.start) * UNITS / score.ticks_per_quarter)
    offset = f"<offset>{units}</offset>" if units else ""
    if text.kind == "chord":
        match = _CHORD.match(text.value)
        return _harmony(match, offset) if match else _words(text.value, offset)
    return _words(text.value, offset) if text.kind in ("marker", "tempo", "section") else ""


def _words(value: str, offset: str) -> str:
    return (
        f'<direction placement="above"><direction-type><words>{clean(value, 60)}</words>'
        f"</direction-type>{offset}</direction>"
    )


def _harmony(match: re.Match[str], offset: str) -> str:
    root, sign, kind, bass, bass_sign = match.groups(default="")
    bass_xml = (
        f"<bass><bass-step>{bass}</bass-step>{_alter('bass-alter', bass_sign)}</bass>"
        if bass
        else ""
    )
    name = kind.strip()
    return (
        f"<harmony><root><root-step>{root}</root-step>{_alter('root-alter', sign)}</root>"
        f"<kind text={quoteattr(clean(name, 20))}>{_KINDS.get(name, 'other')}</kind>"
        f"{bass_xml}{offset}</harmony>"
    )


def _alter(element: str, sign: str) -> str:
    alter = sum(1 if c in "#♯" else -1 for c in sign)
    return f"<{element}>{alter}</{element}>" if alter else ""


def note_words(score: Score, part: int, excerpt: Sequence[Bar]) -> dict[int, str]:
    """Row of the part's note → its fermata and its lyric as XML, with a line feed between."""
    begin, end = excerpt[0].measure.start, excerpt[-1].measure.end
    mine = [
        text
        for text in score.annotations
        if begin <= text.tick < end
        and text.kind in ("lyric", "fermata")
        and text.part in (None, score.parts[part].id)
    ]
    out: dict[int, str] = {}
    onset = score.notes.onset
    for tick in {text.tick for text in mine}:
        low, high = onset.searchsorted([tick, tick + 1])
        rows = [row for row in range(int(low), int(high)) if score.notes.part[row] == part]
        kinds = {text.kind: text.value for text in mine if text.tick == tick}
        lyric = kinds.get("lyric", "")
        verse = f"<lyric><text>{clean(lyric, 60)}</text></lyric>" if lyric else ""
        fermata = "<fermata/>" if "fermata" in kinds else ""
        out.update(dict.fromkeys(rows, f"{fermata}\n{verse}"))
    return out
