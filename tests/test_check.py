"""`scorehub check`: a good folder passes, and each broken one fails at the check meant for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny_models
from tiny_models import ACCEPTS, GOOD_CODE, write_model

import hub
from hub import accepts, check, check_scores
from hub.accepts import accepts_from_card
from hub.check import FAIL, OK, WARN


def statuses(folder: Path) -> dict[str, str]:
    return {f.name: f.status for f in check.check_folder(folder).findings}


def detail(folder: Path, name: str) -> str:
    return next(f.detail for f in check.check_folder(folder).findings if f.name == name)


def test_a_good_folder_passes_every_check(tmp_path: Path) -> None:
    report = check.check_folder(write_model(tmp_path / "tiny"))
    assert report.is_ok
    assert {f.status for f in report.findings} == {OK}, report.table()
    assert [f.name for f in report.findings] == [
        "card", "loads", "examples", "regions", "controls", "seeds", "variety", "outside",
        "answers", "refusals", "cost",
    ]  # fmt: skip
    assert report.to_json()["ok"] is True
    assert report.table().endswith("tiny: keeps its card's word.")


def test_shapes_of_every_length_and_place_are_tried(tmp_path: Path) -> None:
    model = hub.load(write_model(tmp_path / "tiny", examples=[]))
    trials = check.Bench(model=model, load_seconds=0).trials
    tried = [(len(t.region.parts()), round(t.region.boxes[0].end - t.region.boxes[0].start))
             for t in trials]  # fmt: skip
    assert {length for _, length in tried} == {1, 4, 8}
    assert [t.name.rsplit(" ", 1)[1] for t in trials[:3]] == ["start)", "middle)", "end)"]


# --- broken folders: one fault each -------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "card"),
    [
        ("card", {"license": None}),
        ("card", {"datasets": []}),
        ("card", {"summary": ""}),
        ("card", {"prose": "\n"}),
        ("card", {"accepts": {"partz": 1}}),
        ("loads", {"entry": "model.py:Huge"}),
        ("loads", {"init": {"size": 3}}),
        ("examples", {"examples": ["missing.mid"]}),
        ("examples", {"accepts": {**ACCEPTS, "meters": ["3/4"]}}),
        ("regions", {"accepts": {**ACCEPTS, "polyphony": "polyphonic", "drums": "only"}}),
    ],
)
def test_a_fault_of_the_card_is_found(tmp_path: Path, name: str, card: dict[str, Any]) -> None:
    code = GOOD_CODE
    if name == "regions":
        code = code.replace("return hub.Notes.of(rows)", "return 42")
    folder = write_model(tmp_path / "bad", code=code, **card)
    assert statuses(folder)[name] == FAIL
    assert not check.check_folder(folder).is_ok


def broken(tmp_path: Path, old: str, new: str, **card: Any) -> Path:
    assert old in GOOD_CODE
    return write_model(tmp_path / "bad", code=GOOD_CODE.replace(old, new), **card)


def test_code_that_does_not_import(tmp_path: Path) -> None:
    assert statuses(broken(tmp_path, "import hub\n", "import nowhere\n"))["loads"] == FAIL


def test_unseeded_chance_is_found(tmp_path: Path) -> None:
    code = "__import__('numpy').random.default_rng()"
    folder = broken(tmp_path, "params.rng()", code)
    assert statuses(folder)["seeds"] == FAIL
    assert "other notes" in detail(folder, "seeds")


def test_memory_between_requests_is_found(tmp_path: Path) -> None:
    """A generator that lives on: each answer depends on the ones before."""
    new = "self.__dict__.setdefault('rng', params.rng())"
    assert statuses(broken(tmp_path, "params.rng()", new))["seeds"] == FAIL


def test_a_batch_that_differs_from_single_takes_is_found(tmp_path: Path) -> None:
    batch = """
    def inpaint_batch(self, requests):
        answers = [list(self.inpaint(*r)) and None for r in requests]
        notes = [hub.Notes.of([hub.Note(r.region.boxes[0].start, 240, 70)]) for r in requests]
        return notes
