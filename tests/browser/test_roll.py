"""The piano roll by itself in Chromium: what is drawn, marked, edited, said, and what it costs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, Request

sys.path.insert(0, str(Path(__file__).resolve().parent))
from roll_page import AXE, served, small

from hub.region import Region
from hub.score import Note
from hub.ui.compact import notes_from

pytestmark = pytest.mark.browser

MEASURE = 1920
CARD = {"parts": [1, 2], "unit": "measure", "least": 1, "most": 4, "drums": "no"}
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served() as address:
        yield address


@pytest.fixture
def open_roll(browser: Browser, url: str) -> Iterator[Open]:
    contexts, foreign, errors = [], [], []

    def look(sent: Request) -> None:
        if not sent.url.startswith((url, "data:", "blob:")):
            foreign.append(sent.url)

    def open_(score: str = "small", accepts: object = None, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1200, "height": 720}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("request", look)
        page.on("pageerror", lambda error: errors.append(str(error)))
        card = f"&accepts={quote(json.dumps(accepts))}" if accepts else ""
        page.goto(f"{url}/?score={score}{card}")
        page.wait_for_function("window.roll && roll.stats.notes > 0")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert foreign == []
    assert errors == []


def at(page: Page, part: int, pitch: int, tick: float) -> tuple[float, float]:
    """Page pixels of the middle of a pitch's row at a tick."""
    x, y = page.evaluate(
        """([part, pitch, tick]) => {
          const box = document.querySelector(".sr-stage").getBoundingClientRect();
          const { view } = roll;
          const top = box.top + view.y(roll.laneOf(part), pitch);
          return [box.left + view.x(tick), top + view.rowHeight / 2];
        }""",
        [part, pitch, tick],
    )
    return x, y


def drag(page: Page, start: tuple[float, float], end: tuple[float, float], keys: str = "") -> None:
    if keys:
        page.keyboard.down(keys)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=3)
    page.mouse.move(*end, steps=3)
    page.mouse.up()
    if keys:
        page.keyboard.up(keys)


