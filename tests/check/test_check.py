"""`scorehub check`: a good folder passes, and each broken one fails at the check meant for it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tiny_models import ACCEPTS, GOOD_CODE, write_model

import hub
from hub import check, places
from hub.check import FAIL, OK, WARN
from hub.check.bench import Bench
from hub.folder import find

PROJECT = Path(__file__).resolve().parents[2]


@cache
def checked(folder: Path) -> check.Report:
    """Each folder is checked once, however much a test asks of it."""
    return check.check_folder(folder)


def statuses(folder: Path) -> dict[str, str]:
    return {f.name: f.status for f in checked(folder).findings}


def detail(folder: Path, name: str) -> str:
    return next(f.detail for f in checked(folder).findings if f.name == name)


def test_a_good_folder_passes_every_check(tmp_path: Path) -> None:
    report = check.check_folder(write_model(tmp_path / "tiny"))
    assert report.is_ok
    assert {f.status for f in report.findings} == {OK}, report.table()
    assert [f.name for f in report.findings] == [
        "card", "files", "loads", "examples", "regions", "shapes", "controls", "seeds", "variety",
        "outside", "answers", "refusals", "cost",
    ]  # fmt: skip
    assert report.to_json()["ok"] is True
    assert report.table().endswith("tiny: keeps its card's word.")


@pytest.mark.slow
@pytest.mark.parametrize("folder", list(find(PROJECT / "models")), ids=lambda path: path.name)
def test_the_models_that_come_with_the_hub_pass(folder: Path) -> None:
    report = checked(folder)
    assert {f.status for f in report.findings} == {OK}, report.table()


def test_shapes_of_every_length_and_place_are_tried(tmp_path: Path) -> None:
    model = hub.load(write_model(tmp_path / "tiny", examples=[]))
    trials = Bench(model=model).trials
    tried = [(len(t.region.parts()), round(t.region.boxes[0].end - t.region.boxes[0].start))
             for t in trials]  # fmt: skip
    assert {length for _, length in tried} == {1, 4, 8}
    assert [t.name.rsplit(" ", 1)[1] for t in trials[:3]] == ["start)", "middle)", "end)"]


# --- broken folders: one fault each -------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "card"),
    [
        ("card", {"license": None}),
        ("card", {"datasets": []}),
        ("card", {"summary": ""}),
        ("card", {"prose": "\n"}),
        ("card", {"accepts": {"partz": 1}}),
        ("card", {"accepts": None}),
        ("loads", {"entry": "model.py:Huge"}),
        ("loads", {"init": {"size": 3}}),
        ("examples", {"examples": ["missing.mid"]}),
        ("examples", {"accepts": {**ACCEPTS, "meters": ["3/4"]}}),
        ("regions", {"accepts": {**ACCEPTS, "polyphony": "polyphonic", "drums": "only"}}),
    ],
)
def test_a_fault_of_the_card_is_found(tmp_path: Path, name: str, card: dict[str, Any]) -> None:
    code = GOOD_CODE
    if name == "regions":
        code = code.replace("return hub.Notes.of(rows)", "return 42")
    folder = write_model(tmp_path / "bad", code=code, **card)
    assert statuses(folder)[name] == FAIL
    assert not checked(folder).is_ok


def broken(tmp_path: Path, old: str, new: str, **card: Any) -> Path:
    assert old in GOOD_CODE
    return write_model(tmp_path / "bad", code=GOOD_CODE.replace(old, new), **card)


def test_code_that_does_not_import(tmp_path: Path) -> None:
    assert statuses(broken(tmp_path, "import hub\n", "import nowhere\n"))["loads"] == FAIL


def test_unseeded_chance_is_found(tmp_path: Path) -> None:
    code = "__import__('numpy').random.default_rng()"
    folder = broken(tmp_path, "params.rng()", code)
    assert statuses(folder)["seeds"] == FAIL
    assert "other notes" in detail(folder, "seeds")


def test_memory_between_requests_is_found(tmp_path: Path) -> None:
    """A generator that lives on: each answer depends on the ones before."""
    new = "self.__dict__.setdefault('rng', params.rng())"
    assert statuses(broken(tmp_path, "params.rng()", new))["seeds"] == FAIL


def test_a_batch_that_differs_from_single_takes_is_found(tmp_path: Path) -> None:
    batch = """
    def inpaint_batch(self, requests):
        answers = [list(self.inpaint(*r)) and None for r in requests]
        notes = [hub.Notes.of([hub.Note(r.region.boxes[0].start, 240, 70)]) for r in requests]
        return notes
