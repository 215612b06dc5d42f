"""Cancel, deadline, queue: nobody waits for a sick request but the one who made it."""

import threading
import time

import pytest

import hub
from hub.card import parse_card
from hub.engines import local
from hub.engines.local import LocalEngine
from hub.errors import AcceptError, BusyError, CancelledError, DeadlineError

CARD = parse_card("---\nscorehub:\n  version: 1\n  entry: model.py:X\n---\n", "x")
SCORE = hub.Score(
    ticks_per_quarter=4,
    parts=(hub.Part(id="P1", name="a"),),
    measures=tuple(hub.Measure(number=str(i + 1), start=16 * i, length=16) for i in range(4)),
    notes=hub.Notes.empty(),
)
REGION = hub.Region(boxes=(hub.Box(start=0, end=1),))


class Quick(hub.Model):
    def inpaint(self, score, region, params):
        yield hub.Progress(0.5, "half")
        return [hub.Note(0, 4, 60 + params.seed)]


class Deaf(hub.Model):
    """Never yields: waits until the test lets it go."""

    def __init__(self, card):
        super().__init__(card)
        self.entered, self.release = threading.Event(), threading.Event()

    def inpaint(self, score, region, params):
        self.entered.set()
        self.release.wait(20)
        return []


@pytest.fixture
def deaf(monkeypatch):
    monkeypatch.setattr(local, "GRACE_SECONDS", 0.0)
    model = Deaf(CARD)
    yield model
    model.release.set()


def test_events_are_those_of_the_stream():
    events = list(LocalEngine().submit(Quick(CARD), SCORE, REGION, n=2, seed=1))
    takes = [e for e in events if isinstance(e, hub.Take)]
    assert [take.notes.pitch.tolist() for take in takes] == [[61], [62]]
    assert [e.fraction for e in events if isinstance(e, hub.Progress)] == [0.25, 0.75]


def test_errors_are_raised_to_the_one_who_asked():
    beyond = hub.Region(boxes=(hub.Box(start=9, end=10),))
    with pytest.raises(AcceptError, match="after the end"):
        list(LocalEngine().submit(Quick(CARD), SCORE, beyond))


def test_a_deaf_model_is_given_up_on_cancel_and_its_place_is_free(deaf):
    engine = LocalEngine(workers=1)
    job = engine.submit(deaf, SCORE, REGION)
    assert deaf.entered.wait(5)
    job.cancel()
    with pytest.raises(CancelledError):
        list(job)
    assert any(isinstance(e, hub.Take) for e in engine.submit(Quick(CARD), SCORE, REGION))


def test_a_deaf_model_is_given_up_at_its_deadline(deaf):
    with pytest.raises(DeadlineError, match=r"within 0\.1 seconds"):
        list(LocalEngine().submit(deaf, SCORE, REGION, deadline_seconds=0.1))


def test_closing_the_iterator_frees_the_place(deaf):
    engine = LocalEngine(workers=1)
    events = iter(engine.submit(deaf, SCORE, REGION))
    assert isinstance(next(events), hub.Progress)  # a heartbeat
    events.close()
    assert any(isinstance(e, hub.Take) for e in engine.submit(Quick(CARD), SCORE, REGION))


def test_one_waits_while_another_works_and_too_many_are_told(deaf):
    engine = LocalEngine(workers=1, waiting=1)
    first = engine.submit(deaf, SCORE, REGION)
    assert deaf.entered.wait(5)
    second = engine.submit(Quick(CARD), SCORE, REGION)
    with pytest.raises(BusyError, match="Try again"):
        engine.submit(Quick(CARD), SCORE, REGION)
    deaf.release.set()
    assert any(isinstance(e, hub.Take) for e in second)
    assert list(first)


def test_a_waiting_job_can_be_cancelled(deaf):
    engine = LocalEngine(workers=1)
    engine.submit(deaf, SCORE, REGION)
    assert deaf.entered.wait(5)
    waiting = engine.submit(Quick(CARD), SCORE, REGION)
    waiting.cancel()
    with pytest.raises(CancelledError):
        list(waiting)


def test_places_are_never_given_back_twice(deaf):
    engine = LocalEngine(workers=1)
    job = engine.submit(deaf, SCORE, REGION)
    assert deaf.entered.wait(5)
    job.cancel()
    with pytest.raises(CancelledError):
        list(job)
    deaf.release.set()
    deadline = time.monotonic() + 5
    while threading.active_count() > 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert engine._places.acquire(blocking=False)
    assert not engine._places.acquire(blocking=False)