def last(page: Page, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(
        "kind => events.filter((event) => event.type === kind).at(-1)", kind
    )
    assert found, f"no {kind} event"
    return found


def spans(page: Page) -> list[tuple[str, int, int]]:
    """The boxes last marked, read by hub.Region."""
    region = Region.from_json(last(page, "selection")["selection"]).resolve(small())
    return [(str(box.part), box.start_tick, box.end_tick) for box in region.boxes]


def said(page: Page) -> str:
    return page.locator(".sr-said").inner_text()


def edited(page: Page) -> list[Note]:
    """The notes after the last edit, as the server would have them; the page shows the same."""
    edit = last(page, "edit")
    notes = list(notes_from(edit, small()).applied(small().notes))
    shown = page.evaluate(
        "[...Array(roll.score.notes.count).keys()].map((i) => roll.score.note(i))"
    )
    assert [n._asdict() for n in notes] == shown
    return notes


def pixel(page: Page, layer: str, place: tuple[float, float]) -> list[int]:
    found: list[int] = page.evaluate(
        """([layer, x, y]) => {
          const canvas = document.querySelector(`canvas[data-layer="${layer}"]`);
          const box = canvas.getBoundingClientRect();
          const at = [(x - box.left) * devicePixelRatio, (y - box.top) * devicePixelRatio];
          return [...canvas.getContext("2d").getImageData(...at, 1, 1).data];
        }""",
        [layer, *place],
    )
    return found


def choose_tool(page: Page, name: str) -> None:
    page.get_by_role("group", name="Tool", exact=True).get_by_role("button", name=name).click()


@pytest.mark.parametrize("ratio", [1, 2])
def test_notes_are_drawn_where_they_sound(open_roll: Open, ratio: int) -> None:
    page = open_roll(device_scale_factor=ratio)
    page.wait_for_timeout(100)
    assert pixel(page, "notes", at(page, 0, 61, 700))[3] == 255
    assert pixel(page, "notes", at(page, 0, 61, 1100))[3] == 0
    loud, soft = (
        pixel(page, "notes", at(page, 0, 63, 1700)),
        pixel(page, "notes", at(page, 0, 60, 200)),
    )
    assert sum(loud[:3]) < sum(soft[:3]), "louder is darker on white"
    names = page.locator(".sr-name").all_inner_texts()
    assert names == ["Violin", "Cello", "Drums"]


def test_only_the_layers_that_changed_are_drawn(open_roll: Open) -> None:
    page = open_roll()
    page.wait_for_timeout(100)
    before = page.evaluate("({...roll.stats})")
    page.evaluate("roll.setPosition(960)")
    page.wait_for_timeout(60)
    after = page.evaluate("({...roll.stats})")
    drawn = {
        name for name in ("grid", "notes", "selection", "cursor") if after[name] > before[name]
    }
    assert drawn == {"cursor"}


def test_a_drag_marks_whole_measures_of_the_parts_it_crosses(open_roll: Open) -> None:
    page = open_roll(accepts=CARD)
    drag(page, at(page, 0, 62, 2000), at(page, 0, 61, 4100))
    assert spans(page) == [("P1", MEASURE, 3 * MEASURE)]
    assert said(page) == "Measures 2 to 3, Violin"
    drag(page, at(page, 0, 62, 100), at(page, 1, 45, 300))
    assert spans(page) == [("P1", 0, MEASURE), ("P2", 0, MEASURE)]


def test_shift_adds_and_alt_takes_away(open_roll: Open) -> None:
    page = open_roll(accepts=CARD)
    drag(page, at(page, 0, 62, 100), at(page, 0, 62, 7000))
    drag(page, at(page, 0, 62, 2000), at(page, 0, 62, 2900), "Alt")
    drag(page, at(page, 1, 45, 2000), at(page, 1, 45, 2900), "Shift")
    assert spans(page) == [
        ("P1", 0, MEASURE),
        ("P1", 2 * MEASURE, 4 * MEASURE),
        ("P2", MEASURE, 2 * MEASURE),
    ]


def test_beats_and_pitches(open_roll: Open) -> None:
    page = open_roll(accepts={"unit": "beat"})
    page.get_by_role("button", name="Pitches").click()
    drag(page, at(page, 0, 64, 500), at(page, 0, 60, 1300))
    box = last(page, "selection")["selection"]["boxes"][0]
    assert (box["start"], box["end"], box["low"], box["high"]) == (480, 1440, 60, 64)
    page.mouse.dblclick(*at(page, 1, 45, 2500))
    assert spans(page) == [("P2", MEASURE, 2 * MEASURE)]


def test_the_ruler_marks_all_parts_the_card_allows_and_a_click_there_seeks(open_roll: Open) -> None:
    page = open_roll(accepts=CARD)
    top = page.locator(".sr-stage").bounding_box()
    assert top
    y = top["y"] + 8
    drag(page, (at(page, 0, 60, 100)[0], y), (at(page, 0, 60, 2500)[0], y))
    assert spans(page) == [("P1", 0, 2 * MEASURE), ("P2", 0, 2 * MEASURE)]
    page.mouse.click(at(page, 0, 60, 960)[0], y)
    assert abs(last(page, "seek")["tick"] - 960) < 20


def test_a_part_the_card_does_not_take_cannot_be_marked(open_roll: Open) -> None:
    page = open_roll(accepts=CARD)
    assert "not for this model" in page.locator(".sr-lane.sr-banned").inner_text()
    drag(page, at(page, 2, 38, 100), at(page, 2, 38, 1500))
    assert last(page, "selection")["selection"]["boxes"] == []
    page.evaluate(
        """roll.setSelection(roll.selection.add(
          {partIndex: 2, startTick: 0, endTick: 1920, low: 0, high: 127}))"""
    )
    assert "does not write the part Drums" in page.locator(".sr-problem").inner_text()


def test_notes_are_moved_stretched_deleted_and_drawn(open_roll: Open) -> None:
    page = open_roll()
    choose_tool(page, "Edit")
    drag(page, at(page, 0, 61, 700), at(page, 0, 64, 1190))
    assert Note(960, 480, 64, 60, 0) in edited(page)
    assert said(page) == "E4, measure 1, beat 3, Violin"

    page = open_roll()
    choose_tool(page, "Edit")
    drag(page, at(page, 0, 61, 940), at(page, 0, 61, 1300))
    assert Note(480, 840, 61, 60, 0) in edited(page)

    page = open_roll()
    choose_tool(page, "Edit")
    drag(page, at(page, 0, 61, 495), at(page, 0, 61, 255))
    assert Note(240, 720, 61, 60, 0) in edited(page)

    page = open_roll()
    choose_tool(page, "Edit")
    page.mouse.click(*at(page, 0, 61, 700))
    page.keyboard.press("Delete")
    assert last(page, "edit")["removed"] == [3]
    assert len(edited(page)) == 15

    page = open_roll()
    choose_tool(page, "Edit")
    page.mouse.click(*at(page, 1, 50, 2500))
    assert Note(2400, 120, 50, 80, 1) in edited(page)


def test_a_take_that_comes_while_a_note_is_dragged_does_not_change_another(open_roll: Open) -> None:
    page = open_roll()
    choose_tool(page, "Edit")
    start, end = at(page, 0, 61, 700), at(page, 0, 64, 1190)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=3)
    page.evaluate("roll.setScore(score.withEdit({removed: [0, 1], added: []}).score)")
    page.mouse.up()
    assert page.evaluate("events.filter((event) => event.type === 'edit')") == []


