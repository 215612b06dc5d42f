"""Every shape of region that a card declares, apart from its lengths: one row each in SHAPES.

A shape is a function (accepted, score) → candidates, regions of that kind from likely places on;
the first that fits the card is tried. A shape that the card does not allow has no candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from hub.accepts import Accepts
from hub.check import scores
from hub.check.scores import MOST_PARTS, MOST_PLACES, box_at, region_of
from hub.region import ATTRIBUTES, Box, Kept, Region
from hub.score import Notes, Score

Shape = Callable[[Accepts, Score], Iterator[Region]]
MOST_METERS = 8


def candidates(accepted: Accepts, score: Score) -> Iterator[tuple[str, Iterator[Region]]]:
    """(name, regions of that shape, to be tried until one fits) for every shape declared."""
    for count in _part_counts(accepted, score):
        yield f"{count} part{'s' if count > 1 else ''}", _parts(accepted, score, count)
    for attributes in _attribute_sets(accepted):
        yield f"only {', '.join(attributes)}", _only(accepted, score, attributes)
    for name, shape in SHAPES.items():
        yield name, shape(accepted, score)


def other_meters(accepted: Accepts) -> Iterator[tuple[str, Score]]:
    """A score in each declared meter but the first, in which the others are tried."""
    for meter in accepted.meters[1:MOST_METERS]:
        yield meter, scores.fitting(replace(accepted, meters=(meter,)))


def _part_counts(accepted: Accepts, score: Score) -> range:
    least, most = accepted.parts
    return range(max(1, least), min(most, MOST_PARTS, len(score.parts)) + 1)


def _attribute_sets(accepted: Accepts) -> list[tuple[str, ...]]:
    """What may change by itself: each attribute, and all that are declared together."""
    if "notes" in accepted.change:
        return [(name,) for name in ATTRIBUTES[1:]] if accepted.reads_region else []
    singles: list[tuple[str, ...]] = [(name,) for name in accepted.change]
    return [*singles, accepted.change] if len(singles) > 1 else singles


# --- shapes -------------------------------------------------------------------------------------


def _plain(accepted: Accepts, score: Score) -> Iterator[Region]:
    """The shortest region, in as few parts as may be, from the middle of the score on."""
    yield from scores.regions(accepted, score, [], scores.lengths(accepted)[0], "middle")


def _parts(accepted: Accepts, score: Score, count: int) -> Iterator[Region]:
    ids = [part.id for part in score.parts]
    length = scores.lengths(accepted)[0]
    for first in range(len(ids) - count + 1):
        chosen = ids[first : first + count]
        yield from scores.regions(accepted, score, chosen, length, "middle")


def _only(accepted: Accepts, score: Score, attributes: Sequence[str]) -> Iterator[Region]:
    for region in _plain(accepted, score):
        yield replace(region, change=frozenset(attributes))


def _pitches(accepted: Accepts, score: Score) -> Iterator[Region]:
    """Only the upper half of the pitches that stand there."""
    for region in _plain(accepted, score):
        pitches = sorted(_notes_in(score, region).pitch.tolist())
        if pitches and pitches[0] < pitches[-1]:
            low = pitches[len(pitches) // 2]
            yield replace(region, boxes=tuple(replace(b, low=low) for b in region.boxes))


def _two_boxes(accepted: Accepts, score: Score) -> Iterator[Region]:
    """Two places in the same parts, with music between them that stays."""
    length = max(1, -(-scores.lengths(accepted)[0] // 2))
    for region in scores.regions(accepted, score, [], length, "middle"):
        yield replace(region, boxes=(*region.boxes, *(_later(b, score, 2) for b in region.boxes)))


def _staggered(accepted: Accepts, score: Score) -> Iterator[Region]:
    """Another place in each part."""
    if accepted.parts[1] < 2:
        return
    ids = [part.id for part in score.parts]
    count = max(2, accepted.parts[0])
    length = scores.lengths(accepted)[0]
    for first in range(len(ids) - count + 1):
        chosen = ids[first : first + count]
        for region in scores.regions(accepted, score, chosen, length, "middle"):
            boxes = (_later(b, score, index) for index, b in enumerate(region.boxes))
            yield replace(region, boxes=tuple(boxes))


def _kept(accepted: Accepts, score: Score) -> Iterator[Region]:
    """Every other note in the region stays."""
    for region in _plain(accepted, score):
        inside = _notes_in(score, region)[::2]
        if len(inside):
            keep = (Kept(score.parts[n.part].id, n.onset, n.pitch) for n in inside)
            yield replace(region, keep=tuple(keep))


def _hidden(accepted: Accepts, score: Score) -> Iterator[Region]:
    """The other parts, and all that comes before the region, are hidden from the model."""
    end = score.measures[-1].end
    for region in _plain(accepted, score):
        resolved = region.resolve(score)
        start = min(box.start_tick for box in resolved.boxes)
        hide = []
        for part in score.parts:
            until = start if part.id in resolved.parts() else end
            if until:
                hide.append(Box(start=0, end=until, unit="ticks", part=part.id))
        yield replace(region, hide=tuple(hide))


def _whole_part(accepted: Accepts, score: Score) -> Iterator[Region]:
    """All there is: the model sees a part without a note."""
    end = score.measures[-1].end
    count = max(1, accepted.parts[0])
    for first in range(len(score.parts) - count + 1):
        chosen = score.parts[first : first + count]
        boxes = (Box(start=0, end=end, unit="ticks", part=part.id) for part in chosen)
        yield region_of(accepted, tuple(boxes))


def _inside_a_measure(accepted: Accepts, score: Score) -> Iterator[Region]:
    """From a place that is no bar line, for cards that count in beats or ticks."""
    if accepted.unit == "measure":
        return
    shift = score.ticks_per_quarter if accepted.unit == "beat" else score.ticks_per_quarter // 3
    for region in islice(_plain(accepted, score), MOST_PLACES):
        yield replace(region, boxes=tuple(_moved(b, shift) for b in region.boxes))


def _past_the_end(accepted: Accepts, score: Score) -> Iterator[Region]:
    """From the last measure on, and further."""
    if accepted.beyond_end:
        last = len(score.measures) - 1
        length = max(2, scores.lengths(accepted)[0])
        yield from _from(accepted, score, last, length)


def _after_the_end(accepted: Accepts, score: Score) -> Iterator[Region]:
    """Where the score ends: nothing of it is in the region."""
    if accepted.beyond_end:
        end, length = score.measures[-1], scores.lengths(accepted)[0]
        for region in _from(accepted, score, len(score.measures) - 1, length):
            if accepted.unit == "measure":
                boxes = (replace(b, start=b.start + 1, end=b.end + 1) for b in region.boxes)
            else:
                boxes = (_moved(b, end.length) for b in region.boxes)
            yield replace(region, boxes=tuple(boxes))


def _drums(accepted: Accepts, score: Score) -> Iterator[Region]:
    """With a drum part, where a card takes both kinds."""
    drums = [part.id for part in score.parts if part.is_drums]
    if accepted.drums == "yes" and drums:
        others = [part.id for part in score.parts if not part.is_drums]
        chosen = [*others[: max(0, accepted.parts[0] - 1)], drums[0]]
        yield from scores.regions(accepted, score, chosen, scores.lengths(accepted)[0], "middle")


SHAPES: Mapping[str, Shape] = {
    "a range of pitches": _pitches,
    "two boxes": _two_boxes,
    "another place in each part": _staggered,
    "kept notes": _kept,
    "hidden surroundings": _hidden,
    "a whole part": _whole_part,
    "off the bar line": _inside_a_measure,
    "past the end": _past_the_end,
    "after the end": _after_the_end,
    "a drum part": _drums,
}


# --- pieces -------------------------------------------------------------------------------------


def _from(accepted: Accepts, score: Score, index: int, length: int) -> Iterator[Region]:
    """Regions of a length that begin at one measure."""
    ids = [part.id for part in score.parts]
    count = max(1, accepted.parts[0])
    for first in range(len(ids) - count + 1):
        chosen = ids[first : first + count]
        yield region_of(accepted, tuple(box_at(accepted, score, p, index, length) for p in chosen))


def _notes_in(score: Score, region: Region) -> Notes:
    return score.notes[region.resolve(score).contains(score.notes, score)]


def _later(box: Box, score: Score, measures: int) -> Box:
    """The same box so many of its own lengths, in whole measures, later."""
    if box.unit == "measures":
        shift = measures * (int(box.end) - int(box.start))
        return replace(box, start=box.start + shift, end=box.end + shift)
    bar = score.measures[0].length
    length = -(-(box.end_tick - box.start_tick) // bar) * bar
    return _moved(box, measures * length)


def _moved(box: Box, ticks: int) -> Box:
    return replace(box, start=box.start_tick + ticks, end=box.end_tick + ticks)
