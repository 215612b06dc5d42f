"""The one public inpaint: blank, validate, seed, run, check, splice, receipt."""

import io
import threading
from dataclasses import replace
from pathlib import Path

import mido
import pytest

import hub
from hub.card import parse_card
from hub.errors import (
    AcceptError,
    AnswerError,
    CancelledError,
    DeadlineError,
    LoadError,
    ParamError,
    RegionError,
)
from hub.model import blank, measures_text, stream

CARD = parse_card(
    """---
scorehub:
  version: 1
  entry: model.py:Any
  accepts: {parts: [1, 2], region: {unit: measure, max: 3}}
  params:
    - {name: temperature, default: 1.0}
---
""",
    "echo",
)


def midi_bytes():
    """Two tracks of eight measures in 4/4, 96 ticks a quarter, a controller on every bar line."""
    song = mido.MidiFile(ticks_per_beat=96, type=1)
    for channel, pitch in ((0, 60), (1, 48)):
        track = mido.MidiTrack()
        track.append(mido.MetaMessage("track_name", name=f"line {channel}"))
        for beat in range(32):
            if beat % 4 == 0:
                track.append(mido.Message("control_change", channel=channel, control=1, value=beat))
            note = pitch + beat % 12
            track.append(mido.Message("note_on", channel=channel, note=note, velocity=70))
            track.append(mido.Message("note_off", channel=channel, note=note, time=96))
        song.tracks.append(track)
    out = io.BytesIO()
    song.save(file=out)
    return out.getvalue()


@pytest.fixture
def score():
    return hub.read_score(midi_bytes(), "song.mid")


class Scale(hub.Model):
    """Random quarter notes all over the region."""

    def inpaint(self, score, region, params):
        rng = params.rng()
        self.seen = score
        return hub.Notes.of(
            hub.Note(
                tick, score.ticks_per_quarter, int(rng.integers(50, 80)), 90, score.part_index(p)
            )
            for p in region.parts()
            for start, end in region.spans(p)
            for tick in range(start, end, score.ticks_per_quarter)
        )


class Slow(Scale):
    def inpaint(self, score, region, params):
        for step in range(4):
            yield hub.Progress(step / 4, f"step {step}")
        return super().inpaint(score, region, params)


class YieldsItsNotes(Scale):
    def inpaint(self, score, region, params):
        yield hub.Progress(0.5)
        yield super().inpaint(score, region, params)


class Batched(Scale):
    calls = 0

    def inpaint_batch(self, requests):
        self.calls += 1
        yield hub.Progress(0.5)
        return [self.inpaint(*request) for request in requests]


def region(score, text="3-4", parts=("P1",)):
    return hub.Region.measures(score, text, parts)


def messages(data, track):
    """(tick, bytes) of every message, by another library."""
    tick, found = 0, []
    for message in mido.MidiFile(file=io.BytesIO(data)).tracks[track]:
        tick += message.time
        found.append((tick, bytes(message.bin()) if not message.is_meta else str(message)))
    return found


def is_note(message):
    return isinstance(message[1], bytes) and message[1][0] & 0xE0 == 0x80


def test_the_model_sees_no_note_of_the_region_and_all_others(score):
    model = Scale(CARD)
    hub.inpaint(model, score, region(score), seed=1)
    seen = model.seen.notes_of("P1").onset
    assert not ((seen >= 2 * 384) & (seen < 4 * 384)).any()
    assert len(model.seen.notes) == len(score.notes) - 8
    assert model.seen.source is None


def test_outside_the_region_the_file_is_the_same(score):
    (take,) = hub.inpaint(Scale(CARD), score, region(score), seed=1)
    before, after = score.source.data, take.data
    assert messages(before, 1) == messages(after, 1)
    kept = [m for m in messages(before, 0) if not is_note(m)]
    assert kept == [m for m in messages(after, 0) if not is_note(m)]
    assert take.score.notes_of("P2") == score.notes_of("P2")
    assert take.score.notes == score.notes[~take.region.contains(score.notes, score)] + take.notes


def test_the_receipt_counts_and_says_so(score):
    (take,) = hub.inpaint(Scale(CARD), score, region(score), seed=1)
    receipt = take.receipt
    assert receipt.verified
    assert receipt.removed + receipt.unchanged == receipt.added + receipt.unchanged == 8
    assert receipt.outside == len(score.notes) - 8
    assert receipt.bytes_before == len(score.source.data)
    assert "outside the region nothing changed" in receipt.sentence()


