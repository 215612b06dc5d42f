"""The score as an immutable value: parts, measures, notes as columns, and the user's own bytes.

Conventions
    tick        integer; `Score.ticks_per_quarter` of them make a quarter note, in every part.
                The score keeps the resolution of its file (MIDI: the division; MusicXML: the
                least common multiple of its divisions) and is never converted silently.
    onset       tick at which a note begins; `duration` in ticks, at least 1; tied notes are one.
    pitch       MIDI note number 0..127, 60 = middle C, as it sounds (transposition applied).
    velocity    1..127. MusicXML without dynamics reads as 80.
    measure     counted from 0 in code (`index`); `number` is what is printed, a text.
    spans       half-open: [start, end).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from hub.errors import RegionError, suggestion

if TYPE_CHECKING:
    import music21
    import pretty_midi

DEFAULT_VELOCITY = 80
DEFAULT_QPM = 120.0

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


class Note(NamedTuple):
    """One row of Notes. `part` is the index into `Score.parts`; times in ticks."""

    onset: int
    duration: int
    pitch: int
    velocity: int = DEFAULT_VELOCITY
    part: int = 0
    voice: int = 1


@dataclass(frozen=True, eq=False)
class Notes:
    """Notes as columns: read-only int64 arrays of one length N, sorted by (onset, part, pitch).

    onset, duration in ticks; pitch 0..127; velocity 1..127; part an index into `Score.parts`;
    voice a small integer that keeps polyphonic lines of one part apart (1 where unknown).
    """

    onset: IntArray
    duration: IntArray
    pitch: IntArray
    velocity: IntArray
    part: IntArray
    voice: IntArray

    def __post_init__(self) -> None:
        lengths = {name: np.size(getattr(self, name)) for name in NOTE_COLUMNS}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"Note columns differ in length: {lengths}.")
        for name in NOTE_COLUMNS:
            object.__setattr__(self, name, _frozen(getattr(self, name)))

    @classmethod
    def of(cls, rows: Iterable[Note | tuple[int, ...]]) -> Notes:
        """From rows (onset, duration, pitch[, velocity[, part[, voice]]]), in any order."""
        table = [Note(*row) for row in rows]
        if not table:
            return cls.empty()
        columns = np.array(table, dtype=np.int64).reshape(-1, len(Note._fields)).T
        return cls(**dict(zip(Note._fields, columns, strict=True))).sorted()

    @classmethod
    def from_columns(
        cls,
        onset: npt.ArrayLike,
        duration: npt.ArrayLike,
        pitch: npt.ArrayLike,
        velocity: npt.ArrayLike = DEFAULT_VELOCITY,
        part: npt.ArrayLike = 0,
        voice: npt.ArrayLike = 1,
    ) -> Notes:
        """From arrays (N,) or scalars, which are repeated; sorted on the way."""
        columns = np.broadcast_arrays(onset, duration, pitch, velocity, part, voice)
        return cls(*(np.atleast_1d(np.asarray(c, dtype=np.int64)) for c in columns)).sorted()

    @classmethod
    def empty(cls) -> Notes:
        nothing = np.empty(0, dtype=np.int64)
        return cls(nothing, nothing, nothing, nothing, nothing, nothing)

    @property
    def end(self) -> IntArray:
        """Tick (N,) at which each note stops sounding."""
        return self.onset + self.duration

    def sorted(self) -> Notes:
        order = self.order()
        return self if bool((np.diff(order) > 0).all()) else self[order]

    def order(self) -> IntArray:
        """The row numbers (N,) in sorted order; stable."""
        return np.lexsort((self.pitch, self.part, self.onset))

    def replace(self, **columns: npt.ArrayLike) -> Notes:
        """The same notes with some columns changed (scalars are repeated); sorted again."""
        full = {k: np.broadcast_to(np.asarray(v), (len(self),)) for k, v in columns.items()}
        return replace(self, **full).sorted()

    def __len__(self) -> int:
        return len(self.onset)

    def __iter__(self) -> Iterator[Note]:
        columns = [getattr(self, name).tolist() for name in Note._fields]
        return (Note(*row) for row in zip(*columns, strict=True))

    @overload
    def __getitem__(self, rows: int) -> Note: ...
    @overload
    def __getitem__(self, rows: slice | IntArray | BoolArray) -> Notes: ...
    def __getitem__(self, rows: int | slice | IntArray | BoolArray) -> Note | Notes:
        if isinstance(rows, int):
            return Note(*(int(getattr(self, name)[rows]) for name in Note._fields))
        return Notes(**{name: getattr(self, name)[rows] for name in NOTE_COLUMNS})

    def __add__(self, other: Notes) -> Notes:
        pairs = {n: (getattr(self, n), getattr(other, n)) for n in NOTE_COLUMNS}
        return Notes(**{name: np.concatenate(pair) for name, pair in pairs.items()}).sorted()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Notes):
            return NotImplemented
        return all(np.array_equal(getattr(self, n), getattr(other, n)) for n in NOTE_COLUMNS)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Notes({len(self)})"


NOTE_COLUMNS = tuple(f.name for f in fields(Notes))


def _frozen(column: IntArray) -> IntArray:
    """A copy in memory that nobody can make writeable again: models share one score."""
    if column.ndim != 1 or column.dtype.kind not in "iu":
        raise ValueError(f"A note column is one row of whole numbers; got {column.dtype}.")
    base: object = column.base
    if isinstance(base, bytes) and column.dtype == np.int64:
        return column
    return np.frombuffer(column.astype(np.int64).tobytes(), dtype=np.int64)


@dataclass(frozen=True, kw_only=True)
class Part:
    """One line a person would point at: a MusicXML part or a MIDI (track, channel) pair.

    id          unique in the score: MusicXML's own id; "P1", "P2" … for MIDI
    program     General MIDI program 0..127, None where the file does not say
    staves      number of staves (MusicXML); 1 for MIDI
    channel     MIDI channel 0..15, None where the file has none
    """

    id: str
    name: str
    program: int | None = None
    is_drums: bool = False
    staves: int = 1
    channel: int | None = None


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A real measure, pickups and irregular ones included.

    number      as printed ("1", "12a", "0" for a pickup)
    start       tick of its first beat; length in ticks (may differ from what the meter says)
    beats, beat_type    the meter in force: 6, 8 for 6/8
    """

    number: str
    start: int
    length: int
    beats: int = 4
    beat_type: int = 4

    @property
    def end(self) -> int:
        return self.start + self.length

    @property
    def meter(self) -> str:
        return f"{self.beats}/{self.beat_type}"


