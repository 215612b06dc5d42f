"""What the meta events of a MIDI file say: tempos, meters and measures, keys, texts."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from hub import limits
from hub.errors import BadFileError
from hub.formats.midi.events import Events, Meta
from hub.score import DEFAULT_QPM, Annotation, Key, Measure, Tempo

TEXT_CHARACTERS = 200
ANNOTATIONS = 20_000
TRACK_NAME, TEMPO, METER, KEY = 0x03, 0x51, 0x58, 0x59
ANNOTATION_KINDS = {0x05: "lyric", 0x06: "marker"}
# A meter change or a last note-off this close to a bar line (in quarters) is meant to be on it.
SLOP_QUARTERS = 1 / 16


class Meter(NamedTuple):
    tick: int
    beats: int
    beat_type: int


class Timed(NamedTuple):
    """A meta event with its track and tick, its bytes cut out."""

    track: int
    tick: int
    type: int
    content: bytes


def timed_metas(data: bytes, events: Events) -> list[Timed]:
    """The meta events the hub understands, by tick; at one tick, in file order."""
    known = {TRACK_NAME, TEMPO, METER, KEY, *ANNOTATION_KINDS}
    metas: list[Meta] = [meta for meta in events.metas if meta.type in known]
    rows = np.searchsorted(events.at, np.array([meta.at for meta in metas], dtype=np.int64))
    ticks, tracks = events.tick[rows].tolist(), events.track_of(rows).tolist()
    timed = [
        Timed(track, tick, meta.type, data[meta.start : min(meta.stop, meta.start + 4 * 1024)])
        for track, tick, meta in zip(tracks, ticks, metas, strict=True)
    ]
    return sorted(timed, key=lambda t: t.tick)


def text(content: bytes) -> str:
    """UTF-8, else Latin-1, without control characters, of bounded length."""
    try:
        decoded = content.decode("utf-8")
    except UnicodeDecodeError:
        decoded = content.decode("latin-1")
    printable = "".join(c if c.isprintable() else " " for c in decoded)
    return " ".join(printable.split())[:TEXT_CHARACTERS]


def track_names(metas: Iterable[Timed]) -> dict[int, str]:
    """Track number → its first name that is not empty."""
    names: dict[int, str] = {}
    for meta in metas:
        if meta.type == TRACK_NAME and meta.track not in names and (name := text(meta.content)):
            names[meta.track] = name
    return names


def tempos(metas: Iterable[Timed]) -> tuple[Tempo, ...]:
    """The tempo map, from tick 0 on; of several tempos at one tick the last holds."""
    found = {0: DEFAULT_QPM}
    for meta in metas:
        if meta.type != TEMPO or len(meta.content) < 3:
            continue
        microseconds = int.from_bytes(meta.content[:3], "big")
        if not microseconds:
            raise BadFileError(
                f"The tempo at tick {meta.tick:,} of this MIDI file is 0 microseconds a quarter, "
                "which is infinitely fast. Remove that tempo event and export the file again."
            )
        qpm = 60e6 / microseconds
        limits.check("tempo_qpm", qpm)
        found[meta.tick] = qpm
    return tuple(Tempo(tick, qpm) for tick, qpm in found.items())


def keys(metas: Iterable[Timed]) -> tuple[Key, ...]:
    """Key changes; signatures beyond seven sharps or flats mean nothing and are passed over."""
    found: dict[int, Key] = {}
    for meta in metas:
        if meta.type == KEY and len(meta.content) >= 2:
            fifths = int.from_bytes(meta.content[:1], "big", signed=True)
            if -7 <= fifths <= 7:
                mode = "minor" if meta.content[1] == 1 else "major"
                found[meta.tick] = Key(meta.tick, fifths, mode)
    changes = list(found.values())
    return tuple(k for i, k in enumerate(changes) if not i or k[1:] != changes[i - 1][1:])


def timed_texts(metas: Iterable[Timed]) -> tuple[Annotation, ...]:
    """Lyrics and markers, at most `ANNOTATIONS` of them."""
    kinds = ((m, ANNOTATION_KINDS.get(m.type)) for m in metas)
    found = [(m.tick, kind, text(m.content)) for m, kind in kinds if kind]
    return tuple(Annotation(*row) for row in found if row[2])[:ANNOTATIONS]


def measures(metas: Iterable[Timed], ticks_per_quarter: int, music_end: int) -> tuple[Measure, ...]:
    """Whole measures from tick 0 until `music_end` is covered; at least one.

    A meter change inside a measure cuts it short. One a few ticks beside a bar line is taken as
    on it, and notes that ring a few ticks over the last bar line open no new measure.
    """
    slop = int(ticks_per_quarter * SLOP_QUARTERS)
    meters = _meters(metas, ticks_per_quarter, slop)
    end = max(1, music_end - slop)
    _check_count(meters, ticks_per_quarter, end)
    found: list[Measure] = []
    for meter, following in zip(meters, [*meters[1:], None], strict=True):
        if meter.tick >= end:
            break
        stop = end if following is None else min(end, following.tick)
        _fill(found, meter, stop, None if following is None else following.tick, ticks_per_quarter)
    return tuple(found)


def _meters(metas: Iterable[Timed], ticks_per_quarter: int, slop: int) -> list[Meter]:
    """Meter changes that change something, each snapped to the bar line beside it."""
    found = [Meter(0, 4, 4)]
    for meta in metas:
        meter = _meter(meta, ticks_per_quarter)
        if meter is None or meter[1:] == found[-1][1:]:
            continue
        meter = meter._replace(tick=_snap(meter.tick, found[-1], ticks_per_quarter, slop))
        if meter.tick <= found[-1].tick:
            found.pop()
        if not found or meter[1:] != found[-1][1:]:
            found.append(meter)
    return found


def _meter(meta: Timed, ticks_per_quarter: int) -> Meter | None:
    if meta.type != METER or len(meta.content) < 2:
        return None
    beats, power = meta.content[:2]
    is_sane = 0 < beats <= 64 and power <= 6
    if not is_sane or (4 * beats * ticks_per_quarter) >> power == 0:
        return None
    return Meter(meta.tick, beats, 1 << power)


def _snap(tick: int, meter: Meter, ticks_per_quarter: int, slop: int) -> int:
    length = 4 * meter.beats * ticks_per_quarter
    index = round((tick - meter.tick) * meter.beat_type / length)
    bar_line = meter.tick + index * length // meter.beat_type
    return bar_line if abs(tick - bar_line) <= slop else tick


def _check_count(meters: Sequence[Meter], ticks_per_quarter: int, end: int) -> None:
    starts = [meter.tick for meter in meters[: bisect_right([m.tick for m in meters], end)]]
    spans = np.diff([*starts, end]).tolist()
    pairs = zip(meters, spans, strict=False)
    lengths = (span * m.beat_type / (4 * m.beats * ticks_per_quarter) for m, span in pairs)
    limits.check("measures", sum(int(length) + 1 for length in lengths))


def _fill(
    found: list[Measure], meter: Meter, stop: int, cut: int | None, ticks_per_quarter: int
) -> None:
    """Append the measures of one meter from its tick until `stop`; none goes past `cut`."""
    whole = 4 * meter.beats * ticks_per_quarter
    index, start = 0, meter.tick
    while start < stop:
        index += 1
        end = meter.tick + index * whole // meter.beat_type
        end = end if cut is None else min(end, cut)
        found.append(
            Measure(
                number=str(len(found) + 1),
                start=start,
                length=end - start,
                beats=meter.beats,
                beat_type=meter.beat_type,
            )
        )
        start = end
