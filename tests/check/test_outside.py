"""The comparison of its own sees every kind of change, and what a region keeps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import tiny_models

import hub
from hub.card import parse_card
from hub.check.outside import what_changed_outside
from hub.model import Take


def test_what_changed_outside_sees_every_kind_of_change() -> None:
    score = hub.read_score(tiny_models.tune_bytes(), "tune.mid")
    region = hub.Region.measures(score, "3-4", ["P1"]).resolve(score)
    class_ = hub.Model

    class Silent(class_):  # type: ignore[valid-type, misc]
        def inpaint(self, score: Any, region: Any, params: Any) -> hub.Notes:
            return hub.Notes.empty()

    card = parse_card(
        "---\nscorehub: {version: 1, entry: 'model.py:M', accepts: {}}\n---\n", "silent"
    )
    (take,) = hub.inpaint(Silent(card), score, region, seed=1)
    assert what_changed_outside(score, take) == ""

    def spoiled(changed: hub.Score) -> str:
        return what_changed_outside(score, replace(take, data=hub.write_score(changed, "midi")))

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


# --- what a region keeps ------------------------------------------------------------------------


@pytest.fixture
def score() -> hub.Score:
    return hub.read_score(tiny_models.tune_bytes(), "tune.mid")


def faked(score: hub.Score, region: hub.Region, changed: hub.Score) -> Take:
    """A take as a hub would hand it out that does not keep its promise."""
    receipt: Any = None
    return Take(
        seed=1, notes=hub.Notes.empty(), receipt=receipt, before=score,
        region=region.resolve(score), data=hub.write_score(changed, "midi"),
    )  # fmt: skip


def test_a_kept_note_must_stay(score: hub.Score) -> None:
    first, second, *_ = score.notes_of("P1")
    keep = (hub.Kept("P1", first.onset, first.pitch),)
    region = hub.Region(boxes=(hub.Box(start=0, end=1, part="P1"),), keep=keep)

    def without(note: hub.Note) -> hub.Score:
        return score.with_notes(hub.Notes.of(n for n in score.notes if n != note))

    assert what_changed_outside(score, faked(score, region, without(second))) == ""
    lost = what_changed_outside(score, faked(score, region, without(first)))
    assert lost == "1 notes are gone and 0 have come"


def test_pitches_below_the_box_must_stay(score: hub.Score) -> None:
    notes = score.notes_of("P1")[:4]
    box = hub.Box(start=0, end=1, part="P1", low=int(notes.pitch.max()))
    lower = next(n for n in notes if n.pitch < box.low)
    changed = score.with_notes(hub.Notes.of(n for n in score.notes if n != lower))
    take = faked(score, hub.Region(boxes=(box,)), changed)
    assert what_changed_outside(score, take) == "1 notes are gone and 0 have come"


@pytest.mark.parametrize(
    ("change", "column", "is_allowed"),
    [("velocity", "velocity", True), ("velocity", "pitch", False), ("onset", "duration", True),
     ("pitch", "velocity", False), ("duration", "duration", True)],
)  # fmt: skip
def test_only_what_may_change_may_differ(
    score: hub.Score, change: str, column: str, is_allowed: bool
) -> None:
    region = hub.Region(
        boxes=(hub.Box(start=0, end=1, part="P1"),), change=frozenset({change})
    ).resolve(score)
    inside = region.contains(score.notes, score)
    values = getattr(score.notes, column) - inside
    changed = score.with_notes(score.notes.replace(**{column: values}))
    said = what_changed_outside(score, faked(score, region, changed))
    assert said == ("" if is_allowed else f"more than the {change} of 4 notes differ")
