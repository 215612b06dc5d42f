"""The main job as a visitor does it: bring a score, mark measures, compare takes, take one home."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable
from pathlib import Path

import mido
import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

Open = Callable[..., Page]
TUNE = Path(__file__).resolve().parent.parent / "data/models/echo/examples/tune.mid"
OVERVIEW = ".block.sh-overview"


def upload(page: Page, path: Path = TUNE) -> None:
    page.get_by_text("Your score will appear here").wait_for()
    page.locator("input[type=file]").first.set_input_files(path)
    page.wait_for_selector(f"{OVERVIEW} svg.piano-roll")


def measures_field(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Measures")


def inpaint(page: Page, takes: int = 1, seed: str = "42") -> None:
    """Press the button and wait for all pictures."""
    page.get_by_label("number input for Takes").fill(str(takes))
    page.get_by_label("Seed").fill(seed)
    page.get_by_role("button", name="Inpaint", exact=True).click()
    page.get_by_role("heading", name=f"Take {takes} ").wait_for()
    page.wait_for_selector(".sh-waiting", state="detached")


def picture(page: Page, number: int) -> str:
    """HTML of a take's picture; 0 is the original's."""
    return page.locator(".sh-take").nth(number).locator(".sh-pictures").inner_html()


def download(page: Page, number: int, kind: str = "") -> tuple[str, bytes]:
    take = page.locator(".sh-take").nth(number)
    if kind:
        take.get_by_label("File to take home").click()
        page.get_by_role("option", name=kind).click()
    with page.expect_download() as waiting:
        take.get_by_role("button", name=f"Download take {number}").click()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def notes_by_track(data: bytes) -> list[list[tuple[int, int, int]]]:
    """(tick, pitch, velocity) of the note-ons of every track, by mido."""
    tracks = []
    for track in mido.MidiFile(file=io.BytesIO(data)).tracks:
        tick, rows = 0, []
        for message in track:
            tick += message.time
            if message.type == "note_on" and message.velocity:
                rows.append((tick, message.note, message.velocity))
        tracks.append(rows)
    return tracks


def loudness(data: bytes) -> float:
    """Root mean square of a WAV, 0..1."""
    with wave.open(io.BytesIO(data)) as sound:
        samples = np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2")
    return float(np.sqrt(np.mean((samples / 32768.0) ** 2)))


def test_upload_mark_inpaint_hear_and_download(open_page: Open) -> None:
    page = open_page("/")
    page.get_by_role("link", name="Echo").click()
    upload(page)
    before = page.locator(OVERVIEW).inner_html()
    measures_field(page).fill("7-8")
    measures_field(page).press("Enter")
    page.wait_for_function(
        f"before => document.querySelector('{OVERVIEW}').innerHTML !== before", arg=before
    )
    with page.expect_response(lambda answer: "seed42.region.wav" in answer.url) as heard:
        inpaint(page, takes=2)
    assert loudness(heard.value.body()) > 0.02

    assert "new" in picture(page, 1) and picture(page, 1) != picture(page, 0)
    expect(page.get_by_role("heading", name="Take 1 ")).to_contain_text("seed 42")
    expect(page.locator(".sh-take").nth(1)).to_contain_text("nothing changed (verified)")

    name, data = download(page, 1)
    assert name == "tune.m7-8.echo.seed42.mid"
    original, changed = notes_by_track(TUNE.read_bytes()), notes_by_track(data)
    start, end = 6 * 4 * 480, 8 * 4 * 480
    outside = [[n for n in track if not start <= n[0] < end] for track in changed]
    assert outside == [[n for n in track if not start <= n[0] < end] for track in original]
    assert changed != original


def test_every_download_is_what_its_name_says(open_page: Open) -> None:
    page = open_page()
    upload(page)
    inpaint(page)
    beginnings = {
        "Region only": (".region.mid", b"MThd"),
        "Each part": (".parts.zip", b"PK"),
        "MusicXML": (".musicxml", b"<?xml"),
        "WAV, around": (".region.wav", b"RIFF"),
    }
    for kind, (ending, magic) in beginnings.items():
        name, data = download(page, 1, kind)
        assert name.endswith(ending) and data.startswith(magic), kind


def test_a_drag_over_the_picture_marks_measures(open_page: Open) -> None:
    page = open_page()
    upload(page)
    page.wait_for_selector(f"{OVERVIEW} svg.notation rect[data-measure]", state="attached")
    roll = page.locator(f"{OVERVIEW} svg.piano-roll")
    roll.scroll_into_view_if_needed()
    first, last = (roll.locator(f'[data-measure="{i}"]').bounding_box() for i in (1, 3))
    assert first and last
    page.mouse.move(first["x"] + first["width"] / 2, first["y"] + 30)
    page.mouse.down()
    page.mouse.move(last["x"] + last["width"] / 2, last["y"] + 30, steps=4)
    page.mouse.up()
    expect(measures_field(page)).to_have_value("2-4")


def test_pages_can_be_turned_and_come_back_to_the_region(open_page: Open) -> None:
    page = open_page()
    upload(page)
    notation = page.locator(f"{OVERVIEW} svg.notation title").first
    expect(notation).to_have_text("Notation, measures 3 to 10")
    page.get_by_role("button", name="Later measures").click()
    expect(notation).to_have_text("Notation, measures 9 to 16")
    page.get_by_role("button", name="Earlier measures").click()
    expect(notation).to_have_text("Notation, measures 1 to 8")
    page.get_by_role("button", name="Region", exact=True).click()
    expect(notation).to_have_text("Notation, measures 3 to 10")


def test_cancel_stops_and_says_so(open_page: Open) -> None:
    page = open_page()
    upload(page)
    page.get_by_label("number input for Delay").fill("5")
    page.get_by_role("button", name="Inpaint", exact=True).click()
    expect(page.get_by_role("status", name="Progress")).to_contain_text("Echoing")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Stopped, as you asked")).to_be_visible(timeout=3_000)
    expect(page.get_by_role("button", name="Inpaint", exact=True)).to_be_enabled()
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()


def test_a_score_that_comes_during_a_run_clears_what_the_run_showed(open_page: Open) -> None:
    page = open_page()
    upload(page)
    page.get_by_label("number input for Delay").fill("5")
    page.get_by_role("button", name="Inpaint", exact=True).click()
    progress = page.get_by_role("status", name="Progress")
    expect(progress).to_contain_text("Echoing")
    page.get_by_role("button", name="Example: Little tune").click()
    expect(measures_field(page)).to_have_value("3-4")
    page.wait_for_timeout(1_500)  # the run ends now, behind the visitor's back
    expect(page.locator(".sh-progress")).to_have_count(0)
    expect(page.get_by_role("button", name="Inpaint", exact=True)).to_be_enabled()


def test_a_bad_file_is_refused_in_a_sentence_and_the_takes_stay(
    open_page: Open, tmp_path: Path
) -> None:
    page = open_page()
    upload(page)
    inpaint(page)
    bad = tmp_path / "<b>bad<b>.mid"
    bad.write_bytes(b"this is no score at all")
    page.get_by_label("Remove").or_(page.get_by_label("Clear")).first.click()
    page.locator("input[type=file]").first.set_input_files(bad)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("does not begin like it")
    expect(alert).to_contain_text("The score you had is still here")
    assert "<b>" not in alert.inner_html()
    expect(page.get_by_role("heading", name="Take 1 ")).to_be_visible()


def test_a_crash_in_a_model_shows_no_trace(open_page: Open) -> None:
    page = open_page()
    upload(page)
    page.get_by_label("Words").fill("crash")
    page.get_by_role("button", name="Inpaint", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("The model failed")
    assert "Traceback" not in page.content()


def test_a_kept_take_becomes_the_score_and_undo_brings_the_old_one_back(open_page: Open) -> None:
    page = open_page()
    upload(page)
    inpaint(page)
    page.get_by_role("button", name="Keep take 1").click()
    expect(page.get_by_text("take 1 (seed 42, measures 5-8) kept")).to_be_visible()
    inpaint(page, seed="7")
    name, _ = download(page, 1)
    assert name == "tune.m5-8.echo.seed7.mid"
    page.get_by_role("button", name="Undo the kept take").click()
    expect(page.get_by_role("heading", name="Take 1 ")).to_contain_text("seed 42")
    expect(page.get_by_text("kept.")).to_be_hidden()


def test_the_score_with_kept_takes_can_be_taken_home(open_page: Open) -> None:
    page = open_page()
    upload(page)
    home = page.get_by_role("button", name="Download this score")
    expect(home).to_be_hidden()
    inpaint(page)
    _, taken = download(page, 1)
    page.get_by_role("button", name="Keep take 1").click()
    with page.expect_download() as waiting:
        home.click()
    assert waiting.value.suggested_filename == "tune.kept1.mid"
    assert Path(waiting.value.path()).read_bytes() == taken != TUNE.read_bytes()
    page.get_by_role("button", name="Undo the kept take").click()
    expect(home).to_be_hidden()


def test_takes_of_an_earlier_region_say_so(open_page: Open) -> None:
    page = open_page()
    upload(page)
    inpaint(page)
    heading = page.locator(".sh-results")
    expect(heading).to_contain_text("Of measures 5-8, P1.")
    measures_field(page).fill("3-4")
    measures_field(page).press("Enter")
    expect(heading).to_contain_text("From an earlier region: measures 5-8, P1.")
    measures_field(page).fill("5-8")
    measures_field(page).press("Enter")
    expect(heading).to_contain_text("Of measures 5-8, P1.")


def test_a_player_silences_the_one_before(open_page: Open) -> None:
    page = open_page()
    page.evaluate(
        """() => {
          window.players = new Set();
          const play = HTMLMediaElement.prototype.play;
          HTMLMediaElement.prototype.play = function () {
            window.players.add(this);
            return play.call(this);
          };
        }"""
    )
    upload(page)
    inpaint(page)
    takes = [page.locator(".sh-take").nth(number) for number in (0, 1)]
    for take in takes:  # a sound that has just come stops its player
        expect(take.locator("#duration")).not_to_have_text("0:00")
    page.wait_for_timeout(500)
    sounding = "JSON.stringify([...window.players].map((player) => !player.paused))"
    for take, expected in zip(takes, ("[true]", "[false,true]"), strict=True):
        take.get_by_label("Play", exact=True).click()
        page.wait_for_function(f"() => {sounding} === '{expected}'", timeout=5_000)


def test_two_visitors_do_not_see_each_other(open_page: Open) -> None:
    one, two = open_page(), open_page()
    upload(one)
    inpaint(one, seed="1")
    expect(two.locator(OVERVIEW)).to_contain_text("Your score will appear here")
    upload(two)
    inpaint(two, seed="2")
    expect(one.get_by_role("heading", name="Take 1 ")).to_contain_text("seed 1")
    assert download(one, 1)[0] != download(two, 1)[0]


@pytest.mark.parametrize("path", ["/", "/echo"])
def test_a_phone_needs_no_sideways_scrolling(open_page: Open, path: str) -> None:
    page = open_page(path, viewport={"width": 375, "height": 800}, has_touch=True)
    if path != "/":
        upload(page)
        inpaint(page)
    page.wait_for_selector("h1")
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_the_keyboard_is_enough(open_page: Open) -> None:
    page = open_page()
    page.get_by_role("button", name="Example: Little tune").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{OVERVIEW} svg.piano-roll")
    expect(measures_field(page)).to_have_value("3-4")
    page.get_by_label("Seed").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText.trim()") == "Inpaint"
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Take 3 ").wait_for()


def test_dark_mode_is_legible(open_page: Open) -> None:
    page = open_page("/echo?__theme=dark")
    upload(page)
    inpaint(page)
    text, back = page.evaluate(
        """() => {
          const take = document.querySelectorAll('.sh-take')[1];
          const grey = (c) => { const n = c.match(/[\\d.]+/g).map(Number);
                                return (n[0] * 299 + n[1] * 587 + n[2] * 114) / 1000; };
          return [grey(getComputedStyle(take.querySelector('h3')).color),
                  grey(getComputedStyle(take).backgroundColor)];
        }"""
    )
    assert text - back > 120


def test_the_trained_model_writes_a_melody(open_page: Open, project: Path) -> None:
    if not (project / "models/inpaintnet/model.safetensors").exists():
        pytest.skip("models/inpaintnet has no weights here")
    page = open_page("/inpaintnet")
    page.get_by_role("button", name="Example:").first.click()
    page.wait_for_selector(f"{OVERVIEW} svg.notation")
    inpaint(page, takes=2, seed="5")
    assert 'class="new"' in picture(page, 1)
    assert picture(page, 1) != picture(page, 2)
    name, data = download(page, 2)
    assert ".inpaintnet.seed6." in name
    assert any(notes_by_track(data))
