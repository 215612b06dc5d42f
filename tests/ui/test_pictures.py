from __future__ import annotations

from dataclasses import replace

import pytest

import hub
from hub.errors import PreviewError
from hub.model import Take
from hub.score import Score
from hub.ui import pictures
from hub.ui.library import Entry


@pytest.fixture
def take(echo: Entry, tune: Score) -> Take:
    region = hub.Region.measures(tune, "3-4", ["P1"])
    return hub.inpaint(echo.model(), tune, region, seed=42)[0]


def test_changes_are_the_rows_that_came_and_went(take: Take) -> None:
    new, gone = pictures.changes(take)
    assert len(new) == take.receipt.added and len(gone) == take.receipt.removed
    start, end = 2 * 1920, 4 * 1920
    assert all(start <= onset < end for onset in take.score.notes.onset[new])
    assert all(start <= onset < end for onset in take.before.notes.onset[gone])


def test_a_picture_that_fails_costs_the_picture_only(
    take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> str:
        raise PreviewError("The engraver <died>.")

    monkeypatch.setattr(pictures, "notation_picture", fail)
    html = pictures.take([take], 1)
    assert "Notation: no picture. The engraver &lt;died&gt;." in html
    assert 'class="piano-roll"' in html and "seed 42" in html


def test_a_take_shows_new_and_removed_notes(take: Take) -> None:
    html = pictures.take([take], 1)
    assert 'class="new"' in html and 'class="removed"' in html
    assert take.receipt.sentence() in html


def test_a_take_that_repeats_says_what(take: Take, echo: Entry, tune: Score) -> None:
    other = hub.inpaint(echo.model(), tune, take.region, seed=43)[0]
    kept = replace(take, receipt=replace(take.receipt, removed=0, added=0))
    takes = (take, other, replace(other, seed=44), kept)
    assert [pictures.repeated(takes, number) for number in (1, 2, 3, 4)] == [
        "", "", "The same notes as take 2.", "The same notes as the original.",
    ]  # fmt: skip
    assert "The same notes as take 2." in pictures.take_head(takes, 3)


def test_the_heading_says_when_another_region_is_marked(take: Take, tune: Score) -> None:
    other = hub.Region.measures(tune, "3-4", ["P2"]).resolve(tune)
    assert "Of measures 3-4, P1." in pictures.heading([take], take.region)
    assert "From an earlier region: measures 3-4, P1." in pictures.heading([take], other)
    assert "region" not in pictures.heading([], other)


def test_texts_are_escaped() -> None:
    listed = pictures.listed("<b>", ["<b>"])
    for html in (pictures.message("<b>"), pictures.progress(0.5, "<b>"), listed):
        assert "<b>" not in html


def test_errors_are_alerts_and_nothing_is_nothing() -> None:
    assert 'role="alert"' in pictures.message("Oh.")
    assert 'role="status"' in pictures.message("Oh.", "note")
    assert pictures.message("") == ""


def test_of_an_orchestra_the_marked_parts_are_engraved_first(mixed: Score) -> None:
    region = hub.Region.measures(mixed, "5", ["P4"]).resolve(mixed)
    assert "P4" in pictures.engraved_parts(mixed, region)
    assert pictures.engraved_parts(mixed, None) == ["P1", "P2", "P3", "P4"]


def test_a_picture_that_scrolls_can_be_reached_by_keyboard(tune: Score) -> None:
    html = pictures.overview(tune, None)
    assert html.count('data-picture="') == html.count('tabindex="0" role="group" aria-label="') == 2
