"""From whatever a model returned to notes the splice may use.

The hub takes from an answer only what lies in the region; a model cannot reach outside it. What
is corrected is said in the log, what cannot be is an AnswerError.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import index
from typing import Any

import numpy as np

from hub.accepts import Accepts
from hub.errors import AnswerError, describe
from hub.region import WHOLE_NOTES, Region
from hub.score import NOTE_COLUMNS, IntArray, Note, Notes, Score

MAX_ANSWER_NOTES = 100_000


@dataclass(frozen=True)
class Conformed:
    """Notes that lie in the region, and what had to be done to them."""

    notes: Notes
    log: tuple[str, ...] = ()


def conform(
    answer: Any, score: Score, region: Region, inside: IntArray, accepts: Accepts
) -> Conformed:
    """Notes of the answer that may be spliced.

    inside  rows (R,) of `score.notes` in the region, which the answer replaces
    """
    try:
        notes = as_notes(answer, score, region)
    except AnswerError:
        raise
    except Exception as error:  # whatever a model's objects may do when they are read
        raise AnswerError(f"The model's answer cannot be read ({describe(error)}).") from error
    if len(notes) > MAX_ANSWER_NOTES:
        raise AnswerError(f"The model answered with {len(notes):,} notes; that cannot be right.")
    if region.change != WHOLE_NOTES:
        notes = _only_attributes(notes, score.notes[inside], region)
    log: list[str] = []
    notes = _inside_only(notes, score, region, log)
    notes = _playable(notes, accepts, log)
    notes = _cut_at_edges(notes, score, region, log)
    if accepts.is_monophonic:
        notes = _single_line(notes, score, region, log)
    notes = _without_twins(notes, log)
    if region.change == WHOLE_NOTES and "velocity" not in accepts.writes:
        notes = _with_old_velocities(notes, score.notes[inside])
    return Conformed(notes, tuple(log))


def as_notes(answer: Any, score: Score, region: Region) -> Notes:
    """hub.Notes from any of the kinds of answer a model may give."""
    if isinstance(answer, Notes):
        return Notes(**{name: getattr(answer, name) for name in NOTE_COLUMNS}).sorted()
    kind = type(answer).__module__.partition(".")[0]
    if kind in ("pretty_midi", "music21"):
        from hub import interop

        convert = interop.from_pretty_midi if kind == "pretty_midi" else interop.from_music21
        return convert(answer, score, region.parts())
    if isinstance(answer, Sequence) and not isinstance(answer, str | bytes):
        return _from_rows(answer)
    raise AnswerError(
        f"The model returned {type(answer).__name__}; it must return hub.Notes, a list of "
        "hub.Note, a pretty_midi.PrettyMIDI or a music21 stream."
    )


def _from_rows(rows: Sequence[Any]) -> Notes:
    """Notes of rows of whole numbers; NumPy's count as such, 60.0 and "60" do not."""
    try:
        return Notes.of(Note(*map(index, row)) for row in rows)
    except (TypeError, ValueError, OverflowError) as error:
        raise AnswerError(
            f"The model returned rows that are not notes of whole numbers: {error}."
        ) from error


def _only_attributes(notes: Notes, originals: Notes, region: Region) -> Notes:
    """The original notes with only the permitted columns taken from the answer, one for one."""
    if len(notes) != len(originals):
        raise AnswerError(
            f"Only {', '.join(sorted(region.change))} may change here, so the model must return "
            f"the {len(originals)} notes of the region; it returned {len(notes)}."
        )
    return originals.replace(**{name: getattr(notes, name) for name in sorted(region.change)})


def _inside_only(notes: Notes, score: Score, region: Region, log: list[str]) -> Notes:
    known = (notes.part >= 0) & (notes.part < len(score.parts))
    if not known.all():
        log.append(f"{int((~known).sum())} notes named a part this score does not have; dropped.")
        notes = notes[known]
    mask = region.contains(notes, score)
    if not mask.all():
        log.append(f"{int((~mask).sum())} notes lay outside the region or on a kept note; dropped.")
    return notes[mask]


