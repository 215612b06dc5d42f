"""One measure as a timeline: items, marks and the state it leaves."""

from __future__ import annotations

import pytest
from musicxml_build import attributes, backup, forward, note

from hub.formats.musicxml import text as xmltext
from hub.formats.musicxml.measure import (
    Item,
    PartState,
    Reader,
    Timeline,
    chord_symbol,
    velocity_percent,
)


def timeline(content: str, state: PartState | None = None, tpq: int = 24) -> Timeline:
    body = f"<measure>{content}</measure>".encode()
    return Reader(tpq).read(xmltext.parse_at(body, 0), state or PartState())


def test_every_item_has_its_place() -> None:
    line = timeline(attributes(2) + note("C4", 4) + backup(2) + note("D4", 1) + forward(3))
    assert [(i.element.tag, i.tick, i.target) for i in line.items] == [
        ("attributes", 0, 0),
        ("note", 0, 48),
        ("backup", 48, 24),
        ("note", 24, 36),
        ("forward", 36, 72),
    ]
    assert line.length == 72 and line.state.divisions == 2


def test_a_backup_does_not_go_before_the_measure() -> None:
    assert timeline(note("C4", 1) + backup(5) + note("C4", 1)).items[-1].tick == 0


def test_state_by_staff() -> None:
    more = (
        '<transpose number="2"><chromatic>-12</chromatic></transpose>'
        "<transpose><chromatic>2</chromatic></transpose>"
    )
    keys = '<attributes><key number="2"><fifths>3</fifths></key></attributes>'
    state = timeline(attributes(2, fifths=-1, staves=2, more=more) + keys).state
    assert (state.semitones(1), state.semitones(2)) == (2, -12)
    assert (state.key(1), state.key(2), state.staves) == (-1, 3, 2)


def test_a_meter_that_makes_no_sense_is_ignored() -> None:
    for beats, kind in (("0", "4"), ("4", "0"), ("x", "4"), ("4", "")):
        time = f"<time><beats>{beats}</beats><beat-type>{kind}</beat-type></time>"
        state = timeline(f"<attributes>{time}</attributes>", PartState(beats=3, beat_type=8)).state
        assert (state.beats, state.beat_type) == (3, 8)


@pytest.mark.parametrize(
    ("root", "kind", "more", "expected"),
    [
        ("C", "major", "", "C"),
        ("D", "minor-seventh", "", "Dm7"),
        ("F", "half-diminished", "", "Fm7b5"),
        ("G", "dominant", "<degree><degree-value>9</degree-value><degree-alter>-1</degree-alter>"
         "<degree-type>alter</degree-type></degree>", "G7b9"),
        ("A", "major", "<degree><degree-value>9</degree-value><degree-alter>0</degree-alter>"
         "<degree-type>add</degree-type></degree>", "Aadd9"),
        ("C", "major", "<bass><bass-step>E</bass-step></bass>", "C/E"),
        ("C", "none", "", "N.C."),
    ],
)  # fmt: skip
def test_chord_symbols(root: str, kind: str, more: str, expected: str) -> None:
    text = f"<harmony><root><root-step>{root}</root-step></root><kind>{kind}</kind>{more}</harmony>"
    assert chord_symbol(xmltext.parse_at(text.encode(), 0)) == expected


def test_marks_and_offsets() -> None:
    text = (
        "<direction><direction-type><rehearsal>A</rehearsal></direction-type>"
        '<offset>1</offset><sound tempo="66"/></direction>'
    )
    line = timeline(note("C4", 1) + text + "<barline><fermata/></barline>")
    assert [tuple(m) for m in line.marks] == [
        (48, "tempo", 66.0),
        (48, "marker", "A"),
        (24, "fermata", "barline"),
    ]


def test_velocities_go_through_percent_unchanged() -> None:
    for velocity in range(1, 128):
        text = note("C4", 1).replace("<note>", f'<note dynamics="{velocity_percent(velocity)}">')
        assert timeline(text).items[0].velocity == velocity


def test_negative_durations_are_none_and_nothing_stands_before_the_measure() -> None:
    back = timeline(note("C4", 2) + backup(-5) + forward(-3) + note("D4", -4) + note("E4", 1))
    assert [item.tick for item in back.items] == [0, 48, 48, 48, 48]
    assert back.length == 72 and back.items[3].pitch is None
    harmony = "<harmony><root><root-step>C</root-step></root><offset>-9</offset></harmony>"
    assert [mark.tick for mark in timeline(harmony).marks] == [0]


@pytest.mark.parametrize("odd", ["²", "٣", "9" * 5000])
def test_odd_digits_are_no_numbers(odd: str) -> None:
    def first(text: str) -> Item:
        return timeline(text).items[0]

    assert first(note("C4", 1).replace("<octave>4", f"<octave>{odd}")).pitch is None
    assert first(note("C4", 1).replace("<duration>1", f"<duration>{odd}")).duration == 0
    assert first(note("C4", 1).replace("</voice>", f"</voice><staff>{odd}</staff>")).staff == 1
    assert first(f"<sound tempo='{odd}'/>") and not timeline(f"<sound tempo='{odd}'/>").marks
    mark = f"<beat-unit>quarter</beat-unit><per-minute>{odd}</per-minute>"
    mark = f"<direction-type><metronome>{mark}</metronome></direction-type>"
    assert not timeline(f"<direction>{mark}</direction>").marks
