from __future__ import annotations

from dataclasses import replace

import pytest

from hub.accepts import Accepts, check_request
from hub.errors import RegionError
from hub.score import Score
from hub.ui.selection import Selection, fit, for_example, text_of

LINE = Accepts(parts=(1, 1), polyphony="monophonic", meters=("4/4",), most=4)


def test_the_fields_of_the_page_make_a_region(tune: Score) -> None:
    chosen = Selection(measures="3-4,7", parts=("P2", "P1"), low=50, high=70)
    region = chosen.region(tune)
    assert region.parts() == ("P2", "P1")
    assert region.spans("P1") == [(2 * 1920, 4 * 1920), (6 * 1920, 7 * 1920)]
    assert {(box.low, box.high) for box in region.boxes} == {(50, 70)}


def test_quarters_stand_instead_of_measures(tune: Score) -> None:
    region = Selection(measures="1", parts=("P1",), first_quarter=2.5, last_quarter=6).region(tune)
    assert region.spans("P1") == [(1200, 2880)]


def test_measures_may_be_added_after_the_end(tune: Score) -> None:
    region = Selection(parts=("P1",), beyond=2).region(tune)
    assert region.spans("P1") == [(16 * 1920, 18 * 1920)]


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"measures": "3"}, "at least one part"),
        ({"parts": ("P1",)}, "Say which measures"),
        ({"parts": ("P1",), "first_quarter": 1.0}, "both quarters"),
    ],
)
def test_missing_fields_are_named(tune: Score, fields: dict[str, object], wanted: str) -> None:
    with pytest.raises(RegionError, match=wanted):
        Selection(**fields).region(tune)  # type: ignore[arg-type]


def test_the_first_region_fits_the_card_and_has_notes(mixed: Score) -> None:
    found = fit(LINE, mixed)
    assert found.region is not None
    check_request(LINE, mixed, found.region)
    assert text_of(mixed, found.region) == "4-7"
    assert found.usable == ("P1", "P4")
    assert found.region.parts() == ("P1",)


def test_parts_that_cannot_be_chosen_say_why(mixed: Score) -> None:
    reasons = fit(LINE, mixed).reasons
    assert "several notes at once" in reasons["P2"]
    assert "drum part" in reasons["P3"]


def test_when_nothing_fits_the_reason_is_given(mixed: Score) -> None:
    found = fit(replace(LINE, meters=("6/8",)), mixed)
    assert found.region is None and found.usable == ()
    assert "this model writes 6/8" in found.reason


def test_a_card_that_wants_two_parts_gets_two(mixed: Score) -> None:
    found = fit(replace(LINE, parts=(2, 2)), mixed)
    assert found.region is not None and found.region.parts() == ("P1", "P4")


def test_a_card_in_beats_gets_a_region_no_longer_than_it_may_be(tune: Score) -> None:
    beats = Accepts(unit="beat", least=1, most=2)
    found = fit(beats, tune)
    assert found.region is not None
    assert found.region.spans("P1") == [(0, 2 * 480)]


def test_an_examples_own_measures_win(tune: Score) -> None:
    found = for_example(Accepts(), tune, "2-3", ("P2",))
    assert found.region is not None
    assert text_of(tune, found.region) == "2-3" and found.region.parts() == ("P2",)


def test_repeated_numbers_are_written_by_position(tune: Score) -> None:
    twice = replace(
        tune, measures=tuple(replace(m, number=str(i % 4)) for i, m in enumerate(tune.measures))
    )
    region = fit(Accepts(), twice).region
    assert region is not None
    assert text_of(twice, region) == "#5-#8"
    assert Selection(measures="#5-#8", parts=("P1",)).region(twice).boxes == region.boxes
