"""Score ↔ what researchers already use: pretty_midi, music21, piano rolls. Their only door.

These are conversions, not edits: nothing made here is ever written into a user's file as it is.
An answer that comes back as a PrettyMIDI or a music21 stream is read into note columns, from
which the hub takes only what lies in the region.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from hub.errors import AnswerError
from hub.score import DEFAULT_VELOCITY, Measure, Note, Notes, Part, Score

if TYPE_CHECKING:
    import music21
    import pretty_midi


def piano_roll(
    score: Score, steps_per_quarter: int = 4, part_id: str | None = None
) -> npt.NDArray[np.uint8]:
    """Velocities (128, steps), 0 where silent; onsets and ends rounded to the nearest step.

    A note fills at least one step. Where notes overlap, the later row wins.
    """
    notes = score.notes if part_id is None else score.notes_of(part_id)
    scale = steps_per_quarter / score.ticks_per_quarter
    steps = max(1, int(np.ceil(score.end * scale)))
    roll = np.zeros((128, steps), dtype=np.uint8)
    starts = np.minimum(np.rint(notes.onset * scale).astype(int), steps - 1)
    ends = np.maximum(np.rint(notes.end * scale).astype(int), starts + 1)
    rows = zip(notes.pitch.tolist(), starts.tolist(), ends.tolist(), notes.velocity, strict=True)
    for pitch, start, end, velocity in rows:
        roll[pitch, start:end] = velocity
    return roll


def to_pretty_midi(score: Score) -> pretty_midi.PrettyMIDI:
    """A PrettyMIDI with one Instrument a part (empty ones too), tempos, meters and keys."""
    import pretty_midi as pm

    tempos = score.tempos
    song = pm.PrettyMIDI(
        resolution=score.ticks_per_quarter, initial_tempo=tempos[0].qpm if tempos else 120.0
    )
    # pretty_midi has no public way to set more than one tempo.
    scales = [(t.tick, 60.0 / (t.qpm * score.ticks_per_quarter)) for t in tempos]
    if scales:
        song._tick_scales = scales if scales[0][0] == 0 else [(0, scales[0][1]), *scales]
    song._update_tick_to_time(score.end + 1)
    seconds = score.seconds_at
    for measure in _meter_changes(score.measures):
        time = float(seconds(measure.start))
        song.time_signature_changes.append(pm.TimeSignature(measure.beats, measure.beat_type, time))
    for key in score.keys:
        number = (key.fifths * 7) % 12 if key.mode == "major" else (key.fifths * 7 - 3) % 12 + 12
        song.key_signature_changes.append(pm.KeySignature(number, float(seconds(key.tick))))
    for part in score.parts:
        song.instruments.append(_instrument(score, part))
    return song


def _instrument(score: Score, part: Part) -> Any:
    import pretty_midi as pm

    instrument = pm.Instrument(part.program or 0, is_drum=part.is_drums, name=part.name)
    notes = score.notes_of(part.id)
    starts, ends = score.seconds_at(notes.onset), score.seconds_at(notes.end)
    rows = zip(notes.velocity.tolist(), notes.pitch.tolist(), starts, ends, strict=True)
    instrument.notes = [pm.Note(v, p, float(a), float(b)) for v, p, a, b in rows]
    return instrument


def _meter_changes(measures: Sequence[Measure]) -> list[Measure]:
    """The measures at which the meter becomes another one, the first included."""
    pairs = zip((None, *measures), measures, strict=False)
    return [m for before, m in pairs if before is None or before.meter != m.meter]


def from_pretty_midi(song: pretty_midi.PrettyMIDI, score: Score, parts: Sequence[str]) -> Notes:
    """Notes of an answer in seconds, on the score's own tempo map and ticks.

    With as many instruments as the score has parts, they correspond in order; otherwise in
    order to the region's `parts`. Raises AnswerError when there are more instruments than that.
    """
    indices = _answer_parts(len(song.instruments), score, parts, "instruments")
    rows: list[Note] = []
    for instrument, part in zip(song.instruments, indices, strict=False):
        if not instrument.notes:
            continue
        starts = _ticks_at(score, [n.start for n in instrument.notes])
        ends = _ticks_at(score, [n.end for n in instrument.notes])
        for note, start, end in zip(instrument.notes, starts, ends, strict=True):
            rows.append(Note(start, max(1, end - start), note.pitch, note.velocity, part))
    return Notes.of(rows)


def _ticks_at(score: Score, seconds: Sequence[float]) -> list[int]:
    """The inverse of `score.seconds_at`, rounded to ticks."""
    marks, mark_seconds, rates = score._tempo_table
    times = np.asarray(seconds, dtype=np.float64)
    row = np.clip(np.searchsorted(mark_seconds, times, side="right") - 1, 0, None)
    ticks = marks[row] + (times - mark_seconds[row]) / rates[row]
    result: list[int] = np.rint(ticks).astype(int).tolist()
    return result


def _answer_parts(count: int, score: Score, parts: Sequence[str], what: str) -> list[int]:
    if count == len(score.parts):
        return list(range(count))
    if count <= len(parts):
        return [score.part_index(part) for part in parts[:count]]
    raise AnswerError(
        f"The model returned {count} {what}; it must return one for each of the "
        f"{len(score.parts)} parts of the score, or for each of the {len(parts)} in the region."
    )


def to_music21(score: Score) -> music21.stream.Score:
    """A music21 Score with measures; notes are split and tied at bar lines by music21.

    Note velocities are kept; chords are made of notes that share onset and duration.
    """
    from music21 import metadata, stream

    whole = stream.Score()
    whole.metadata = metadata.Metadata(title=score.title or None)
    for index, part in enumerate(score.parts):
        whole.insert(0, _music21_part(score, part, with_tempo=index == 0))
    return whole


def _quarters(ticks: int, score: Score) -> Fraction:
    return Fraction(ticks, score.ticks_per_quarter)


def _music21_part(score: Score, part: Part, *, with_tempo: bool) -> Any:
    from music21 import key, meter, stream, tempo

    flat = stream.Part(id=part.id)
    flat.partName = part.name
    for measure in _meter_changes(score.measures):
        flat.insert(_quarters(measure.start, score), meter.TimeSignature(measure.meter))
    for signature in score.keys:
        flat.insert(_quarters(signature.tick, score), key.KeySignature(signature.fifths))
    for mark in score.tempos if with_tempo else ():
        flat.insert(_quarters(mark.tick, score), tempo.MetronomeMark(number=mark.qpm))
    for onset, element in _music21_notes(score, part):
        flat.insert(onset, element)
    return flat if not score.measures else _with_measures(flat, score)


def _music21_notes(score: Score, part: Part) -> list[tuple[Fraction, Any]]:
    from music21 import chord, note

    groups: dict[tuple[int, int], list[Note]] = {}
    for row in score.notes_of(part.id):
        groups.setdefault((row.onset, row.duration), []).append(row)
    found = []
    for (onset, duration), rows in groups.items():
        made = [_music21_note(note, row, duration, score) for row in rows]
        element = made[0] if len(made) == 1 else chord.Chord(made)
        element.quarterLength = _quarters(duration, score)
        found.append((_quarters(onset, score), element))
    return found


def _music21_note(module: Any, row: Note, duration: int, score: Score) -> Any:
    made = module.Note(row.pitch)
    made.quarterLength = _quarters(duration, score)
    made.volume.velocity = row.velocity
    return made


def _with_measures(flat: Any, score: Score) -> Any:
    """Measures at the score's own bar lines, pickups and irregular ones included."""
    from music21 import stream

    part = stream.Part(id=flat.id)
    part.partName = flat.partName
    for index, measure in enumerate(score.measures):
        start, end = _quarters(measure.start, score), _quarters(measure.end, score)
        made = stream.Measure(number=int(measure.number) if measure.number.isdigit() else index + 1)
        last = index == len(score.measures) - 1
        for element in flat.getElementsByOffset(
            start, None if last else end, includeEndBoundary=last
        ):
            made.insert(element.getOffsetBySite(flat) - start, element)
        part.insert(start, made)
    return part


