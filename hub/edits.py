"""A person's own edits: notes that go, come or change, spliced like an inpainting.

    edit = edits.transposed(score, rows, 12)     # or edits.from_json(what a browser sent, score)
    edited = edits.apply(score, edit)            # verified; edited.data is the user's file

An edit is `formats.Edit`: rows of `score.notes` that go, notes that come. A note that is moved,
stretched or played louder goes and comes back changed; it keeps its part and voice. `apply` gives
the guarantees that `model.finish` gives: the file is edited in place, read again and compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from hub import formats
from hub.errors import LimitError, RegionError
from hub.formats import Edit
from hub.limits import LIMITS
from hub.receipt import Receipt, unchanged_rows, write_receipt
from hub.score import IntArray, Note, Notes, Score

MAX_NOTES = 20_000  # in one edit that a browser sends
MAX_VOICE = 255
_NOTE_KEYS = ("part", "onset", "duration", "pitch", "velocity", "voice")
_SHOWN = 40  # characters of what came, in a message


@dataclass(frozen=True, kw_only=True)
class Edited:
    """What came of an edit.

    score       the file read again (or the score with its notes changed, where there is no file)
    data        the user's file with the edit in it; None if the score came from no file
    log         what had to be corrected, in sentences
    """

    score: Score = field(repr=False)
    data: bytes | None = field(repr=False)
    receipt: Receipt
    log: tuple[str, ...] = ()

    def sentence(self) -> str:
        """ "2 notes removed, 1 added; nothing else changed (verified)." """
        said = self.receipt.sentence()
        return said.replace("outside the region nothing changed", "nothing else changed")


def apply(score: Score, edit: Edit) -> Edited:
    """The edit in the score's own file. Raises RegionError, SpliceError, PromiseError."""
    wanted, log = _wanted(score, _checked(score, edit))
    fitted = formats.fit(score, wanted)
    if fitted.added != wanted.added:
        log.append("Notes on a key that was already sounding were shortened or left out.")
    data = formats.splice(score, fitted) if score.source is not None else None
    return Edited(
        score=_after(score, fitted, data),
        data=data,
        receipt=write_receipt(score, None, fitted, data),
        log=tuple(log),
    )


def _wanted(score: Score, edit: Edit) -> tuple[Edit, list[str]]:
    """The edit without notes that come back as they went, or come where one of theirs stands."""
    same_before, same_after = unchanged_rows(score.notes[edit.removed], edit.added)
    removed, added = edit.removed[~same_before], edit.added[~same_after]
    stays = np.ones(len(score.notes), dtype=bool)
    stays[removed] = False
    taken = set(_places(score.notes[stays]))
    fresh = np.zeros(len(added), dtype=bool)
    # The longest of several new notes on one key at one time is the one that is heard.
    for row in np.argsort(-added.duration, kind="stable").tolist():
        place = _place(added[row])
        fresh[row] = place not in taken
        taken.add(place)
    log = []
    if not fresh.all():
        left_out = int((~fresh).sum())
        log.append(
            f"{_count(left_out)} left out: on the same key, another note begins at the same time."
        )
    return Edit(removed=removed, added=added[fresh]), log


def _places(notes: Notes) -> Iterable[tuple[int, int, int]]:
    columns = (notes.part, notes.onset, notes.pitch)
    return zip(*(column.tolist() for column in columns), strict=True)


def _place(note: Note) -> tuple[int, int, int]:
    return note.part, note.onset, note.pitch


def _after(score: Score, edit: Edit, data: bytes | None) -> Score:
    source = score.source
    if source is None or data is None:
        stays = np.ones(len(score.notes), dtype=bool)
        stays[edit.removed] = False
        return score.with_notes(score.notes[stays] + edit.added)
    if data is source.data:
        return score
    after = formats.get(source.format).read(data, source.name)
    if source.converted_from is None or after.source is None:
        return after
    return replace(after, source=replace(after.source, converted_from=source.converted_from))


def changed_rows(before: Notes, after: Notes) -> IntArray:
    """Rows (R,) of `after` that are not in `before`: what a page highlights."""
    _, same_after = unchanged_rows(before, after)
    return np.flatnonzero(~same_after)


def moved_parts(before: Score, after: Score) -> tuple[int | None, ...]:
    """For each part of `before`, its index in `after`; None where it has gone.

    A MIDI part without notes is none, and those after it are counted anew ("P3" becomes "P2").
    """
    index = {key: place for place, key in enumerate(formats.part_keys(after))}
    return tuple(index.get(key) for key in formats.part_keys(before))


# --------------------------------------------------------------------------------- making edits


