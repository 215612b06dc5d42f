"""What differs outside a region: compared on the file that came out, with no help of the hub's.

Whether a note was free to change is decided here anew, and not by `Region.contains`; the receipt
is not looked at. So a hub that lies is caught as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from hub import formats
from hub.model import Take
from hub.region import WHOLE_NOTES, Region
from hub.score import Note, Score

Row = tuple[Any, ...]


def what_changed_outside(before: Score, take: Take) -> str:
    """What differs outside the take's region, in words; '' when nothing does.

    Reads the take's file again and compares parts, measures, tempos, keys, annotations and the
    multiset of the notes that lie outside every box or are kept. Of the notes inside, what the
    region does not allow to change is compared as well.
    """
    if take.data is None or before.source is None:
        return "there is no file to compare"
    after = formats.read_score(take.data, before.source.name)
    for name in ("ticks_per_quarter", "tempos", "keys", "annotations"):
        if getattr(before, name) != getattr(after, name):
            return f"the {name.replace('_', ' ')} differ"
    both = min(len(before.measures), len(after.measures))  # a file may end earlier or later
    if before.measures[:both] != after.measures[:both]:
        return "the measures differ"
    is_free = _freedom(take.region, before)
    lost, come = _differences(before, after, lambda row: None if is_free(row) else row)
    if lost or come:
        return f"{lost} notes are gone and {come} have come"
    if take.region.change != WHOLE_NOTES and not take.log:
        return _what_changed_inside(before, after, take.region, is_free)
    return ""


def _what_changed_inside(
    before: Score, after: Score, region: Region, is_free: Callable[[Row], bool]
) -> str:
    """The notes in the region, without the attributes that may change: must be the same."""
    fixed = set(Note._fields) - set(region.change) - {"voice"}
    if "onset" in region.change:
        fixed.discard("duration")  # a note that moves may meet the region's edge

    def kept(row: Row) -> Row | None:
        values = dict(zip(("part", "onset", "duration", "pitch", "velocity"), row, strict=True))
        return tuple(values[name] for name in sorted(fixed)) if is_free(row) else None

    lost, come = _differences(before, after, kept)
    if lost or come:
        return f"more than the {', '.join(sorted(region.change))} of {max(lost, come)} notes differ"
    return ""


def _differences(before: Score, after: Score, look: Callable[[Row], Row | None]) -> tuple[int, int]:
    """How many rows went and came, each as `look` sees it; None is not looked at."""

    def seen(score: Score) -> Counter[Row]:
        return Counter(row for row in map(look, _rows(score)) if row is not None)

    old, new = seen(before), seen(after)
    return (old - new).total(), (new - old).total()


def _rows(score: Score) -> Iterator[Row]:
    """Parts are told apart by what they are: one that lost its last note cannot be counted."""
    names = [(part.name, part.channel) for part in score.parts]
    for note in score.notes:
        yield names[note.part], note.onset, note.duration, note.pitch, note.velocity


def _freedom(region: Region, score: Score) -> Callable[[Row], bool]:
    """Row → may this note come, go or change?"""

    def name(part_id: str | None) -> Row:
        part = score.parts[score.part_index(part_id or "")]
        return part.name, part.channel

    boxes = [(name(box.part), box) for box in region.boxes]
    kept = {(name(keep.part), keep.onset, keep.pitch) for keep in region.keep}

    def is_free(row: Row) -> bool:
        part, onset, _, pitch, _ = row
        return (part, onset, pitch) not in kept and any(
            part == where
            and box.start_tick <= onset < box.end_tick
            and box.low <= pitch <= box.high
            for where, box in boxes
        )

    return is_free
