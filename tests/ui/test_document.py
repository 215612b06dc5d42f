"""The history of a score: versions, branches, takes that wait, bounds, and the session's file."""

from __future__ import annotations

import io
import json
import random
import zipfile

import numpy as np
import pytest

import hub
from hub import edits
from hub.card import parse_card
from hub.errors import FileError, RegionError
from hub.formats import Edit
from hub.ui import document as documents
from hub.ui import session_file
from hub.ui.document import Document
from tests.midi_files import END, smf

BEATS = b"".join(
    b"\x00\x90" + bytes([pitch, 80]) + b"\x60\x80" + bytes([pitch, 64]) for pitch in range(60, 68)
)
CARD = parse_card("---\nscorehub:\n  version: 1\n  entry: model.py:X\n---\n", "x")


class Dice(hub.Model):
    """Four notes that the seed decides."""

    def inpaint(self, score, region, params):
        start, chance = region.boxes[0].start_tick, params.rng()
        return [hub.Note(start + 96 * k, 96, int(chance.integers(40, 80))) for k in range(4)]


def opened() -> Document:
    return Document.open(hub.read_score(smf(BEATS + END), "tune.mid"))


def takes_of(document: Document, n: int = 3, measures: str = "2") -> list[hub.Take]:
    score = document.score
    return hub.inpaint(Dice(CARD), score, hub.Region.measures(score, measures), n=n, seed=5)


def higher(document: Document, row: int, semitones: int = 12) -> Document:
    return document.edit(edits.moved(document.score, [row], semitones=semitones))


def test_edits_are_undone_and_redone_to_the_very_bytes() -> None:
    start = opened()
    one = higher(start, 0)
    two = higher(one, 1)
    assert two.undo().node.data == one.node.data
    assert two.undo().undo().node.data == start.node.data
    assert two.undo().undo().score.notes == start.score.notes
    assert two.undo().undo().undo().current == documents.ROOT
    again = two.undo().undo().redo().redo()
    assert again.current == two.current and not again.can_redo
    assert again.redo() is again
    assert start.score.notes[0].pitch == 60


def test_another_edit_after_an_undo_begins_a_branch() -> None:
    one = higher(opened(), 0)
    left, right = higher(one, 1), higher(higher(one, 1).undo(), 2)
    assert right.branches == (left.current, right.current)
    assert right.undo().redo().current == right.current
    back = right.go_to(left.current)
    assert back.undo().redo().current == left.current
    assert [node.number for node in back.way] == [0, one.current, left.current]


def test_an_edit_that_changes_nothing_makes_no_version() -> None:
    start = opened()
    assert start.edit(edits.moved(start.score, [0])).current == start.current


def test_an_edit_drawn_on_an_older_version_finds_its_notes() -> None:
    start = opened()
    drawn = edits.moved(start.score, [3], semitones=12)
    one = start.edit(edits.removal(start.score, [0]))
    two = one.edit(drawn, revision=start.current)
    assert sorted(two.score.notes.pitch.tolist()) == [61, 62, 64, 65, 66, 67, 75]
    with pytest.raises(RegionError, match="does not exist any more"):
        one.edit(edits.removal(start.score, [0]), revision=start.current)
    with pytest.raises(RegionError, match="not here any more"):
        one.edit(drawn, revision=99)


def test_a_kept_take_is_the_models_very_file() -> None:
    start = opened()
    takes = takes_of(start)
    waiting = start.with_takes(takes, model="dice", params={"heat": 1.0})
    assert [take.seed for take in waiting.takes] == [5, 6, 7]
    number = waiting.takes[1].number
    assert waiting.audition(number).notes == takes[1].score.notes
    kept = waiting.keep(number)
    assert kept.node.data == takes[1].data
    assert kept.node.kind == "take"
    assert kept.node.detail["seed"] == 6 and kept.node.detail["model"] == "dice"
    assert kept.node.detail["receipt"] == takes[1].receipt.to_json()
    assert kept.takes == () and len(kept.undo().takes) == 2


