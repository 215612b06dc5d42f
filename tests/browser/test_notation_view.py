"""The notation view by itself in Chromium: what is drawn, selected, redrawn, and what it costs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Request

from hub.engrave import to_musicxml
from hub.formats import musicxml
from hub.score import Annotation, Measure, Notes, Part, Score

sys.path.insert(0, str(Path(__file__).resolve().parent))
from notation_server import Scores, served

pytestmark = pytest.mark.browser

WEB = Path(__file__).resolve().parent.parent.parent / "hub" / "ui" / "web"
BUILT = WEB.parent / "assets" / "built"
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> ${x} javascript:alert(3)"
NAMES = (("Flute", 73), ("Violin", 40), ("Piano", 0), ("Bass", 32))


def score_of(measures: int, parts: int = 4, tpq: int = 480, **more: Any) -> Score:
    rng = np.random.default_rng(4)
    spans = tuple(
        Measure(number=str(i + 1), start=i * 4 * tpq, length=4 * tpq) for i in range(measures)
    )
    players = tuple(
        Part(id=f"P{i + 1}", name=NAMES[i % 4][0], program=NAMES[i % 4][1]) for i in range(parts)
    )
    low = (72, 67, 50, 36)
    rows = [
        (i * tpq // 2, tpq // 2, low[part % 4] + int(rng.integers(0, 14)), 80, part)
        for part in range(parts)
        for i in range(8 * measures)
    ]
    fields = {"parts": players, "measures": spans, "notes": Notes.of(rows)} | more
    return Score(ticks_per_quarter=tpq, **fields)


def hostile() -> Score:
    part = (Part(id="P1", name=EVIL, program=0), Part(id="P2", name="Piano", program=0))
    words = (Annotation(0, "marker", EVIL), Annotation(0, "lyric", EVIL, "P1"))
    plain = score_of(4, parts=2, title=EVIL, annotations=words)
    return musicxml.read(
        to_musicxml(
            Score(
                ticks_per_quarter=plain.ticks_per_quarter, parts=part, measures=plain.measures,
                notes=plain.notes, title=EVIL, annotations=words,
            )
        )
    )  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle: made anew where Node.js is, else the one that was built before."""
    if shutil.which("node") and (WEB / "node_modules" / "verovio").is_dir():
        folder = tmp_path_factory.mktemp("bundle") / "built"
        subprocess.run(["node", "build.mjs", str(folder)], cwd=WEB, check=True, timeout=120)
        return folder
    if not (BUILT / "notation-worker.js").is_file():
        pytest.skip("the browser libraries are not built")
    return BUILT


@pytest.fixture(scope="module")
def scores() -> Scores:
    return Scores(
        {
            "midi": score_of(24),
            "file": musicxml.read(to_musicxml(score_of(24))),
            "edited": score_of(40),
            "trap": musicxml.read(to_musicxml(score_of(24, parts=2))),
            "hostile": hostile(),
            "sixty-four": score_of(64),
            "long": score_of(2000),
        }
    )


@pytest.fixture(scope="module")
def address(scores: Scores, built: Path) -> Iterator[str]:
    folders = {"src": WEB / "src", "built": built, "axe": WEB / "node_modules" / "axe-core"}
    with served(scores, folders) as url:
        yield url