def test_the_same_seed_gives_the_same_file_and_another_one_another(score):
    one, two = hub.inpaint(Scale(CARD), score, region(score), seed=5, n=2)
    assert (one.seed, two.seed) == (5, 6)
    assert one.data != two.data
    (again,) = hub.inpaint(Scale(CARD), score, region(score), seed=6)
    assert again.data == two.data


def test_without_a_seed_one_is_drawn_and_told(score):
    (take,) = hub.inpaint(Scale(CARD), score, region(score))
    (again,) = hub.inpaint(Scale(CARD), score, region(score), seed=take.seed)
    assert again.data == take.data


def test_writing_the_same_notes_again_changes_no_byte(score):
    class Copy(hub.Model):
        def inpaint(self, _, region, params):
            return score.notes[region.contains(score.notes, score)]

    (take,) = hub.inpaint(Copy(CARD), score, region(score), seed=1)
    assert take.data == score.source.data
    assert (take.receipt.removed, take.receipt.added, take.receipt.unchanged) == (0, 0, 8)


def test_a_model_cannot_reach_outside(score):
    class Vandal(hub.Model):
        def inpaint(self, score, region, params):
            everywhere = range(0, score.end, 96)
            return [hub.Note(t, 10_000, 100, 127, p) for t in everywhere for p in (0, 1)]

    (take,) = hub.inpaint(Vandal(CARD), score, region(score), seed=1)
    assert take.score.notes_of("P2") == score.notes_of("P2")
    assert take.notes.onset.min() == 2 * 384
    assert take.notes.end.max() <= 4 * 384
    assert any("outside" in line for line in take.log)


@pytest.mark.parametrize("kind", [Slow, YieldsItsNotes, Batched])
def test_other_ways_to_answer_give_the_same_notes(score, kind):
    takes = hub.inpaint(kind(CARD), score, region(score), seed=3, n=2)
    plain = hub.inpaint(Scale(CARD), score, region(score), seed=3, n=2)
    assert [t.data for t in takes] == [t.data for t in plain]


def test_a_batch_is_one_call_and_one_take_is_none(score):
    model = Batched(CARD)
    hub.inpaint(model, score, region(score), seed=3, n=4)
    assert model.calls == 1
    hub.inpaint(model, score, region(score), seed=3)
    assert model.calls == 1


def test_a_batch_of_the_wrong_size_is_refused(score):
    class Short(Scale):
        def inpaint_batch(self, requests):
            return []

    with pytest.raises(AnswerError, match="asked for 2 takes"):
        hub.inpaint(Short(CARD), score, region(score), n=2)


def test_progress_runs_over_all_takes(score):
    steps = list(stream(Slow(CARD), score, region(score), n=2, seed=0))
    fractions = [s.fraction for s in steps if isinstance(s, hub.Progress)]
    assert fractions == [0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875]
    assert [type(s) for s in steps].index(hub.Take) == 4


def test_cancel_stops_between_steps(score):
    cancel = threading.Event()
    steps = stream(Slow(CARD), score, region(score), n=3, seed=0, cancel=cancel)
    next(steps)
    cancel.set()
    with pytest.raises(CancelledError, match="Nothing was changed"):
        list(steps)


def test_closing_the_stream_closes_the_model(score):
    closed = []

    class Tidy(Scale):
        def inpaint(self, score, region, params):
            try:
                yield hub.Progress(0.1)
                yield hub.Progress(0.2)
            finally:
                closed.append(True)

    steps = stream(Tidy(CARD), score, region(score))
    next(steps)
    steps.close()
    assert closed == [True]


def test_a_deadline_is_kept_between_steps(score):
    with pytest.raises(DeadlineError, match="stopped after 0 seconds"):
        hub.inpaint(Slow(CARD), score, region(score), deadline_seconds=0)


def test_a_failing_model_is_a_sentence(score):
    class Broken(hub.Model):
        def inpaint(self, score, region, params):
            raise ZeroDivisionError("by zero")

    with pytest.raises(AnswerError, match=r"ZeroDivisionError.*Your score is unchanged"):
        hub.inpaint(Broken(CARD), score, region(score))


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("not even a message")


@pytest.mark.parametrize("error", [SystemExit(0), RecursionError(), MemoryError(), Mute()])
def test_nothing_a_model_raises_gets_out(score, error):
    class Broken(hub.Model):
        def inpaint(self, score, region, params):
            raise error

    with pytest.raises(AnswerError, match=type(error).__name__):
        hub.inpaint(Broken(CARD), score, region(score))


def test_what_a_model_says_names_no_folders(score):
    class Lost(hub.Model):
        def inpaint(self, score, region, params):
            Path("/home/ada/models/secret/table.txt").read_text()

    with pytest.raises(AnswerError, match=r"No such file .*'…/table.txt'") as caught:
        hub.inpaint(Lost(CARD), score, region(score))
    assert "ada" not in str(caught.value)