def test_each_kept_take_is_a_branch() -> None:
    waiting = opened().with_takes(takes_of(opened()))
    first, second = (take.number for take in waiting.takes[:2])
    both = waiting.keep(first).keep(second)
    assert len(both.branches) == 2
    assert both.node.parent == documents.ROOT
    assert len(both.waiting) == 1


def test_a_discarded_take_is_gone() -> None:
    waiting = opened().with_takes(takes_of(opened()))
    number = waiting.takes[0].number
    assert number not in [take.number for take in waiting.discard(number).waiting]
    for act in ("keep", "discard", "audition"):
        with pytest.raises(RegionError, match="not here any more"):
            getattr(waiting.discard(number), act)(number)


def test_equal_files_are_held_once() -> None:
    start = opened()
    there = higher(start, 0)
    back = higher(there, 0, -12)
    assert back.node.data == start.node.data
    assert back.size_bytes <= there.size_bytes + 1 or back.node.data is start.node.data


def test_takes_go_first_when_there_is_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_TAKES", 4)
    start = opened()
    many = start.with_takes(takes_of(start)).with_takes(takes_of(start))
    assert [take.seed for take in many.waiting] == [7, 5, 6, 7]
    assert many.notices == ("To save memory, the oldest 2 takes that were not kept went.",)