"""
    assert statuses(write_model(tmp_path / "bad", code=GOOD_CODE + batch))["seeds"] == FAIL


def test_a_seed_without_effect_is_only_a_warning(tmp_path: Path) -> None:
    folder = broken(tmp_path, 'rng.integers(params["spread"] + 1)', "params['spread']")
    found = statuses(folder)
    assert (found["seeds"], found["variety"]) == (OK, WARN)
    assert checked(folder).is_ok


def test_answers_always_outside_the_region_fail(tmp_path: Path) -> None:
    folder = broken(tmp_path, "hub.Note(onset, duration", "hub.Note(onset + 4 * beat, duration")
    assert statuses(folder)["answers"] == FAIL
    assert "correct every answer" in detail(folder, "answers")
    assert "outside the region" in detail(folder, "answers")
    assert statuses(folder)["outside"] == OK  # the hub kept the promise


def test_some_answers_outside_the_region_are_a_warning(tmp_path: Path) -> None:
    late = "hub.Note(onset + 4 * beat * (end - start > 16 * beat), duration"
    folder = broken(tmp_path, "hub.Note(onset, duration", late)
    assert statuses(folder)["answers"] == WARN
    assert checked(folder).is_ok


def test_silence_fails(tmp_path: Path) -> None:
    folder = broken(tmp_path, "return hub.Notes.of(rows)", "return []")
    assert statuses(folder)["answers"] == FAIL
    assert detail(folder, "answers") == "the model never wrote a note"


def test_a_control_that_breaks_at_its_end_is_found(tmp_path: Path) -> None:
    old = '60 + int(rng.integers(params["spread"] + 1))'
    folder = broken(tmp_path, old, "60 + int(rng.integers(params['spread']))")
    assert statuses(folder)["controls"] == FAIL
    assert "spread=0" in detail(folder, "controls")


def test_a_length_that_fails_is_found(tmp_path: Path) -> None:
    old = "        rng = params.rng()"
    new = f"        assert region.boxes[0].end - region.boxes[0].start < 8 * 1920\n{old}"
    folder = broken(tmp_path, old, new)
    assert statuses(folder)["regions"] == FAIL
    assert "(8 measures, start)" in detail(folder, "regions")


def test_a_model_that_knows_one_part_only_is_found(tmp_path: Path) -> None:
    """The card says one or two; the shapes try both."""
    old = "        rng = params.rng()"
    folder = broken(tmp_path, old, f"        (part,) = region.parts()\n{old}")
    found = statuses(folder)
    assert (found["regions"], found["shapes"]) == (OK, FAIL)
    assert "2 parts" in detail(folder, "shapes")


def test_silence_in_one_shape_is_a_warning(tmp_path: Path) -> None:
    old = "return hub.Notes.of(rows)"
    folder = broken(tmp_path, old, f"{old} if not region.hide else []")
    warned = [f for f in checked(folder).findings if f.status == WARN]
    assert [f.name for f in warned] == ["shapes"]
    assert warned[0].detail == "the model wrote nothing there: hidden surroundings"


def test_notes_that_depend_on_the_process_are_found(tmp_path: Path) -> None:
    """As those do that follow the order of a set of texts."""
    old = 'rng.integers(params["spread"] + 1)'
    folder = broken(tmp_path, old, "('measure' in __import__('sys').argv[0])")
    assert statuses(folder)["seeds"] == FAIL
    assert "another process" in detail(folder, "seeds")


def test_a_card_that_fits_nothing_is_found_and_nothing_breaks(tmp_path: Path) -> None:
    accepts = {**ACCEPTS, "parts": [9, 9]}
    folder = write_model(tmp_path / "bad", accepts=accepts, examples=[])
    found = statuses(folder)
    assert found["regions"] == FAIL
    assert set(list(found)[-2:]) == {"examples", "regions"}


def test_what_the_author_should_change_is_told_by_line(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "tiny", prose="It works.\nCHANGE ME\n")
    count = (folder / "README.md").read_text().splitlines().index("CHANGE ME") + 1
    assert detail(folder, "card") == f"It says CHANGE ME (line {count})."
    assert checked(folder).is_ok


def test_what_the_hub_would_not_understand_is_a_warning(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "tiny", license="mine", datasets=["a lot of tunes"])
    warned = [f.detail for f in checked(folder).findings if f.status == WARN]
    assert len(warned) == 2
    assert "licence" in warned[0] and "data set" in warned[1]


def test_files_that_do_not_belong_there_are_found(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "tiny")
    (folder / "weights.pt").write_bytes(b"\x80\x04.")
    assert statuses(folder)["files"] == FAIL
    assert not checked(folder).is_ok


# --- time and memory ----------------------------------------------------------------------------


def test_a_card_that_says_nothing_of_cost_is_told_what_to_say(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "tiny", needs=None)
    assert statuses(folder)["cost"] == WARN
    line = detail(folder, "cost").partition("put into the card: ")[2]
    assert line == "needs: {seconds: 1, memory_mb: 50}"


def test_a_take_that_is_slower_than_the_card_says(tmp_path: Path) -> None:
    old = "        rng = params.rng()"
    new = f"        __import__('time').sleep(0.3 * (region.boxes[0].end > 11 * 1920))\n{old}"
    folder = broken(tmp_path, old, new, needs={"seconds": 0.01, "memory_mb": 50})
    report = checked(folder)
    found = report.findings[-1]
    assert (found.name, found.status) == ("cost", FAIL)
    assert "more than the card says" in found.detail
    assert "stopped after 5 such takes" in found.detail
    assert "seeds" not in statuses(folder)
    assert report.measured.seconds is not None


def test_one_slow_take_is_the_machine_s_fault(tmp_path: Path) -> None:
    old = "        rng = params.rng()"
    new = f"        __import__('time').sleep(self.__dict__.pop('slow', 0))\n{old}"
    folder = broken(tmp_path, old, new, needs={"seconds": 0.1, "memory_mb": 50})
    code = (folder / "model.py").read_text()
    (folder / "model.py").write_text(f"{code}\n    def setup(self):\n        self.slow = 0.5\n")
    assert statuses(folder)["cost"] == OK


def test_memory_beyond_what_the_card_says(tmp_path: Path) -> None:
    setup = "\n    def setup(self):\n        self.ballast = b'x' * (200 << 20)\n"
    folder = write_model(tmp_path / "big", code=GOOD_CODE + setup)
    report = checked(folder)
    assert statuses(folder)["cost"] == FAIL
    assert report.measured.memory_mb is not None
    assert 190 <= report.measured.memory_mb <= 260
    assert report.to_json()["measured"]["memory_mb"] == report.measured.memory_mb


# --- nobody's code by accident ------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["snapshot", "cache"])
def test_code_from_a_hub_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Not at the import, not in the other process: the canary stays alive."""
    monkeypatch.setenv("SCOREHUB_HOME", str(tmp_path / "home"))
    below = {
        "snapshot": places.snapshots() / "localhost" / "a--b" / ("0" * 40),
        "cache": tmp_path / "hub" / "models--a--b" / "snapshots" / ("0" * 40),
    }
    canary = tmp_path / "canary"
    code = f"import pathlib\npathlib.Path({str(canary)!r}).touch()\n{GOOD_CODE}"
    report = check.check_folder(write_model(below[kind], code=code))
    assert [f.status for f in report.findings if f.name == "loads"] == [FAIL]
    assert "stranger's program" in report.findings[-1].detail
    assert not canary.exists()
    check.check_folder(write_model(tmp_path / "own", code=code))
    assert canary.exists(), "the canary does not work"


def test_what_is_data_only_is_checked_wherever_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hub import architectures

    monkeypatch.setenv("SCOREHUB_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(architectures, "BUNDLED", tmp_path / "installed")
    write_model(tmp_path / "installed" / "tiny")
    folder = write_model(places.snapshots() / "h" / "a--b" / "0", code="1 / 0", entry="tiny")
    assert statuses(folder)["regions"] == OK
