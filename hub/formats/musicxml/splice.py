"""Edit a MusicXML file in place: every measure that the edit does not touch keeps its bytes.

What happens to what
    removed note    its whole tied chain goes, in later measures too; what it leaves empty becomes
                    rests, and grace notes in front of it go with it
    same onset and duration removed and added
                    the note stays with its lyrics, articulations, slurs; only its pitch changes
    new note        cut at barlines and tied over; in the voice of the removed notes where that is
                    free, else in another free voice; on a grand staff, on the nearer staff
    divisions       where the measure's are too coarse, the measure switches to finer ones and
                    back again before anything that stays
    past the end    measures are appended to every part
    accidentals     of notes that stay are left alone, even where a removed note explained them
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hub.errors import SpliceError
from hub.formats import Edit
from hub.formats.musicxml.index import (
    TIE_START,
    TIE_STOP,
    Index,
    PartIndex,
    ambient_velocity,
)
from hub.formats.musicxml.measure import DRUM_POSITIONS, Reader
from hub.formats.musicxml.mend import mend_measure, mend_slurs
from hub.formats.musicxml.notate import Sound
from hub.formats.musicxml.open import Change, Join, OpenMeasure
from hub.formats.musicxml.writer import Style, write_measure
from hub.limits import LIMITS
from hub.numerals import next_number
from hub.score import Measure, Note, Score


def splice(score: Score, edit: Edit) -> bytes:
    """The score's file with the edit in it. Raises SpliceError."""
    index = index_of(score)
    plan = plan_edit(score, edit)
    body = index.text.body
    patches: list[tuple[int, int, bytes]] = []
    for part in range(len(index.parts)):
        patches += _PartSplice(score, part, plan).patches()
    for start, end, text in sorted(patches, key=lambda p: p[0], reverse=True):
        body = body[:start] + text + body[end:]
    return index.text.encode(body)


def index_of(score: Score) -> Index:
    """What the reader remembered; SpliceError for scores that were not read from MusicXML."""
    index = score.source.index if score.source else None
    if not isinstance(index, Index):
        raise SpliceError("This score was not read from a MusicXML file; open the file again.")
    return index


# --------------------------------------------------------------------------------------- the plan


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which notes go, which only change, which come, and the measures there will be."""

    removed: tuple[int, ...]
    changed: dict[int, Note]
    added: tuple[Note, ...]
    measures: tuple[Measure, ...]


def plan_edit(score: Score, edit: Edit) -> Plan:
    """Pairs removed and added notes that differ only in pitch or velocity."""
    waiting: dict[tuple[int, int, int], list[int]] = {}
    removed = sorted(set(np.asarray(edit.removed, dtype=np.int64).tolist()))
    for row in removed:
        note = score.notes[row]
        waiting.setdefault((note.part, note.onset, note.duration), []).append(row)
    changed: dict[int, Note] = {}
    added: list[Note] = []
    for note in _equal_pitches_first(score, edit.added, waiting, changed):
        rows = waiting.get((note.part, note.onset, note.duration))
        if rows and not score.parts[note.part].is_drums and _can_change(score, rows[0]):
            changed[rows.pop(0)] = note
        else:
            added.append(note)
    return Plan(
        removed=tuple(row for row in removed if row not in changed),
        changed=changed,
        added=tuple(added),
        measures=_measures(score, added),
    )


def _can_change(score: Score, row: int) -> bool:
    """May this note's pitch be rewritten where it stands?

    Not where a tie leads nowhere or into another voice: at its new pitch it could find a partner.
    """
    index = index_of(score)
    rows = index.chains.of(row)
    segments = index.segments.take(np.array(rows))
    loose = segments.ties[0] & TIE_STOP or segments.ties[-1] & TIE_START
    lines = set(zip(segments.voice.tolist(), segments.staff.tolist(), strict=True))
    return not loose and len(lines) == 1


def _equal_pitches_first(
    score: Score,
    added: Iterable[Note],
    waiting: dict[tuple[int, int, int], list[int]],
    changed: dict[int, Note],
) -> list[Note]:
    """Takes notes that come back as they were; returns the others in order of pitch."""
    others = []
    for note in added:
        rows = waiting.get((note.part, note.onset, note.duration), [])
        same = next((row for row in rows if score.notes[row].pitch == note.pitch), None)
        if same is None:
            others.append(note)
        else:
            rows.remove(same)
            changed[same] = note
    return sorted(others, key=lambda n: n.pitch)


def _measures(score: Score, added: Sequence[Note]) -> tuple[Measure, ...]:
    """The score's measures, and as many like the last one as the new notes need."""
    measures = list(score.measures)
    end = max((note.onset + note.duration for note in added), default=0)
    while measures[-1].end < end:
        if len(measures) >= LIMITS.measures:
            raise SpliceError(
                f"The new notes would need more than {LIMITS.measures:,} measures in all. "
                "Put them nearer to the music."
            )
        last = measures[-1]
        measures.append(replace(last, number=next_number(last.number), start=last.end))
    return tuple(measures)


