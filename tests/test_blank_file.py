"""What leaves the house: the user's file without a trace of the notes that nobody may see."""

from __future__ import annotations

import numpy as np
import pytest

import hub
from hub import formats
from hub.blank_file import blank_file, renumbered
from hub.card import parse_card
from hub.errors import SpliceError
from hub.model import prepare
from hub.region import Box, Kept, Region
from hub.score import Notes, Score, Source
from tests import tiny_models

CARD = "scorehub: {version: 1, entry: 'model.py:Curious'}\n"


def unseen(score: Score, region: Region) -> np.ndarray:
    return region.contains(score.notes, score) | region.hides(score.notes, score)


def blanked(score: Score, region: Region) -> tuple[Region, Source, Score]:
    region = region.resolve(score)
    source = blank_file(score, region, unseen(score, region))
    return region, source, formats.read_score(source.data, source.name)


def tune() -> Score:
    return formats.read_score(tiny_models.tune_bytes(), "my own tune.mid")


def xml() -> Score:
    return formats.read_score(hub.write_score(tune(), "musicxml"), "my own tune.musicxml")


def mxl() -> Score:
    return formats.read_score(hub.write_score(tune(), "mxl"), "my own tune.mxl")


@pytest.mark.parametrize("make", [tune, tiny_models.tune, xml, mxl])
@pytest.mark.parametrize("measures", ["3-4", "1-2", "12", "1-12"])
@pytest.mark.parametrize("parts", [["P1"], ["P2"], ["P3", "P1"], ["P1", "P2", "P3"]])
def test_all_but_the_unseen_notes_is_there(make, measures: str, parts: list[str]) -> None:
    score = make()
    region, source, sent = blanked(score, Region.measures(score, measures, parts))
    places = source.index
    assert [score.parts[p].name for p in places.parts] == [part.name for part in sent.parts]
    assert set(range(len(score.parts))) <= set(places.parts)
    assert [(m.start, m.length) for m in sent.measures] == [
        (m.start, m.length) for m in score.measures
    ]
    notes = renumbered(sent.notes, places.parts)
    inside = region.contains(notes, score)
    kept = score.notes[~unseen(score, region)]
    assert sorted(notes[~inside]) == sorted(kept)
    assert int(inside.sum()) <= len(parts) + 1  # placeholders
    assert source.name.startswith("score.") and b"my own" not in source.data


def test_a_placeholder_says_nothing_of_the_notes_that_were_there() -> None:
    score = tune()
    region, source, sent = blanked(score, Region.measures(score, "1-12", ["P1"]))
    left = sent.notes[region.contains(renumbered(sent.notes, source.index.parts), score)]
    others = score.with_notes(score.notes.replace(pitch=score.notes.pitch + 1))
    other = formats.read_score(hub.write_score(others, "midi"), "x.mid")
    _, again, sent_again = blanked(other, Region.measures(other, "1-12", ["P1"]))
    assert len(left) == 1
    assert sent_again.notes[sent_again.notes.part == 0] == sent.notes[sent.notes.part == 0]
    assert again.index == source.index


def test_hidden_notes_go_as_well() -> None:
    score = tune()
    region = Region.measures(score, "3", ["P1"])
    hide = (Box(start=0, end=12, part="P2"),)
    region, source, sent = blanked(score, Region(boxes=region.boxes, hide=hide))
    left = [n for n in renumbered(sent.notes, source.index.parts) if n.part == 1]
    assert len(left) <= 1  # a placeholder keeps the part
    assert len(sent.parts) == 3


def test_kept_notes_stay() -> None:
    score = tune()
    first = score.notes_of("P1")[0]
    region = Region(
        boxes=(Box(start=0, end=12, part="P1"),), keep=(Kept("P1", first.onset, first.pitch),)
    )
    _, _, sent = blanked(score, region)
    assert (first.onset, first.pitch) in {(n.onset, n.pitch) for n in sent.notes if n.part == 0}


def test_parts_of_one_track_keep_their_places_when_the_first_note_goes() -> None:
    """In a file of type 0 parts are numbered by their first notes; those of measure 1 go."""
    data = bytearray(b"MThd\0\0\0\6\0\0\0\1\0\x60MTrk")
    events = b""
    for _ in range(8):  # two channels, a note in each every quarter
        events += b"\0\x90\x3c\x40\0\x91\x30\x40\x60\x80\x3c\0\0\x81\x30\0"
    events += b"\0\xff\x2f\0"
    score = formats.read_score(bytes(data) + len(events).to_bytes(4, "big") + events, "a.mid")
    assert [part.channel for part in score.parts] == [0, 1]
    _, source, sent = blanked(score, Region.measures(score, "1", ["P1"]))
    assert [sent.parts[i].channel for i in range(2)] == [
        score.parts[p].channel for p in source.index.parts
    ]
    assert len(renumbered(sent.notes, source.index.parts)) in (12, 13)


def test_a_score_without_a_file_of_its_own_may_have_silent_parts_and_any_ids() -> None:
    made = tiny_models.tune()
    score = Score(
        ticks_per_quarter=480,
        parts=(hub.Part(id="violin", name="V"), hub.Part(id="silence", name="S"),
               hub.Part(id="bass", name="B")),
        measures=made.measures,
        notes=Notes.of((n.onset, n.duration, n.pitch, 80, 2 * n.part)
                       for n in made.notes if n.part < 2),
    )  # fmt: skip
    _, source, sent = blanked(score, Region.measures(score, "2", ["bass"]))
    assert source.format == "midi" and source.index.parts == (0, 2)
    assert len(sent.parts) == 2


def test_an_archive_is_opened_since_it_may_hold_a_picture_of_the_notes() -> None:
    _, source, _ = blanked(mxl(), Region.measures(mxl(), "3", ["P1"]))
    assert source.format == "musicxml" and source.name == "score.musicxml"
    assert not source.data.startswith(b"PK")


def test_a_model_that_wants_a_file_gets_the_blanked_one() -> None:
    class Curious(hub.Model):
        wants_file = True

    model = Curious(parse_card(f"---\n{CARD}---\nProse.\n", "curious"))
    score = tune()
    (request,) = prepare(model, score, Region.measures(score, "3-4", ["P1"]), seed=1)
    assert request.score.source is not None
    sent = formats.read_score(request.score.source.data)
    assert sent.notes == request.score.notes and len(sent.notes) < len(score.notes)


def test_what_cannot_be_said_in_a_file_is_refused() -> None:
    """60,000 ticks a quarter are more than MIDI counts, so the file would be another score."""
    made = tiny_models.tune()
    score = Score(
        ticks_per_quarter=480 * 125, parts=made.parts, notes=made.notes,
        measures=(hub.Measure(number="1", start=0, length=240_000),),
    )  # fmt: skip
    with pytest.raises(SpliceError, match="cannot be sent to a model elsewhere"):
        blanked(score, Region.measures(score, "1", ["P1"]))