def test_then_the_oldest_versions_but_never_the_opened_or_the_current(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(documents, "MAX_NODES", 4)
    other = higher(opened(), 7).undo()
    document = other
    for row in range(5):
        document = higher(document, row)
    assert len(document.nodes) == 4
    assert documents.ROOT in document.nodes and document.current in document.nodes
    assert document.branches == (document.current,)
    assert "version of the score went" in document.notices[0]
    back = document
    while back.can_undo:
        back = back.undo()
    assert back.node.data == other.node.data
    while back.can_redo:
        back = back.redo()
    assert back.current == document.current


def test_bytes_are_bounded() -> None:
    document = opened()
    for row in range(8):
        document = higher(document, row)
    size = len(document.node.data)
    small = document.within(3 * size + 10)
    assert small.size_bytes <= 3 * size + 10
    assert small.score.notes == document.score.notes


def test_a_score_without_a_file_is_opened_as_midi() -> None:
    score = opened().score.with_notes(opened().score.notes)
    document = Document.open(score)
    assert document.score.notes == score.notes
    assert higher(document, 0).can_undo


# ----------------------------------------------------------------------------- the session's file


def long_session() -> Document:
    start = opened()
    document = start.with_takes(takes_of(start), model="dice", params={"heat": [1, 2]})
    document = document.keep(document.takes[2].number)
    document = higher(higher(document, 0).undo(), 1)
    return document.with_takes(takes_of(document, n=1))


def test_a_session_comes_back_whole() -> None:
    before = long_session()
    data = session_file.to_bytes(before)
    assert session_file.is_session(data)
    after = session_file.from_bytes(data)
    assert after.nodes == before.nodes
    assert (after.current, after.forward) == (before.current, before.forward)
    assert after.waiting == before.waiting
    assert after.score.notes == before.score.notes
    assert session_file.to_bytes(after) == data
    number = after.takes[0].number
    assert after.keep(number).node.data == before.keep(number).node.data


def test_what_was_converted_stays_so() -> None:
    abc = hub.read_score(b"X:1\nT:Tune\nM:4/4\nL:1/4\nK:C\nCDEF|GABc|\n", "tune.abc")
    back = session_file.from_bytes(session_file.to_bytes(Document.open(abc)))
    assert back.score.source.converted_from == "abc"
    assert higher(back, 0).score.source.converted_from == "abc"


def tampered(change) -> bytes:
    """A session whose index was changed by hand."""
    data = session_file.to_bytes(long_session())
    archive = zipfile.ZipFile(io.BytesIO(data))
    index = json.loads(archive.read("session.json"))
    change(index)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as fresh:
        fresh.writestr("session.json", json.dumps(index))
        for info in archive.infolist()[1:]:
            fresh.writestr(info.filename, archive.read(info))
    return out.getvalue()


@pytest.mark.parametrize(
    "change",
    [
        lambda i: i.pop("nodes"),
        lambda i: i.update(current=77),
        lambda i: i.update(current="0"),
        lambda i: i.update(next=1),
        lambda i: i.update(name=3),
        lambda i: i.update(name="x" * 300),
        lambda i: i.update(convertedFrom="pickle"),
        lambda i: i.update(forward=[[0, 99]]),
        lambda i: i.update(forward={}),
        lambda i: i.update(nodes=[]),
        lambda i: i.update(kind="other"),
        lambda i: i["nodes"].append(i["nodes"][0]),
        lambda i: i["nodes"][1].update(parent=None),
        lambda i: i["nodes"][1].update(parent=i["nodes"][1]["number"]),
        lambda i: i["nodes"][1].update(parent=99),
        lambda i: i["nodes"][1].update(file=99),
        lambda i: i["nodes"][1].update(file=-1),
        lambda i: i["nodes"][1].update(kind="exec"),
        lambda i: i["nodes"][1].update(label=["x"]),
        lambda i: i["nodes"][1].update(madeAt=float("nan")),
        lambda i: i["nodes"][1].update(detail=[]),
        lambda i: i["takes"][0].update(node=99),
        lambda i: i["takes"][0].update(region={"boxes": []}),
        lambda i: i["takes"][0].update(number=0),
        lambda i: i["takes"][0]["notes"].update(pitch=[1]),
        lambda i: i["takes"][0]["notes"].update(pitch=[1.5] * 4),
        lambda i: i["takes"][0]["notes"].update(onset=[-1] * 4),
        lambda i: i["takes"][0]["notes"].pop("voice"),
        lambda i: i.update(takes=[i["takes"][0]] * 500),
    ],
)
def test_a_changed_session_is_refused_in_a_sentence(change) -> None:
    with pytest.raises(FileError, match=r"\.$"):
        session_file.from_bytes(tampered(change))


def test_another_version_says_so() -> None:
    with pytest.raises(FileError, match="another version"):
        session_file.from_bytes(tampered(lambda index: index.update(version=2)))


def test_a_name_brings_no_folder_along() -> None:
    back = session_file.from_bytes(tampered(lambda index: index.update(name="../../etc\\x\n.mid")))
    assert back.name == "x.mid"


def test_takes_with_impossible_notes_are_refused_when_kept() -> None:
    back = session_file.from_bytes(
        tampered(lambda index: index["takes"][0]["notes"].update(pitch=[500] * 4))
    )
    with pytest.raises(RegionError, match="pitch outside"):
        back.keep(back.waiting[0].number)


def zipped(*entries: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        zipped(("a", b"")),
        zipped(("session.json", b"[" * 100_000)),
        zipped(("session.json", b"{}"), ("../../x", b"x")),
        zipped(("session.json", b"NaN")),
        zipped(("session.json", b"\xff\xfe\x00")),
        zipped(*((f"files/{n}", b"x") for n in range(300))),
        zipped(("session.json", bytes(40 << 20))),
        zipped(("session.json", b"{}"), ("files/0", bytes(60 << 20))),
    ],
    ids=range(10),
)
def test_what_is_no_session_is_refused(data: bytes) -> None:
    with pytest.raises(FileError, match=r"\.$"):
        session_file.from_bytes(data)


def test_damage_anywhere_gives_a_sentence() -> None:
    data = session_file.to_bytes(long_session())
    chance = random.Random(3)
    for _ in range(300):
        broken = bytearray(data)
        for _ in range(chance.randint(1, 6)):
            broken[chance.randrange(len(data))] = chance.randrange(256)
        try:
            session_file.from_bytes(
                bytes(broken[: chance.choice([len(data), chance.randrange(len(data))])])
            )
        except FileError as error:
            assert str(error).endswith(".")


def test_an_edit_by_hand_makes_small_sessions() -> None:
    document = opened()
    for row in range(8):
        document = document.edit(
            Edit(removed=np.array([], int), added=hub.Notes.of([(96 * row, 48, 90)]))
        )
    assert len(session_file.to_bytes(document)) < 9_000
