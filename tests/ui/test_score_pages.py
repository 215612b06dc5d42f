"""Pages of notation: ids that lead back to notes, the cost of a page, what is kept."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from hub.engrave import to_musicxml
from hub.errors import PreviewError
from hub.formats import musicxml
from hub.score import Key, Measure, Notes, Part, Score, Tempo
from hub.ui import score_pages
from hub.ui.score_pages import PageBook

PARTS = (
    Part(id="P1", name="Flute", program=73),
    Part(id="P2", name="Piano", program=0),
)


def score_of(measures: int, tpq: int = 24) -> Score:
    """Eighths in the flute, a wide piano chord in every measure."""
    length = 4 * tpq
    spans = tuple(
        Measure(number=str(i + 1), start=i * length, length=length) for i in range(measures)
    )
    rows = [(i * tpq // 2, tpq // 2, 67 + i % 8, 80, 0) for i in range(8 * measures)]
    rows += [(i * length, length, pitch, 80, 1) for i in range(measures) for pitch in (40, 76)]
    return Score(ticks_per_quarter=tpq, parts=PARTS, measures=spans, notes=Notes.of(rows))


SCORE = score_of(24)
FROM_FILE = musicxml.read(to_musicxml(SCORE))


@pytest.mark.parametrize("score", [SCORE, FROM_FILE], ids=["engraved", "own"])
def test_every_drawn_id_leads_to_its_note_and_measure(score: Score) -> None:
    page = PageBook().page(score, 0, 8, 8)
    root = ElementTree.fromstring(page.musicxml)
    drawn = [e.get("id", "") for e in root.iter("note") if e.get("id")]
    assert {name.split(".")[0] for name in drawn} == set(page.note_ids)
    inside = {
        (note.part, note.onset, note.pitch)
        for note in score.notes
        if score.measures[8].start <= note.onset < score.measures[15].end
    }
    assert set(page.note_ids.values()) == inside
    for name, (part, onset, pitch) in page.note_ids.items():
        note = score.notes[int(name[1:])]
        assert (note.part, note.onset, note.pitch) == (part, onset, pitch)
    assert {
        e.get("id"): int(e.get("number", "")) - 1 for e in root.iter("measure")
    } == page.measure_ids
    assert page.staves == (1, 2)


def test_a_page_in_the_middle_says_what_is_in_force() -> None:
    root = ElementTree.fromstring(PageBook().page(FROM_FILE, 0, 16, 4).musicxml)
    for part in root.iter("part"):
        attributes = part.find("measure/attributes")
        assert attributes is not None
        assert {"divisions", "key", "time", "clef"} <= {child.tag for child in attributes}


def test_a_late_page_remembers_a_change_far_before_it() -> None:
    long = score_of(200)
    later = replace(long, keys=(Key(0, 0), Key(long.measures[70].start, 3)))
    book, score = PageBook(), musicxml.read(to_musicxml(later))

    def fifths(first: int) -> str | None:
        return ElementTree.fromstring(book.page(score, 0, first, 4).musicxml).findtext(".//fifths")

    assert [fifths(first) for first in (190, 72, 60, 130)] == ["3", "3", "0", "3"]


def test_a_tempo_that_goes_on_is_printed_once() -> None:
    score = replace(SCORE, tempos=(Tempo(0, 90.0), Tempo(SCORE.measures[12].start, 120.0)))
    pages = [PageBook().page(score, 0, first, 4).musicxml for first in range(0, 24, 4)]
    assert ["<metronome>" in page for page in pages] == [True, False, False, True, False, False]


def test_only_the_parts_asked_for_are_drawn() -> None:
    page = PageBook().page(SCORE, 0, 0, 4, parts=[1])
    assert "Flute" not in page.musicxml and page.parts == (1,)
    assert {part for part, _, _ in page.note_ids.values()} == {1}


def test_without_the_own_engraving_it_is_engraved_from_the_notes() -> None:
    book = PageBook()
    marked = musicxml.read(
        to_musicxml(SCORE).replace(b"<type>eighth</type>", b"<type>eighth</type><stem>down</stem>")
    )
    assert "<stem>" in book.page(marked, 0, 0, 4).musicxml
    assert "<stem>" not in book.page(marked, 0, 0, 4, own=False).musicxml


def test_the_same_page_of_a_revision_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    real = score_pages._draw_up
    monkeypatch.setattr(
        score_pages, "_draw_up", lambda *a, **k: (made.append(a[1:3]), real(*a, **k))[1]
    )
    book = PageBook()
    assert book.page(SCORE, 0, 0, 8) is book.page(SCORE, 0, 0, 8)
    book.page(SCORE, 1, 0, 8)
    assert made == [(0, (0, 8)), (1, (0, 8))]


def test_what_is_kept_is_bounded() -> None:
    size = len(PageBook().page(SCORE, 0, 0, 4).musicxml)
    book = PageBook(max_bytes=3 * size)
    for revision in range(20):
        book.page(SCORE, revision, 0, 4)
    assert len(book._pages) <= 3 and book._bytes <= 3 * size
    assert len(book._revisions) <= 4


def test_an_edit_does_not_respell_measures_it_does_not_touch() -> None:
    """The key of a file without signatures is an estimate; that of the first revision stays."""
    book = PageBook()
    before = book.page(SCORE, 0, 0, 4)
    notes = SCORE.notes
    moved = np.where(notes.onset >= SCORE.measures[8].start, notes.pitch + 1, notes.pitch)
    after = book.page(SCORE.with_notes(notes.replace(pitch=moved)), 1, 0, 4)
    assert after.musicxml == before.musicxml


@pytest.mark.parametrize(
    ("first", "count", "words"),
    [(24, 4, "no measures"), (-1, 4, "no measures"), (0, 0, "no measures"), (0, 65, "at most 64")],
)
def test_what_cannot_be_a_page_is_a_sentence(first: int, count: int, words: str) -> None:
    with pytest.raises(PreviewError, match=words):
        PageBook().page(SCORE, 0, first, count)


def test_an_empty_score_and_a_wrong_part_are_sentences() -> None:
    empty = Score(ticks_per_quarter=24, parts=PARTS, measures=(), notes=Notes.empty())
    with pytest.raises(PreviewError, match="no measures"):
        PageBook().page(empty, 0, 0, 4)
    with pytest.raises(PreviewError, match="parts 0 to 1"):
        PageBook().page(SCORE, 0, 0, 4, parts=[2])


@pytest.mark.parametrize("is_own", [False, True], ids=["engraved", "own"])
def test_a_page_of_a_long_score_costs_little_wherever_it_is(is_own: bool) -> None:
    long = score_of(2000)
    score = musicxml.read(to_musicxml(long)) if is_own else long
    book = PageBook()
    book.page(score, 0, 1600, 8)  # looks up what all pages need
    seconds = []
    for first in (0, 800, 1984):
        began = time.perf_counter()
        page = book.page(score, 0, first, 16)
        seconds.append(time.perf_counter() - began)
        assert re.search(rf'id="m{first}\.p0"', page.musicxml)
    assert sorted(seconds)[1] < 0.05, seconds
