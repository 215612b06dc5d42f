"""Pitch names: the key of a score, and how a MIDI pitch is written in it.

Pitches are placed on the line of fifths (… Bb −2, F −1, C 0, G 1, D 2 …). A key of `fifths`
sharps takes the name nearest to its centre; chromatic notes lean towards where they resolve.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hub.score import Key, Score

# C. Krumhansl, Cognitive Foundations of Musical Pitch (1990), probe-tone profiles.
_MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
_MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])
_MARGIN = 0.08  # correlation by which an estimate must beat a stated C major to replace it
_DOUBLE_COST = 4.0  # double sharps and flats are a last resort
_STEPS = "FCGDAEB"
_NATURAL = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


class Spelled(NamedTuple):
    """A written pitch: step letter, alter in semitones, octave (4 holds middle C)."""

    step: str
    alter: int
    octave: int


def spell(pitch: int, key: Key, following: int | None = None) -> Spelled:
    """The written name of a MIDI pitch; `following` is the next pitch of the line, if known."""
    centre = key.fifths + (3 if key.mode == "minor" else 2)
    places = [p for p in range(centre - 8, centre + 9) if (p * 7 - pitch) % 12 == 0]
    place = min(places, key=lambda p: (_cost(p, centre, pitch, following), p))
    step, alter = _STEPS[(place + 1) % 7], (place + 1) // 7
    return Spelled(step, alter, (pitch - alter - _NATURAL[step]) // 12 - 1)


def _cost(place: int, centre: int, pitch: int, following: int | None) -> float:
    """Distance from the centre; raised notes want to rise, lowered ones to fall."""
    is_double = not -8 < place < 13
    cost = abs(place - centre) + (_DOUBLE_COST if is_double else 0.0)
    if cost <= 3 or following is None:
        return cost
    resolves = 1 if place > centre else -1
    return cost - 1.5 if following - pitch == resolves else cost


def key_alters(key: Key) -> dict[str, int]:
    """Alteration of each step letter under the key signature."""
    alters = dict.fromkeys(_NATURAL, 0)
    order = _STEPS if key.fifths > 0 else _STEPS[::-1]
    for step in order[: abs(key.fifths)]:
        alters[step] = 1 if key.fifths > 0 else -1
    return alters


def keys_of(score: Score) -> tuple[Key, ...]:
    """The keys to print, the first at tick 0: the score's own, or one estimate where it has none.

    Many MIDI files state C major and do not mean it, so a lone C major gives way to a clearly
    better estimate.
    """
    stated = tuple(key for key in score.keys if -7 <= key.fifths <= 7)
    if any(key.fifths for key in stated):
        return stated if stated[0].tick <= 0 else (stated[0]._replace(tick=0), *stated)
    counts = _pitch_classes(score)
    guess, fit = estimate_key(counts)
    if stated and (stated[0].mode == "minor" or fit - _fit_without_sharps(counts) < _MARGIN):
        return (stated[0]._replace(tick=0),)
    return (guess,)


def estimate_key(counts: npt.NDArray[np.float64]) -> tuple[Key, float]:
    """The key that correlates best with pitch-class durations (12,), and the correlation."""
    best, best_fit = Key(0, 0), -2.0
    for tonic in range(12):
        for mode, profile, shift in (("major", _MAJOR, 0), ("minor", _MINOR, 3)):
            fit = _correlation(np.roll(counts, -tonic), profile)
            if fit > best_fit:
                fifths = ((tonic + shift) * 7) % 12
                best, best_fit = Key(0, fifths if fifths <= 6 else fifths - 12, mode), fit
    return best, best_fit


def _fit_without_sharps(counts: npt.NDArray[np.float64]) -> float:
    return max(_correlation(counts, _MAJOR), _correlation(np.roll(counts, -9), _MINOR))


def _correlation(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size else 0.0


def _pitch_classes(score: Score) -> npt.NDArray[np.float64]:
    """Sounding quarters (12,) of each pitch class, drums left out, long notes cut at two."""
    drums = np.array([part.is_drums for part in score.parts], dtype=bool)
    notes = score.notes
    if not len(notes):
        return np.zeros(12)
    tonal = ~drums[notes.part]
    weights = np.minimum(notes.duration[tonal] / score.ticks_per_quarter, 2.0)
    classes = notes.pitch[tonal] % 12
    return np.bincount(classes, weights=weights, minlength=12).astype(np.float64)