class Tempo(NamedTuple):
    """From `tick` on, `qpm` quarter notes a minute."""

    tick: int
    qpm: float


class Key(NamedTuple):
    """From `tick` on: `fifths` sharps (negative: flats), mode "major" or "minor"."""

    tick: int
    fifths: int
    mode: str = "major"


class Annotation(NamedTuple):
    """Timed text a model may read: kind "chord", "fermata", "lyric", "marker"; part id or None."""

    tick: int
    kind: str
    value: str
    part: str | None = None


@dataclass(frozen=True, kw_only=True)
class Source:
    """The user's own bytes, and what the format remembers about them.

    format          key into `hub.formats.FORMATS` ("midi", "musicxml", "mxl")
    name            the file's name as the user knows it, without folders
    converted_from  the format that was uploaded, when it could not be edited in place
    index           private to the format: where each row of `Score.notes` stands in `data`
    """

    data: bytes = field(repr=False)
    format: str
    name: str = "score"
    converted_from: str | None = None
    index: Any = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, kw_only=True, eq=False)
class Score:
    """A whole score. `source` is None for scores made by hand and for blanked ones."""

    ticks_per_quarter: int
    parts: tuple[Part, ...]
    measures: tuple[Measure, ...]
    notes: Notes
    tempos: tuple[Tempo, ...] = (Tempo(0, DEFAULT_QPM),)
    keys: tuple[Key, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    title: str = ""
    source: Source | None = None

    @property
    def end(self) -> int:
        """Tick of the last measure's end, or of the last note's, whichever is later."""
        last_measure = self.measures[-1].end if self.measures else 0
        return max(last_measure, int(self.notes.end.max()) if len(self.notes) else 0)

    @cached_property
    def part_indices(self) -> Mapping[str, int]:
        """Part id → index into `parts`."""
        return {part.id: index for index, part in enumerate(self.parts)}

    def part_index(self, part_id: str) -> int:
        """Index of the part; RegionError, naming the parts there are, when there is none."""
        if part_id not in self.part_indices:
            names = ", ".join(f"{p.id} ({p.name})" for p in self.parts[:12])
            hint = suggestion(part_id, self.part_indices)
            raise RegionError(f'There is no part "{part_id}" in this score.{hint} Parts: {names}.')
        return self.part_indices[part_id]

    def notes_of(self, part_id: str) -> Notes:
        rows: BoolArray = self.notes.part == self.part_index(part_id)
        return self.notes[rows]

    @cached_property
    def measures_by_number(self) -> Mapping[str, tuple[int, ...]]:
        """Printed number → indices of the measures that bear it."""
        found: dict[str, list[int]] = {}
        for index, measure in enumerate(self.measures):
            found.setdefault(measure.number, []).append(index)
        return {number: tuple(indices) for number, indices in found.items()}

    @cached_property
    def measure_starts(self) -> IntArray:
        """Start ticks (M,) of the measures."""
        return np.array([m.start for m in self.measures], dtype=np.int64)

    def measure_at(self, tick: int) -> int:
        """Index of the measure that contains `tick` (the last one for ticks past the end)."""
        return max(0, int(np.searchsorted(self.measure_starts, tick, side="right")) - 1)

    def key_at(self, tick: int) -> Key | None:
        return next((key for key in reversed(self.keys) if key.tick <= tick), None)

    def seconds_at(self, ticks: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Seconds from the start of the score for each tick, following the tempos."""
        ticks_ = np.asarray(ticks, dtype=np.float64)
        marks, seconds, rates = self._tempo_table
        row = np.clip(np.searchsorted(marks, ticks_, side="right") - 1, 0, None)
        return seconds[row] + (ticks_ - marks[row]) * rates[row]

    @cached_property
    def _tempo_table(self) -> tuple[npt.NDArray[np.float64], ...]:
        """Tempo change ticks (T,), their seconds (T,), and seconds per tick from there (T,)."""
        tempos = self.tempos or (Tempo(0, DEFAULT_QPM),)
        if tempos[0].tick > 0:
            tempos = (Tempo(0, DEFAULT_QPM), *tempos)
        marks = np.array([t.tick for t in tempos], dtype=np.float64)
        rates = 60.0 / (np.array([t.qpm for t in tempos]) * self.ticks_per_quarter)
        seconds = np.concatenate([[0.0], np.cumsum(np.diff(marks) * rates[:-1])])
        return marks, seconds, rates

    def with_notes(self, notes: Notes) -> Score:
        """The same score with other notes and no source: a value for models and pictures."""
        return replace(self, notes=notes, source=None)

    # What researchers already use. The converters import their library when they are called.

    def to_pretty_midi(self) -> pretty_midi.PrettyMIDI:
        """A PrettyMIDI (seconds): one Instrument a part, in the order of `parts`."""
        from hub import interop

        return interop.to_pretty_midi(self)

    def to_music21(self) -> music21.stream.Score:
        """A music21 Score: one Part a part with its id, measures, meters, keys; quarterLengths."""
        from hub import interop

        return interop.to_music21(self)

    def piano_roll(
        self, steps_per_quarter: int = 4, part_id: str | None = None
    ) -> npt.NDArray[Any]:
        """Velocities (128, steps) uint8 on a grid; a note fills the steps it sounds in."""
        from hub import interop

        return interop.piano_roll(self, steps_per_quarter, part_id)
