"""Runs in a child process: note events → a WAV file's bytes. The only door to the synthesisers."""

from __future__ import annotations

import io
import struct
import tempfile
import wave
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hub.errors import PreviewError

PEAK = 10 ** (-1 / 20)  # −1 dBFS
FADE_SECONDS = 0.25
BLOCK_FRAMES = 64  # tinysoundfont: at most this late (1.5 ms at 44.1 kHz)

Int32Array = npt.NDArray[np.int32]
Samples = npt.NDArray[np.float32]  # (frames, 2)


def render(
    data: bytes, *, synthesiser: str, programs: Sequence[int], seconds: float, sample_rate: int
) -> bytes:
    """`data`: the (N, 5) int32 rows of `sound.Performance.events`; `seconds` with the tail."""
    events = np.frombuffer(data, dtype=np.int32).reshape(-1, 5)
    frames = round(seconds * sample_rate)
    samples = _RENDERERS[synthesiser](events, programs, frames, sample_rate)
    return _wav_file(_mastered(samples[:frames], sample_rate), sample_rate)


def _mastered(samples: Samples, sample_rate: int) -> Samples:
    """Without offset, peak at −1 dBFS, faded out at the end."""
    peak = float(np.abs(samples).max(initial=0.0))
    if not np.isfinite(peak) or peak < 1e-5:
        raise PreviewError("The synthesiser made no sound for this excerpt.")
    samples = (samples * np.float32(PEAK / peak)).astype(np.float32)
    fade = min(len(samples), round(FADE_SECONDS * sample_rate))
    samples[len(samples) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)[:, None]
    return samples


def _wav_file(samples: Samples, sample_rate: int) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(np.round(samples * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def sound_font() -> Path:
    """The General MIDI sound font inside the pretty_midi package."""
    import pretty_midi

    return Path(pretty_midi.__file__).parent / "TimGM6mb.sf2"


def _fluidsynth(
    events: Int32Array, programs: Sequence[int], frames: int, sample_rate: int
) -> Samples:
    from midi2audio import FluidSynth

    with tempfile.TemporaryDirectory() as folder:
        score, sound = Path(folder, "in.mid"), Path(folder, "out.wav")
        score.write_bytes(midi_file(events, programs, frames / sample_rate))
        FluidSynth(str(sound_font()), sample_rate).midi_to_audio(str(score), str(sound))
        if not sound.exists():  # fluidsynth exits with 0 whatever happens
            raise PreviewError("FluidSynth made no sound file.")
        with wave.open(str(sound), "rb") as file:
            pcm = np.frombuffer(file.readframes(frames), dtype="<i2")
            channels = file.getnchannels()
    stereo = pcm.reshape(-1, channels)[:, [0, -1]]
    return stereo.astype(np.float32) / np.float32(32768)


def midi_file(events: Int32Array, programs: Sequence[int], seconds: float) -> bytes:
    """A one-track MIDI file whose tick is a millisecond (500 a quarter at 120)."""
    on = np.column_stack([events[:, 0], np.full(len(events), 1), events[:, 2:]])
    off = np.column_stack([events[:, 1], np.full(len(events), 0), events[:, 2:]])
    moves = np.concatenate([on, off])
    moves = moves[np.lexsort((moves[:, 1], moves[:, 0]))]  # offs first on equal ticks
    body = bytearray()
    for channel, program in enumerate(programs):
        body += bytes((0, 0xC0 | channel, program))
    last = 0
    for tick, is_on, channel, pitch, velocity in moves.tolist():
        body += _variable_length(tick - last)
        body += bytes(((0x90 if is_on else 0x80) | channel, pitch, velocity))
        last = tick
    body += _variable_length(max(0, round(seconds * 1000) - last)) + b"\xff\x2f\x00"
    head = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 500)
    return head + b"MTrk" + struct.pack(">I", len(body)) + bytes(body)


def _variable_length(value: int) -> bytes:
    out = [value & 0x7F]
    while value := value >> 7:
        out.append(0x80 | (value & 0x7F))
    return bytes(reversed(out))


def _tinysoundfont(
    events: Int32Array, programs: Sequence[int], frames: int, sample_rate: int
) -> Samples:
    from tinysoundfont import Synth

    synth = Synth(samplerate=sample_rate)
    font = synth.sfload(str(sound_font()))
    for channel, program in enumerate(programs):  # a channel without a program is silent
        synth.program_select(channel, font, 0, program, channel == 9)
    blocks = []
    done = 0
    for frame, is_on, channel, pitch, velocity in _moves(events, sample_rate):
        if frame > done:
            blocks.append(_generate(synth, frame - done))
            done = frame
        if is_on:
            synth.noteon(channel, pitch, velocity)
        else:
            synth.noteoff(channel, pitch)
    if frames > done:
        blocks.append(_generate(synth, frames - done))
    return np.concatenate(blocks)


def _moves(events: Int32Array, sample_rate: int) -> list[list[int]]:
    """Rows (frame, is_on, channel, pitch, velocity), on a grid of BLOCK_FRAMES, offs first."""
    rows = np.concatenate(
        [
            np.column_stack([events[:, 0], np.ones(len(events), int), events[:, 2:]]),
            np.column_stack([events[:, 1], np.zeros(len(events), int), events[:, 2:]]),
        ]
    ).astype(np.int64)
    rows[:, 0] = rows[:, 0] * sample_rate // 1000 // BLOCK_FRAMES * BLOCK_FRAMES
    moves: list[list[int]] = rows[np.lexsort((rows[:, 1], rows[:, 0]))].tolist()
    return moves


def _generate(synth: object, frames: int) -> Samples:
    buffer = synth.generate(frames)  # type: ignore[attr-defined]
    return np.frombuffer(bytes(buffer), dtype=np.float32).reshape(-1, 2).copy()


def _pretty_midi(
    events: Int32Array, programs: Sequence[int], frames: int, sample_rate: int
) -> Samples:
    import pretty_midi

    score = pretty_midi.PrettyMIDI()
    for channel in np.unique(events[:, 2]).tolist():
        instrument = pretty_midi.Instrument(programs[channel], is_drum=channel == 9)
        instrument.notes = [
            pretty_midi.Note(velocity, pitch, start / 1000, end / 1000)
            for start, end, _, pitch, velocity in events[events[:, 2] == channel].tolist()
        ]
        score.instruments.append(instrument)
    mono = score.synthesize(fs=sample_rate)[:frames].astype(np.float32)
    mono = np.pad(mono, (0, max(0, frames - len(mono))))
    return np.stack([mono, mono], axis=1)


_RENDERERS: dict[str, Callable[[Int32Array, Sequence[int], int, int], Samples]] = {
    "fluidsynth": _fluidsynth,
    "tinysoundfont": _tinysoundfont,
    "pretty_midi": _pretty_midi,
}
