"""A second reader of MusicXML for tests: lxml and Fractions, sharing no line with the package.

It knows what the promise is about (measures as bytes; elements with their place; notes with ties
merged) and nothing else.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from fractions import Fraction
from typing import NamedTuple

from lxml import etree

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_MEASURE = re.compile(rb"<measure(?=[\s>/])(?:[^>]*/>|[^>]*>.*?</measure\s*>)", re.DOTALL)


class Sounding(NamedTuple):
    """A note in quarters from the start of the score."""

    part: int
    onset: Fraction
    duration: Fraction
    pitch: int


class Place(NamedTuple):
    """An element of a measure: its tag, its place in quarters, its canonical text."""

    tag: str
    at: Fraction
    text: bytes
    is_rest: bool
    is_grace: bool
    voice: tuple[str, str]
    sounds: tuple[Fraction, int] | None


def utf8(data: bytes) -> bytes:
    """The document as UTF-8, whatever it came in."""
    for mark, codec in (
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
        (b"\xef\xbb\xbf", "utf-8-sig"),
    ):
        if data.startswith(mark):
            return data.decode(codec).encode()
    declared = re.match(rb"""\s*<\?xml[^>]*encoding=["']([\w.-]+)""", data)
    codec = declared[1].decode() if declared else "utf-8"
    return data.decode(codec).encode()


def tree(data: bytes) -> etree._Element:
    text = re.sub(rb"^\s*<\?xml[^>]*\?>", b"", utf8(data)).strip()
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    return etree.fromstring(text, parser)


def measure_spans(text: bytes) -> dict[tuple[int, int], tuple[int, int]]:
    """(part, measure) → byte span; empty tags included. Found by regular expressions."""
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for part, opened in enumerate(re.finditer(rb"<part[\s>]", text)):
        end = text.find(b"</part>", opened.start())
        for number, match in enumerate(_MEASURE.finditer(text, opened.start(), end)):
            found[part, number] = match.span()
    return found


def measure_bytes(data: bytes) -> dict[tuple[int, int], bytes]:
    """(part, measure) → the measure's own bytes (as UTF-8)."""
    text = utf8(data)
    return {place: text[a:b] for place, (a, b) in measure_spans(text).items()}


class _PartWalk:
    """Walks one part's measures; keeps what is in force."""

    def __init__(self) -> None:
        self.divisions = Fraction(1)
        self.meter = Fraction(4)
        self.transpose: dict[str, int] = {}

    def measure(self, element: etree._Element) -> tuple[list[Place], Fraction]:
        now = last = furthest = Fraction(0)
        places = []
        for child in element:
            if not isinstance(child.tag, str):
                continue
            at = now
            if child.tag == "note":
                length = self._length(child)
                at = last if child.find("chord") is not None else now
                if child.find("chord") is None:
                    last, now = now, now + length
            elif child.tag == "backup":
                now = max(Fraction(0), now - self._length(child))
            elif child.tag == "forward":
                now += self._length(child)
            elif child.tag == "attributes":
                self._attributes(child)
            furthest = max(furthest, now)
            places.append(self._place(child, at))
        return places, furthest

    def _length(self, element: etree._Element) -> Fraction:
        if element.find("grace") is not None:
            return Fraction(0)
        return Fraction((element.findtext("duration") or "0").strip()) / self.divisions

    def _attributes(self, element: etree._Element) -> None:
        if element.findtext("divisions"):
            self.divisions = Fraction(element.findtext("divisions").strip())
        time = element.find("time")
        if time is not None and time.findtext("beats"):
            pairs = zip(time.iterfind("beats"), time.iterfind("beat-type"), strict=False)
            self.meter = sum(
                (sum(map(Fraction, a.text.split("+"))) * 4 / Fraction(b.text) for a, b in pairs),
                Fraction(0),
            )
        for change in element.iterfind("transpose"):
            octaves = int(change.findtext("octave-change") or 0)
            if change.find("double") is not None:
                octaves -= 1
            value = int(change.findtext("chromatic") or 0) + 12 * octaves
            self.transpose[change.get("number") or ""] = value

    def _place(self, child: etree._Element, at: Fraction) -> Place:
        text = etree.tostring(child, method="c14n", with_comments=False)
        pitch = child.find("pitch")
        sounds = None
        silent = any(child.find(t) is not None for t in ("grace", "cue", "rest"))
        if child.tag == "note" and pitch is not None and not silent:
            alter = round(float(pitch.findtext("alter") or 0) + 1e-9)
            staff = (child.findtext("staff") or "1").strip()
            key = _STEPS[pitch.findtext("step").strip()] + alter
            shift = self.transpose.get(staff, self.transpose.get("", 0))
            sounds = (self._length(child), key + 12 * (int(pitch.findtext("octave")) + 1) + shift)
        return Place(
            child.tag,
            at,
            text,
            child.find("rest") is not None,
            child.find("grace") is not None,
            tuple((child.findtext(tag) or "1").strip() for tag in ("voice", "staff")),
            sounds,
        )


