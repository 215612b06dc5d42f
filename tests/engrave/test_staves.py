"""Staves, clefs and the places of drums."""

from __future__ import annotations

import pytest

from hub.engrave.staves import BASS, BASS_8VB, TREBLE, TREBLE_8VB, Clef, layout, stroke
from hub.score import Measure, Notes, Part, Score


def score_of(part: Part, *pitches: int) -> Score:
    return Score(
        ticks_per_quarter=24,
        parts=(part,),
        measures=(Measure(number="1", start=0, length=960),),
        notes=Notes.of((i * 24, 24, pitch) for i, pitch in enumerate(pitches)),
    )


@pytest.mark.parametrize(
    ("program", "pitches", "clefs"),
    [
        (0, (36, 40, 48, 60, 72, 79), (TREBLE, BASS)),
        (0, (60, 64, 67, 72), (TREBLE,)),
        (46, (36, 40, 48, 60, 72, 79), (TREBLE, BASS)),
        (40, (55, 60, 72, 90), (TREBLE,)),
        (42, (36, 48, 50), (BASS,)),
        (33, (28, 33, 38), (BASS_8VB,)),
        (25, (40, 52, 59, 64), (TREBLE_8VB,)),
        (73, (), (TREBLE,)),
    ],
)
def test_layouts(program: int, pitches: tuple[int, ...], clefs: tuple[Clef, ...]) -> None:
    score = score_of(Part(id="P1", name="x", program=program), *pitches)
    assert layout(score, 0).clefs == clefs


def test_a_part_of_two_staves_keeps_them() -> None:
    score = score_of(Part(id="P1", name="x", program=73, staves=2), 70, 72)
    assert len(layout(score, 0).clefs) == 2


def test_drums_have_a_percussion_staff_and_their_instruments() -> None:
    plan = layout(score_of(Part(id="P1", name="x", is_drums=True), 36, 42, 36), 0)
    assert plan.is_drums and plan.drums == (36, 42)


def test_the_usual_places_of_drums() -> None:
    assert [stroke(p)[:2] for p in (36, 38, 42)] == [("F", 4), ("C", 5), ("G", 5)]
    assert stroke(42).head == "x" and stroke(38).head == ""
    assert all(stroke(pitch).step in "ABCDEFG" for pitch in range(128))
