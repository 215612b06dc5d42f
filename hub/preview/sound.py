"""Score → WAV preview, rendered in a child process by the best synthesiser at hand.

FluidSynth (through midi2audio) where the program is installed, else tinysoundfont, both with the
General MIDI sound font of pretty_midi; as a last resort pretty_midi's own sine waves.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Sequence

from hub import child
from hub.errors import PreviewError
from hub.preview.performance import Performance, perform
from hub.score import Score

TAIL_SECONDS = 1.5  # for the last notes to die away
FINE_SECONDS = 75.0  # up to here 44.1 kHz, above 22.05 kHz, so that downloads stay small
SYNTHESISERS = ("fluidsynth", "tinysoundfont", "pretty_midi")  # best first


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
    """A 16-bit stereo WAV file of [start_tick, end_tick), at most five minutes of it.

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
                performance.messages.tobytes(),
                timeout_seconds=timeout_seconds,
                memory_mb=2048,
                synthesiser=name,
                seconds=performance.seconds + TAIL_SECONDS,
                sample_rate=rate,
            )
        except PreviewError as error:
            failure = error
    raise failure


def _has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None
