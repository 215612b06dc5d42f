"""What every bundled model must keep: the same tests over every folder in models/."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import mido
import pytest

import hub
from hub.accepts import check_request
from hub.errors import AcceptError, ScorehubError
from hub.folder import example_path, find
from hub.score import Measure, Part

PROJECT = Path(__file__).resolve().parents[2]
FOLDERS = list(find(PROJECT / "models"))
MAX_WEIGHTS_BYTES = 30_000_000
UNSAFE = {".bin", ".pt", ".pth", ".pkl", ".ckpt", ".npy", ".npz", ".zip", ".tar"}


@pytest.fixture(scope="module", params=FOLDERS, ids=lambda path: path.name)
def model(request) -> hub.Model:
    return hub.load(request.param)


@pytest.fixture(scope="module")
def scores(model) -> list[hub.Score]:
    """The model's own examples."""
    return [hub.open_score(example_path(model.folder, e)) for e in model.card.examples]


def fitting(model: hub.Model, score: hub.Score) -> Iterator[hub.Region]:
    """Regions the card declares it can do: short, middle and longest ones, at the start, middle
    and end, in each part."""
    accepts = model.card.accepts
    count = len(score.measures)
    longest = min(accepts.most or 4, count)
    lengths = {accepts.least, accepts.least + 1, 4, (accepts.least + longest) // 2, longest}
    for part in score.parts:
        for length in sorted(n for n in lengths if accepts.least <= n <= longest):
            for start in sorted({0, 1, (count - length) // 2, count - length}):
                box = hub.Box(start=start, end=start + length, part=part.id)
                region = hub.Region(boxes=(box,))
                try:
                    check_request(accepts, score, region.resolve(score))
                except ScorehubError:
                    continue
                yield region


def outside_events(data: bytes, region: hub.Region, score: hub.Score) -> list[Counter[object]]:
    """Per track, every event with its tick, less the notes that the region holds (by mido)."""
    channels = {p.channel: region.spans(p.id) for p in score.parts if p.id in region.parts()}
    tracks = []
    for track in mido.MidiFile(file=io.BytesIO(data)).tracks:
        tick, events = 0, Counter()
        sounding: dict[tuple[int, int], list[bool]] = {}
        for message in track:
            tick += message.time
            if message.type not in ("note_on", "note_off"):
                if message.type != "end_of_track":
                    events[(tick, str(message.copy(time=0)))] += 1
                continue
            key = (message.channel, message.note)
            if message.type == "note_on" and message.velocity:
                spans = channels.get(message.channel, [])
                sounding.setdefault(key, []).append(any(a <= tick < b for a, b in spans))
                inside = sounding[key][-1]
            else:
                inside = sounding[key].pop(0) if sounding.get(key) else False
            if not inside:
                events[(tick, key, message.type, message.velocity)] += 1
        tracks.append(events)
    return tracks


def test_there_are_models():
    assert FOLDERS


def test_the_folder_is_complete_and_small(model):
    assert model.card.missing_to_publish() == []
    assert model.card.examples
    names = {path.suffix for path in model.folder.rglob("*") if path.is_file()}
    assert not names & UNSAFE
    weights = model.folder / "model.safetensors"
    assert not weights.exists() or weights.stat().st_size < MAX_WEIGHTS_BYTES


def test_every_example_fits_its_card(model, scores):
    for example, score in zip(model.card.examples, scores, strict=True):
        assert next(fitting(model, score), None) is not None, example.file
        if example.measures:
            region = hub.Region.measures(score, example.measures, example.parts or None)
            check_request(model.card.accepts, score, region.resolve(score))


def test_declared_regions_are_honoured_and_nothing_else_changes(model, scores):
    for score in scores:
        for region in fitting(model, score):
            (take,) = hub.inpaint(model, score, region, seed=11)
            inside = take.region.contains(take.notes, score)
            assert inside.all()
            assert take.receipt.verified
            stays = score.notes[~take.region.contains(score.notes, score)]
            again = take.score.notes[~take.region.contains(take.score.notes, take.score)]
            assert stays == again
            if score.source.format == "midi":
                before = outside_events(score.source.data, take.region, score)
                assert before == outside_events(take.data, take.region, score)


def test_the_same_seed_gives_the_same_notes_and_others_differ(model, scores):
    score = scores[0]
    region = next(fitting(model, score))
    one, again = (hub.inpaint(model, score, region, seed=7)[0] for _ in range(2))
    assert one.data == again.data
    takes = hub.inpaint(model, score, region, seed=7, n=4)
    assert takes[0].data == one.data
    assert len({take.data for take in takes}) > 1


def test_new_notes_keep_the_card_s_limits(model, scores):
    low, high = model.card.accepts.pitch
    written = 0
    for score in scores:
        for take in hub.inpaint(model, score, next(fitting(model, score)), seed=3, n=3):
            assert ((take.notes.pitch >= low) & (take.notes.pitch <= high)).all()
            written += len(take.notes)
    assert written


def test_every_control_may_be_moved_to_its_ends(model, scores):
    score = scores[0]
    region = next(fitting(model, score))
    for spec in model.card.params:
        for value in (spec.minimum, spec.maximum, *spec.choices):
            if value is not None:
                hub.inpaint(model, score, region, {spec.name: value}, seed=1)


def refused(model: hub.Model, score: hub.Score, region: hub.Region) -> str:
    with pytest.raises(AcceptError) as caught:
        hub.inpaint(model, score, region, seed=1)
    return str(caught.value)


def lone_part(meter: tuple[int, int], part: Part, notes: hub.Notes, count: int = 24) -> hub.Score:
    length = 480 * 4 * meter[0] // meter[1]
    measures = tuple(
        Measure(
            number=str(i + 1), start=i * length, length=length, beats=meter[0], beat_type=meter[1]
        )
        for i in range(count)
    )
    return hub.Score(ticks_per_quarter=480, parts=(part,), measures=measures, notes=notes)


def test_requests_outside_the_card_are_refused_with_a_sentence(model, scores):
    accepts, score = model.card.accepts, scores[0]
    melody = Part(id="P1", name="Melody")
    empty = hub.Notes.empty()
    meter = tuple(map(int, accepts.meters[0].split("/"))) if accepts.meters else (4, 4)
    one = hub.Region(boxes=(hub.Box(start=0, end=max(1, accepts.least), part="P1"),))
    if accepts.meters:
        assert "5/16" in refused(model, lone_part((5, 16), melody, empty), one)
    if accepts.drums == "no":
        kit = Part(id="P1", name="Kit", is_drums=True)
        assert "drum" in refused(model, lone_part(meter, kit, empty), one)
    if accepts.is_monophonic:
        chord = hub.Notes.of([(0, 480, 60), (0, 480, 64)])
        assert "at once" in refused(model, lone_part(meter, melody, chord), one)
    if accepts.most:
        long = hub.Region(boxes=(hub.Box(start=0, end=accepts.most + 1, part="P1"),))
        assert "at most" in refused(model, lone_part(meter, melody, empty, accepts.most + 1), long)
    if accepts.unit == "measure":
        part = score.parts[0].id
        box = hub.Box(start=1, end=score.measures[1].end, unit="ticks", part=part)
        assert "bar line" in refused(model, score, hub.Region(boxes=(box,)))
    if not accepts.beyond_end:
        past = hub.Region(boxes=(hub.Box(start=30, end=31, part="P1"),))
        assert "after the end" in refused(model, lone_part(meter, melody, empty), past)
