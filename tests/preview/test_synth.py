"""The child's side of sound: files, levels, and the messages each synthesiser is given."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest

from hub.errors import PreviewError
from hub.preview import synth

ROWS = np.array(
    [[0, 0xC0, 40, 0], [0, 0x90, 69, 100], [500, 0xB0, 64, 127], [800, 0xE0, 0, 80],
     [1000, 0x80, 69, 0]],
    dtype=np.int32,
)  # fmt: skip


def test_the_midi_file_says_what_the_messages_say() -> None:
    mido = pytest.importorskip("mido")
    file = mido.MidiFile(file=io.BytesIO(synth.midi_file(ROWS, 2.0)))
    ticks, seen = 0, []
    for message in file.tracks[0]:
        ticks += message.time
        if not message.is_meta:
            seen.append([ticks, *message.bytes()])
    assert seen == [row[:3] if row[1] & 0xF0 == 0xC0 else row for row in ROWS.tolist()]
    assert file.length == pytest.approx(2.0)


def test_the_sound_font_is_there() -> None:
    assert synth.sound_font().stat().st_size > 1_000_000


def test_levels_are_mastered_to_minus_one_decibel_and_faded() -> None:
    quiet = np.full((44_100, 2), 0.001, dtype=np.float32)
    mastered = synth._mastered(quiet, 44_100)
    assert np.abs(mastered).max() == pytest.approx(10 ** (-1 / 20), rel=1e-3)
    assert np.abs(mastered[-1]).max() == 0
    assert mastered[0, 0] == pytest.approx(mastered[20_000, 0])


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_silence_and_nonsense_are_refused(value: float) -> None:
    with pytest.raises(PreviewError, match="no sound"):
        synth._mastered(np.full((100, 2), value, dtype=np.float32), 44_100)


def test_the_file_is_a_16_bit_stereo_wav() -> None:
    data = synth._wav_file(np.array([[0.5, -0.5], [1.0, -1.0]], dtype=np.float32), 22_050)
    with wave.open(io.BytesIO(data), "rb") as file:
        assert file.getparams()[:4] == (2, 2, 22_050, 2)
        assert np.frombuffer(file.readframes(2), dtype="<i2").tolist()[2:] == [32767, -32767]


def test_tinysoundfont_bends_and_sustains() -> None:
    pytest.importorskip("tinysoundfont")

    def level(rows: list[list[int]], start: float, end: float) -> float:
        samples = synth._tinysoundfont(np.array(rows, dtype=np.int32), 66_150, 22_050)
        piece = samples[int(start * 22_050) : int(end * 22_050)]
        return float(np.sqrt((piece**2).mean()))

    note = [[0, 0x90, 60, 100], [500, 0x80, 60, 0]]
    pedal = [[0, 0xB0, 64, 127], *note]
    assert level(pedal, 1.5, 2.5) > 5 * level(note, 1.5, 2.5)
