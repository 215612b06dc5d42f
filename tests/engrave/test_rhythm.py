"""Note values, ties, brackets and beams of one measure."""

from __future__ import annotations

import pytest

from hub.engrave.quantise import Bar, Written
from hub.engrave.rhythm import Value, beats, pieces_of, values_of
from hub.engrave.voices import chords
from hub.score import Measure


def bar(beats_: int = 4, beat_type: int = 4, length: int | None = None, phase: int = 0) -> Bar:
    full = 96 * beats_ // beat_type
    measure = Measure(number="1", start=0, length=full, beats=beats_, beat_type=beat_type)
    return Bar(index=0, measure=measure, start=0, length=length or full, phase=phase)


def values(where: Bar, *spans: tuple[int, int]) -> list[Value]:
    notes = [Written(a, b, 60 + i, i) for i, (a, b) in enumerate(spans)]
    return values_of(pieces_of(chords(notes), where), where)


def text(found: list[Value]) -> list[str]:
    """ "quarter." for a dotted quarter, "r" before rests, "3" after triplets, "~" ties on."""
    return [
        ("" if v.tones else "r")
        + v.type
        + "." * v.dots
        + ("3" if v.is_triplet else "")
        + ("~" if v.tied_after else "")
        for v in found
    ]


@pytest.mark.parametrize(
    ("meter", "edges"),
    [
        ((4, 4), [0, 24, 48, 72, 96]),
        ((6, 8), [0, 36, 72]),
        ((3, 8), [0, 36]),
        ((5, 8), [0, 36, 60]),
        ((7, 8), [0, 24, 48, 84]),
        ((2, 2), [0, 24, 48, 72, 96]),
        ((6, 16), [0, 18, 36]),
    ],
)
def test_beats(meter: tuple[int, int], edges: list[int]) -> None:
    assert beats(bar(*meter)) == edges


def test_beats_of_a_pickup_count_from_its_end() -> None:
    assert beats(bar(length=36, phase=60)) == [0, 12, 36]


@pytest.mark.parametrize(
    ("meter", "spans", "written"),
    [
        ((4, 4), [(0, 96)], ["whole"]),
        ((4, 4), [(0, 72)], ["half.", "rquarter"]),
        ((4, 4), [(24, 72)], ["rquarter", "half", "rquarter"]),
        ((4, 4), [(0, 30)], ["quarter~", "16th", "r16th", "reighth", "rhalf"]),
        ((4, 4), [(12, 36)], ["reighth", "quarter", "reighth", "rhalf"]),
        ((4, 4), [(36, 60)], ["rquarter", "reighth", "eighth~", "eighth", "reighth", "rquarter"]),
        ((4, 4), [(6, 18)], ["r16th", "eighth", "r16th", "rquarter", "rhalf"]),
        ((3, 4), [(0, 12)], ["eighth", "reighth", "rquarter", "rquarter"]),
        ((6, 8), [(0, 72)], ["half."]),
        ((6, 8), [(0, 36)], ["quarter.", "rquarter."]),
        ((6, 8), [(12, 48)], ["reighth", "quarter~", "eighth", "reighth", "reighth"]),
        ((6, 8), [(0, 24), (24, 36), (36, 72)], ["quarter", "eighth", "quarter."]),
        ((2, 4), [(0, 8), (8, 16), (16, 24), (24, 48)], ["eighth3"] * 3 + ["quarter"]),
        ((2, 4), [(0, 16), (16, 24), (24, 48)], ["quarter3", "eighth3", "quarter"]),
        ((2, 4), [(0, 12), (12, 16), (16, 20), (20, 24), (24, 48)],
         ["eighth"] + ["16th3"] * 3 + ["quarter"]),
    ],
)  # fmt: skip
def test_values(meter: tuple[int, int], spans: list[tuple[int, int]], written: list[str]) -> None:
    found = values(bar(*meter), *spans)
    assert text(found) == written
    assert sum(v.length for v in found) == bar(*meter).length


def test_a_chord_over_the_bar_lines_is_tied_on_both_sides() -> None:
    where = bar()
    notes = [Written(-24, 120, 60, 0)]
    (value,) = values_of(pieces_of(chords(notes), where), where)
    assert (value.tied_before, value.tied_after, value.type) == (True, True, "whole")


def test_brackets_open_and_close_once() -> None:
    found = values(bar(2, 4), (0, 8), (8, 16), (16, 24), (24, 32), (32, 40), (40, 48))
    assert [v.starts_tuplet for v in found] == [True, False, False] * 2
    assert [v.stops_tuplet for v in found] == [False, False, True] * 2


def test_beams_have_hooks() -> None:
    found = values(bar(2, 4), (0, 18), (18, 24), (24, 48))
    assert [v.beams for v in found] == [("begin",), ("end", "backward hook"), ()]


def test_beams_stop_at_rests_and_beats() -> None:
    found = values(bar(4, 4), (0, 6), (6, 12), (12, 18), (24, 30), (30, 36))
    beams = [v.beams[:1] for v in found if v.tones]
    assert beams == [("begin",), ("continue",), ("end",), ("begin",), ("end",)]


def test_a_triplet_inside_a_beat_beams_with_the_beat() -> None:
    found = values(bar(6, 8), (0, 12), (12, 16), (16, 20), (20, 24), (24, 36))
    assert [v.beams[:1] for v in found if v.tones] == [
        ("begin",), ("continue",), ("continue",), ("continue",), ("end",),
    ]  # fmt: skip
