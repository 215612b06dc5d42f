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


def test_excerpts_parts_and_tempo_are_honoured() -> None:
    excerpt = sound.perform(SCALE, start_tick=960, end_tick=1920)
    assert excerpt.events[:, 3].tolist() == [62, 63]
    assert excerpt.events[:, 0].tolist() == [0, 500]
    fast = sound.perform(score_of([(0, 480, 60), (480, 480, 62)], qpm=240.0))
    assert fast.events[:, 0].tolist() == [0, 250]
    only = sound.perform(score_of([(0, 480, 60, 80, 0), (0, 480, 67, 80, 2)]), parts=["P3"])
    assert only.events[:, 3].tolist() == [67]


def test_a_note_held_into_the_excerpt_sounds_from_its_beginning() -> None:
    held = sound.perform(score_of([(0, 1920, 60)]), start_tick=960, end_tick=1440)
    assert held.events[:, :2].tolist() == [[0, 500]]


def test_the_length_is_capped_before_anything_is_rendered() -> None:
    endless = score_of([(0, 480, 60), (10_000_000, 480, 62)])
    performance = sound.perform(endless)
    assert performance.events[:, 3].tolist() == [60]
    assert performance.seconds <= sound.MAX_SECONDS


def test_programs_have_channels_of_their_own_and_drums_the_tenth() -> None:
    performance = sound.perform(score_of([(0, 9, 60, 80, 0), (0, 9, 38, 80, 1), (0, 9, 60, 80, 2)]))
    by_pitch = {tuple(row[2:4]) for row in performance.events.tolist()}
    assert by_pitch == {(0, 60), (9, 38), (1, 60)}
    assert performance.programs[:2] == (0, 40)


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
