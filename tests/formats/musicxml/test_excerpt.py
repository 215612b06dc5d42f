"""Cutting measures out of the user's own MusicXML for display."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from hub.errors import PreviewError
from hub.formats import musicxml, open_score, read_score
from hub.formats.musicxml.excerpt import excerpt, index_of
from hub.score import Notes

NOTE = "<note><pitch><step>{}</step><octave>4</octave></pitch><duration>{}</duration>{}</note>"


def document(*measures: str) -> bytes:
    inside = "".join(
        f'<measure number="{n}">{text}</measure>' for n, text in enumerate(measures, start=1)
    )
    return (
        '<?xml version="1.0"?><!DOCTYPE score-partwise PUBLIC "x" "http://x/y.dtd">'
        "<score-partwise><credit><credit-words>Words</credit-words></credit>"
        '<part-list><score-part id="A"><part-name>Flute</part-name></score-part>'
        '<score-part id="B"><part-name>Empty</part-name></score-part></part-list>'
        f'<part id="A">{inside}</part><part id="B"><measure number="1"/></part></score-partwise>'
    ).encode()


FIRST = (
    "<attributes><divisions>2</divisions><key><fifths>2</fifths></key>"
    "<time><beats>2</beats><beat-type>4</beat-type></time>"
    "<clef><sign>F</sign><line>4</line></clef></attributes>"
)


def test_the_first_measure_gets_what_is_in_force() -> None:
    data = document(
        FIRST + NOTE.format("C", 4, ""),
        "<attributes><key><fifths>-1</fifths></key></attributes>" + NOTE.format("D", 4, ""),
        "<attributes><measure-style><multiple-rest>9</multiple-rest></measure-style>"
        "<time><beats>1</beats><beat-type>4</beat-type></time></attributes>"
        + NOTE.format("E", 2, ""),
    )
    root = ElementTree.fromstring(excerpt(musicxml.read(data), (2, 3), [0]))
    assert [a.findtext("divisions") for a in root.iter("attributes")] == ["2"]
    assert root.findtext(".//fifths") == "-1"
    assert root.findtext(".//beats") == "1"
    assert root.findtext(".//clef/sign") == "F"
    assert root.find(".//multiple-rest") is None and root.find("credit") is None
    assert [m.get("number") for m in root.iter("measure")] == ["3"]
    assert [p.get("id") for p in root.iter("score-part")] == ["A"]


def test_notes_and_measures_have_our_ids_and_ties_a_number() -> None:
    tied = NOTE.format("C", 4, '<tie type="start"/>')
    end = NOTE.format("C", 2, '<tie type="stop"/>').replace(
        "<note>", '<note id="mine" default-x="3">'
    )
    data = document(FIRST + tied, end + NOTE.format("D", 2, ""))
    root = ElementTree.fromstring(excerpt(musicxml.read(data), (0, 2), [0]))
    assert [n.get("id") for n in root.iter("note")] == ["n0", "n0.1", "n1"]
    assert [m.get("id") for m in root.iter("measure")] == ["m0.p0", "m1.p0"]
    assert list(root.iter("note"))[1].get("default-x") == "3"


def test_other_scores_have_no_excerpt() -> None:
    score = musicxml.read(document(FIRST + NOTE.format("C", 4, "")))
    blank = score.with_notes(Notes.empty())
    assert index_of(score) is not None and index_of(blank) is None
    with pytest.raises(PreviewError, match="does not come from"):
        excerpt(blank, (0, 1), [0])


def test_a_compressed_file_is_found_too(shared_scores: Path) -> None:
    path = next(shared_scores.glob("openscore-lieder/**/*.mxl"))
    assert index_of(open_score(path)) is not None


@pytest.mark.slow
def test_excerpts_of_real_files_hold_the_same_notes(shared_scores: Path) -> None:
    paths = sorted(shared_scores.glob("musicxmlTestSuite/**/*.xml"))[:120]
    paths += sorted(shared_scores.glob("openscore-lieder/**/*.mxl"))[:20]
    compared = 0
    for path in paths:
        try:
            score = open_score(path)
        except Exception:  # invalid on purpose
            continue
        if index_of(score) is None or not len(score.notes):
            continue
        first = len(score.measures) // 2
        parts = list(range(len(score.parts)))
        again = read_score(excerpt(score, (first, len(score.measures)), parts), "x.musicxml")
        start = score.measures[first].start / score.ticks_per_quarter
        onsets = score.notes.onset / score.ticks_per_quarter - start
        begun = onsets >= 0
        expected = sorted(zip(onsets[begun].round(3), score.notes.pitch[begun], strict=True))
        quarters = again.notes.onset / again.ticks_per_quarter
        found = sorted(zip(quarters.round(3), again.notes.pitch, strict=True))
        assert set(expected) <= set(found), path.name
        compared += 1
    assert compared > 50