# --------------------------------------------------------------------------------------- one part


def _check_crowd(measure: OpenMeasure) -> None:
    """SpliceError where the edited measure could not be opened again."""
    kept = sum(k not in measure.removed for k, _ in measure.notes())
    new = sum(len(g.sound.pitches) or 1 for glyphs in measure.glyphs.values() for g in glyphs)
    for count, bound, what in (
        (kept + new, LIMITS.measure_notes, "notes"),
        (len({*measure.voices(), *measure.glyphs}), LIMITS.measure_voices, "voices"),
    ):
        if count > bound:
            raise SpliceError(
                f"The new notes would make {count:,} {what} in one measure of a part; at most "
                f"{bound:,} are accepted. Ask for fewer notes."
            )


class _PartSplice:
    """The edit of one part: opens the measures it touches, spreads the notes, writes them."""

    def __init__(self, score: Score, part: int, plan: Plan) -> None:
        self.score = score
        self.part = part
        self.plan = plan
        self.index = index_of(score)
        self.own: PartIndex = self.index.parts[part]
        self.reader = Reader(score.ticks_per_quarter, self.own.drums)
        self.open: dict[int, OpenMeasure] = {}
        self.appended = len(plan.measures) - len(score.measures)

    def patches(self) -> list[tuple[int, int, bytes]]:
        self._take_out()
        added = [note for note in self.plan.added if note.part == self.part]
        self._open_all(added)
        style = self._style(added)
        _Spread(self, added).run()
        self._settle()
        patches = []
        tail = b""
        for number, measure in sorted(self.open.items()):
            if number < len(self.own.starts):
                span = self.own.starts[number], self.own.ends[number]
                patches.append((*span, write_measure(measure, style)))
            else:
                tail += self._lead() + write_measure(measure, style)
        if tail:
            patches.append((self.own.ends[-1], self.own.ends[-1], tail))
        return patches

    def _settle(self) -> None:
        """Decide how everything is written, and mend what the edit cut in two."""
        run: list[tuple[int, OpenMeasure]] = []
        last = -1
        for number, measure in sorted(self.open.items()):
            measure.settle()
            _check_crowd(measure)
            mend_measure(measure)
            if number != last + 1:
                mend_slurs(run)
                run = []
            run.append((self.plan.measures[number].start, measure))
            last = number
        mend_slurs(run)

    def measure(self, number: int) -> OpenMeasure:
        """The part's measure with this index, opened; appended ones begin empty."""
        if number not in self.open:
            length = self.plan.measures[number].length
            if number < len(self.own.starts):
                body = self.index.text.body
                span = self.own.starts[number], self.own.ends[number]
                state = self.own.states[number]
            else:
                body = self._blank(number)
                span = 0, len(body)
                state = self.own.last_state
            self.open[number] = OpenMeasure.read(body, span, self.reader, state, length)
        return self.open[number]

    def _take_out(self) -> None:
        segments, chains = self.index.segments, self.index.chains
        parts = self.score.notes.part
        for row in self.plan.removed:
            for segment in chains.of(row) if parts[row] == self.part else ():
                measure = self.measure(int(segments.measure[segment]))
                measure.removed.add(measure.item_at(int(segments.start[segment])))
        for row, note in self.plan.changed.items():
            old = self.score.notes[row]
            if old.part != self.part or old[:4] == note[:4]:
                continue
            for place, segment in enumerate(chains.of(row)):
                velocity = note.velocity if place == 0 and note.velocity != old.velocity else 0
                measure = self.measure(int(segments.measure[segment]))
                key = measure.item_at(int(segments.start[segment]))
                measure.changed[key] = Change(pitch=note.pitch, velocity=velocity)

    def _open_all(self, added: Sequence[Note]) -> None:
        for note in added:
            for number, _ in self.pieces(note):
                self.measure(number)
        if self.appended and not self.own.starts:
            raise SpliceError(
                f'Part "{self.score.parts[self.part].id}" has no measures, so none can follow; '
                "end the region inside the score."
            )
        for number in range(len(self.own.starts), len(self.plan.measures)) if self.appended else ():
            self.measure(number)
        if self.appended or (self.open and max(self.open) >= len(self.own.starts)):
            for number in range(len(self.own.starts), max(self.open) + 1):
                self.measure(number)

    def pieces(self, note: Note) -> list[tuple[int, Sound]]:
        """The note cut at barlines: (measure index, what sounds there), tied over."""
        measures = self.plan.measures
        starts = [m.start for m in measures]
        end = note.onset + note.duration
        number = int(np.searchsorted(starts, note.onset, side="right")) - 1
        pieces = []
        tick = note.onset
        while tick < end:
            measure = measures[number]
            upto = min(end, measure.end)
            sound = Sound(
                tick=tick - measure.start,
                duration=upto - tick,
                tie_in=tick > note.onset,
                tie_out=upto < end,
            )
            pieces.append((number, sound))
            tick, number = upto, number + 1
        return pieces

    # ------------------------------------------------------------------- measures past the end

    def _lead(self) -> bytes:
        """The white space in front of the part's last measure."""
        body, start = self.index.text.body, self.own.starts[-1]
        lead = body[:start][-40:]
        return lead[len(lead.rstrip()) :]

    def _blank(self, number: int) -> bytes:
        """An empty measure with a whole rest on every staff."""
        state = self.own.last_state
        length = self.plan.measures[number].length
        units = max(1, length * state.divisions // self.score.ticks_per_quarter)
        lead = self._lead()
        inner = lead + b"  " if b"\n" in lead else lead
        rests = []
        for staff in range(1, state.staves + 1):
            voice = 4 * (staff - 1) + 1
            text = f'<note><rest measure="yes"/><duration>{units}</duration><voice>{voice}</voice>'
            text += f"<staff>{staff}</staff></note>" if state.staves > 1 else "</note>"
            rests.append(text.encode())
        back = b"<backup><duration>%d</duration></backup>" % units
        content = inner + (inner + back + inner).join(rests)
        label = _escape(self.plan.measures[number].number).encode()
        return b'<measure number="%s">%s%s</measure>' % (label, content, lead)

    # ------------------------------------------------------------------------------- the style

    def _style(self, added: Sequence[Note]) -> Style:
        notes = [item for measure in self.open.values() for _, item in measure.notes()]
        is_unpitched = any(item.is_unpitched for item in notes) or (
            self.score.parts[self.part].is_drums
            and not any(item.element.find("pitch") for item in notes)
        )
        instruments = [i.element.find("instrument") for i in notes]
        ids = [found.attrs.get("id", "") for found in instruments if found is not None]
        return Style(
            has_voices=not notes or any(i.element.find("voice") is not None for i in notes),
            has_staves=any(item.element.find("staff") is not None for item in notes)
            or self.own.last_state.staves > 1,
            is_unpitched=is_unpitched,
            instrument=ids[0] if ids and not is_unpitched else "",
            drum_notes=self._drum_notes(added) if is_unpitched else {},
        )

    def _drum_notes(self, added: Sequence[Note]) -> dict[int, tuple[str, str, int]]:
        """How each new drum is written: by an instrument of the part, else by its place."""
        places = {pitch: place for place, pitch in reversed(DRUM_POSITIONS.items())}
        named = {pitch: name for name, pitch in reversed(self.own.drums.pitches.items())}
        notes = {}
        for pitch in {note.pitch for note in added}:
            step, octave = places.get(pitch, ("C", 5))
            if pitch in named:
                notes[pitch] = (named[pitch], step, octave)
            elif pitch in places and len(self.own.drums.pitches) != 1:
                notes[pitch] = ("", step, octave)
            else:
                raise SpliceError(
                    f"Part {self.score.parts[self.part].id} of this file names no instrument for "
                    f"drum {pitch}; take one of "
                    f"{', '.join(map(str, sorted(named or places)))}, or download MIDI."
                )
        return notes


# ---------------------------------------------------------------------------------- which voice


class _Spread:
    """Gives every new note a staff and a voice that is free for as long as it sounds."""

    def __init__(self, part: _PartSplice, added: Sequence[Note]) -> None:
        self.part = part
        self.added = added
        self.voices = self._voices()
        self.last: dict[int, str] = {}
        # Do the new notes' voices say anything? All alike is what a model without voices says.
        self.hints_matter = len({note.voice for note in added}) > 1
        self.centres = self._centres()

    def run(self) -> None:
        for staff, notes in self._groups():
            pieces = self.part.pieces(notes[0])
            if len(pieces) == 1 and self._join(staff, *pieces[0], notes):
                continue
            voice = self._free_voice(staff, pieces, str(notes[0].voice))
            for place, (number, sound) in enumerate(pieces):
                measure = self.part.measure(number)
                measure.add(voice, staff, self._sounding(sound, notes, is_first=place == 0))

    def _join(self, staff: int, number: int, sound: Sound, notes: Sequence[Note]) -> bool:
        """Add the notes to a chord that stays, where there is one of just their length."""
        measure = self.part.measure(number)
        place = measure.companion(staff, sound)
        if place is None:
            return False
        velocities = self._sounding(sound, notes, is_first=True).velocities
        measure.joined.setdefault(place, []).extend(
            Join(pitch=note.pitch, velocity=velocity)
            for note, velocity in zip(notes, velocities, strict=True)
        )
        return True

    def _sounding(self, sound: Sound, notes: Sequence[Note], *, is_first: bool) -> Sound:
        dynamics = self.part.own.dynamics
        velocities = tuple(
            note.velocity
            if is_first and note.velocity != ambient_velocity(dynamics, note.onset)
            else 0
            for note in notes
        )
        return replace(sound, pitches=tuple(n.pitch for n in notes), velocities=velocities)

    def _groups(self) -> list[tuple[int, list[Note]]]:
        """(staff, notes of one chord), in order of onset, long ones first."""
        groups: dict[tuple[int, int, int, int], list[Note]] = {}
        for note in self.added:
            key = (note.onset, -note.duration, self._staff(note), note.voice)
            groups.setdefault(key, []).append(note)
        return [
            (key[2], sorted(notes, key=lambda n: n.pitch)) for key, notes in sorted(groups.items())
        ]

    def _voices(self) -> dict[str, int]:
        """Voices of the touched measures and their staves; those that lost notes first."""
        losing: dict[str, int] = {}
        others: dict[str, int] = {}
        for _, measure in sorted(self.part.open.items()):
            staves = measure.voices()
            for k in sorted(measure.removed):
                voice = measure.items[k].voice
                losing.setdefault(voice, staves[voice])
            for voice, staff in staves.items():
                others.setdefault(voice, staff)
        return {**losing, **{v: s for v, s in others.items() if v not in losing}}

    def _staff(self, note: Note) -> int:
        """The staff whose notes nearby are nearest in pitch; middle C divides empty ones."""
        staves = self.part.own.last_state.staves
        if staves == 1:
            return 1
        centres = self.centres
        if not centres:
            return 1 if note.pitch >= 60 else min(2, staves)
        return min(centres, key=lambda staff: (abs(centres[staff] - note.pitch), staff))

    def _centres(self) -> dict[int, float]:
        """Staff → mean pitch of its notes in the touched measures; removed notes come first."""
        removed: dict[int, list[int]] = {}
        all_: dict[int, list[int]] = {}
        for measure in self.part.open.values():
            for k, item in measure.notes():
                if item.pitch is not None:
                    all_.setdefault(item.staff, []).append(item.pitch)
                    if k in measure.removed:
                        removed.setdefault(item.staff, []).append(item.pitch)
        chosen = removed or all_
        return {staff: sum(pitches) / len(pitches) for staff, pitches in chosen.items()}

    def _free_voice(self, staff: int, pieces: Sequence[tuple[int, Sound]], hint: str) -> str:
        own = [voice for voice, at in self.voices.items() if at == staff]
        own.sort(key=lambda voice: (voice != self.last.get(staff), False))
        if hint in own and self.hints_matter:
            own.sort(key=lambda voice: voice != hint)
        for voice in own:
            if self._is_free(voice, pieces):
                break
        else:
            voice = self._new_voice(staff)
        self.last[staff] = voice
        return voice

    def _is_free(self, voice: str, pieces: Sequence[tuple[int, Sound]]) -> bool:
        return all(
            self.part.measure(number).is_free(voice, (sound.tick, sound.end))
            for number, sound in pieces
        )

    def _new_voice(self, staff: int) -> str:
        number = 4 * (staff - 1) + 1
        while str(number) in self.voices:
            number += 1
        self.voices[str(number)] = staff
        return str(number)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
