"""A score as the editor in the browser reads it, and what the editor sends back.

Notes travel as columns (base64, little-endian), in the order of `Score.notes`: the browser names a
note by its row. 40,000 notes and 2,000 measures make about 0.8 MB. src/score.js is the other end.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hub.errors import LimitError, RegionError
from hub.limits import LIMITS
from hub.score import IntArray, Notes, Score

# The type of each column on the wire; src/score.js has the same table.
WIRE_TYPES = {
    "onset": "<i4",
    "duration": "<i4",
    "pitch": "u1",
    "velocity": "u1",
    "voice": "u1",
    "part": "<u2",
}
LAST_TICK = int(np.iinfo(np.int32).max)
MAX_EDITED_NOTES = 20_000


def compact(score: Score, revision: int, *, title: str = "") -> dict[str, Any]:
    """The score as plain JSON. Raises LimitError when its ticks do not fit in 32 bits.

    Voices above 255 are sent as 255: they only say which notes belong together.
    """
    if score.end > LAST_TICK:
        raise LimitError(
            f"This score is {score.end:,} ticks long; the editor draws up to {LAST_TICK:,}. "
            "Export it with a coarser resolution, 960 ticks per quarter for example."
        )
    measures = score.measures
    return {
        "revision": revision,
        "title": title or score.title,
        "ticksPerQuarter": score.ticks_per_quarter,
        "endTick": score.end,
        "parts": [
            {
                "id": part.id,
                "name": part.name,
                "program": part.program,
                "isDrums": part.is_drums,
                "channel": part.channel,
            }
            for part in score.parts
        ],
        "measures": {
            "number": [m.number for m in measures],
            "start": [m.start for m in measures],
            "length": [m.length for m in measures],
            "meter": [m.meter for m in measures],
        },
        "tempos": [[tempo.tick, tempo.qpm] for tempo in score.tempos],
        "keys": [[key.tick, key.fifths] for key in score.keys],
        "notes": {"count": len(score.notes)}
        | {name: _column(getattr(score.notes, name), name) for name in WIRE_TYPES},
    }


def _column(values: IntArray, name: str) -> str:
    wire = np.dtype(WIRE_TYPES[name])
    return base64.b64encode(values.clip(max=np.iinfo(wire).max).astype(wire).tobytes()).decode()


@dataclass(frozen=True, kw_only=True)
class NoteEdit:
    """What a person did to notes: rows of `Score.notes` that go, notes that come."""

    removed: tuple[int, ...]
    added: Notes

    def applied(self, notes: Notes) -> Notes:
        stays = np.ones(len(notes), dtype=bool)
        stays[list(self.removed)] = False
        return notes[stays] + self.added


def notes_from(value: object, score: Score) -> NoteEdit:
    """From the editor's "edit" event: {"removed": [row…], "added": [{part, onset, duration, pitch,
    velocity}…]}, part an index into `score.parts`.

    Whoever can reach the page can send anything: RegionError names what is out of bounds.
    """
    if not isinstance(value, Mapping):
        raise RegionError('An edit is an object such as {"removed": [3], "added": []}.')
    removed = _list(value.get("removed", ()), "removed")
    added = _list(value.get("added", ()), "added")
    count = len(score.notes)
    rows = tuple(dict.fromkeys(_whole(row, "A removed note", 0, count - 1) for row in removed))
    notes = Notes.of(_note(row, score) for row in added)
    if count - len(rows) + len(notes) > LIMITS.notes:
        raise LimitError(f"A score has at most {LIMITS.notes:,} notes; leave some out.")
    return NoteEdit(removed=rows, added=notes)


def _list(value: object, name: str) -> Sequence[object]:
    if not isinstance(value, list | tuple):
        raise RegionError(f'In an edit, "{name}" is a list.')
    if len(value) > MAX_EDITED_NOTES:
        raise LimitError(
            f"At most {MAX_EDITED_NOTES:,} notes can be changed at once; these are {len(value):,}."
        )
    return value


def _note(row: object, score: Score) -> tuple[int, ...]:
    if not isinstance(row, Mapping):
        raise RegionError("An added note is an object with part, onset, duration and pitch.")
    last = min(LAST_TICK, LIMITS.total_quarters * score.ticks_per_quarter)
    onset = _whole(row.get("onset"), "A note's onset", 0, last - 1)
    return (
        onset,
        _whole(row.get("duration"), "A note's duration", 1, last - onset),
        _whole(row.get("pitch"), "A note's pitch", 0, 127),
        _whole(row.get("velocity", 80), "A note's velocity", 1, 127),
        _whole(row.get("part"), "A note's part", 0, len(score.parts) - 1),
        _whole(row.get("voice", 1), "A note's voice", 0, 255),
    )


def _whole(value: object, what: str, least: int, most: int) -> int:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or value != value or not least <= value <= most or value % 1:  # type: ignore[operator]
        shown = repr(value)[:40]
        raise RegionError(f"{what} is a whole number from {least:,} to {most:,}; got {shown}.")
    return int(value)  # type: ignore[call-overload, no-any-return]
