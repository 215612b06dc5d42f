"""What is accepted from a stranger: one table, checked before any library sees the bytes."""

from __future__ import annotations

from dataclasses import dataclass

from hub.errors import LimitError


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Upper bounds; every unit is in the name. The defaults fit a symphony and no bomb."""

    file_bytes: int = 16 << 20
    unzipped_bytes: int = 64 << 20
    unzip_ratio: int = 200
    zip_entries: int = 64
    xml_depth: int = 64
    xml_elements: int = 3_000_000
    tracks: int = 512
    parts: int = 256
    events: int = 2_000_000
    event_runs: int = 200_000
    notes: int = 500_000
    measures: int = 20_000
    ticks_per_quarter: int = 32_767
    total_quarters: int = 100_000
    total_seconds: int = 6 * 60 * 60
    tempo_qpm: float = 10_000.0


LIMITS = Limits()

_WORDS = {
    "file_bytes": "bytes",
    "unzipped_bytes": "bytes once unzipped",
    "unzip_ratio": "times its zipped size once unzipped",
    "zip_entries": "entries in the archive",
    "xml_depth": "levels of nested XML elements",
    "xml_elements": "XML elements",
    "tracks": "tracks",
    "parts": "parts",
    "events": "events",
    "event_runs": "meta, system or otherwise singular events",
    "notes": "notes",
    "measures": "measures",
    "ticks_per_quarter": "ticks per quarter",
    "total_quarters": "quarter notes in length",
    "total_seconds": "seconds in length",
    "tempo_qpm": "quarter notes a minute",
}


def check(name: str, value: float, limits: Limits = LIMITS) -> None:
    """Raise LimitError when `value` is over the limit called `name` (a field of Limits)."""
    bound = getattr(limits, name)
    if value > bound:
        raise LimitError(
            f"This file has {value:,.0f} {_WORDS[name]}; at most {bound:,.0f} are accepted. "
            "Cut it into smaller files and try again."
        )
