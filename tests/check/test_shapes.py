"""Every shape that a card declares has a region that fits, and is of that shape."""

from __future__ import annotations

from typing import Any

import pytest

import hub
from hub.accepts import Accepts, accepts_from_card
from hub.check import scores, shapes
from hub.check.bench import first_fitting

ALWAYS = {"a range of pitches", "two boxes", "kept notes", "hidden surroundings"}
CARDS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "one part": ({}, {"1 part", "a whole part", *ALWAYS}),
    "trio": (
        {"parts": [1, 3], "region": {"max": 4}},
        {"1 part", "2 parts", "3 parts", "another place in each part", *ALWAYS},
    ),
    "one measure": (
        {"region": {"min": 1, "max": 1}},
        {"1 part", "a range of pitches", "kept notes", "hidden surroundings"},
    ),
    "duo only": (
        {"parts": 2, "region": {"min": 2, "max": 8}},
        {"2 parts", "another place in each part", *ALWAYS},
    ),
    "beats": (
        {"region": {"unit": "beat", "min": 2, "max": 6}, "polyphony": "monophonic"},
        {"1 part", "off the bar line", *ALWAYS},
    ),
    "ticks": (
        {"region": {"unit": "tick", "min": 10, "max": 999999}},
        {"1 part", "off the bar line", "a whole part", *ALWAYS},
    ),
    "continues": (
        {"region": {"min": 1, "max": 8}, "beyond_end": True},
        {"1 part", "past the end", "after the end", *ALWAYS},
    ),
    "continues in beats": (
        {"region": {"unit": "beat", "min": 1, "max": 8}, "beyond_end": True},
        {"1 part", "past the end", "after the end", "off the bar line", *ALWAYS},
    ),
    "band": (
        {"parts": [1, 2], "drums": "yes", "region": {"max": 4}},
        {"1 part", "2 parts", "another place in each part", "a drum part", *ALWAYS},
    ),
    "drums": (
        {"drums": "only", "region": {"max": 4}},
        {"1 part", *ALWAYS},
    ),
    "humanise": (
        {"change": ["onset", "velocity"], "reads": ["notes"], "region": {"max": 4}},
        {"1 part", "only onset", "only velocity", "only onset, velocity", *ALWAYS},
    ),
    "variation": (
        {"reads": ["notes"], "region": {"max": 4}},
        {"1 part", "only onset", "only duration", "only pitch", "only velocity", *ALWAYS},
    ),
}  # fmt: skip


def tried(accepted: Accepts, score: hub.Score) -> dict[str, hub.Region]:
    found = {
        name: first_fitting(accepted, score, candidates)
        for name, candidates in shapes.candidates(accepted, score)
    }
    return {name: region.resolve(score) for name, region in found.items() if region is not None}


@pytest.mark.parametrize("name", CARDS)
def test_what_a_card_declares_is_tried_and_nothing_else(name: str) -> None:
    block, wanted = CARDS[name]
    accepted = accepts_from_card(block)
    assert set(tried(accepted, scores.fitting(accepted))) == wanted


def test_every_row_of_the_table_is_reached() -> None:
    reached = {shape for _, wanted in CARDS.values() for shape in wanted}
    assert set(shapes.SHAPES) <= reached


def test_the_regions_are_of_their_shape() -> None:
    accepted = accepts_from_card(
        {"parts": [1, 3], "beyond_end": True, "drums": "yes", "reads": ["notes"]}
    )
    score = scores.fitting(accepted)
    found = tried(accepted, score)
    end = score.measures[-1].end
    assert [len(found[f"{n} part{'s' * (n > 1)}"].parts()) for n in (1, 2, 3)] == [1, 2, 3]
    assert all(box.low > 0 for box in found["a range of pitches"].boxes)
    assert len(found["two boxes"].spans(found["two boxes"].parts()[0])) == 2
    assert len({box.start for box in found["another place in each part"].boxes}) > 1
    assert found["kept notes"].keep
    assert found["hidden surroundings"].hide
    assert found["only pitch"].change == {"pitch"}
    assert found["past the end"].boxes[0].start_tick < end < found["past the end"].boxes[0].end_tick
    assert found["after the end"].boxes[0].start_tick == end
    assert score.parts[score.part_index(found["a drum part"].parts()[-1])].is_drums
    (box,) = found["a whole part"].boxes
    assert (box.start_tick, box.end_tick) == (0, end)


def test_each_other_meter_has_a_score() -> None:
    accepted = accepts_from_card({"meters": ["4/4", "3/4", "6/8"]})
    found = {meter: score.measures[0].meter for meter, score in shapes.other_meters(accepted)}
    assert found == {"3/4": "3/4", "6/8": "6/8"}
