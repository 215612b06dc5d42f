"""The other process of a check: python -P -m hub.check.measure FOLDER ANSWER CODE SEED TRIAL…

CODE is the folder of the architecture that the card names, or ''. Loads the model, runs the trials
with these numbers, and writes {"notes", "memory_mb"} to ANSWER.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hub.card import read_card
from hub.check import cost, watch
from hub.check.bench import Bench, Trial
from hub.errors import ScorehubError
from hub.folder import load
from hub.model import Model, inpaint
from hub.params import Params
from hub.region import Region
from hub.score import Notes, Score


class Idle(Model):
    """What the hub itself needs for a take: this one has no idea and leaves all as it is."""

    def inpaint(self, score: Score, region: Region, params: Params) -> Notes:
        return score.notes[region.contains(score.notes, score)]


def main(arguments: Sequence[str]) -> int:
    folder, answer, code, seed, *numbers = arguments
    try:
        watch.register_code(Path(folder), code)
        found = _measure(Path(folder), int(seed), [int(number) for number in numbers])
    except ScorehubError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    Path(answer).write_text(json.dumps(found), encoding="utf-8")
    return 0


def _measure(folder: Path, seed: int, numbers: Sequence[int]) -> dict[str, object]:
    idle = Idle(replace(read_card(folder), init={}), folder)
    bench = Bench(model=idle)
    chosen = [bench.trials[number] for number in numbers]
    _notes(idle, chosen, seed)
    before = cost.peak_memory_mb()
    notes = _notes(load(folder), chosen, seed)
    after = cost.peak_memory_mb()
    memory_mb = None if before is None or after is None else after - before
    return {"notes": notes, "memory_mb": memory_mb}


def _notes(model: Model, trials: Sequence[Trial], seed: int) -> list[str]:
    takes = (take for t in trials for take in inpaint(model, t.score, t.region, seed=seed))
    return [cost.digest(take.notes) for take in takes]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