@pytest.fixture
def look(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Open a score in a fresh page and wait until what is visible is drawn."""
    contexts, foreign, broken = [], [], []

    def check(request: Request) -> None:
        if not request.url.startswith((address, "data:", "blob:")):
            foreign.append(request.url)

    def open_(score: str, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 700}} | options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(45_000)
        page.on("request", check)
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on("dialog", lambda dialog: (broken.append("a dialog"), dialog.dismiss()))
        page.goto(f"{address}/?score={score}")
        page.wait_for_function("window.isReady")
        settled(page)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert foreign == []
    assert broken == []


def settled(page: Page) -> None:
    """Nothing visible is on its way any more."""
    page.wait_for_timeout(50)
    page.wait_for_selector('.notation-scroll[aria-busy="false"]')
    page.wait_for_selector(".notation-content > svg, .notation-problem")


def cell(page: Page, measure: int, part: int) -> dict[str, float]:
    box = page.locator(f".notation-cell[id$='-m{measure}-p{part}']").bounding_box()
    assert box is not None
    return {
        "x": box["x"],
        "y": box["y"],
        "width": box["width"],
        "height": box["height"],
        "cx": box["x"] + box["width"] / 2,
        "cy": box["y"] + box["height"] / 2,
    }


def chosen(page: Page) -> dict[str, Any]:
    return page.evaluate("chosen.at(-1).toJSON()")


@pytest.mark.parametrize("name", ["midi", "file"])
def test_drawn_ids_lead_to_the_right_notes(
    look: Callable[..., Page], scores: Scores, name: str
) -> None:
    page = look(name)
    found = page.evaluate(
        """() => [...notation.slots.values()].filter(s => s.view.isDrawn).flatMap(({view}) =>
            [...view.rowOfIndex].map(([index, row]) => {
              const note = notation.score.note(index);
              const heads = view.elementsOfRow.get(row);
              const measure = heads[0].closest("[data-measure]").dataset.measure;
              return [index, note.part, note.onset, note.pitch, heads[0].dataset.note, measure];
            }))"""
    )
    notes = scores.scores[name].notes
    assert len(found) > 100
    for index, part, onset, pitch, drawn, measure in found:
        assert drawn.split(".")[0] == f"n{index}"
        note = notes[index]
        assert (note.part, note.onset, note.pitch) == (part, onset, pitch)
        assert measure == f"m{scores.scores[name].measure_at(onset)}.p0"


def test_a_drag_selects_measures_of_one_part(look: Callable[..., Page]) -> None:
    page = look("midi")
    first, last = cell(page, 2, 1), cell(page, 4, 1)
    page.mouse.move(first["cx"], first["cy"])
    page.mouse.down()
    page.mouse.move(last["cx"] - 5, last["cy"], steps=4)
    page.mouse.up()
    (box,) = chosen(page)["boxes"]
    assert (box["part"], box["start"], box["end"]) == ("P2", 2 * 1920, 5 * 1920)
    marked = page.locator("[aria-selected=true]").evaluate_all(
        "all => all.map(e => e.id.slice(e.id.indexOf('-')))"
    )
    assert page.locator(".note.is-in-region").count() == 24
    page.evaluate("notation.setSelection(chosen.at(-1).toggleKept([notation.score.note(65)]))")
    kept = page.evaluate("notation.score.note(65)")
    assert (kept["part"], kept["onset"]) == (1, 2 * 1920)
    assert page.locator(".note.is-in-region").count() == 23
    assert page.locator(".note.is-locked").get_attribute("data-note") == "n65"
    assert marked == ["-m2-p1", "-m3-p1", "-m4-p1"]
    mark = page.locator(".notation-mark").bounding_box()
    assert mark is not None and abs(mark["x"] - first["x"]) < 2


def test_a_drag_may_reach_over_parts_and_add_and_take_away(look: Callable[..., Page]) -> None:
    page = look("midi")
    a, b, c = cell(page, 0, 0), cell(page, 1, 1), cell(page, 3, 3)
    page.mouse.move(a["cx"], a["cy"])
    page.mouse.down()
    page.mouse.move(b["cx"], b["cy"], steps=3)
    page.mouse.up()
    assert [box["part"] for box in chosen(page)["boxes"]] == ["P1", "P2"]
    page.keyboard.down("Shift")
    page.mouse.click(c["cx"], c["cy"])
    page.keyboard.up("Shift")
    assert [box["part"] for box in chosen(page)["boxes"]] == ["P1", "P2", "P4"]
    page.keyboard.down("Alt")
    page.mouse.click(b["cx"], b["cy"])
    page.keyboard.up("Alt")
    ends = {box["part"]: box["end"] for box in chosen(page)["boxes"]}
    assert ends == {"P1": 2 * 1920, "P2": 1920, "P4": 4 * 1920}


def test_beats_are_selected_where_the_snap_says_so(look: Callable[..., Page]) -> None:
    page = look("midi")
    page.evaluate("notation.setSnap('beat')")
    place = page.evaluate("notation.pointOf(1920 + 480)")
    space = page.locator(".notation-space").bounding_box()
    assert space is not None
    page.mouse.click(space["x"] + place["left"] + 4, cell(page, 1, 0)["cy"])
    (box,) = chosen(page)["boxes"]
    assert (box["start"], box["end"]) == (2400, 2880)


def test_the_keyboard_selects_and_screen_readers_hear_names(look: Callable[..., Page]) -> None:
    page = look("midi")
    page.locator(".notation-scroll").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Shift+ArrowRight", "Shift+ArrowDown"):
        page.keyboard.press(key)
    boxes = chosen(page)["boxes"]
    assert [(box["part"], box["start"], box["end"]) for box in boxes] == [
        ("P2", 1920, 5760),
        ("P3", 1920, 5760),
    ]
    active = page.locator(".notation-scroll").get_attribute("aria-activedescendant")
    name = page.locator(f"#{active}").get_attribute("aria-label")
    assert name == "Piano, measure 3, 8 notes"
    page.keyboard.press("Escape")
    assert chosen(page)["boxes"] == []
    page.keyboard.press("End")
    page.wait_for_selector(".notation-cell.is-active[id$='-m23-p2']")


def test_an_edit_redraws_only_its_page(look: Callable[..., Page], scores: Scores) -> None:
    page = look("edited")
    page.evaluate(
        "document.querySelectorAll('.notation-content > svg').forEach(s => s.isOld = true)"
    )
    before = page.locator(".notation-content > svg").count()
    loads = page.evaluate("loads.length")
    score = scores.scores["edited"]
    changed = np.flatnonzero((score.notes.onset >= 9 * 1920) & (score.notes.onset < 10 * 1920))
    pitch = score.notes.pitch.copy()
    pitch[changed] += 1
    more = Notes.of([(0, 240, 90, 80, 0)])  # and one more note, so that all rows are renumbered
    new = score.with_notes(score.notes.replace(pitch=pitch))
    scores.replace("edited", new)
    page.evaluate("load()")
    page.wait_for_function(f"loads.length > {loads}")
    settled(page)
    assert [load["first"] for load in page.evaluate(f"loads.slice({loads})")] == [8]
    old = page.evaluate(
        "[...document.querySelectorAll('.notation-content > svg')].filter(s => s.isOld).length"
    )
    assert old == before - 1
    scores.replace("edited", new.with_notes(new.notes + more))
    page.evaluate("load()")
    page.wait_for_function(f"loads.length > {loads + 1}")
    settled(page)
    last = len(scores.scores["edited"].notes) - 1
    row = int(np.flatnonzero(scores.scores["edited"].notes.onset == 9 * 1920)[0])
    heads = page.evaluate(
        """i => [...notation.slots.values()].flatMap(({view}) => view.elementsOf(i))
            .map(e => e.dataset.note)""",
        row,
    )
    assert heads == [f"n{row - 1}"] and row < last  # drawn before the rows moved, still found


def test_notes_are_highlighted_and_the_cursor_stands_at_its_note(look: Callable[..., Page]) -> None:
    page = look("midi")
    page.evaluate("notation.setHighlights({changed: [0, 1]}); notation.setPosition(1920 * 2 + 480)")
    assert page.locator(".note.is-changed").count() == 2
    playing = page.locator(".note.is-playing")
    assert playing.count() == 4
    heads = [playing.nth(i).locator(".notehead").bounding_box() for i in range(4)]
    cursor = page.locator(".notation-cursor").bounding_box()
    assert cursor is not None
    assert any(
        head and head["x"] - 2 <= cursor["x"] <= head["x"] + head["width"] + 2 for head in heads
    )
    page.evaluate("notation.setPosition(null)")
    assert page.locator(".note.is-playing").count() == 0


def test_a_score_that_breaks_the_engraver_is_drawn_from_its_notes(
    look: Callable[..., Page], scores: Scores
) -> None:
    scores.spoil["trap"] = ("<beat-type>4</beat-type>", "<beat-type>0</beat-type>")
    page = look("trap")
    page.wait_for_function("notation.engraver.restarts > 0")
    settled(page)
    assert page.locator(".notation-content > svg").count() >= 1
    assert page.evaluate("loads.some(load => load.plain)")
    assert "started again" in page.locator("[role=status]").inner_text()
    assert page.evaluate("errors") == []


def test_hostile_words_are_only_words(look: Callable[..., Page]) -> None:
    page = look("hostile")
    assert EVIL[:20] in page.locator(".notation-names").inner_text()
    assert "<script>" in page.locator(".notation-content > svg").first.evaluate(
        "svg => svg.textContent"
    )
    host = page.locator(".notation")
    assert host.locator("script, img, foreignObject, a, image, iframe, style").count() == 0
    attributes = host.evaluate(
        """host => [...host.querySelectorAll('*')]
            .flatMap(e => [...e.attributes].map(a => [a.name, a.value]))"""
    )
    assert not [name for name, _ in attributes if name.startswith("on")]
    links = [value for name, value in attributes if name.endswith("href")]
    assert links and all(re.fullmatch(r"#[\w-]+", value) for value in links)


def longest_task_ms(trace: bytes) -> float:
    """Of the page's main thread; its own processor time, whatever else this machine is doing."""
    events = json.loads(trace)["traceEvents"]
    threads = {
        (e["pid"], e["tid"])
        for e in events
        if e["name"] == "thread_name" and e["args"]["name"] == "CrRendererMain"
    }
    tasks = [
        e["tdur"] / 1000
        for e in events
        if e["name"].endswith("RunTask") and "tdur" in e and (e["pid"], e["tid"]) in threads
    ]
    assert len(tasks) > 100
    return max(tasks)


def test_two_thousand_measures_scroll_without_a_stall(
    look: Callable[..., Page], browser: Browser
) -> None:
    page = look("long")
    browser.start_tracing(
        page=page, categories=["__metadata", "toplevel", "disabled-by-default-devtools.timeline"]
    )
    page.evaluate(
        """async () => {
          const {scroll} = notation;
          for (let i = 0; i < 160; i++) {
            scroll.scrollLeft += i % 40 === 39 ? 60000 : 90;
            await new Promise(requestAnimationFrame);
          }
        }"""
    )
    settled(page)
    assert longest_task_ms(browser.stop_tracing()) < 100
    page.evaluate("notation.showMeasure(1500)")
    settled(page)
    box = cell(page, 1500, 0)
    assert 0 <= box["x"] < 1280
    assert page.locator(".notation-page").count() < 40
    view = page.evaluate(
        "notation.strip.range(notation.viewStart, notation.viewStart + notation.viewLength)"
    )
    drawn = page.evaluate("[...notation.slots].filter(([, s]) => s.view.isDrawn).map(([i]) => i)")
    assert set(range(*view)) <= set(drawn)


def test_narrow_pages_stand_below_each_other_and_touch_selects(look: Callable[..., Page]) -> None:
    page = look("midi", viewport={"width": 390, "height": 780}, has_touch=True, is_mobile=True)
    first, second = cell(page, 0, 0), cell(page, 4, 0)
    assert second["y"] > first["y"] + 100
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.touchscreen.tap(first["cx"], first["cy"])
    (box,) = chosen(page)["boxes"]
    assert (box["part"], box["start"], box["end"]) == ("P1", 0, 1920)


def test_what_is_hidden_is_not_drawn_and_keeps_its_place(look: Callable[..., Page]) -> None:
    page = look("long")
    page.evaluate("notation.showMeasure(900)")
    settled(page)
    at = page.evaluate("notation.scroll.scrollLeft")
    page.evaluate("notation.host.style.display = 'none'")
    page.wait_for_function("notation.isHidden")
    loads = page.evaluate("loads.length")
    page.evaluate("notation.showMeasure(900); load()")
    page.wait_for_timeout(300)
    assert page.evaluate("loads.length") == loads
    page.evaluate("notation.host.style.display = ''")
    page.wait_for_function("!notation.isHidden")
    settled(page)
    assert page.evaluate("notation.scroll.scrollLeft") == pytest.approx(at, abs=3)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(look: Callable[..., Page], scheme: str) -> None:
    axe = WEB / "node_modules" / "axe-core" / "axe.min.js"
    if not axe.is_file():
        pytest.skip("axe-core is not installed")
    page = look("midi", color_scheme=scheme)
    page.locator(".notation-scroll").focus()
    page.keyboard.press("ArrowRight")
    page.add_script_tag(url="/axe/axe.min.js")
    found = page.evaluate("axe.run(document.querySelector('.notation').parentElement)")
    assert [(v["id"], [n["html"][:120] for n in v["nodes"][:2]]) for v in found["violations"]] == []
