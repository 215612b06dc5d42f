"""Runs in a child process: channel messages → the bytes of a WAV file. The synthesisers' door."""

from __future__ import annotations

import io
import struct
import tempfile
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hub.errors import PreviewError

PEAK = 10 ** (-1 / 20)  # −1 dBFS
FADE_SECONDS = 0.25
BLOCK_FRAMES = 64  # tinysoundfont: messages closer than this (1.5 ms at 44.1 kHz) come together
DRUM_CHANNEL, SUSTAIN = 9, 64

Int32Array = npt.NDArray[np.int32]
Samples = npt.NDArray[np.float32]  # (frames, 2)


def render(data: bytes, *, synthesiser: str, seconds: float, sample_rate: int) -> bytes:
    """`data`: the (N, 4) int32 rows of `Performance.messages`; `seconds` with the tail."""
    messages = np.frombuffer(data, dtype=np.int32).reshape(-1, 4)
    frames = round(seconds * sample_rate)
    samples = _RENDERERS[synthesiser](messages, frames, sample_rate)
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


def _fluidsynth(messages: Int32Array, frames: int, sample_rate: int) -> Samples:
    from midi2audio import FluidSynth

    with tempfile.TemporaryDirectory() as folder:
        score, sound = Path(folder, "in.mid"), Path(folder, "out.wav")
        score.write_bytes(midi_file(messages, frames / sample_rate))
        FluidSynth(str(sound_font()), sample_rate).midi_to_audio(str(score), str(sound))
        if not sound.exists():  # fluidsynth exits with 0 whatever happens
            raise PreviewError("FluidSynth made no sound file.")
        with wave.open(str(sound), "rb") as file:
            pcm = np.frombuffer(file.readframes(frames), dtype="<i2")
            channels = file.getnchannels()
    stereo = pcm.reshape(-1, channels)[:, [0, -1]]
    return stereo.astype(np.float32) / np.float32(32768)


def midi_file(messages: Int32Array, seconds: float) -> bytes:
    """A one-track MIDI file whose tick is a millisecond (500 a quarter at 120)."""
    body = bytearray()
    last = 0
    for tick, status, data1, data2 in messages.tolist():
        body += _variable_length(tick - last)
        one_byte = status & 0xF0 in (0xC0, 0xD0)
        body += bytes((status, data1)) if one_byte else bytes((status, data1, data2))
        last = tick
    body += _variable_length(max(0, round(seconds * 1000) - last)) + b"\xff\x2f\x00"
    head = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 500)
    return head + b"MTrk" + struct.pack(">I", len(body)) + bytes(body)


def _variable_length(value: int) -> bytes:
    out = [value & 0x7F]
    while value := value >> 7:
        out.append(0x80 | (value & 0x7F))
    return bytes(reversed(out))


def _tinysoundfont(messages: Int32Array, frames: int, sample_rate: int) -> Samples:
    from tinysoundfont import Synth

    synth = Synth(samplerate=sample_rate)
    font = synth.sfload(str(sound_font()))
    for channel in range(16):  # a channel without a program is silent
        synth.program_select(channel, font, 0, 0, channel == DRUM_CHANNEL)
    player = _Player(synth)
    out = np.zeros((frames, 2), dtype=np.float32)
    wire = out.data.cast("B")
    done = 0
    starts = messages[:, 0].astype(np.int64) * sample_rate // 1000
    for frame, message in zip(starts.tolist(), messages.tolist(), strict=True):
        if frame - done >= BLOCK_FRAMES and frame <= frames:
            synth.generate(frame - done, wire[done * 8 : frame * 8])
            done = frame
        player.send(*message[1:])
    if frames > done:
        synth.generate(frames - done, wire[done * 8 :])
    return out


class _Player:
    """Channel messages to tinysoundfont, which knows no sustain pedal: note-offs wait for it."""

    def __init__(self, synth: Any) -> None:
        self._synth = synth
        self._waiting: dict[int, list[int]] = {}  # channel with its pedal down → pitches let go

    def send(self, status: int, data1: int, data2: int) -> None:
        kind, channel = status & 0xF0, status & 0x0F
        if kind == 0x90:
            self._damp(channel, data1)
            self._synth.noteon(channel, data1, data2)
        elif kind == 0x80 and channel in self._waiting:
            self._waiting[channel].append(data1)
        elif kind == 0x80:
            self._synth.noteoff(channel, data1)
        elif kind == 0xB0 and data1 == SUSTAIN:
            self._pedal(channel, is_down=data2 >= 64)
        elif kind == 0xB0:
            self._synth.control_change(channel, data1, data2)
        elif kind == 0xE0:
            self._synth.pitchbend(channel, data1 | data2 << 7)
        elif kind == 0xC0:
            self._program(channel, data1)

    def _damp(self, channel: int, pitch: int) -> None:
        """A key struck again under the pedal ends its own earlier sound."""
        waiting = self._waiting.get(channel, [])
        if pitch in waiting:
            waiting.remove(pitch)
            self._synth.noteoff(channel, pitch)

    def _pedal(self, channel: int, *, is_down: bool) -> None:
        if is_down:
            self._waiting.setdefault(channel, [])
        else:
            for pitch in self._waiting.pop(channel, []):
                self._synth.noteoff(channel, pitch)

    def _program(self, channel: int, program: int) -> None:
        """A drum kit that the font lacks would be silent; the standard kit always sounds."""
        is_drums = channel == DRUM_CHANNEL
        self._synth.program_change(channel, 0 if is_drums else program, is_drums)


def _pretty_midi(messages: Int32Array, frames: int, sample_rate: int) -> Samples:
    import pretty_midi

    score = pretty_midi.PrettyMIDI(io.BytesIO(midi_file(messages, frames / sample_rate)))
    mono = score.synthesize(fs=sample_rate)[:frames].astype(np.float32)
    mono = np.pad(mono, (0, max(0, frames - len(mono))))
    return np.stack([mono, mono], axis=1)


_RENDERERS: dict[str, Callable[[Int32Array, int, int], Samples]] = {
    "fluidsynth": _fluidsynth,
    "tinysoundfont": _tinysoundfont,
    "pretty_midi": _pretty_midi,
}
