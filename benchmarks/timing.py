"""Medians of interleaved repeats."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any


def interleaved(calls: Mapping[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Median wall-clock milliseconds of each call after one unmeasured round; the calls take turns,
    so that whatever else the machine does falls on all of them alike."""
    seen: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(repeats + 1):
        for name, call in calls.items():
            gc.collect()
            started = time.perf_counter()
            call()
            if number:
                seen[name].append((time.perf_counter() - started) * 1000)
    return {name: median(values) for name, values in seen.items()}