def test_one_take_cannot_touch_what_the_next_one_sees(score):
    class Meddler(Scale):
        def inpaint(self, score, region, params):
            self.saw = [*getattr(self, "saw", []), score.notes.pitch.sum()]
            with pytest.raises(ValueError, match="cannot set WRITEABLE"):
                score.notes.pitch.flags.writeable = True
            object.__setattr__(params, "seed", 999)
            return super().inpaint(score, region, params)

    model = Meddler(CARD)
    takes = hub.inpaint(model, score, region(score), n=2, seed=4)
    assert [take.seed for take in takes] == [4, 5]
    assert len(set(model.saw)) == 1


@pytest.mark.parametrize(
    ("request_changes", "error", "message"),
    [
        ({"parts": ("P9",)}, RegionError, 'no part "P9"'),
        ({"text": "1-4"}, AcceptError, "at most 3"),
        ({"params": {"temprature": 1}}, ParamError, "temperature"),
        ({"params": {"temperature": 9}}, ParamError, "from 0 to 2"),
        ({"n": 0}, ParamError, "Takes"),
        ({"n": 17}, ParamError, "from 1 to 16"),
        ({"seed": -1}, ParamError, "Seed"),
        ({"deadline_seconds": float("nan")}, ParamError, "Deadline"),
        ({"deadline_seconds": -1}, ParamError, "Deadline"),
    ],
)
def test_wrong_requests_never_reach_the_model(score, request_changes, error, message):
    class Untouched(hub.Model):
        def inpaint(self, score, region, params):
            pytest.fail("the model was called")

    changes = dict(request_changes)
    place = [changes.pop(k, d) for k, d in (("text", "3-4"), ("parts", ("P1",)))]
    with pytest.raises(error, match=message):
        hub.inpaint(Untouched(CARD), score, region(score, *place), **changes)


def test_a_score_without_a_file_has_takes_without_one(score):
    bare = score.with_notes(score.notes)
    (take,) = hub.inpaint(Scale(CARD), bare, region(bare), seed=1)
    assert take.data is None
    assert not take.receipt.verified
    assert len(take.score.notes) == len(bare.notes)


def test_hidden_notes_are_unseen_and_stay(score):
    model = Scale(CARD)
    hide = (hub.Box(start=0, end=2, part="P2"),)
    (take,) = hub.inpaint(model, score, replace(region(score), hide=hide), seed=1)
    assert model.seen.notes_of("P2").onset.min() == 2 * 384
    assert take.score.notes_of("P2") == score.notes_of("P2")


def test_a_model_that_reads_the_region_sees_it(score):
    wanted = region(score).resolve(score)
    assert blank(score, wanted, reads_region=True).notes == score.notes


def test_names_say_what_a_take_is(score):
    (take,) = hub.inpaint(Scale(CARD), score, region(score, "1,3-4"), seed=42)
    assert take.file_stem("echo") == "song.m1,3-4.echo.seed42"
    assert measures_text(score, region(score, "2").resolve(score)) == "2"


def test_names_fit_into_a_file_system(score):
    long = hub.read_score(midi_bytes(), "é" * 200 + ".mid")
    (take,) = hub.inpaint(Scale(CARD), long, region(long), seed=1)
    assert len(take.file_stem("echo").encode()) < 200
    assert take.file_stem("echo").startswith("éé")


def test_a_card_that_does_not_fit_its_class():
    with pytest.raises(LoadError, match="defines no setup"):
        hub.Model(replace(CARD, init={"hidden": 3}))

    class Sized(hub.Model):
        def setup(self, size):
            self.size = size

    assert Sized(replace(CARD, init={"size": 3})).size == 3
    with pytest.raises(LoadError, match="does not fit Sized.setup"):
        Sized(replace(CARD, init={"width": 3}))


def test_notes_and_receipt_tell_what_the_file_could_hold(score):
    """In MIDI a held note ends where the same key is struck again; a take says so."""

    class Held(hub.Model):
        def inpaint(self, score, region, params):
            start, end = region.spans("P1")[0]
            return [hub.Note(start, end - start, 60), hub.Note(start + 96, 96, 60)]

    (take,) = hub.inpaint(Held(CARD), score, region(score), seed=1)
    assert [(n.onset - 768, n.duration) for n in take.notes] == [(0, 96), (96, 96)]
    assert take.receipt.added + take.receipt.unchanged == 2
    assert "already sounding" in take.log[-1]
    assert take.score.notes_of("P1")[8:10] == take.notes
