"""Piano roll: the data, and the picture drawn from it."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from hub.errors import PreviewError
from hub.preview import roll
from hub.region import Box, Region
from hub.score import Measure, Notes, Part, Score

SVG = "{http://www.w3.org/2000/svg}"
MEASURES = tuple(Measure(number=str(i + 1), start=i * 96, length=96) for i in range(8))
REGION = Region(boxes=(Box(start=2, end=4, part="P1"),))


def score_of(rows: list[tuple[int, ...]], name: str = "Flute") -> Score:
    parts = (Part(id="P1", name=name), Part(id="P2", name="Drums", is_drums=True))
    return Score(ticks_per_quarter=24, parts=parts, measures=MEASURES, notes=Notes.of(rows))


LINE = score_of([(i * 24, 24, 60 + i % 12, 80, 0) for i in range(32)])


def rectangles(svg: str, kind: str) -> list[ElementTree.Element]:
    """Rectangles of a class, without the legend's (they are the last of their class)."""
    found = [r for r in ElementTree.fromstring(svg).iter(f"{SVG}rect") if r.get("class") == kind]
    return found[:-1] if kind != "region" else found


def test_the_data_is_json_and_only_of_the_window() -> None:
    data = roll.note_data(LINE, measures=(2, 4), region=REGION, changed_rows=[9, 10])
    assert json.loads(json.dumps(data)) == data
    assert data["window"] == [192, 384]
    assert data["measures"] == {"index": [2, 3], "start": [192, 288], "number": ["3", "4"]}
    flute, drums = data["parts"]
    assert flute["row"] == list(range(8, 16)) and drums["row"] == []
    assert flute["onset"] == [i * 24 for i in range(8, 16)]
    assert [r for r, s in zip(flute["row"], flute["state"], strict=True) if s == "new"] == [9, 10]
    assert data["boxes"] == [{"part": "P1", "start": 192, "end": 384, "low": 0, "high": 127}]


def test_what_was_removed_comes_from_the_other_score() -> None:
    before = LINE.with_notes(LINE.notes.replace(pitch=LINE.notes.pitch + 20))
    data = roll.note_data(LINE, measures=(2, 4), removed=before, removed_rows=[0, 8, 9])
    part = data["parts"][0]
    gone = [p for p, s in zip(part["pitch"], part["state"], strict=True) if s == "removed"]
    assert gone == [88, 89]  # row 0 lies outside the window
    assert part["row"][-2:] == [-1, -1]


def test_a_note_held_into_the_window_is_there() -> None:
    data = roll.note_data(score_of([(0, 400, 60)]), measures=(2, 4))
    assert data["parts"][0]["onset"] == [0]


def test_notes_past_the_last_measure_are_there() -> None:
    data = roll.note_data(score_of([(0, 24, 60), (800, 24, 62)]))
    assert data["window"] == [0, 824] and len(data["parts"][0]["row"]) == 2


def test_one_part() -> None:
    assert [p["id"] for p in roll.note_data(LINE, parts=["P2"])["parts"]] == ["P2"]


def test_the_picture_shows_each_note_where_it_is() -> None:
    svg = roll.roll_svg(LINE, measures=(2, 4), region=REGION, changed_rows=range(8, 12))
    kept, new = rectangles(svg, "kept"), rectangles(svg, "new")
    assert (len(kept), len(new)) == (4, 4)
    xs = [float(r.get("x", 0)) for r in new]
    ys = [float(r.get("y", 0)) for r in new]
    assert xs == sorted(xs) and ys == sorted(ys, reverse=True)  # later to the right, higher up
    (box,) = rectangles(svg, "region")
    start, end = float(box.get("x", 0)), float(box.get("x", 0)) + float(box.get("width", 0))
    assert start <= xs[0] + 0.5 and float(kept[-1].get("x", 0)) < end


def test_kinds_of_notes_differ_by_more_than_colour() -> None:
    styles = {kind: roll._note_style(kind, "#000", "hatch") for kind in ("kept", "new", "removed")}
    assert "stroke" not in styles["kept"]
    assert "stroke-width" in styles["new"] and "dasharray" in styles["removed"]
    svg = roll.roll_svg(LINE, region=REGION, changed_rows=[1], removed=LINE, removed_rows=[2])
    words = " ".join(t.text or "" for t in ElementTree.fromstring(svg).iter(f"{SVG}text"))
    for word in ("region", "kept notes", "new notes", "removed notes", "C4", "Flute"):
        assert word in words


def test_measure_numbers_thin_out() -> None:
    measures = tuple(Measure(number=str(i + 1), start=i * 96, length=96) for i in range(400))
    notes = Notes.of([(0, 24, 60)])
    score = Score(ticks_per_quarter=24, parts=LINE.parts, measures=measures, notes=notes)
    texts = list(ElementTree.fromstring(roll.roll_svg(score)).iter(f"{SVG}text"))
    assert 10 < len(texts) < 60


def test_names_cannot_break_out() -> None:
    evil = '<script>alert(1)</script>" onload="x'
    svg = roll.roll_svg(score_of([(0, 24, 60)], name=evil), title=evil)
    root = ElementTree.fromstring(svg)
    assert "<script" not in svg
    assert not [a for e in root.iter() for a in e.attrib if a.startswith("on")]


def test_the_number_of_rectangles_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roll, "MAX_DRAWN", 10)
    svg = roll.roll_svg(LINE)
    assert len(rectangles(svg, "kept")) == 10
    assert "only the first 10 notes" in svg


def test_ids_of_two_pictures_do_not_clash() -> None:
    pictures = [roll.roll_svg(LINE, removed=LINE, removed_rows=[row]) for row in (1, 2)]
    ids = [
        e.get("id") for svg in pictures for e in ElementTree.fromstring(svg).iter() if e.get("id")
    ]
    assert len(ids) == len(set(ids)) == 2


def test_an_empty_window_is_refused() -> None:
    with pytest.raises(PreviewError, match="no measures"):
        roll.roll_svg(LINE, measures=(8, 9))
