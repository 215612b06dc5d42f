"""The user's file as a model elsewhere may see it: without the region's notes and hidden ones.

A model that wants a file (`Model.wants_file`, a Space for example) gets the score's own file with
the unseen notes spliced out; a score that came from no file is written as MIDI. The file is read
again before it is believed: parts, measures and the notes that stay must be the score's.

A MIDI part is only there while it has notes, and the last note decides how many measures there
are. Where that would go wrong one *placeholder* stands in a box of the region (or of what is
hidden): it begins with the box, has a pitch of the box's and says nothing of the notes that were
there. Whoever applies the region to the file, as every hub does, removes it again.

Lyrics of MusicXML stand on their notes and go with them; a model here would still read them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from hub import formats
from hub.errors import SpliceError
from hub.region import Box, Region
from hub.score import BoolArray, Note, Notes, Score, Source

NAME = "score"  # the file's own name is nobody else's business
PITCH, VELOCITY = 60, 64


@dataclass(frozen=True, kw_only=True)
class Places:
    """What is known of a blanked file.

    parts   `parts[i]` is the score's number of the file's part i
    file    the file as whoever gets it reads it
    """

    parts: tuple[int, ...]
    file: Score = field(repr=False, compare=False)


def blank_file(score: Score, region: Region, unseen: BoolArray) -> Source:
    """The file without the rows `unseen` (N,) of `score.notes`; `index` is its `Places`.

    region      resolved; every unseen note is in it or hidden by it
    Raises SpliceError when no file says the same as the score.
    """
    kept = score.notes[~unseen]
    score = _bare(score)
    for placeholders in _attempts(score, region, unseen):
        added = Notes.of(placeholders)
        source = score.source
        if source is not None:
            edit = formats.Edit(removed=np.flatnonzero(unseen), added=added)
            data, kind = formats.splice(score, edit), source.format
        else:
            data, kind = formats.write_score(score.with_notes(kept + added), "midi"), "midi"
        blanked = formats.read_score(data, NAME + formats.get(kind).extensions[0])
        places = _places(score, blanked, kept + added)
        wanted = {*score.notes.part.tolist(), *map(score.part_index, region.parts())}
        if places is not None and _says_the_same(score, blanked, places, kept + added, wanted):
            assert blanked.source is not None
            return replace(blanked.source, index=places, converted_from=None)
    raise SpliceError(
        "Without the marked notes this file would be read as another score (other parts or "
        "measures), so it cannot be sent to a model elsewhere. Mark fewer measures or parts, or "
        "save the score as MusicXML and try again."
    )


def _bare(score: Score) -> Score:
    """Out of its archive: what else is in an .mxl may be a picture of the very notes."""
    if score.source is None or score.source.format != "mxl":
        return score
    from hub.formats import mxl

    return mxl.unpacked(score)


def part_places(keys: tuple[Hashable, ...], known: tuple[Hashable, ...]) -> tuple[int, ...] | None:
    """Where each of `keys` stands among `known`; None if one does not."""
    if not set(keys) <= set(known):
        return None
    return tuple(known.index(key) for key in keys)


def _attempts(score: Score, region: Region, unseen: BoolArray) -> Iterator[list[Note]]:
    """Placeholders to try: none; one for each part that would be silent; for each that loses any.

    The last of them also sounds until the end of the score, if the last note goes.
    """
    everywhere = range(len(score.parts))
    losing = {*score.notes.part[unseen].tolist(), *map(score.part_index, region.parts())}
    sounding = set(score.notes.part[~unseen].tolist())
    tried: list[list[Note]] = []
    for parts in (set[int](), losing - sounding, losing):
        here = [part for part in everywhere if part in parts]
        placeholders = list(_placeholders(score, region, unseen, here))
        if placeholders not in tried:
            tried.append(placeholders)
            yield placeholders


def _placeholders(
    score: Score, region: Region, unseen: BoolArray, parts: list[int]
) -> Iterator[Note]:
    kept = score.notes[~unseen]
    end = int(kept.end.max()) if len(kept) else 0
    is_short = bool(len(score.notes)) and int(score.notes.end.max()) > end
    last = int(np.argmax(score.notes.end)) if is_short else -1
    for part in parts:
        box = _box(score, region, part)
        if box is not None:
            yield _placeholder(box, part, kept, box.start_tick + score.ticks_per_quarter)
    if is_short:
        note = score.notes[last]
        box = _box(score, region, note.part, note.onset)
        if box is not None:
            yield _placeholder(box, note.part, kept, score.end, later=len(parts))


def _box(score: Score, region: Region, part: int, onset: int | None = None) -> Box | None:
    """The first box of the part (that has this onset in it), the region's before the hidden."""
    part_id = score.parts[part].id
    for box in sorted(region.boxes, key=lambda b: b.start_tick) + list(region.hide):
        if box.part == part_id and (onset is None or box.start_tick <= onset < box.end_tick):
            return box
    return None


def _placeholder(box: Box, part: int, kept: Notes, end: int, later: int = 0) -> Note:
    """A note from the box's start to `end` on a pitch of the box where nothing else sounds."""
    onset = box.start_tick
    near = kept[(kept.part == part) & (kept.onset <= end) & (kept.end >= onset)]
    taken = set(near.pitch.tolist())
    wanted = min(max(PITCH + bool(later), box.low), box.high)
    pitches = sorted(range(box.low, box.high + 1), key=lambda pitch: abs(pitch - wanted))
    pitch = next((pitch for pitch in pitches if pitch not in taken), wanted)
    return Note(onset, max(1, end - onset), pitch, VELOCITY, part)


def _places(score: Score, blanked: Score, notes: Notes) -> Places | None:
    """Which part of the blanked file is which of the score's; None if one is a stranger."""
    if score.source is not None:
        found = part_places(formats.part_keys(blanked), formats.part_keys(score))
        return None if found is None else Places(parts=found, file=blanked)
    sounding = tuple(np.unique(notes.part).tolist())  # the writer keeps the score's order
    return Places(parts=sounding, file=blanked) if len(sounding) == len(blanked.parts) else None


def _says_the_same(
    score: Score, blanked: Score, places: Places, notes: Notes, parts: set[int]
) -> bool:
    """The ticks, the measures, these parts of the score and these notes."""
    if blanked.ticks_per_quarter != score.ticks_per_quarter or not parts <= set(places.parts):
        return False
    spans = [[(m.start, m.length) for m in s.measures] for s in (blanked, score)]
    return spans[0] == spans[1] and same_notes(renumbered(blanked.notes, places.parts), notes)


def renumbered(notes: Notes, parts: tuple[int, ...]) -> Notes:
    """Notes of a file in the score's numbering: its part i is the score's `parts[i]`."""
    return notes.replace(part=np.array(parts, dtype=np.int64)[notes.part])


def same_notes(left: Notes, right: Notes) -> bool:
    """The same onsets, pitches and parts (a file may say lengths and velocities otherwise)."""
    if len(left) != len(right):
        return False
    a, b = (np.stack([n.onset, n.part, n.pitch])[:, n.order()] for n in (left, right))
    return bool(np.array_equal(a, b))
