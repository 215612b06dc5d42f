"""Pitch names and keys."""

from __future__ import annotations

import numpy as np
import pytest

from hub.engrave.spelling import estimate_key, key_alters, keys_of, spell
from hub.score import Key, Measure, Notes, Part, Score


def named(pitch: int, fifths: int, mode: str = "major", following: int | None = None) -> str:
    step, alter, octave = spell(pitch, Key(0, fifths, mode), following)
    return f"{step}{'#' * alter}{'b' * -alter}{octave}"


@pytest.mark.parametrize(
    ("pitch", "fifths", "mode", "name"),
    [
        (60, 0, "major", "C4"),
        (66, 1, "major", "F#4"),
        (66, -5, "major", "Gb4"),
        (70, 0, "major", "Bb4"),
        (68, 0, "minor", "G#4"),
        (59, -7, "major", "Cb4"),
        (60, 7, "major", "B#3"),
        (71, -6, "major", "Cb5"),
        (65, 6, "major", "E#4"),
    ],
)
def test_names_follow_the_key(pitch: int, fifths: int, mode: str, name: str) -> None:
    assert named(pitch, fifths, mode) == name


def test_every_pitch_sounds_as_it_is_written_in_every_key() -> None:
    naturals = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
    for fifths in range(-7, 8):
        for mode in ("major", "minor"):
            for pitch in range(128):
                step, alter, octave = spell(pitch, Key(0, fifths, mode))
                assert (octave + 1) * 12 + naturals[step] + alter == pitch
                assert abs(alter) <= 2


def test_chromatic_notes_lean_to_where_they_resolve() -> None:
    assert named(68, 0, following=69) == "G#4"
    assert named(68, 0, following=67) == "Ab4"


def test_key_alters() -> None:
    assert {s for s, a in key_alters(Key(0, 2)).items() if a == 1} == {"F", "C"}
    assert {s for s, a in key_alters(Key(0, -3)).items() if a == -1} == {"B", "E", "A"}
    assert set(key_alters(Key(0, 0)).values()) == {0}


@pytest.mark.parametrize("tonic", range(12))
def test_scales_are_recognised(tonic: int) -> None:
    major, minor = np.zeros(12), np.zeros(12)
    major[[(tonic + s) % 12 for s in (0, 2, 4, 5, 7, 9, 11)]] = [4, 1, 2, 1, 3, 1, 1]
    minor[[(tonic + s) % 12 for s in (0, 2, 3, 5, 7, 8, 11)]] = [4, 1, 2, 1, 3, 1, 1]
    fifths = tonic * 7 % 12
    key, fit = estimate_key(major)
    assert (key.fifths % 12, key.mode) == (fifths, "major") and fit > 0.8
    key, _ = estimate_key(minor)
    assert (key.fifths % 12, key.mode) == ((fifths - 3) % 12, "minor")


D_MAJOR = [62, 64, 66, 67, 69, 71, 73, 74, 69, 66, 62, 69]


def score_of(pitches: list[int], *keys: Key) -> Score:
    return Score(
        ticks_per_quarter=24,
        parts=(Part(id="P1", name="x"),),
        measures=(Measure(number="1", start=0, length=960),),
        notes=Notes.of((i * 24, 24, pitch) for i, pitch in enumerate(pitches)),
        keys=keys,
    )


def test_a_stated_key_is_believed_but_not_a_lone_c_major() -> None:
    assert keys_of(score_of(D_MAJOR, Key(0, -3))) == (Key(0, -3),)
    assert keys_of(score_of(D_MAJOR, Key(0, 0)))[0].fifths == 2
    assert keys_of(score_of(D_MAJOR, Key(0, 0), Key(96, 1))) == (Key(0, 0), Key(96, 1))
    assert keys_of(score_of([60, 64, 67, 65, 62, 71, 72, 60], Key(0, 0))) == (Key(0, 0),)


def test_the_first_key_holds_from_the_beginning() -> None:
    assert keys_of(score_of(D_MAJOR, Key(48, 2)))[0].tick == 0
    assert keys_of(score_of([]))[0].fifths in range(-6, 7)
