"""(b) Does an inpainting cost the same in short and long scores? (c) What does the hub add to the
model's own time? (d) How fast is InpaintNet on one thread?"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import hub
from benchmarks.music import melody
from benchmarks.report import Row
from benchmarks.timing import interleaved
from hub.card import parse_card

INPAINTNET = Path(__file__).resolve().parent.parent / "models" / "inpaintnet"
SHORT, LONG = 16, 2_000  # measures
SAME_WITHIN = 1.5
OVERHEAD_MS = 20.0
REFERENCE_MS = 277.0  # the authors' code on such a machine, CPU time, without its NaN scan
FASTER_THAN_REFERENCE = 5.0

_CARD = parse_card(
    """---
scorehub:
  version: 1
  entry: model.py:Constant
  accepts: {parts: 1, polyphony: monophonic, meters: ["4/4"], region: {unit: measure}}
---
""",
    "constant",
)


class Constant(hub.Model):
    """A model whose own time is next to nothing: what is left is the hub's."""

    def inpaint(self, score: hub.Score, region: hub.Region, params: hub.Params) -> hub.Notes:
        (part,) = region.parts()
        rows = [
            hub.Note(onset, score.ticks_per_quarter, 60, 80, score.part_index(part))
            for start, end in region.spans(part)
            for onset in range(start, end, score.ticks_per_quarter)
        ]
        return hub.Notes.of(rows)


def run() -> list[Row]:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return [*_length(hub.load(INPAINTNET)), *_overhead(), *_speed(hub.load(INPAINTNET))]
    finally:
        torch.set_num_threads(threads)


def _open(measures: int) -> tuple[hub.Score, hub.Region]:
    """A melody, and measures 7-10 of it or, in the long one, the same number in its middle."""
    score = hub.read_score(melody(measures), "melody.mid")
    first = measures // 2 - 1
    return score, hub.Region.measures(score, f"{first}-{first + 3}")


def _length(model: hub.Model) -> list[Row]:
    rows = []
    for name, of in (("inpaintnet", model), ("hub alone", Constant(_CARD))):
        calls = {
            str(count): partial(hub.inpaint, of, *_open(count), seed=1) for count in (SHORT, LONG)
        }
        medians = interleaved(calls, 15)
        ratio = medians[str(LONG)] / medians[str(SHORT)]
        binding = of is model
        key = f"b.{name.replace(' ', '_')}"
        rows += [
            Row(key=f"{key}.{count}", what=f"4 measures of {int(count):,}, {name}", value=value,
                unit="ms")
            for count, value in medians.items()
        ]  # fmt: skip
        rows.append(
            Row(key=f"{key}.ratio", what=f"{LONG:,} ÷ {SHORT} measures, {name}", value=ratio,
                unit="×", wanted=f"≤ {SAME_WITHIN:g}" if binding else "",
                ok=ratio <= SAME_WITHIN if binding else None)
        )  # fmt: skip
    return rows


def _overhead() -> list[Row]:
    """Total time of a request minus what the model itself took, in a 32-measure tune."""
    score, region = _open(32)
    model = Constant(_CARD)
    spent = []
    for _ in range(41):
        started = time.perf_counter()
        (take,) = hub.inpaint(model, score, region, seed=1)
        spent.append((time.perf_counter() - started - take.seconds) * 1000)
    value = median(spent[1:])
    what = "hub's overhead around the model, 32 measures"
    return [Row(key="c.overhead", what=what, value=value, unit="ms", wanted=f"< {OVERHEAD_MS:g}",
                ok=value < OVERHEAD_MS)]  # fmt: skip


def _speed(model: hub.Model) -> list[Row]:
    score, region = _open(16)
    wall, cpu = [], []
    for seed in range(31):
        busy = time.process_time()
        take = _take(model, score, region, seed)
        cpu.append((time.process_time() - busy) * 1000)
        wall.append(take.seconds * 1000)
    value, ratio = median(wall[1:]), REFERENCE_MS / median(cpu[1:])
    return [
        Row(key="d.p50", what="InpaintNet, 4 measures of 16, one thread, p50", value=value,
            unit="ms"),
        Row(key="d.cpu", what="the same, CPU time with the hub's share", value=median(cpu[1:]),
            unit="ms"),
        Row(key="d.ratio", what=f"reference code ({REFERENCE_MS:g} ms CPU) ÷ ours", value=ratio,
            unit="×", wanted=f"≥ {FASTER_THAN_REFERENCE:g}", ok=ratio >= FASTER_THAN_REFERENCE),
    ]  # fmt: skip


def _take(model: hub.Model, score: hub.Score, region: hub.Region, seed: int) -> Any:
    (take,) = hub.inpaint(model, score, region, seed=seed)
    return take
