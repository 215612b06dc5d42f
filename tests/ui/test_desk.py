from __future__ import annotations

import pytest

import hub
from hub.model import Take
from hub.score import Score
from hub.ui.desk import MAX_UNDO, Desk, Run
from hub.ui.library import Entry
from hub.ui.selection import fit


@pytest.fixture
def desk(echo: Entry, tune: Score) -> Desk:
    return Desk(score=tune, fit=fit(echo.card.accepts, tune))


def a_take(echo: Entry, score: Score) -> Take:
    return hub.inpaint(echo.model(), score, hub.Region.measures(score, "3", ["P1"]), seed=1)[0]


def test_a_kept_take_is_the_new_score_and_the_old_one_stays_behind(echo: Entry, desk: Desk) -> None:
    take = a_take(echo, desk.score)
    kept = desk.keep(take, 2, (take,), echo.card.accepts)
    assert kept.score is take.score and kept.score.source is not None
    assert kept.score.source.data == take.data
    assert kept.kept == ("take 2 (seed 1, measures 3)",)
    assert kept.previous is not None and kept.previous.score is desk.score
    assert kept.previous.takes == (take,)


def test_only_so_many_desks_are_remembered(echo: Entry, desk: Desk) -> None:
    take = a_take(echo, desk.score)
    for _ in range(MAX_UNDO + 3):
        desk = desk.keep(take, 1, (), echo.card.accepts)
    depth = 0
    while desk.previous is not None:
        desk, depth = desk.previous, depth + 1
    assert depth == MAX_UNDO


def test_a_retired_run_is_stopped_and_stale() -> None:
    run = Run()
    run.retire()
    assert run.stop.is_set() and run.stale.is_set()
