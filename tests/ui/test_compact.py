from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hub.errors import LimitError, RegionError, ScorehubError
from hub.formats import read_score
from hub.region import Region
from hub.score import Measure, Note, Notes, Part, Score
from hub.ui.compact import WIRE_TYPES, compact, notes_from

FIXTURE = Path(__file__).resolve().parents[2] / "hub/ui/web/test/selections.json"


def score_of(notes: Notes, measures: int = 4, parts: int = 2) -> Score:
    return Score(
        ticks_per_quarter=480,
        parts=tuple(Part(id=f"P{i + 1}", name=f"Part {i + 1}") for i in range(parts)),
        measures=tuple(
            Measure(number=str(i + 1), start=1920 * i, length=1920) for i in range(measures)
        ),
        notes=notes,
        title="Tune",
    )


def small() -> Score:
    rows = [(0, 480, 60, 80, 0, 1), (0, 1920, 48, 1, 1, 1), (480, 240, 127, 127, 0, 2)]
    return score_of(Notes.of(rows))


def long_score() -> Score:
    """2,000 measures of 4/4 with 40,000 notes in four parts, nothing regular about them."""
    random = np.random.default_rng(7)
    count = 40_000
    notes = Notes.from_columns(
        random.integers(0, 2_000 * 1920 - 1, count),
        random.integers(1, 1920, count),
        random.integers(30, 100, count),
        random.integers(1, 127, count),
        random.integers(0, 4, count),
    )
    return score_of(notes, measures=2_000, parts=4)


def read_back(value: dict[str, object]) -> Notes:
    """What the browser does, in Python."""
    notes = json.loads(json.dumps(value))["notes"]
    columns = {
        name: np.frombuffer(base64.b64decode(notes[name]), dtype=wire).astype(np.int64)
        for name, wire in WIRE_TYPES.items()
    }
    assert {len(column) for column in columns.values()} == {notes["count"]}
    return Notes(**columns)


def test_what_is_carried_comes_back() -> None:
    score = small()
    value = compact(score, 3)
    assert read_back(value) == score.notes
    assert (value["revision"], value["title"], value["endTick"]) == (3, "Tune", 4 * 1920)
    assert value["parts"][1]["id"] == "P2"
    assert value["measures"]["start"] == [0, 1920, 3840, 5760]
    assert value["measures"]["meter"] == ["4/4"] * 4
    assert value["tempos"] == [[0, 120.0]]


def test_a_long_score_stays_well_under_a_megabyte() -> None:
    score = long_score()
    value = compact(score, 1)
    assert read_back(value) == score.notes
    assert len(json.dumps(value, separators=(",", ":"))) < 850_000


def test_a_title_of_the_document_stands_before_the_files() -> None:
    assert compact(small(), 1, title="Mine")["title"] == "Mine"


def test_ticks_beyond_32_bits_are_refused_in_words() -> None:
    score = score_of(Notes.of([(3_000_000_000, 1, 60)]))
    with pytest.raises(LimitError, match="coarser resolution"):
        compact(score, 1)


def test_odd_voices_do_not_wrap_around() -> None:
    notes = read_back(compact(score_of(Notes.of([Note(0, 1, 60, voice=700)])), 1))
    assert notes.voice.tolist() == [255]


@pytest.mark.parametrize("folder", ["musicxmlTestSuite", "openscore-lieder", "symusic"])
def test_real_scores_come_back(shared_scores: Path, folder: str) -> None:
    files = sorted(f for f in (shared_scores / folder).rglob("*") if f.suffix in KINDS)[:30]
    read = 0
    for file in files:
        try:
            score = read_score(file.read_bytes(), file.name)
        except ScorehubError:
            continue
        back = read_back(compact(score, 1))
        assert back == replace(score.notes, voice=score.notes.voice.clip(max=255))
        read += 1
    assert read


KINDS = {".mid", ".mxl", ".musicxml", ".xml"}


def test_an_edit_goes_into_the_notes() -> None:
    score = small()
    added = {"part": 1, "onset": 960, "duration": 480, "pitch": 50, "velocity": 90}
    edit = notes_from({"removed": [1], "added": [added], "revision": 4}, score)
    assert list(edit.applied(score.notes)) == [
        Note(0, 480, 60, 80, 0, 1),
        Note(480, 240, 127, 127, 0, 2),
        Note(960, 480, 50, 90, 1, 1),
    ]


def note(**changes: object) -> dict[str, object]:
    return {"part": 0, "onset": 0, "duration": 1, "pitch": 60, "velocity": 80} | changes


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ([], "An edit is an object"),
        ({"removed": "all"}, '"removed" is a list'),
        ({"removed": [3]}, "from 0 to 2; got 3"),
        ({"removed": [-1]}, "from 0 to 2; got -1"),
        ({"removed": [True]}, "got True"),
        ({"removed": [[]]}, "whole number"),
        ({"added": [7]}, "added note is an object"),
        ({"added": [note(part=2)]}, "part is a whole number from 0 to 1"),
        ({"added": [note(part="P1")]}, "got 'P1'"),
        ({"added": [note(pitch=128)]}, "pitch"),
        ({"added": [note(velocity=0)]}, "velocity"),
        ({"added": [note(duration=0)]}, "duration"),
        ({"added": [note(onset=0.5)]}, "got 0.5"),
        ({"added": [note(onset=float("nan"))]}, "onset"),
        ({"added": [note(onset=float("inf"))]}, "onset"),
        ({"added": [note(onset=10**12)]}, "onset"),
        ({"added": [note(duration=10**12)]}, "duration"),
        ({"added": [{}]}, "got None"),
    ],
)
def test_a_strangers_edit_is_refused_in_words(value: object, wanted: str) -> None:
    with pytest.raises(RegionError, match=wanted):
        notes_from(value, small())


def test_an_edit_has_an_end() -> None:
    with pytest.raises(LimitError, match="at once"):
        notes_from({"removed": [0] * 20_001}, small())


def test_rows_named_twice_go_once_and_whole_floats_are_whole() -> None:
    assert notes_from({"removed": [1, 1.0]}, small()).removed == (1,)


def test_the_editors_selections_are_regions() -> None:
    """The same file is held against src/selection.js by test/selection.test.js."""
    fixture = json.loads(FIXTURE.read_text(encoding="utf-8"))
    for case in fixture["cases"]:
        region = Region.from_json(case["json"])
        assert region.is_resolved
        assert region.to_json() == case["json"]
        score = score_of(Notes.of(map(tuple, fixture["notes"])))
        inside = region.resolve(score).contains(score.notes, score)
        assert np.flatnonzero(inside).tolist() == case["inside"], case["name"]
