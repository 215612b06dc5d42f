"""The built-in score fits each card, and what a card forbids is refused for its own reason."""

from __future__ import annotations

import pytest
from tiny_models import ACCEPTS

import hub
from hub import accepts
from hub.accepts import accepts_from_card
from hub.check import scores
from hub.check.bench import first_fitting

CARDS = {
    "monophonic": ACCEPTS,
    "polyphonic": {"parts": [1, 4]},
    "drums": {"drums": "only", "region": {"unit": "measure", "min": 2, "max": 2}},
    "waltz": {"meters": ["3/4"], "polyphony": "monophonic", "pitch": [40, 52]},
    "beats": {"region": {"unit": "beat", "min": 2, "max": 6}, "beyond_end": True},
    "ticks": {"region": {"unit": "tick", "min": 1}, "meters": ["6/8"]},
    "long": {"region": {"unit": "measure", "min": 1, "max": 64}, "context": {"before": 10}},
}


@pytest.mark.parametrize("name", CARDS)
def test_the_built_in_score_fits_the_card(name: str) -> None:
    accepted = accepts_from_card(CARDS[name])
    score = scores.fitting(accepted)
    assert score.source is not None
    assert len(score.measures) >= scores.LEAST_MEASURES
    for length in scores.lengths(accepted):
        for place in ("start", "middle", "end"):
            candidates = scores.regions(accepted, score, [], length, place)
            region = first_fitting(accepted, score, candidates)
            assert region is not None, (length, place)
            accepts.check_request(accepted, score, region.resolve(score))


@pytest.mark.parametrize("name", CARDS)
def test_every_forbidden_request_is_refused_for_its_own_reason(name: str) -> None:
    accepted = accepts_from_card(CARDS[name])
    score = scores.fitting(accepted)
    reasons = {
        "too long": "covers", "too short": "covers", "too many parts": "at a time",
        "the wrong kind of part": "drum", "past the end": "end", "half a measure": "inside one",
        "chords": "several notes at once",
    }  # fmt: skip
    said = {}
    for what, forbidden, region in scores.out_of_card(accepted, score):
        with pytest.raises(hub.ScorehubError) as caught:
            accepts.check_request(accepted, forbidden, region.resolve(forbidden))
        said[what] = str(caught.value)
    for what, message in said.items():
        assert reasons.get(what, "is in") in message, what
    assert said or name == "ticks"
