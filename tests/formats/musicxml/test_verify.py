"""The comparison finds every kind of damage; each test forges one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from musicxml_build import attributes, backup, document, edit, grace, note, read, words

from hub.errors import PromiseError
from hub.formats import musicxml
from hub.score import Note

ONE = attributes(2) + note("C4", 4) + words("dolce") + note("D4", 4)
TWO = (
    note("C4", 2)
    + words("here")
    + note("D4", 2)
    + note("E4", 4)
    + backup(8)
    + grace("A3", "2")
    + note("C3", 8, voice="2")
)
PARTS = ([ONE, TWO, note("G4", 8)], [attributes(2) + note("C2", 8), note("D2", 8), note("E2", 8)])
SCORE = read(*PARTS)
# The notes C4 D4 of measure 2 of part 1 go, G4 comes.
EDIT = edit(SCORE, [Note(96, 48, 67)], start=96, end=144)
EDIT = type(EDIT)(removed=EDIT.removed[1:], added=EDIT.added)
GOOD = musicxml.splice(SCORE, EDIT).decode()


def test_an_honest_edit_passes() -> None:
    musicxml.verify(SCORE, EDIT, GOOD.encode())
    assert SCORE.notes[int(EDIT.removed[0])].pitch == 60
    assert note("C3", 8, voice="2") in GOOD


def once(old: str, new: str) -> Callable[[str], str]:
    def forge(text: str) -> str:
        assert text.count(old) >= 1, old
        return text.replace(old, new, 1)

    return forge


FORGERIES = {
    "white space in an untouched measure": once('<measure number="3">', '<measure number="3" >'),
    "a note in an untouched measure": once(note("G4", 8), note("A4", 8)),
    "a note in another part": once(note("D2", 8), note("E2", 8)),
    "the part list": once("Part 2", "Part II"),
    "the tail": once("</score-partwise>\n", "</score-partwise>"),
    "an attribute of the touched measure": once('number="2"', 'number="2" implicit="yes"'),
    "a direction that is lost": once(words("here"), ""),
    "a direction that says something else": once(words("here"), words("there")),
    "a direction that is new": once(words("here"), words("here") + words("now")),
    "a direction that is moved": once(backup(8), words("here") + backup(8)),
    "a note of another voice": once(note("C3", 8, voice="2"), note("B2", 8, voice="2")),
    "a note of the same voice": once(note("E4", 4), note("E4", 4, more="<stem>up</stem>")),
    "a grace note of another voice": once(grace("A3", "2"), ""),
    "the place of a note": once(backup(8) + grace("A3", "2"), backup(7) + grace("A3", "2")),
    "a wrong new pitch": once("<step>G</step>", "<step>A</step>"),
    "a new velocity": once(
        "<note>\n        <pitch><step>G", '<note dynamics="50">\n<pitch><step>G'
    ),
    "a rest beyond the barline": once(
        '</measure>\n    <measure number="3"', note("R", 8) + '</measure>\n    <measure number="3"'
    ),
    "divisions left behind": once(
        '</measure>\n    <measure number="3"',
        '<attributes><divisions>4</divisions></attributes></measure>\n    <measure number="3"',
    ),
    "a cut": lambda text: text[:-40],
    "no XML": once("</part>", "</trap>"),
    "another encoding": lambda text: text.encode("utf-16").decode("utf-16") + " ",
}


@pytest.mark.parametrize("name", FORGERIES)
def test_every_forgery_is_found(name: str) -> None:
    forged = FORGERIES[name](GOOD)
    assert forged != GOOD
    with pytest.raises(PromiseError):
        musicxml.verify(SCORE, EDIT, forged.encode())


def test_another_encoding_is_found() -> None:
    with pytest.raises(PromiseError, match="encoding"):
        musicxml.verify(SCORE, EDIT, GOOD.encode("utf-8-sig"))
    with pytest.raises(PromiseError, match="readable"):
        musicxml.verify(SCORE, EDIT, b'<?xml version="1.0" encoding="klingon"?><a/>')


def test_an_appended_measure_holds_music_only() -> None:
    score = read([attributes(2) + note("C4", 8)])
    change = edit(score, [Note(96, 96, 60)])
    good = musicxml.splice(score, change).decode()
    musicxml.verify(score, change, good.encode())
    for forged in (
        good.replace('<measure number="2">', '<measure number="2">' + words("x")),
        document([attributes(2) + note("C4", 8)]),
        good.replace("</part>", '<measure number="3"/></part>'),
    ):
        with pytest.raises(PromiseError):
            musicxml.verify(score, change, forged.encode())