"""
    assert statuses(write_model(tmp_path / "bad", code=GOOD_CODE + batch))["seeds"] == FAIL


def test_a_seed_without_effect_is_only_a_warning(tmp_path: Path) -> None:
    folder = broken(tmp_path, 'rng.integers(params["spread"] + 1)', "params['spread']")
    found = statuses(folder)
    assert (found["seeds"], found["variety"]) == (OK, WARN)
    assert check.check_folder(folder).is_ok


def test_answers_outside_the_region_are_a_warning(tmp_path: Path) -> None:
    folder = broken(tmp_path, "hub.Note(onset, duration", "hub.Note(onset + 4 * beat, duration")
    assert statuses(folder)["answers"] == WARN
    assert "outside the region" in detail(folder, "answers")
    assert statuses(folder)["outside"] == OK  # the hub kept the promise


def test_silence_is_a_warning(tmp_path: Path) -> None:
    folder = broken(tmp_path, "return hub.Notes.of(rows)", "return hub.Notes.empty()")
    assert detail(folder, "answers") == "the model never wrote a note"


def test_a_control_that_breaks_at_its_end_is_found(tmp_path: Path) -> None:
    old = '60 + int(rng.integers(params["spread"] + 1))'
    folder = broken(tmp_path, old, "60 + int(rng.integers(params['spread']))")
    assert statuses(folder)["controls"] == FAIL
    assert "spread=0" in detail(folder, "controls")


def test_a_length_that_fails_is_found(tmp_path: Path) -> None:
    old = "        rng = params.rng()"
    new = f"        assert region.boxes[0].end - region.boxes[0].start < 8 * 1920\n{old}"
    folder = broken(tmp_path, old, new)
    assert statuses(folder)["regions"] == FAIL
    assert "(8 measures, start)" in detail(folder, "regions")


# --- the comparison of its own ------------------------------------------------------------------


def test_what_changed_outside_sees_every_kind_of_change() -> None:
    score = hub.read_score(tiny_models.tune_bytes(), "tune.mid")
    region = hub.Region.measures(score, "3-4", ["P1"]).resolve(score)
    class_ = hub.Model

    class Silent(class_):  # type: ignore[valid-type, misc]
        def inpaint(self, score: Any, region: Any, params: Any) -> hub.Notes:
            return hub.Notes.empty()

    card = hub.card.parse_card(
        "---\nscorehub: {version: 1, entry: 'model.py:M', accepts: {}}\n---\n", "silent"
    )
    (take,) = hub.inpaint(Silent(card), score, region, seed=1)
    assert check.what_changed_outside(score, take) == ""

    def spoiled(changed: hub.Score) -> str:
        return check.what_changed_outside(
            score, replace(take, data=hub.write_score(changed, "midi"))
        )

    notes = score.notes
    assert "1 notes are gone and 0 have come" in spoiled(score.with_notes(notes[1:]))
    louder = score.with_notes(notes.replace(velocity=91))
    assert "have come" in spoiled(louder)
    assert spoiled(replace(score, tempos=(hub.Tempo(0, 90.0),))) == "the tempos differ"
    waltz = tuple(
        replace(m, start=index * 1440, length=1440, beats=3)
        for index, m in enumerate(score.measures)
    )
    assert spoiled(replace(score, measures=waltz)) == "the measures differ"


# --- scores and shapes --------------------------------------------------------------------------

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
    score = check_scores.fitting(accepted)
    assert score.source is not None
    assert len(score.measures) >= check_scores.LEAST_MEASURES
    for length in check_scores.lengths(accepted):
        for place in ("start", "middle", "end"):
            region = check._first_fitting(accepted, score, [], length, place)
            assert region is not None, (length, place)
            accepts.check_request(accepted, score, region.resolve(score))


@pytest.mark.parametrize("name", CARDS)
def test_every_forbidden_request_is_refused_for_its_own_reason(name: str) -> None:
    accepted = accepts_from_card(CARDS[name])
    score = check_scores.fitting(accepted)
    reasons = {
        "too long": "covers", "too short": "covers", "too many parts": "at a time",
        "the wrong kind of part": "drum", "past the end": "end", "half a measure": "inside one",
        "chords": "several notes at once",
    }  # fmt: skip
    said = {}
    for what, forbidden, region in check_scores.out_of_card(accepted, score):
        with pytest.raises(hub.ScorehubError) as caught:
            accepts.check_request(accepted, forbidden, region.resolve(forbidden))
        said[what] = str(caught.value)
    for what, message in said.items():
        assert reasons.get(what, "is in") in message, what
    assert said or name == "ticks"
