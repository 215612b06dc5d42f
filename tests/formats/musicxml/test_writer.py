"""The bytes of a touched measure: moves, divisions, accidentals, white space."""

from __future__ import annotations

import re

import numpy as np
from musicxml_build import attributes, backup, edit, note, read, spliced, words

from hub.formats import Edit
from hub.score import Note


def accidentals(text: str) -> list[str]:
    return re.findall("<accidental>(.*?)</accidental>", text)


def test_accidentals_stand_where_the_key_or_a_note_before_says_otherwise() -> None:
    score = read([attributes(2, fifths=1) + note("C5", 8)])
    pitches = (66, 65, 65, 66)  # F# (in the key), F, F again, F# again
    added = [Note(24 * k, 24, p) for k, p in enumerate(pitches)]
    text = spliced(score, edit(score, added, end=96))
    assert accidentals(text) == ["natural", "sharp"]


def test_a_note_that_stays_explains_a_new_one() -> None:
    score = read([attributes(2) + note("F#4", 4) + note("C5", 4)])
    text = spliced(score, edit(score, [Note(48, 24, 66), Note(72, 24, 67)], start=48, end=96))
    assert accidentals(text) == []


def test_tied_pieces_show_one_accidental() -> None:
    score = read([attributes(2) + note("C5", 8)])
    text = spliced(score, edit(score, [Note(12, 60, 66)], end=96))
    assert text.count("<step>F</step>") >= 2 and accidentals(text) == ["sharp"]


def test_new_lines_are_indented_like_their_neighbours() -> None:
    content = "\n      ".join([attributes(2), note("C4", 4), note("D4", 4)])
    score = read([content])
    text = spliced(score, edit(score, [Note(48, 48, 65)], start=48, end=96))
    assert note("D4", 4).replace(">D<", ">F<") in text
    text = spliced(score, edit(score, [Note(48, 24, 65)], start=48, end=96))
    assert "\n      <note>\n        <pitch><step>F</step>" in text
    dense = read([attributes(2) + note("C4", 4) + note("D4", 4)])
    text = spliced(dense, edit(dense, [Note(48, 24, 65)], start=48, end=96))
    assert re.search(r"</note><note><pitch><step>F", text)


def test_comments_stay() -> None:
    score = read([attributes(2) + note("C4", 4) + "<!-- mine -->" + note("D4", 4)])
    assert "<!-- mine -->" in spliced(score, edit(score, start=48, end=96))


def test_what_stands_behind_a_new_voice_keeps_its_place() -> None:
    end = '<barline location="right"><bar-style>light-heavy</bar-style></barline>'
    score = read([attributes(2) + note("C4", 8) + words("fine") + end])
    text = spliced(score, edit(score, [Note(24, 24, 50)]))
    assert text.index("<voice>2</voice>") < text.index("fine") < text.index("light-heavy")
    assert text.count("<backup>") == 1 and text.count("<forward>") == 1


def test_divisions_come_back_before_a_backup_that_stays() -> None:
    lower = backup(4) + note("C3", 4, voice="2")
    score = read([attributes(1) + note("C4", 1) + note("D4", 3) + lower, note("C4", 4)])
    change = edit(score, [Note(0, 6, 60), Note(6, 18, 62)], end=24)
    first = int((score.notes.pitch == 60).argmax())
    text = spliced(score, Edit(removed=np.array([first]), added=change.added))
    assert re.findall(r"<divisions>(\d+)<", text) == ["1", "4", "1"]
    assert lower in text
