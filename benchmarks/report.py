"""Rows of results: on the screen, as JSON, and in the marked block of docs/results.md."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
JSON_FILE = PROJECT / "benchmarks" / "results.json"
DOCUMENT = PROJECT / "docs" / "results.md"
BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"
PACKAGES = ("numpy", "torch", "pretty_midi", "music21")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure. `wanted` and `ok` are empty where nothing was promised."""

    key: str
    what: str
    value: float
    unit: str
    wanted: str = ""
    ok: bool | None = None

    @property
    def text(self) -> str:
        shown = f"{self.value:,.0f}" if self.value >= 100 else f"{self.value:.3g}"
        return f"{shown} {self.unit}"

    @property
    def verdict(self) -> str:
        return {True: "yes", False: "NO", None: ""}[self.ok]


def machine() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, load {load} at the end, "
        f"Python {platform.python_version()}, {packages}"
    )


def table(rows: Sequence[Row]) -> str:
    """Markdown."""
    lines = ["| measured | p50 or ratio | wanted | met |", "|---|---:|---:|---|"]
    lines += [f"| {row.what} | {row.text} | {row.wanted} | {row.verdict} |" for row in rows]
    return "\n".join(lines)


def save(rows: Sequence[Row]) -> None:
    when, where = datetime.now(UTC).strftime("%Y-%m-%d"), machine()
    record = {"date": when, "machine": where, "rows": [asdict(row) for row in rows]}
    JSON_FILE.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    text = DOCUMENT.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    block = f"{BEGIN}\n{when}, {where}.\n\n{table(rows)}\n{END}"
    DOCUMENT.write_text(before + block + after, encoding="utf-8")