def test_marking_goes_on_while_takes_come(open_roll: Open) -> None:
    page = open_roll(accepts=CARD)
    start, end = at(page, 0, 62, 2000), at(page, 0, 62, 4100)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, end[1], steps=2)
    page.evaluate("roll.setScore(score.withEdit({removed: [0, 1], added: []}).score)")
    page.mouse.move(*end, steps=2)
    page.mouse.up()
    assert spans(page) == [("P1", MEASURE, 3 * MEASURE)]


def test_drawing_to_length_velocity_and_quantising(open_roll: Open) -> None:
    page = open_roll()
    choose_tool(page, "Edit")
    drag(page, at(page, 1, 49, 2500), at(page, 1, 49, 3200), "Control")
    assert Note(2400, 840, 49, 80, 1) in edited(page)

    page = open_roll()
    choose_tool(page, "Edit")
    x, y = at(page, 0, 61, 700)
    drag(page, (x, y), (x, y - 25), "Alt")
    assert Note(480, 480, 61, 80, 0) in edited(page)

    page = open_roll()
    choose_tool(page, "Edit")
    page.mouse.click(*at(page, 0, 61, 700))
    page.get_by_label("Velocity").fill("101")
    assert Note(480, 480, 61, 101, 0) in edited(page)

    page = open_roll()
    choose_tool(page, "Edit")
    page.get_by_label("Grid").select_option("1/4")
    page.evaluate(
        """const added = [{...score.note(3), onset: 500}];
        roll.setScore(score.withEdit({removed: [3], added}).score);"""
    )
    page.mouse.click(*at(page, 0, 61, 700))
    page.keyboard.press("q")
    assert Note(480, 480, 61, 60, 0)._asdict() in last(page, "edit")["added"]


def test_notes_are_chosen_with_a_band_copied_and_pasted(open_roll: Open) -> None:
    page = open_roll()
    choose_tool(page, "Edit")
    drag(page, at(page, 0, 66, 300), at(page, 0, 59, 1300))
    assert said(page) == "3 notes chosen"
    page.keyboard.press("Control+c")
    page.keyboard.press("End")
    page.keyboard.press("Control+ArrowLeft")
    page.evaluate("roll.moveCursor({tick: 3840, part: 0, pitch: 60})")
    page.keyboard.press("Control+v")
    added = last(page, "edit")["added"]
    assert [(n["onset"], n["pitch"]) for n in added] == [(3840, 60), (4320, 61), (4800, 62)]
    edited(page)


def test_locked_notes_are_kept_in_the_region(open_roll: Open) -> None:
    page = open_roll(accepts=CARD)
    drag(page, at(page, 0, 62, 100), at(page, 0, 62, 1500))
    choose_tool(page, "Lock")
    page.mouse.click(*at(page, 0, 61, 700))
    region = Region.from_json(last(page, "selection")["selection"]).resolve(small())
    assert [tuple(kept) for kept in region.keep] == [("P1", 480, 61)]
    assert said(page) == "C♯4, measure 1, beat 2, Violin kept"
    drag(page, at(page, 0, 66, 10), at(page, 0, 58, 1900))
    assert len(last(page, "selection")["selection"]["keep"]) == 4


def test_everything_is_marked_and_written_by_keyboard_alone(open_roll: Open) -> None:
    page = open_roll(accepts=CARD)
    page.evaluate("document.querySelector('.sr-stage').focus()")
    page.keyboard.press("ArrowRight")
    assert said(page) == "Measure 2, Violin"
    page.keyboard.press("Shift+ArrowRight")
    assert (said(page), spans(page)) == (
        "Measures 2 to 3, Violin",
        [("P1", MEASURE, 3 * MEASURE)],
    )
    page.keyboard.press("Shift+ArrowDown")
    assert said(page) == "Measures 2 to 3, Violin and Cello"
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    assert ("P2", 0, 3 * MEASURE) in spans(page)
    page.keyboard.press("Escape")
    assert last(page, "selection")["selection"]["boxes"] == []
    page.keyboard.press("2")
    page.keyboard.press("Home")
    page.keyboard.press(".")
    assert said(page) == "A♭2, measure 2, beat 1, Cello"
    page.keyboard.press("Alt+ArrowUp")
    assert len(last(page, "edit")["removed"]) == 1
    page.keyboard.press("Escape")
    page.keyboard.press("Alt+Home")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    assert len(last(page, "edit")["added"]) == 1
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    assert len(last(page, "selection")["selection"]["keep"]) == 1
    assert "kept" in said(page)


