"""What is accepted from a stranger: one table, checked before any library sees the bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

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
    engraved_notes: int = 100_000
    engraved_measures: int = 200_000
    measures: int = 20_000
    measure_notes: int = 5_000
    measure_voices: int = 64
    ticks_per_quarter: int = 32_767
    total_quarters: int = 100_000
    total_seconds: int = 6 * 60 * 60
    tempo_qpm: float = 10_000.0


LIMITS = Limits()

_SMALLER = "Cut it into smaller files and try again."
_LESS = "Choose fewer measures or parts."
_AGAIN = "It may be damaged; export it again."


class _Row(NamedTuple):
    """How a limit speaks: "This file has 7 `words`; at most 5 are accepted. `remedy`"."""

    words: str
    remedy: str = _SMALLER


_ROWS = {
    "file_bytes": _Row("bytes"),
    "unzipped_bytes": _Row("bytes once unzipped"),
    "unzip_ratio": _Row("times its zipped size once unzipped", _AGAIN),
    "zip_entries": _Row("entries in the archive", "Export the score alone."),
    "xml_depth": _Row("levels of nested XML elements", _AGAIN),
    "xml_elements": _Row("XML elements"),
    "tracks": _Row("tracks", "Leave out or merge some."),
    "parts": _Row("parts", "Leave out or merge some."),
    "events": _Row("events"),
    "event_runs": _Row("meta, system or otherwise singular events"),
    "notes": _Row("notes"),
    "engraved_notes": _Row("notes to engrave, tied ones counted by measure", _LESS),
    "engraved_measures": _Row("measures to engrave in all parts together", _LESS),
    "measures": _Row("measures"),
    "measure_notes": _Row("notes in one measure of a part", "Divide that measure."),
    "measure_voices": _Row("voices in one measure of a part", "Divide them among parts."),
    "ticks_per_quarter": _Row(
        "ticks per quarter", "Export it with a coarser resolution, 960 for example."
    ),
    "total_quarters": _Row("quarter notes in length"),
    "total_seconds": _Row("seconds in length", "Mend its tempo, or cut it into smaller files."),
    "tempo_qpm": _Row("quarter notes a minute as its tempo", "Correct that tempo mark."),
}
_COUNTABLE = 10**15  # what is beyond is not printed in digits


def check(name: str, value: float, limits: Limits = LIMITS) -> None:
    """Raise LimitError when `value` is over the limit called `name` (a field of Limits)."""
    bound = getattr(limits, name)
    if value > bound:
        words, remedy = _ROWS[name]
        came = f"{value:,.0f}" if value < _COUNTABLE else "absurdly many"
        raise LimitError(
            f"This file has {came} {words}; at most {bound:,.0f} are accepted. {remedy}"
        )
