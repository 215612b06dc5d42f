"""A small score that fits a card, regions of the declared lengths, and what the card forbids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import cycle, islice

from hub import formats
from hub.accepts import Accepts
from hub.region import WHOLE_NOTES, Box, Region
from hub.score import Measure, Note, Notes, Part, Score

TICKS_PER_QUARTER = 480
LEAST_MEASURES, MOST_MEASURES = 16, 256
MOST_PARTS = 4
MOST_PLACES = 64  # starts tried in one part of an example before it counts as unfit
OPEN_LENGTHS = {"measure": (0, 3, 7), "beat": (0, 3, 15), "tick": (0, 479, 1919)}
SCALE = (0, 2, 4, 5, 7, 9, 11)
WALK = (0, 2, 1, 3, 4, 2, 5, 4, 3, 1, 2, -1)  # steps of the scale; their period fits no meter
DRUMS = (36, 42, 38, 42)


def fitting(accepted: Accepts) -> Score:
    """A score of the card's first meter with parts enough, a part too many, and one of the other
    kind (drums or pitched). Read from a MIDI file."""
    meter = accepted.meters[0] if accepted.meters else "4/4"
    measures = _measures(meter, _measure_count(accepted, meter))
    parts = tuple(_parts(accepted))
    rows = (
        row
        for index, part in enumerate(parts)
        for row in _line(accepted, measures, index, is_drums=part.is_drums)
    )
    drawn = Score(
        ticks_per_quarter=TICKS_PER_QUARTER, parts=parts, measures=measures, notes=Notes.of(rows)
    )
    return formats.read_score(formats.write_score(drawn, "midi"), "built-in.mid")


def _measure_count(accepted: Accepts, meter: str) -> int:
    """Enough for the longest region with context on both sides, within reason."""
    longest = lengths(accepted)[-1]
    if accepted.unit != "measure":
        ticks = longest * (TICKS_PER_QUARTER if accepted.unit == "beat" else 1)
        longest = ticks // _measure_ticks(meter) + 1
    around = (accepted.before or 0) + (accepted.after or 0)
    return min(max(LEAST_MEASURES, longest + around + 2), MOST_MEASURES)


def _measure_ticks(meter: str) -> int:
    beats, beat_type = map(int, meter.split("/"))
    return beats * 4 * TICKS_PER_QUARTER // beat_type


def _measures(meter: str, count: int) -> tuple[Measure, ...]:
    beats, beat_type = map(int, meter.split("/"))
    length = _measure_ticks(meter)
    return tuple(
        Measure(
            number=str(i + 1), start=i * length, length=length, beats=beats, beat_type=beat_type
        )
        for i in range(count)
    )


def _parts(accepted: Accepts) -> Iterator[Part]:
    channels = (c for c in cycle(range(16)) if c != 9)
    fit = min(max(accepted.parts[1], 1), MOST_PARTS) + 1
    kinds = [accepted.drums == "only"] * fit
    kinds.append(accepted.drums != "only")
    for number, is_drums in enumerate(kinds, start=1):
        channel = 9 if is_drums else next(channels)
        name = f"{'Drums' if is_drums else 'Line'} {number}"
        yield Part(id=f"P{number}", name=name, program=0, is_drums=is_drums, channel=channel)


def _line(
    accepted: Accepts, measures: Sequence[Measure], part: int, *, is_drums: bool
) -> Iterator[Note]:
    """A note a beat, every other beat split; chords where the card allows them."""
    low, high = accepted.pitch
    home = min(max(low, 60 - 5 * part), max(low, high - 14))
    steps = cycle(WALK[part:] + WALK[:part])
    kit = cycle(DRUMS)
    for measure in measures:
        beat = measure.length // measure.beats
        for number in range(measure.beats):
            pieces = 1 + number % 2
            for piece in range(pieces):
                onset = measure.start + number * beat + piece * beat // pieces
                pitch = next(kit) if is_drums else min(high, home + _degree(next(steps)))
                yield Note(onset, beat // pieces, pitch, 80, part)
            if not accepted.is_monophonic and not is_drums and number == 0:
                yield Note(measure.start, beat, min(127, pitch + 16), 70, part)


def _degree(step: int) -> int:
    """Semitones above the home note."""
    octave, degree = divmod(step + 1, len(SCALE))
    return 12 * octave + SCALE[degree]


def lengths(accepted: Accepts) -> list[int]:
    """The least, a middle and the greatest length of a region, in the card's unit."""
    least = max(accepted.least, 1)
    if accepted.most is None:
        return [least + more for more in OPEN_LENGTHS[accepted.unit]]
    return sorted({least, (least + accepted.most) // 2, accepted.most})


def regions(
    accepted: Accepts, score: Score, parts: Sequence[str], length: int, place: str
) -> Iterator[Region]:
    """Candidates of one length from a place ("start", "middle", "end") on; not all need fit."""
    count = len(score.measures)
    starts = {
        "start": range(count),
        "middle": sorted(range(count), key=lambda index: abs(index - count // 2)),
        "end": range(count - 1, -1, -1),
    }[place]
    for chosen in _part_choices(accepted, score, parts):
        for index in islice(starts, MOST_PLACES):
            boxes = tuple(box_at(accepted, score, part, index, length) for part in chosen)
            yield region_of(accepted, boxes)


def region_of(accepted: Accepts, boxes: tuple[Box, ...]) -> Region:
    """A region that changes what the card says may change."""
    change = WHOLE_NOTES if "notes" in accepted.change else frozenset(accepted.change)
    return Region(boxes=boxes, change=change)


def _part_choices(accepted: Accepts, score: Score, parts: Sequence[str]) -> list[list[str]]:
    """As many neighbouring parts as the card wants at least, then at most."""
    if parts:
        return [list(parts)]
    ids = [part.id for part in score.parts]
    least, most = (max(1, min(number, len(ids))) for number in accepted.parts)
    sizes = sorted({least, most})
    return [ids[i : i + size] for size in sizes for i in range(len(ids) - size + 1)][:MOST_PLACES]


def box_at(accepted: Accepts, score: Score, part: str, index: int, length: int) -> Box:
    if accepted.unit == "measure":
        return Box(start=index, end=index + length, part=part)
    ticks = length * (score.ticks_per_quarter if accepted.unit == "beat" else 1)
    start = score.measures[index].start
    return Box(start=start, end=start + ticks, unit="ticks", part=part)


def out_of_card(accepted: Accepts, score: Score) -> Iterator[tuple[str, Score, Region]]:
    """(what is wrong, score, region) of requests the card rules out; `score` is from `fitting`."""
    least = lengths(accepted)[0]
    fit = min(max(accepted.parts[1], 1), MOST_PARTS)
    ids = [part.id for part in score.parts]
    few = ids[: max(1, min(accepted.parts[0], fit))]

    def made(part_ids: Sequence[str], index: int, length: int) -> Region:
        boxes = tuple(box_at(accepted, score, part, index, length) for part in part_ids)
        return region_of(accepted, boxes)

    if accepted.most is not None:
        yield "too long", score, made(few, 0, accepted.most + 1)
    if accepted.least > 1:
        yield "too short", score, made(few, 1, accepted.least - 1)
    if accepted.parts[1] <= MOST_PARTS:
        yield "too many parts", score, made(ids[: fit + 1], 0, least)
    if accepted.drums != "yes":
        yield "the wrong kind of part", score, made([*few[:-1], ids[-1]], 0, least)
    if not accepted.beyond_end:
        yield "past the end", score, made(few, len(score.measures) - 1, _past_the_end(accepted))
    if accepted.unit == "measure":
        halves = (
            Box(start=1, end=4 * accepted.least + 1, unit="quarters", part=part) for part in few
        )
        yield "half a measure", score, region_of(accepted, tuple(halves))
    yield from _other_scores(accepted, made(few, 1, least))


def _past_the_end(accepted: Accepts) -> int:
    """A length that fits the card but no longer the last measure."""
    longest = accepted.most or 0
    return max(lengths(accepted)[0] + 1, longest) if accepted.unit == "measure" else longest + 4000


def _other_scores(accepted: Accepts, region: Region) -> Iterator[tuple[str, Score, Region]]:
    """The fitting region in scores that do not fit."""
    if accepted.meters:
        strange = next(m for m in ("7/8", "5/4", "3/4", "4/4") if m not in accepted.meters)
        yield f"{strange} time", fitting(replace(accepted, meters=(strange,))), region
    if accepted.is_monophonic and accepted.drums != "only":
        yield "chords", fitting(replace(accepted, polyphony="polyphonic")), region
