"""Note values, ties, triplets, beams and spelling of new notes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.formats.musicxml.measure import STEPS, PartState
from hub.formats.musicxml.notate import Glyph, Grid, Look, Sound, key_alter, notate, spell


def grid(meter: str = "4/4", quarter: int = 24) -> Grid:
    beats, beat_type = map(int, meter.split("/"))
    state = PartState(beats=beats, beat_type=beat_type)
    return Grid.of(state, 4 * quarter * beats // beat_type, quarter)


def line(*lengths: int, start: int = 0) -> list[Sound]:
    """Sounds one after the other; negative lengths are rests."""
    sounds = []
    for length in lengths:
        pitches = (60,) if length > 0 else ()
        sounds.append(Sound(tick=start, duration=abs(length), pitches=pitches, velocities=(0,)))
        start += abs(length)
    return sounds


def values(glyphs: list[Glyph]) -> list[str]:
    """ "quarter." for a dotted quarter, "3:eighth" in a triplet, "~" where a tie goes on."""
    return [
        ("3:" if g.ratio else "") + g.type + "." * g.dots + ("~" if g.tie_out else "")
        for g in glyphs
    ]


@pytest.mark.parametrize(
    ("meter", "lengths", "expected"),
    [
        ("4/4", [96], ["whole"]),
        ("4/4", [36, 12, 48], ["quarter.", "eighth", "half"]),
        ("4/4", [12, 24, 12, 48], ["eighth", "quarter", "eighth", "half"]),
        ("4/4", [12, 48, 36], ["eighth", "eighth~", "quarter.", "eighth~", "quarter"]),
        ("4/4", [60, 36], ["half~", "eighth", "eighth~", "quarter"]),
        ("4/4", [8, 8, 8, 72], ["3:eighth"] * 3 + ["half."]),
        ("4/4", [16, 8, 48, 24], ["3:quarter", "3:eighth", "half", "quarter"]),
        ("4/4", [16, 16, 16, 48], ["3:quarter"] * 3 + ["half"]),
        ("4/4", [24, 18, 6, 48], ["quarter", "eighth.", "16th", "half"]),
        ("6/8", [36, 24, 12], ["quarter.", "quarter", "eighth"]),
        ("3/4", [72], ["half."]),
        ("2/2", [96], ["whole"]),
    ],
)
def test_values(meter: str, lengths: list[int], expected: list[str]) -> None:
    glyphs = notate(line(*lengths), grid(meter))
    assert values(glyphs) == expected


def test_a_silent_measure_is_one_measure_rest() -> None:
    (glyph,) = notate(line(-96), grid())
    assert glyph.type == "" and glyph.duration == 96


def test_rests_show_the_beats() -> None:
    assert values(notate(line(12, -36, 48), grid())) == ["eighth", "eighth", "quarter", "half"]


def test_beams_join_the_short_notes_of_a_beat() -> None:
    glyphs = notate(line(12, 12, 6, 12, 6, 24, 18, 6), grid("4/4"))
    assert [g.beams for g in glyphs] == [
        ("begin",),
        ("end",),
        ("begin", "forward hook"),
        ("continue",),
        ("end", "backward hook"),
        (),
        ("begin",),
        ("end", "backward hook"),
    ]


def test_triplets_are_bracketed() -> None:
    glyphs = notate(line(8, 8, 8, 24), grid())
    assert [g.tuplet for g in glyphs] == [("start",), (), ("stop",), ()]


def test_a_tie_from_the_measure_before_goes_through() -> None:
    sound = Sound(tick=0, duration=60, pitches=(60,), velocities=(0,), tie_in=True, tie_out=True)
    glyphs = notate([sound], grid())
    assert [(g.tie_in, g.tie_out) for g in glyphs] == [(True, True)] * len(glyphs)


def test_an_uncommon_tuplet_keeps_its_look() -> None:
    look = Look(type="16th", dots=0, ratio=(5, 4))
    quarter = 120
    sounds = line(24, -24, start=0)
    looks = {(0, 24): look, (24, 24): look}
    glyphs = notate(sounds, grid(quarter=quarter), looks)
    assert [(g.type, g.ratio) for g in glyphs] == [("16th", (5, 4))] * 2


@settings(deadline=None)
@given(
    st.sampled_from(["4/4", "3/4", "6/8", "2/2", "5/8", "7/16"]),
    st.sampled_from([24, 480, 10, 168]),
    st.lists(st.integers(1, 400), max_size=20),
)
def test_glyphs_fill_exactly_the_time_of_the_sounds(
    meter: str, quarter: int, lengths: list[int]
) -> None:
    sounds = line(*(n if n % 3 else -n for n in lengths))
    glyphs = notate(sounds, grid(meter, quarter))
    tick = 0
    for glyph in glyphs:
        assert glyph.tick == tick and glyph.duration > 0
        assert glyph.sound.tick <= tick and glyph.end <= glyph.sound.end
        tick = glyph.end
    assert tick == sum(lengths)


@settings(deadline=None)
@given(st.integers(0, 127), st.integers(-11, 11))
def test_spelling_means_the_pitch(pitch: int, fifths: int) -> None:
    step, alter, octave = spell(pitch, fifths)
    assert STEPS[step] + alter + 12 * (octave + 1) == pitch


def test_spelling_follows_the_key() -> None:
    assert [spell(60 + n, 0)[:2] for n in (1, 3, 6, 8, 10)] == [
        ("C", 1),
        ("E", -1),
        ("F", 1),
        ("G", 1),
        ("B", -1),
    ]
    for fifths in range(-7, 8):
        scale = [(2 * n + fifths * 7 - (1 if n > 2 else 0)) % 12 for n in range(7)]
        for pitch in scale:
            step, alter, _ = spell(60 + pitch, fifths)
            assert alter == key_alter(step, fifths), (fifths, pitch)
