"""Real synthesisers: loud enough, not clipped, in time."""

from __future__ import annotations

import io
import wave

import numpy as np
import numpy.typing as npt
import pytest

from hub.errors import PreviewError, RegionError
from hub.preview import sound
from hub.score import Measure, Notes, Part, Score, Tempo

TPQ = 480
PEAK = 10 ** (-1 / 20)


def score_of(rows: list[tuple[int, ...]], qpm: float = 120.0) -> Score:
    return Score(
        ticks_per_quarter=TPQ,
        parts=(
            Part(id="P1", name="Piano", program=0),
            Part(id="P2", name="Drums", is_drums=True, channel=9),
            Part(id="P3", name="Violin", program=40),
        ),
        measures=tuple(Measure(number=str(i + 1), start=i * 1920, length=1920) for i in range(4)),
        notes=Notes.of(rows),
        tempos=(Tempo(0, qpm),),
    )


SCALE = score_of([(i * 480, 440, 60 + i, 40 + 10 * i, 0) for i in range(8)])


def samples_of(data: bytes) -> tuple[npt.NDArray[np.float64], int]:
    with wave.open(io.BytesIO(data), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth()) == (2, 2)
        pcm = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        return pcm.reshape(-1, 2) / 32768, file.getframerate()


@pytest.mark.parametrize("name", sound.SYNTHESISERS)
def test_loud_not_clipped_and_as_long_as_the_music(name: str) -> None:
    if name not in sound.available():
        pytest.skip(f"{name} is not installed on this machine")
    samples, rate = samples_of(sound.wav(SCALE, synthesiser=name))
    assert rate == 44_100
    assert abs(np.abs(samples).max() - PEAK) < 0.01
    assert np.sqrt((samples[: 4 * rate] ** 2).mean()) > 0.03
    assert 3.9 < len(samples) / rate < 6.0
    assert np.abs(samples[-20:]).max() < 0.01


@pytest.mark.parametrize("name", [n for n in sound.SYNTHESISERS if n != "pretty_midi"])
def test_drums_and_every_program_sound(name: str) -> None:
    if name not in sound.available():
        pytest.skip(f"{name} is not installed on this machine")
    for part in (1, 2):
        score = score_of([(0, 480, 60 if part == 2 else 38, 100, part)])
        samples, _ = samples_of(sound.wav(score, synthesiser=name))
        assert np.sqrt((samples[:11_025] ** 2).mean()) > 0.02


def test_the_right_note_is_heard_at_the_right_time() -> None:
    score = score_of([(480, 480, 69, 100, 2), (960, 900, 81, 100, 2)], qpm=60.0)
    name = next(n for n in sound.available() if n != "pretty_midi")
    samples, rate = samples_of(sound.wav(score, synthesiser=name))
    mono = samples.mean(axis=1)
    assert np.abs(mono[: int(0.95 * rate)]).max() < 0.05
    for second, frequency in ((1.2, 440.0), (2.2, 880.0)):
        piece = mono[int(second * rate) : int((second + 0.6) * rate)]
        spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece))))
        frequencies = np.fft.rfftfreq(len(piece), 1 / rate)
        harmonic = frequencies[
            int(spectrum[frequencies > 100].argmax()) + int((frequencies <= 100).sum())
        ]
        ratio = harmonic / frequency
        assert abs(ratio - round(ratio)) < 0.03 and round(ratio) >= 1


def test_nothing_to_hear_is_a_sentence() -> None:
    with pytest.raises(PreviewError, match="no notes"):
        sound.wav(SCALE, start_tick=5000)
    with pytest.raises(RegionError, match="no part"):
        sound.wav(SCALE, parts=["P9"])


def test_the_next_synthesiser_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound, "available", lambda: ("no such thing", "pretty_midi"))
    assert samples_of(sound.wav(SCALE))[1] == 44_100


def test_the_synthesiser_has_a_name() -> None:
    assert sound.synthesiser() in sound.SYNTHESISERS
