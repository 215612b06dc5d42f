"""Model folders of a few lines, written where a test needs them: a good one and broken ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

import hub

GOOD_CODE = '''
import hub


class Tiny(hub.Model):
    """A random note on every beat of the region, in every part of it."""

    def inpaint(self, score, region, params):
        rng = params.rng()
        beat = score.ticks_per_quarter
        rows = []
        for part in region.parts():
            for start, end in region.spans(part):
                for onset in range(start, end, beat):
                    pitch = 60 + int(rng.integers(params["spread"] + 1))
                    duration = min(beat, end - onset)
                    rows.append(hub.Note(onset, duration, pitch, 80, score.part_index(part)))
            yield hub.Progress(0.5, "half way")
        return hub.Notes.of(rows)
'''

ACCEPTS: dict[str, Any] = {
    "parts": [1, 2],
    "polyphony": "monophonic",
    "drums": "no",
    "meters": ["4/4"],
    "region": {"unit": "measure", "min": 1, "max": 8},
}
PARAMS = [{"name": "spread", "type": "integer", "min": 0, "max": 12, "default": 7}]


def write_model(
    folder: Path, *, code: str = GOOD_CODE, prose: str = "A test's model.\n", **card: Any
) -> Path:
    """A model folder with an example; `card` replaces or (with None) drops keys of the card."""
    front: dict[str, Any] = {"license": "apache-2.0", "datasets": ["none"]}
    block: dict[str, Any] = {
        "version": 1,
        "summary": "Writes a note on every beat.",
        "entry": "model.py:Tiny",
        "accepts": ACCEPTS,
        "needs": {"seconds": 1, "memory_mb": 50},
        "params": PARAMS,
        "examples": ["tune.mid"],
    }
    for name, value in card.items():
        target = front if name in front else block
        target[name] = value
    block = {name: value for name, value in block.items() if value is not None}
    front = {name: value for name, value in front.items() if value is not None}
    folder.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump({**front, "scorehub": block}, sort_keys=False)
    (folder / "README.md").write_text(f"---\n{text}---\n{prose}", encoding="utf-8")
    (folder / "model.py").write_text(code, encoding="utf-8")
    (folder / "tune.mid").write_bytes(tune_bytes())
    return folder


def tune(measures: int = 12) -> hub.Score:
    """Two melodic parts and drums in 4/4, a note on every beat."""
    tpq = 480
    rows = [
        hub.Note(beat * tpq, tpq, pitch + beat % 5, 90, part)
        for part, pitch in enumerate((60, 48, 36))
        for beat in range(4 * measures)
    ]
    return hub.Score(
        ticks_per_quarter=tpq,
        parts=(
            hub.Part(id="P1", name="Violin", program=40, channel=0),
            hub.Part(id="P2", name="Cello", program=42, channel=1),
            hub.Part(id="P3", name="Drums", is_drums=True, channel=9),
        ),
        measures=tuple(
            hub.Measure(number=str(i + 1), start=i * 4 * tpq, length=4 * tpq)
            for i in range(measures)
        ),
        notes=hub.Notes.of(rows),
    )


def tune_bytes(measures: int = 12) -> bytes:
    return hub.write_score(tune(measures), "midi")
