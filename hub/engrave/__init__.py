"""Score → MusicXML that a musician can read, from the notes alone: for MIDI downloads and display.

Written time comes from `quantise`, staves from `staves`, voices from `voices`, note values from
`rhythm`, names from `spelling`, elements from `engrave_xml`; this file puts them together. What is
written is a rendering: nothing here goes back into a user's MIDI file. The cost grows with the
measures asked for, apart from a glance over all notes for keys, clefs and staves.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

import numpy as np

from hub import limits
from hub.engrave import quantise, rhythm, voices, xml
from hub.engrave.quantise import Bar, Written
from hub.engrave.rhythm import Value
from hub.engrave.spelling import Spelled, key_alters, keys_of, spell
from hub.engrave.staves import Layout, layout
from hub.engrave.voices import Chord, Tone
from hub.errors import PreviewError
from hub.score import Key, Score


def to_musicxml(
    score: Score,
    *,
    ids: bool = False,
    measures: tuple[int, int] | None = None,
    parts: Sequence[str] | None = None,
    is_continued: bool = False,
) -> bytes:
    """UTF-8 MusicXML 4.0 of measures [a, b) (indices; default all) and `parts` (ids; default all).

    With `ids`, noteheads carry id="n<row of score.notes>" (tied continuations "n<row>.1", …) and
    measures id="m<measure index>.p<part index>". `is_continued`: the measures before are shown
    beside these, so the tempo that goes on is not printed again. Raises PreviewError for an
    empty range and LimitError for what would take too long.
    """
    chosen = [score.part_index(p) for p in parts] if parts else range(len(score.parts))
    excerpt = _excerpt(score, measures)
    _check_size(score, chosen, excerpt)
    engraver = _Engraver(score=score, excerpt=excerpt, ids=ids, is_continued=is_continued)
    layouts = [layout(score, index) for index in chosen]
    out = [xml.HEAD, xml.titles(score.title), "<part-list>"]
    out += [xml.score_part(score.parts[plan.index], plan) for plan in layouts]
    out.append("</part-list>")
    for place, plan in enumerate(layouts):
        out += engraver.part(plan, is_first=place == 0)
    out.append("</score-partwise>\n")
    return "".join(out).encode()


def _excerpt(score: Score, measures: tuple[int, int] | None) -> list[Bar]:
    first, last = measures or (0, max(1, _written_measures(score)))
    if not 0 <= first < last or not score.parts:
        raise PreviewError("There are no measures to engrave in this part of the score.")
    return quantise.bars(score, first, last)


def _check_size(score: Score, chosen: Sequence[int], excerpt: Sequence[Bar]) -> None:
    """Refuse what would take longer than some seconds."""
    limits.check("engraved_measures", len(chosen) * len(excerpt))
    notes = score.notes[np.flatnonzero(np.isin(score.notes.part, list(chosen)))]
    begins = [bar.measure.start for bar in excerpt]
    first = np.searchsorted(begins, notes.onset, side="right")
    after = np.searchsorted(begins, notes.end, side="left")
    sounds = (notes.end > begins[0]) & (notes.onset < excerpt[-1].measure.end)
    heads = np.maximum(1, after - np.maximum(first, 1) + 1)[sounds]
    limits.check("engraved_notes", int(heads.sum()))


def _written_measures(score: Score) -> int:
    """Number of measures, with those that notes beyond the last one need."""
    count = len(score.measures)
    if not count:
        return count
    last = score.measures[-1]
    return count + -(-max(0, score.end - last.end) // last.length)


@dataclass(frozen=True, kw_only=True)
class _Voice:
    """One voice of a staff, in the excerpt's units."""

    chords: list[Chord]
    starts: list[int]

    @classmethod
    def of(cls, chords: list[Chord]) -> _Voice:
        return cls(chords=chords, starts=[chord.start for chord in chords])

    def within(self, bar: Bar) -> list[Value]:
        """The note values of one measure."""
        first = max(0, bisect_right(self.starts, bar.start) - 1)
        last = bisect_right(self.starts, bar.end - 1)
        inside = [chord for chord in self.chords[first:last] if chord.end > bar.start]
        return rhythm.values_of(rhythm.pieces_of(inside, bar), bar)


class _Layer(NamedTuple):
    """One voice in one measure; `voice` as MusicXML counts them: 1, 2 … above, 5, 6 … below."""

    staff: int
    voice: int
    values: list[Value]