def removal(score: Score, rows: Iterable[int]) -> Edit:
    return Edit(removed=_rows(score, rows), added=Notes.empty())


def moved(score: Score, rows: Iterable[int], *, ticks: int = 0, semitones: int = 0) -> Edit:
    """Later by `ticks` (earlier: negative), higher by `semitones`."""
    chosen = _rows(score, rows)
    notes = score.notes[chosen]
    return _changed(chosen, notes.replace(onset=notes.onset + ticks, pitch=notes.pitch + semitones))


def transposed(score: Score, rows: Iterable[int], semitones: int) -> Edit:
    """Higher by `semitones`, all but drums, whose pitches are no pitches."""
    chosen = _rows(score, rows)
    drums = np.array([part.is_drums for part in score.parts], dtype=bool)
    melodic = chosen[~drums[score.notes.part[chosen]]]
    return moved(score, melodic.tolist(), semitones=semitones)


def stretched(score: Score, rows: Iterable[int], *, ticks: int) -> Edit:
    """Longer by `ticks` (shorter: negative), at least one tick long."""
    chosen = _rows(score, rows)
    notes = score.notes[chosen]
    return _changed(chosen, notes.replace(duration=np.maximum(1, notes.duration + ticks)))


def with_velocity(score: Score, rows: Iterable[int], velocity: int) -> Edit:
    chosen = _rows(score, rows)
    return _changed(chosen, score.notes[chosen].replace(velocity=velocity))


def quantised(
    score: Score, rows: Iterable[int], grid_ticks: int, *, strength: float = 1.0, ends: bool = False
) -> Edit:
    """Onsets moved towards the nearest line of a grid that begins anew with each measure.

    strength    0..1: how far of the way they move
    ends        the notes' ends too, on the line after the onset at the earliest
    """
    if grid_ticks < 1:
        raise RegionError(f"A grid is at least one tick wide; got {grid_ticks}.")
    if not 0 <= strength <= 1:
        raise RegionError(f"A strength is between 0 and 1; got {strength}.")
    chosen = _rows(score, rows)
    notes = score.notes[chosen]
    onset = _towards(notes.onset, _lines(score, notes.onset, grid_ticks), strength)
    duration = notes.duration
    if ends:
        lines = _lines(score, notes.end, grid_ticks)
        lines = np.maximum(lines, _lines(score, notes.onset, grid_ticks) + grid_ticks)
        duration = np.maximum(1, _towards(notes.end, lines, strength) - onset)
    return _changed(chosen, notes.replace(onset=onset, duration=duration))


def pasted(score: Score, notes: Notes, *, at_tick: int, part: int | None = None) -> Edit:
    """Copied notes, the first of them beginning at `at_tick`; all into one part, where given."""
    if not len(notes):
        raise RegionError("There is nothing to paste: copy some notes first.")
    copied = notes.replace(onset=notes.onset - int(notes.onset.min()) + at_tick)
    if part is not None:
        copied = copied.replace(part=part)
    return Edit(removed=_rows(score, ()), added=copied)


def _changed(rows: IntArray, notes: Notes) -> Edit:
    return Edit(removed=rows, added=notes)


def _towards(ticks: IntArray, lines: IntArray, strength: float) -> IntArray:
    there: IntArray = ticks + np.rint((lines - ticks) * strength).astype(np.int64)
    return there


