"""Files that come back: only the score that was sent, with other notes in the region, is taken."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

import hub
from hub import formats
from hub.errors import IntegrityError
from hub.model import Model, prepare
from hub.region import Box, Region
from hub.remote.reply import Sent, new_notes
from hub.score import Note, Notes, Score
from tests import tiny_models
from tests.remote.hostile_app import ECHO

PLACE = "space:alice/echo"


class Elsewhere(Model):
    wants_file = True


def sent_for(score: Score, region: Region) -> Sent:
    model = Elsewhere(hub.load(ECHO).card)
    (request,) = prepare(model, score, region, seed=1)
    return Sent(score=request.score, region=request.region)


def tune(kind: str = "midi") -> Score:
    return formats.read_score(hub.write_score(tiny_models.tune(), kind), "my tune")


def with_notes(sent: Sent, rows: list[Note]) -> bytes:
    """What an honest app returns: the file that it got, with these notes."""
    file = sent.file
    region = Region.from_json(sent.region_json()).resolve(file)
    removed = np.flatnonzero(region.contains(file.notes, file))
    return formats.splice(file, formats.Edit(removed=removed, added=Notes.of(rows)))


@pytest.mark.parametrize("kind", ["midi", "musicxml"])
def test_the_notes_in_the_region_are_taken(kind: str) -> None:
    sent = sent_for(tune(kind), Region.measures(tune(kind), "3", ["P1"]))
    beat = sent.score.ticks_per_quarter
    rows = [Note(8 * beat, beat, 65, 80, 0), Note(9 * beat, beat // 2, 66, 80, 0)]
    assert [n[:3] for n in new_notes(with_notes(sent, rows), sent, PLACE)] == [n[:3] for n in rows]


def test_no_notes_are_an_answer_too() -> None:
    sent = sent_for(tune(), Region.measures(tune(), "3", ["P1"]))
    assert len(new_notes(with_notes(sent, []), sent, PLACE)) == 0


def test_a_part_may_fall_silent() -> None:
    """Then MIDI counts the parts behind it anew; they are still told apart."""
    score = tune()
    sent = sent_for(score, Region(boxes=(Box(start=0, end=8, part="P1"),
                                         Box(start=0, end=8, part="P2"))))  # fmt: skip
    whole = sent_for(
        formats.read_score(formats.splice(score, formats.Edit(
            removed=np.flatnonzero((score.notes.part == 0) & (score.notes.onset >= 8 * 1920)),
            added=Notes.empty()))),
        sent.region,
    )  # fmt: skip
    assert len(whole.file.parts) == 3  # by a placeholder
    data = with_notes(whole, [Note(0, 480, 70, 80, 1)])
    assert len(formats.read_score(data).parts) == 2
    assert [(*n[:3], n.part) for n in new_notes(data, whole, PLACE)] == [(0, 480, 70, 1)]


def changed(score: Score, edit: Callable[[list[Note]], list[Note]]) -> bytes:
    rows = edit(list(score.notes))
    return hub.write_score(replace(score, notes=Notes.of(rows)), "midi")


def zip_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/container.xml", b"<container/>")
        archive.writestr("score.musicxml", b"\0" * (80 << 20))
    return out.getvalue()


def many_notes(count: int) -> bytes:
    events = b"\0\x90\x3c\x40\1\x80\x3c\0" * count + b"\0\xff\x2f\0"
    head = b"MThd\0\0\0\6\0\0\0\1\x01\xe0MTrk"
    return head + len(events).to_bytes(4, "big") + events


HTML = b"<!doctype html><script>alert(1)</script>"
BILLION = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>
<score-partwise><part-list/>&b;</score-partwise>"""


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "no MIDI"),
        (HTML, "no MIDI"),
        (b"PK\x03\x04 and no more", "no MIDI"),
        (zip_bomb(), "no MIDI"),
        (hub.write_score(tiny_models.tune(), "musicxml"), "no MIDI"),
        (b"X:1\nK:C\nCDEF|\n", "no MIDI"),
        (b"\x80\x04\x95pickle", "no MIDI"),
        (b"MThd", "refused"),
        (b"MThd\0\0\0\6\0\1\0\1\x01\xe0MTrk\xff\xff\xff\xff", "refused"),
        (many_notes(600_000), "notes; at most 500,000"),
        (b"MThd" + b"\0" * (17 << 20), "bytes; at most"),
        (many_notes(3), "another score"),
        (tiny_models.tune_bytes(5), "another score"),
    ],
    ids=lambda value: value if isinstance(value, str) else len(value),
)
def test_anything_else_is_refused_with_a_sentence(data: bytes, sentence: str) -> None:
    sent = sent_for(tune(), Region.measures(tune(), "3", ["P1"]))
    with pytest.raises(IntegrityError, match=sentence) as caught:
        new_notes(data, sent, PLACE)
    assert str(caught.value).startswith(PLACE) and "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [BILLION, HTML, zip_bomb(), tiny_models.tune_bytes()])
def test_musicxml_gets_musicxml_back_or_nothing(data: bytes) -> None:
    sent = sent_for(tune("musicxml"), Region.measures(tune(), "3", ["P1"]))
    with pytest.raises(IntegrityError):
        new_notes(data, sent, PLACE)


@pytest.mark.parametrize(
    "edit",
    [
        lambda rows: rows[1:],
        lambda rows: [*rows, Note(0, 480, 90, 80, 2)],
        lambda rows: [rows[0]._replace(pitch=1), *rows[1:]],
        lambda rows: [row._replace(onset=row.onset + 1) for row in rows],
        lambda rows: [row for row in rows if row.part != 1],
    ],
)
def test_a_score_that_differs_outside_the_region_is_refused(
    edit: Callable[[list[Note]], list[Note]],
) -> None:
    sent = sent_for(tune(), Region.measures(tune(), "3", ["P1"]))
    with pytest.raises(IntegrityError, match="another score"):
        new_notes(changed(sent.file, edit), sent, PLACE)


def test_other_ticks_are_another_score() -> None:
    sent = sent_for(tune(), Region.measures(tune(), "3", ["P1"]))
    data = bytearray(with_notes(sent, []))
    data[12:14] = (960).to_bytes(2, "big")
    with pytest.raises(IntegrityError, match="another score"):
        new_notes(bytes(data), sent, PLACE)


def test_more_parts_than_were_sent_are_refused() -> None:
    sent = sent_for(tune(), Region.measures(tune(), "3", ["P1"]))
    more = replace(
        sent.file,
        parts=(*sent.file.parts, hub.Part(id="P4", name="New", channel=5)),
        notes=sent.file.notes + Notes.of([Note(3840, 480, 60, 80, 3)]),
    )
    with pytest.raises(IntegrityError, match="another score"):
        new_notes(hub.write_score(more, "midi"), sent, PLACE)