@dataclass(kw_only=True)
class _Engraver:
    """What all parts share while one document is written."""

    score: Score
    excerpt: list[Bar]
    ids: bool
    is_continued: bool = False
    keys: tuple[Key, ...] = ()
    drawn: dict[int, int] = field(default_factory=dict)  # row → noteheads drawn so far
    spelled: dict[int, Spelled] = field(default_factory=dict)  # row → its written pitch

    def __post_init__(self) -> None:
        self.keys = keys_of(self.score)

    def part(self, plan: Layout, *, is_first: bool) -> list[str]:
        """The <part> element in pieces; the first part carries what belongs to all."""
        notes, exact = quantise.write_down(self.score, plan.index, self.excerpt)
        staves = self._staves(plan, notes, exact=exact)
        if not plan.is_drums:
            self._spell(notes)
        signs = xml.signs(
            self.score,
            plan.index,
            self.excerpt,
            with_tempo=is_first,
            is_continued=self.is_continued,
        )
        words = xml.note_words(self.score, plan.index, self.excerpt)
        out = [f'<part id="{xml.part_id(plan.index)}">']
        previous: Bar | None = None
        for bar in self.excerpt:
            out += self._measure_head(plan, bar, previous)
            out += signs.get(bar.index, [])
            out += self._layers(plan, bar, staves, words)
            out.append("</measure>")
            previous = bar
        return [*out, "</part>"]

    def _staves(self, plan: Layout, notes: list[Written], *, exact: bool) -> list[list[_Voice]]:
        """The voices of each staff."""
        if plan.is_drums:
            strokes = quantise.drum_lengths(notes, self.excerpt)
            return [[_Voice.of(voices.chords(strokes))]]
        hands = voices.split_hands(notes, self.excerpt) if len(plan.clefs) > 1 else [notes]
        if not exact:
            hands = [quantise.close_gaps(hand, self.excerpt) for hand in hands]
        return [[_Voice.of(v) for v in voices.voices(hand, exact=exact)] for hand in hands]

    def _spell(self, notes: Sequence[Written]) -> None:
        """Names for a part's notes, with an eye to where each line goes next."""
        groups = [list(group) for _, group in groupby(notes, key=lambda note: note.start)]
        for group, following in zip(groups, [*groups[1:], []], strict=False):
            upcoming = {note.pitch for note in following}
            for note in group:
                near = next((p for p in (note.pitch + 1, note.pitch - 1) if p in upcoming), None)
                tick = int(self.score.notes.onset[note.row])
                self.spelled[note.row] = spell(note.pitch, self._key_at(tick), near)

    def _key_at(self, tick: int) -> Key:
        return next((key for key in reversed(self.keys) if key.tick <= tick), self.keys[0])

    def _measure_head(self, plan: Layout, bar: Bar, previous: Bar | None) -> list[str]:
        measure_id = f"m{bar.index}.p{plan.index}" if self.ids else None
        key = self._key_at(bar.measure.start)
        is_new_key = previous is None or key != self._key_at(previous.measure.start)
        is_new_meter = previous is None or bar.measure.meter != previous.measure.meter
        return [
            xml.measure_start(bar, measure_id),
            xml.attributes(
                is_first=previous is None,
                key=key if is_new_key and not plan.is_drums else None,
                meter=bar.measure if is_new_meter else None,
                clefs=plan.clefs,
            ),
        ]

    def _layers(
        self,
        plan: Layout,
        bar: Bar,
        staves: list[list[_Voice]],
        words: dict[int, str],
    ) -> Iterator[str]:
        """The voices of one measure, with <backup> between them."""
        layers = list(_layers_of(staves, bar))
        accidentals = self._accidentals(layers, self._key_at(bar.measure.start))
        several = len(plan.clefs) > 1
        for place, layer in enumerate(layers):
            if place:
                yield f"<backup><duration>{bar.length}</duration></backup>"
            where = xml.Where(voice=layer.voice, staff=layer.staff if several else None)
            if not any(value.tones for value in layer.values):
                yield xml.whole_rest(bar.length, where)
                continue
            for value in layer.values:
                if value.tones:
                    yield from self._chord(plan, value, where, accidentals, words)
                else:
                    yield xml.rest(value, where, is_hidden=layer.voice % 4 != 1)

    def _chord(
        self,
        plan: Layout,
        value: Value,
        where: xml.Where,
        accidentals: dict[tuple[int, int, int], int],
        words: dict[int, str],
    ) -> Iterator[str]:
        for place, tone in enumerate(value.tones):
            row, is_tied = tone.note.row, value.tied_before or tone.tied_before
            pitch = tone.note.pitch
            head = xml.drum(plan.index, pitch) if plan.is_drums else xml.pitch(self.spelled[row])
            yield xml.note(
                value,
                where,
                pitch=head,
                note_id=self._note_id(row),
                is_chord=place > 0,
                tied=(is_tied, value.tied_after or tone.tied_after),
                accidental=accidentals.get((where.voice, value.start, pitch)),
                words="" if is_tied else words.get(row, ""),
            )

    def _note_id(self, row: int) -> str | None:
        if not self.ids:
            return None
        count = self.drawn.get(row, 0)
        self.drawn[row] = count + 1
        return f"n{row}.{count}" if count else f"n{row}"

    def _accidentals(self, layers: Sequence[_Layer], key: Key) -> dict[tuple[int, int, int], int]:
        """(voice, start, pitch) → the alter to print; per staff, in order of time."""
        heads = [
            (value.start, layer.staff, layer.voice, tone)
            for layer in layers
            for value in layer.values
            for tone in value.tones
            if tone.note.row in self.spelled and not (value.tied_before or tone.tied_before)
        ]
        signature = key_alters(key)
        heard: dict[tuple[int, str, int], int] = {}
        printed = {}
        for start, staff, voice, tone in sorted(heads, key=_by_time):
            name = self.spelled[tone.note.row]
            place = (staff, name.step, name.octave)
            if heard.get(place, signature[name.step]) != name.alter:
                printed[voice, start, tone.note.pitch] = name.alter
            heard[place] = name.alter
        return printed


def _by_time(head: tuple[int, int, int, Tone]) -> tuple[int, int, int]:
    return head[:3]


def _layers_of(staves: list[list[_Voice]], bar: Bar) -> Iterator[_Layer]:
    """The voices that sound in this measure, at least one a staff."""
    for staff, lines in enumerate(staves, start=1):
        first = 4 * (staff - 1) + 1
        filled = [line.within(bar) for line in lines]
        sounding = [values for values in filled if any(value.tones for value in values)]
        for voice, values in enumerate(sounding or [[]], start=first):
            yield _Layer(staff, voice, values)
