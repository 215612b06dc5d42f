"""A touched measure before it is written: what is free, what goes, what is filled."""

from __future__ import annotations

import pytest
from musicxml_build import attributes, backup, forward, grace, note

from hub.formats.musicxml.measure import PartState, Reader
from hub.formats.musicxml.notate import Sound
from hub.formats.musicxml.open import OpenMeasure, inside_of


def opened(content: str, *, length: int = 96) -> OpenMeasure:
    body = f"<x><measure number='>'>{attributes(2)}{content}</measure></x>".encode()
    return OpenMeasure.read(body, (3, len(body) - 4), Reader(24), PartState(), length)


def remove(measure: OpenMeasure, *places: int) -> None:
    """The n-th notes of the measure."""
    notes = [k for k, _ in measure.notes()]
    measure.removed.update(notes[n] for n in places)


def sound(tick: int, duration: int) -> Sound:
    return Sound(tick=tick, duration=duration, pitches=(60,), velocities=(0,))


def line(measure: OpenMeasure, voice: str = "1") -> list[tuple[int, int, bool]]:
    """(tick, duration, is a note) of what is going to be written."""
    return [(s.tick, s.duration, bool(s.pitches)) for s in measure.lines[voice]]


def test_the_start_tag_ends_at_its_own_bracket() -> None:
    measure = opened(note("C4", 8))
    assert measure.body[: inside_of(measure.body, measure.element)].endswith(b"number='>'>")


def test_a_voice_is_free_where_nothing_stays() -> None:
    measure = opened(note("C4", 4) + note("R", 2) + note("D4", 2))
    assert measure.is_free("1", (48, 72)) and not measure.is_free("1", (40, 60))
    remove(measure, 0)
    assert measure.is_free("1", (0, 72)) and measure.is_free("7", (0, 96))
    measure.add("1", 1, sound(0, 12))
    assert not measure.is_free("1", (6, 24))


def test_what_is_removed_becomes_rests_around_what_comes() -> None:
    measure = opened(note("C4", 4) + note("D4", 4))
    remove(measure, 0)
    measure.add("1", 1, sound(12, 12))
    measure.settle()
    assert line(measure) == [(0, 12, False), (12, 12, True), (24, 24, False)]


def test_a_rest_gives_way_and_keeps_its_remains() -> None:
    measure = opened(note("R", 8))
    measure.add("1", 1, sound(24, 24))
    measure.settle()
    assert line(measure) == [(0, 24, False), (24, 24, True), (48, 48, False)]


@pytest.mark.parametrize(("order", "goes"), [("before", True), ("after", True), ("else", False)])
def test_grace_notes_belong_to_the_note_behind_them(order: str, goes: bool) -> None:
    text = {
        "before": note("C4", 4) + grace("A4") + note("D4", 4),
        "after": note("C4", 4) + note("D4", 4) + grace("A4"),
        "else": grace("A4") + note("C4", 4) + note("D4", 4),
    }[order]
    measure = opened(text)
    measure.removed.add(next(k for k, i in measure.notes() if i.pitch == 62))
    measure.settle()
    assert any(k in measure.removed for k, i in measure.notes() if i.is_grace) == goes


def test_a_companion_has_the_same_onset_and_duration() -> None:
    measure = opened(note("C4", 4) + note("E4", 4, chord=True) + note("D4", 4))
    place = measure.companion(1, sound(0, 48))
    assert place is not None and measure.items[place].pitch == 64
    assert measure.companion(1, sound(0, 24)) is None
    assert measure.companion(2, sound(0, 48)) is None


def test_a_voice_left_silent_beside_another_is_hidden() -> None:
    measure = opened(note("C4", 8) + backup(8) + forward(4) + note("E3", 4, voice="2"))
    remove(measure, 1)
    measure.settle()
    assert measure.hidden == {"2"}
