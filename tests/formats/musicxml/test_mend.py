"""Slurs, brackets and beams of which one half stays."""

from __future__ import annotations

import re

from musicxml_build import attributes, edit, note, read, spliced

from hub.score import Note


def slur(kind: str) -> str:
    return f'<slur type="{kind}" number="1"/>'


def beamed(name: str, kind: str, **more: str) -> str:
    return note(name, 1, more=f'<type>eighth</type><beam number="1">{kind}</beam>', **more)


def pieces(text: str) -> list[str]:
    return re.findall(r"<note.*?</note>", text, re.DOTALL)


def test_a_slur_whose_start_is_gone_begins_on_a_new_note() -> None:
    last = note("F4", 4, notations=slur("stop"))
    score = read([attributes(2) + note("C4", 4, notations=slur("start")) + last])
    text = spliced(score, edit(score, [Note(0, 24, 64), Note(24, 24, 65)], end=48))
    first, second, third = pieces(text)
    assert 'slur type="start" number="1"' in first
    assert "slur" not in second and third == last


def test_a_slur_whose_end_is_gone_ends_on_a_new_note() -> None:
    first = note("C4", 4, notations=slur("start"))
    score = read([attributes(2) + first, note("D4", 4) + note("F4", 4, notations=slur("stop"))])
    text = spliced(score, edit(score, [Note(96, 24, 64), Note(120, 72, 65)], start=96, end=192))
    assert pieces(text)[0] == first
    where = ["slur" in piece for piece in pieces(text)]
    assert where[0] and sum(where) == 2 and text.count('<slur type="stop" number="1"/>') == 1


def test_a_slur_that_is_gone_whole_leaves_nothing() -> None:
    both = note("C4", 4, notations=slur("start")) + note("D4", 4, notations=slur("stop"))
    score = read([attributes(2) + both])
    assert "slur" not in spliced(score, edit(score, [Note(0, 24, 64)], end=96))


def test_a_cut_beam_is_closed_by_what_comes() -> None:
    first = beamed("C4", "begin")
    score = read([attributes(2) + first + beamed("D4", "end") + note("E4", 6)])
    played = pieces(spliced(score, edit(score, [Note(12, 12, 65)], start=12, end=24, part=0)))
    assert played[0] == first and '<beam number="1">end</beam>' in played[1]
    silent = pieces(spliced(score, edit(score, start=12, end=24)))
    assert "<rest/>" in silent[1] and '<beam number="1">end</beam>' in silent[1]


def test_a_beam_goes_on_through_new_notes() -> None:
    notes = [beamed("C4", "begin"), beamed("D4", "continue"), beamed("E4", "end")]
    score = read([attributes(2, "3/8") + "".join(notes)])
    added = [Note(12, 6, 65), Note(18, 6, 67)]
    first, second, third, last = pieces(spliced(score, edit(score, added, start=12, end=24)))
    assert first == notes[0] and last == notes[2]
    assert '<beam number="1">continue' in second and '<beam number="1">continue' in third


def test_a_cut_bracket_is_closed_by_what_comes() -> None:
    change = (
        "<type>eighth</type><time-modification><actual-notes>3</actual-notes>"
        "<normal-notes>2</normal-notes></time-modification>"
    )
    first = note("C4", 2, more=change, notations='<tuplet type="start"/>')
    last = note("E4", 2, more=change, notations='<tuplet type="stop"/>')
    score = read([attributes(6) + first + note("D4", 2, more=change) + last + note("G4", 18)])
    text = spliced(score, edit(score, [Note(8, 8, 65), Note(16, 8, 67)], start=8, end=24))
    assert pieces(text)[0] == first
    assert [p.count("<tuplet ") for p in pieces(text)] == [1, 0, 1, 0]
    assert '<tuplet type="stop"/>' in pieces(text)[2]
    text = spliced(score, edit(score, [Note(0, 8, 65), Note(8, 8, 67)], end=16))
    # The same onsets and durations: the notes keep their brackets and change their pitch.
    assert [p.count("<tuplet ") for p in pieces(text)] == [1, 0, 1, 0]