class Reading(NamedTuple):
    """places[part][measure] and starts[measure] in quarters."""

    places: list[list[list[Place]]]
    starts: list[Fraction]
    lengths: list[list[Fraction]]


def read(data: bytes) -> Reading:
    root = tree(data)
    places, lengths, meters = [], [], []
    for part in root.iterfind("part"):
        walk = _PartWalk()
        rows, spans, nominal = [], [], []
        for measure in part.iterfind("measure"):
            found, length = walk.measure(measure)
            rows.append(found)
            spans.append(length)
            nominal.append(walk.meter)
        places.append(rows)
        lengths.append(spans)
        meters.append(nominal)
    starts = [Fraction(0)]
    for number in range(max(map(len, lengths))):
        having = [p for p in range(len(lengths)) if number < len(lengths[p])]
        length = max(lengths[p][number] for p in having) or meters[having[0]][number]
        starts.append(starts[-1] + length)
    return Reading(places, starts, lengths)


class Chain(NamedTuple):
    """A note and where its elements stand: (measure, position in the measure) of each segment."""

    note: Sounding
    at: tuple[tuple[int, int], ...]


def chains(reading: Reading) -> list[Chain]:
    """All pitched notes, ties merged, sorted."""
    result = []
    for part, rows in enumerate(reading.places):
        segments = []
        for number, row in enumerate(rows):
            for k, place in enumerate(row):
                if place.sounds and place.sounds[0] > 0:
                    ties = set(re.findall(rb'<tied?(?= )[^>]* type="(start|stop)"', place.text))
                    onset = reading.starts[number] + place.at
                    segments.append((onset, *place.sounds, ties, place.voice, (number, k)))
        result += [Chain(Sounding(part, *c[:3]), tuple(c[4])) for c in _merged(segments)]
    return sorted(result)


def notes(data: bytes) -> list[Sounding]:
    return [chain.note for chain in chains(read(data))]


def _merged(segments: list) -> list[list]:
    """Ties of one voice and staff first, then those between different ones."""
    found: list[list] = []
    open_: dict[tuple[Fraction, int], list] = defaultdict(list)
    ordered = sorted(segments, key=lambda s: s[0])
    for _, together in itertools.groupby(ordered, key=lambda s: s[0]):
        group = list(together)
        partner: dict[int, list] = {}
        for anywhere in (False, True):
            for n, (onset, _, pitch, ties, voice, _) in enumerate(group):
                if b"stop" in ties and n not in partner:
                    fits = [c for c in open_[onset, pitch] if anywhere or c[3] == voice]
                    if fits:
                        partner[n] = fits[0]
                        open_[onset, pitch].remove(fits[0])
        for n, (onset, length, pitch, ties, voice, at) in enumerate(group):
            chain = partner.get(n)
            if chain is None:
                chain = [onset, Fraction(0), pitch, voice, []]
                found.append(chain)
            chain[1] += length
            chain[3] = voice
            chain[4].append(at)
            if b"start" in ties:
                open_[onset + length, pitch].append(chain)
    return found


def skeleton(data: bytes) -> bytes:
    """The document (UTF-8) with every measure taken out."""
    text = utf8(data)
    pieces, at = [], 0
    for start, end in sorted(measure_spans(text).values()):
        pieces.append(text[at:start])
        at = end
    return b"|".join([*pieces, text[at:]])