def _lines(score: Score, ticks: IntArray, grid_ticks: int) -> IntArray:
    """The nearest grid line (N,) of each tick; the next measure's start counts as a line."""
    starts = score.measure_starts if score.measures else np.zeros(1, dtype=np.int64)
    measure = np.clip(np.searchsorted(starts, ticks, side="right") - 1, 0, None)
    start = starts[measure]
    lines: IntArray = start + (ticks - start + grid_ticks // 2) // grid_ticks * grid_ticks
    following = np.append(starts[1:], np.iinfo(np.int64).max)[measure]
    past = lines > following
    nearer_end = (following - ticks) <= np.abs(lines - ticks)
    nearest: IntArray = np.where(past | ((lines != following) & nearer_end), following, lines)
    return nearest


# ------------------------------------------------------------------------------ a stranger's edit


def from_json(value: object, score: Score) -> Edit:
    """From {"removed": [row…], "added": [{part, onset, duration, pitch, velocity, voice}…]}.

    Rows count `score.notes`; part is an index into `score.parts`; velocity (80) and voice (1) may
    be left out. Whoever can reach a page can send anything: RegionError says what is wrong.
    """
    if not isinstance(value, Mapping):
        raise RegionError('An edit is an object such as {"removed": [3], "added": []}.')
    unknown = [key for key in value if key not in ("removed", "added", "revision")]
    if unknown:
        raise RegionError(f'An edit has "removed" and "added"; got "{str(unknown[0])[:_SHOWN]}".')
    removed = [_whole(row, "A removed note's row") for row in _items(value, "removed")]
    added = [_note(item) for item in _items(value, "added")]
    return _checked(score, Edit(removed=_rows(score, removed), added=Notes.of(added)))


def rebased(edit: Edit, drawn_on: Score, score: Score) -> Edit:
    """An edit of one version of a score for another: the same notes, wherever they stand there.

    RegionError when one of them does not exist any more.
    """
    part_of = moved_parts(drawn_on, score)
    rows: dict[tuple[int, ...], list[int]] = {}
    for row, note in enumerate(score.notes):
        rows.setdefault(note[:5], []).append(row)
    removed = [_found(note, part_of, rows) for note in drawn_on.notes[edit.removed]]
    added = [_in_part(note, part_of) for note in edit.added]
    return Edit(removed=_rows(score, removed), added=Notes.of(added))


def _found(
    note: Note, part_of: tuple[int | None, ...], rows: dict[tuple[int, ...], list[int]]
) -> int:
    same = rows.get(_in_part(note, part_of)[:5])
    if not same:
        raise RegionError(
            "A note of this edit does not exist any more: the score has changed in the meantime. "
            "Look at the newest version and try again."
        )
    return same.pop()


def _in_part(note: Note, part_of: tuple[int | None, ...]) -> Note:
    place = part_of[note.part] if 0 <= note.part < len(part_of) else None
    if place is None:
        raise RegionError("The part of this edit does not exist any more; undo, and try again.")
    return note._replace(part=place)


def _items(value: Mapping[str, Any], name: str) -> list[object]:
    items = value.get(name, [])
    if not isinstance(items, list | tuple):
        raise RegionError(f'In an edit, "{name}" is a list.')
    _check_count(len(items))
    return list(items)


def _note(item: object) -> Note:
    if not isinstance(item, Mapping):
        raise RegionError("An added note is an object with part, onset, duration and pitch.")
    unknown = [key for key in item if key not in _NOTE_KEYS]
    if unknown:
        raise RegionError(f'A note has no "{str(unknown[0])[:_SHOWN]}".')
    given = {"velocity": 80, "voice": 1} | dict(item)
    return Note(**{name: _whole(given.get(name), f"A note's {name}") for name in _NOTE_KEYS})


def _whole(value: object, what: str) -> int:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not abs(value) < 1 << 53 or value % 1:  # type: ignore[arg-type, operator]
        raise RegionError(f"{what} is a whole number; got {repr(value)[:_SHOWN]}.")
    return int(value)  # type: ignore[call-overload, no-any-return]


def _rows(score: Score, rows: Iterable[int]) -> IntArray:
    """Ascending, each once, and all of them in the score."""
    found = np.unique(np.fromiter(rows, dtype=np.int64))
    outside = found[(found < 0) | (found >= len(score.notes))]
    if len(outside):
        raise RegionError(
            f"There is no note {outside[0]:,} in this score, which has {len(score.notes):,}; "
            "it may have gone in the meantime. Look at the newest version and try again."
        )
    return found


def _checked(score: Score, edit: Edit) -> Edit:
    """The edit, its notes within what a score may hold."""
    edit = replace(edit, removed=_rows(score, edit.removed.tolist()))
    last = LIMITS.total_quarters * score.ticks_per_quarter
    for name, low, high in (
        ("onset", 0, last - 1),
        ("duration", 1, last),
        ("pitch", 0, 127),
        ("velocity", 1, 127),
        ("part", 0, len(score.parts) - 1),
        ("voice", 0, MAX_VOICE),
    ):
        column = getattr(edit.added, name)
        bad = column[(column < low) | (column > high)]
        if len(bad):
            raise RegionError(
                f"{_count(len(bad))} would have a {name} outside {low:,} to {high:,}, "
                f"{bad[0]:,} for example; nothing was changed."
            )
    if len(edit.added) and int(edit.added.end.max()) > last:
        raise RegionError(f"A note would end later than {LIMITS.total_quarters:,} quarters.")
    if len(score.notes) - len(edit.removed) + len(edit.added) > LIMITS.notes:
        raise LimitError(f"A score has at most {LIMITS.notes:,} notes; leave some out.")
    return edit


def _check_count(count: int) -> None:
    if count > MAX_NOTES:
        raise LimitError(
            f"At most {MAX_NOTES:,} notes can be changed at once; these are {count:,}. "
            "Do it in several steps."
        )


def _count(number: int) -> str:
    return "1 note" if number == 1 else f"{number:,} notes"
