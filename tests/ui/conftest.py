"""The tiny model's folder, a score of its own, and a score made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

import hub
from hub.score import Measure, Notes, Part, Score
from hub.ui.library import Entry, open_library

ECHO = Path(__file__).resolve().parent.parent / "data" / "models" / "echo"


@pytest.fixture
def echo() -> Entry:
    return open_library([ECHO]).entries[0]


@pytest.fixture
def tune() -> Score:
    """16 measures of 4/4, a flute in quarters (P1) and a bass in halves (P2), 480 ticks."""
    return hub.open_score(ECHO / "examples" / "tune.mid")


@pytest.fixture
def mixed() -> Score:
    """8 measures of 4/4, but the 3rd of 3/4: a line (P1), chords (P2), drums (P3), rests (P4)."""
    lengths = [12 if i == 2 else 16 for i in range(8)]
    starts = [sum(lengths[:i]) for i in range(8)]
    measures = tuple(
        Measure(number=str(i + 1), start=a, length=n, beats=n // 4)
        for i, (a, n) in enumerate(zip(starts, lengths, strict=True))
    )
    rows = [(a, 4, 60, 80, 0) for a in starts]
    rows += [(a, 4, pitch, 80, 1) for a in starts for pitch in (60, 64)]
    rows += [(a, 4, 36, 80, 2) for a in starts]
    names = ("Line", "Chords", "Drums", "Silence")
    parts = tuple(
        Part(id=f"P{i + 1}", name=name, is_drums=name == "Drums") for i, name in enumerate(names)
    )
    return Score(ticks_per_quarter=4, parts=parts, measures=measures, notes=Notes.of(rows))