def _playable(notes: Notes, accepts: Accepts, log: list[str]) -> Notes:
    low, high = accepts.pitch
    fits = (notes.pitch >= low) & (notes.pitch <= high)
    if not fits.all():
        log.append(f"{int((~fits).sum())} notes lay outside the pitches {low} to {high}; dropped.")
        notes = notes[fits]
    return notes.replace(
        velocity=np.clip(notes.velocity, 1, 127),
        duration=np.maximum(notes.duration, 1),
        voice=np.clip(notes.voice, 1, 99),
    )


def _cut_at_edges(notes: Notes, score: Score, region: Region, log: list[str]) -> Notes:
    duration = notes.duration.copy()
    for part_id, rows in _rows_by_part(notes, score):
        for start, end in region.spans(part_id):
            here = rows[(notes.onset[rows] >= start) & (notes.onset[rows] < end)]
            duration[here] = np.minimum(duration[here], end - notes.onset[here])
    cut = int((duration < notes.duration).sum())
    if cut:
        log.append(f"{cut} notes sounded on past the region; cut at its edge.")
    return notes.replace(duration=duration)


def _rows_by_part(notes: Notes, score: Score) -> Iterator[tuple[str, IntArray]]:
    for number in np.unique(notes.part):
        yield score.parts[number].id, np.flatnonzero(notes.part == number)


def _single_line(notes: Notes, score: Score, region: Region, log: list[str]) -> Notes:
    """One note at a time in each part, and none under a note that sounds into the region."""
    rows: list[Note] = []
    for part_id, found in _rows_by_part(notes, score):
        held_until = _held_into(score, region, part_id)
        rows += _monophonic(list(notes[found]), held_until)
    line = Notes.of(rows)
    changed = line != notes
    if changed:
        log.append("Notes that overlapped in this one-line part were shortened or dropped.")
    return line


def _held_into(score: Score, region: Region, part_id: str) -> list[tuple[int, int]]:
    """[onset, end) of the notes outside the region that sound inside its spans."""
    window = region.spans(part_id)
    notes = score.notes[score.notes.part == score.part_index(part_id)]
    outside = notes[~region.contains(notes, score)]
    near = (outside.onset < window[-1][1]) & (outside.end > window[0][0])
    held = outside[near]
    return list(zip(held.onset.tolist(), held.end.tolist(), strict=True))


def _monophonic(notes: list[Note], held: list[tuple[int, int]]) -> list[Note]:
    line: list[Note] = []
    for note in notes:
        start = max([note.onset, *(end for on, end in held if on <= note.onset < end)])
        stop = min([note.onset + note.duration, *(on for on, _ in held if on > note.onset)])
        if line and line[-1].onset == start:
            continue
        if line and line[-1].onset + line[-1].duration > start:
            line[-1] = line[-1]._replace(duration=start - line[-1].onset)
        if stop > start:
            line.append(note._replace(onset=start, duration=stop - start))
    return line


def _without_twins(notes: Notes, log: list[str]) -> Notes:
    """No two new notes on one key at one time (those on kept ones are dropped before)."""
    if not len(notes):
        return notes
    keys = np.stack([notes.part, notes.onset, notes.pitch])
    _, first = np.unique(keys, axis=1, return_index=True)
    doubled = len(notes) - len(first)
    if doubled:
        log.append(f"{doubled} notes doubled another new note on the same key; dropped.")
    return notes[np.sort(first)]


def _with_old_velocities(notes: Notes, before: Notes) -> Notes:
    """Notes that stood there already, in every respect the model decides, sound as they did."""
    if not len(notes):
        return notes
    old = {(n.part, n.onset, n.duration, n.pitch): n.velocity for n in before}
    found = [old.get((n.part, n.onset, n.duration, n.pitch), n.velocity) for n in notes]
    return notes.replace(velocity=found)