def from_music21(stream: music21.stream.Stream, score: Score, parts: Sequence[str]) -> Notes:
    """Notes of an answer in quarterLengths from the start of the score; ties are merged.

    A stream with parts corresponds like the instruments of `from_pretty_midi`; one without is
    the region's first part.
    """
    found = list(stream.parts) if hasattr(stream, "parts") else []
    streams = found or [stream]
    indices = _answer_parts(len(streams), score, parts or [score.parts[0].id], "parts")
    rows: list[Note] = []
    for line, part in zip(streams, indices, strict=False):
        rows += _rows_from_music21(line, score, part)
    return Notes.of(rows)


def _rows_from_music21(line: Any, score: Score, part: int) -> list[Note]:
    rows = []
    for element in line.stripTies().flatten().notes:
        onset = round(Fraction(element.offset) * score.ticks_per_quarter)
        duration = max(1, round(Fraction(element.quarterLength) * score.ticks_per_quarter))
        for pitch, velocity in _music21_pitches(element):
            rows.append(Note(onset, duration, pitch, velocity, part))
    return rows


def _music21_pitches(element: Any) -> list[tuple[int, int]]:
    members = getattr(element, "notes", None) or [element]
    return [
        (m.pitch.midi, int(m.volume.velocity or DEFAULT_VELOCITY))
        for m in members
        if hasattr(m, "pitch")
    ]
