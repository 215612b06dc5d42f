"""Score → WAV preview, rendered in a child process by the best synthesiser at hand.

Times are milliseconds from the beginning of the excerpt. The length is capped before anything is
rendered. What is heard are the notes with their velocities, tempos, programs and drums; a MIDI
file's controllers and pitch bends are not played.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hub import child
from hub.errors import PreviewError
from hub.score import BoolArray, Notes, Score

MAX_SECONDS = 300.0
TAIL_SECONDS = 1.5  # for the last notes to die away
FINE_SECONDS = 75.0  # up to here 44.1 kHz, above 22.05 kHz, so that downloads stay small
SYNTHESISERS = ("fluidsynth", "tinysoundfont", "pretty_midi")  # best first
DRUM_CHANNEL = 9

Int32Array = npt.NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class Performance:
    """Sounding notes, ready for a synthesiser.

    events      (N, 5) int32: start_ms, end_ms, channel, pitch, velocity; sorted by start
    programs    General MIDI program of each of the 16 channels; channel 9 is drums
    seconds     length without the tail
    """

    events: Int32Array
    programs: tuple[int, ...]
    seconds: float


def synthesiser() -> str:
    """Name of the synthesiser that `wav` uses on this machine."""
    return available()[0]


def available() -> tuple[str, ...]:
    """The synthesisers that this machine has, best first; the last resort always works."""
    has = {
        "fluidsynth": _has("midi2audio") and shutil.which("fluidsynth") is not None,
        "tinysoundfont": _has("tinysoundfont"),
        "pretty_midi": True,
    }
    return tuple(name for name in SYNTHESISERS if has[name])


def wav(
    score: Score,
    start_tick: int | None = None,
    end_tick: int | None = None,
    parts: Sequence[str] | None = None,
    *,
    sample_rate: int | None = None,
    synthesiser: str | None = None,
    timeout_seconds: float = 60.0,
) -> bytes:
    """A 16-bit stereo WAV file of [start_tick, end_tick), at most MAX_SECONDS of it.

    `parts` are part ids (default all); `sample_rate` in Hz (default: by length). Peak −1 dBFS.
    Raises PreviewError when there is nothing to hear or no synthesiser succeeds.
    """
    performance = perform(score, start_tick, end_tick, parts)
    rate = sample_rate or (44_100 if performance.seconds <= FINE_SECONDS else 22_050)
    names = (synthesiser,) if synthesiser else available()
    return _first_that_works(performance, names, rate, timeout_seconds)


def _first_that_works(
    performance: Performance, names: Sequence[str], rate: int, timeout_seconds: float
) -> bytes:
    failure = PreviewError("No synthesiser is installed; install tinysoundfont or fluidsynth.")
    for name in names:
        try:
            return child.call(
                "hub.preview.synth:render",
                performance.events.tobytes(),
                timeout_seconds=timeout_seconds,
                memory_mb=2048,
                synthesiser=name,
                programs=list(performance.programs),
                seconds=performance.seconds + TAIL_SECONDS,
                sample_rate=rate,
            )
        except PreviewError as error:
            failure = error
    raise failure


def perform(
    score: Score,
    start_tick: int | None = None,
    end_tick: int | None = None,
    parts: Sequence[str] | None = None,
) -> Performance:
    """What is to be played in [start_tick, end_tick); notes that sound into it begin with it."""
    start = max(0, start_tick or 0)
    end = score.end if end_tick is None else end_tick
    notes = score.notes[_heard(score, start, end, parts)]
    if not len(notes):
        raise PreviewError("There are no notes to play in this excerpt.")
    origin = float(score.seconds_at(start))
    last = min(float(score.seconds_at(end)), origin + MAX_SECONDS)
    on, off = (
        np.clip(score.seconds_at(np.clip(ticks, start, end)), origin, last) - origin
        for ticks in (notes.onset, notes.end)
    )
    channels, programs = _channels(score)
    events = np.stack(
        [
            np.round(on * 1000),
            np.maximum(np.round(off * 1000), np.round(on * 1000) + 20),
            channels[notes.part],
            notes.pitch,
            np.clip(notes.velocity, 1, 127),
        ],
        axis=1,
    ).astype(np.int32)[on < last - origin]
    length = float(events[:, 1].max()) / 1000
    return Performance(
        events=events[np.argsort(events[:, 0], kind="stable")],
        programs=programs,
        seconds=min(max(length, 0.1), MAX_SECONDS),
    )


def _heard(score: Score, start: int, end: int, parts: Sequence[str] | None) -> BoolArray:
    notes: Notes = score.notes
    mask: BoolArray = (notes.onset < end) & (notes.end > start)
    if parts is not None:
        mask &= np.isin(notes.part, [score.part_index(part) for part in parts])
    return mask


def _channels(score: Score) -> tuple[npt.NDArray[np.int64], tuple[int, ...]]:
    """Channel of each part (P,), and each channel's program: one channel a program, drums on 9.

    Scores with more than fifteen programs let the later ones share the earlier ones' channels.
    """
    melodic = [channel for channel in range(16) if channel != DRUM_CHANNEL]
    wanted = [part.program or 0 for part in score.parts if not part.is_drums]
    order = {program: rank for rank, program in enumerate(dict.fromkeys(wanted))}
    programs = [0] * 16
    for program, rank in list(order.items())[: len(melodic)]:
        programs[melodic[rank]] = program
    channels = [
        DRUM_CHANNEL if part.is_drums else melodic[order[part.program or 0] % len(melodic)]
        for part in score.parts
    ]
    drums = next((part.program or 0 for part in score.parts if part.is_drums), 0)
    programs[DRUM_CHANNEL] = drums
    return np.array(channels, dtype=np.int64), tuple(programs)


def _has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None