def test_mute_solo_fold_and_one_lane(open_roll: Open) -> None:
    page = open_roll()
    page.get_by_role("button", name="Mute Cello").click()
    assert last(page, "mute") == {"type": "mute", "part": 1, "on": True}
    page.get_by_role("button", name="Solo Violin").click()
    assert page.get_by_role("button", name="Solo Violin").get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="Show the notes of Drums").click()
    assert page.evaluate("roll.view.lanes[2].collapsed") is True
    page.get_by_role("button", name="One lane").click()
    assert page.evaluate("roll.view.lanes.length") == 1
    assert page.locator(".sr-name").count() == 3


def test_fingers_one_works_two_scroll_and_zoom(open_roll: Open) -> None:
    page = open_roll(accepts=CARD, has_touch=True, viewport={"width": 390, "height": 780})
    x, y = at(page, 0, 62, 2500)
    page.touchscreen.tap(x, y)
    assert spans(page) == [("P1", MEASURE, 2 * MEASURE)]
    before = page.evaluate("roll.view.pixelsPerTick")
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        session.send(
            "Input.dispatchTouchEvent",
            {
                "type": kind,
                "touchPoints": [{"x": px, "y": py, "id": i} for i, (px, py) in enumerate(points)],
            },
        )

    touch("touchStart", (120, 300))
    touch("touchStart", (120, 300), (220, 300))
    for step in range(1, 6):
        touch("touchMove", (120 - 10 * step, 300), (220 + 10 * step, 300))
    touch("touchEnd")
    assert page.evaluate("roll.view.pixelsPerTick") > 1.7 * before
    assert spans(page) == [("P1", MEASURE, 2 * MEASURE)], "two fingers mark nothing"


def test_a_long_score_scrolls_and_selects_without_a_stall(open_roll: Open) -> None:
    page = open_roll("long", accepts=CARD | {"most": None})
    page.wait_for_timeout(500)
    loading = page.evaluate("[...tasks]")
    page.evaluate("tasks.length = 0; roll.stats.slowestFrameMs = 0")
    stage = page.locator(".sr-stage").bounding_box()
    assert stage
    page.mouse.move(stage["x"] + 500, stage["y"] + 200)
    for _ in range(25):
        page.mouse.wheel(900, 0)
        page.wait_for_timeout(15)
    drag(page, at_left(page, 300), at_left(page, 700))
    page.keyboard.press("0")
    page.wait_for_timeout(200)
    assert page.evaluate("roll.view.visibleTicks") >= 2_000 * MEASURE - 1
    drag(page, at_left(page, 200), at_left(page, 900))
    for _ in range(10):
        page.keyboard.press("+")
        page.wait_for_timeout(30)
    page.evaluate("for (let t = 0; t < 40; t++) roll.setPosition(t * 90000)")
    choose_tool(page, "Edit")
    page.mouse.click(*at_left(page, 500))
    page.wait_for_timeout(300)
    tasks = page.evaluate("[...tasks]")
    slowest = page.evaluate("roll.stats.slowestFrameMs")
    print(f"loading {loading}, working {tasks} ms, slowest frame {slowest:.1f} ms")
    assert max(tasks, default=0) < 100
    assert max(loading, default=0) < 400


def at_left(page: Page, x: float) -> tuple[float, float]:
    """A point of the stage, x pixels from its left, in the first lane."""
    box = page.locator(".sr-stage").bounding_box()
    assert box
    return box["x"] + x, box["y"] + 90


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("tool", ["Select", "Edit"])
def test_axe_finds_nothing(open_roll: Open, scheme: str, tool: str) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed (npm ci in hub/ui/web)")
    page = open_roll("song", accepts=CARD, color_scheme=scheme)
    choose_tool(page, tool)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document).then((result) => result.violations)")
    assert [(v["id"], v["nodes"][0]["html"], v["nodes"][0]["failureSummary"]) for v in found] == []


def test_names_are_text_whatever_they_say(open_roll: Open) -> None:
    page = open_roll()
    page.evaluate(
        """() => {
          const name = '<img src=x onerror="window.hurt=1">';
          const parts = score.parts.map((part) => ({...part, name}));
          roll.setScore(Score.from({...score.plain(), parts, notes: score.notes}));
        }"""
    )
    page.wait_for_timeout(100)
    assert page.evaluate("window.hurt") is None
    assert "<img" in page.locator(".sr-name").first.inner_text()
