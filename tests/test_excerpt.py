"""Cut-outs of a score."""

import pytest

from hub.errors import RegionError
from hub.excerpt import excerpt, region_excerpt
from hub.region import Box, Region
from hub.score import Annotation, Key, Measure, Notes, Part, Score, Tempo


def song():
    return Score(
        ticks_per_quarter=12,
        parts=tuple(Part(id=i, name=i) for i in ("P1", "P2", "P3")),
        measures=tuple(Measure(number=str(i + 1), start=48 * i, length=48) for i in range(4)),
        notes=Notes.of([(0, 12, 60), (90, 24, 62), (96, 24, 64), (60, 12, 40, 80, 2)]),
        tempos=(Tempo(0, 100.0), Tempo(30, 90.0), Tempo(72, 80.0), Tempo(150, 70.0)),
        keys=(Key(0, 1), Key(48, 2)),
        annotations=(Annotation(50, "chord", "D"), Annotation(100, "chord", "G")),
    )


def test_notes_of_the_span_start_at_zero_and_end_with_it():
    cut = excerpt(song(), (48, 96))
    assert [(n.onset, n.duration, n.pitch, n.part) for n in cut.notes] == [
        (12, 12, 40, 2), (42, 6, 62, 0),
    ]  # fmt: skip
    assert [(m.number, m.start, m.length) for m in cut.measures] == [("2", 0, 48)]


def test_tempo_and_key_in_force_come_along():
    cut = excerpt(song(), (48, 96))
    assert cut.tempos == (Tempo(0, 90.0), Tempo(24, 80.0))
    assert cut.keys == (Key(0, 2),)
    assert cut.annotations == (Annotation(2, "chord", "D"),)


def test_parts_are_renumbered_in_the_order_asked_for():
    cut = excerpt(song(), None, ["P3", "P1"])
    assert [p.id for p in cut.parts] == ["P3", "P1"]
    assert [(n.part, n.pitch) for n in cut.notes] == [(1, 60), (0, 40), (1, 62), (1, 64)]


def test_in_place_keeps_every_tick():
    cut = excerpt(song(), (96, 144), from_zero=False)
    assert cut.notes.onset.tolist() == [96]
    assert [m.start for m in cut.measures] == [0, 48, 96]


def test_a_region_and_everything_between_its_boxes():
    score = song()
    boxes = (Box(start=0, end=1, part="P1"), Box(start=2, end=3, part="P1"))
    cut = region_excerpt(score, Region(boxes=boxes).resolve(score))
    assert cut.notes.pitch.tolist() == [60, 62, 64]


def test_wrong_spans_and_parts():
    with pytest.raises(RegionError, match="begin before it ends"):
        excerpt(song(), (5, 5))
    with pytest.raises(RegionError, match="no part"):
        excerpt(song(), None, ["P9"])
