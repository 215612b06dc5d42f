"""A tiny model for tests: fills the region with random notes of one length. No weights."""

from __future__ import annotations

import time
from collections.abc import Iterator

import hub

STEPS = 10


class Echo(hub.Model):
    def inpaint(self, score: hub.Score, region: hub.Region, params: hub.Params) -> Iterator[object]:
        for step in range(STEPS):
            time.sleep(params["delay"] / STEPS)
            yield hub.Progress((step + 1) / STEPS, "Echoing")
        if params["words"] == "crash":
            raise RuntimeError("a secret of the server")
        rng = params.rng()
        length = score.ticks_per_quarter // (2 if params["fast"] else 1)
        rows = []
        for box in region.boxes:
            part = score.part_index(box.part or "")
            for onset in range(box.start_tick, box.end_tick, length):
                measure = score.measure_at(onset)
                shift = params.at("shift", part=box.part, measure=measure)
                pitch = params["lowest"] + int(rng.integers(12)) + shift
                duration = min(length, box.end_tick - onset)
                rows.append((onset, duration, pitch, params.at("loudness", part=box.part), part))
        return hub.Notes.of(rows)
