"""(a) Read + edit + write of MIDI files, beside pretty_midi and music21.

The edit: all notes of one part in two measures go and eight new ones come. The hub's time includes
what the peers do not do: reading the result again and comparing everything outside the edit.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import hub
from benchmarks.music import MEASURE, TICKS_PER_QUARTER, song
from benchmarks.report import Row
from benchmarks.timing import interleaved
from hub import formats

SIZES = {"small": (200, 31), "medium": (4_000, 15), "large": (100_000, 3)}  # notes, repeats
MUSIC21_AT_MOST = 4_000  # notes; the large file takes it more than 400 s
FIRST, STEP = 2 * MEASURE, TICKS_PER_QUARTER
PITCHES = (60, 62, 64, 65, 67, 69, 71, 72)
AT_LEAST_FASTER = 7.0
SMALL_EDIT_MS = 15.0


def run() -> list[Row]:
    rows = []
    for size, (notes, repeats) in SIZES.items():
        data = song(notes)
        peers: dict[str, Callable[[], Any]] = {
            "hub": partial(edit_with_hub, data),
            "pretty_midi": partial(edit_with_pretty_midi, data),
        }
        if notes <= MUSIC21_AT_MOST:
            peers["music21"] = partial(edit_with_music21, data)
        rows += _rows(size, data, interleaved(peers, repeats if size != "medium" else 5))
    own = interleaved({"hub": partial(edit_with_hub, song(4_000))}, 31)["hub"]
    what = "read + small edit + verify + write, 4,000 notes"
    rows.append(Row(key="a.edit", what=what, value=own, unit="ms", wanted=f"< {SMALL_EDIT_MS:g}",
                    ok=own < SMALL_EDIT_MS))  # fmt: skip
    return rows


def _rows(size: str, data: bytes, medians: dict[str, float]) -> list[Row]:
    score = hub.read_score(data, "song.mid")
    what = f"{size}: {len(score.notes):,} notes, {len(data) >> 10} KiB"
    rows = [
        Row(key=f"a.{size}.{name}", what=f"{what}, {name}", value=value, unit="ms")
        for name, value in medians.items()
    ]
    for peer in list(medians)[1:]:
        ratio = medians[peer] / medians["hub"]
        binding = size == "large" and peer == "pretty_midi"
        rows.append(
            Row(key=f"a.{size}.{peer}_ratio", what=f"{size}: {peer} ÷ hub", value=ratio, unit="×",
                wanted=f"≥ {AT_LEAST_FASTER:g}" if binding else "",
                ok=ratio >= AT_LEAST_FASTER if binding else None)
        )  # fmt: skip
    return rows


def edit_with_hub(data: bytes) -> bytes:
    score = hub.read_score(data, "song.mid")
    region = hub.Region.measures(score, "3-4", ["P1"]).resolve(score)
    removed = np.flatnonzero(region.contains(score.notes, score))
    onsets = FIRST + STEP * np.arange(len(PITCHES))
    added = hub.Notes.from_columns(onsets, STEP, PITCHES, 80, 0)
    edit = formats.fit(score, formats.Edit(removed=removed, added=added))
    return formats.splice(score, edit)


def edit_with_pretty_midi(data: bytes) -> bytes:
    import pretty_midi

    midi = pretty_midi.PrettyMIDI(io.BytesIO(data))
    start, end = midi.tick_to_time(FIRST), midi.tick_to_time(FIRST + 2 * MEASURE)
    line = midi.instruments[0]
    line.notes = [note for note in line.notes if not start <= note.start < end]
    for index, pitch in enumerate(PITCHES):
        on, off = (midi.tick_to_time(FIRST + STEP * i) for i in (index, index + 1))
        line.notes.append(pretty_midi.Note(80, pitch, on, off))
    out = io.BytesIO()
    midi.write(out)
    return out.getvalue()


def edit_with_music21(data: bytes) -> bytes:
    from music21 import midi, note

    file = midi.MidiFile()
    file.readstr(data)
    score = midi.translate.midiFileToStream(file)
    for measure in score.parts[0].getElementsByClass("Measure")[2:4]:
        measure.removeByClass(["Note", "Chord", "Rest", "Voice"])
        for index, pitch in enumerate(PITCHES[:4]):
            measure.insert(index, note.Note(pitch, quarterLength=1))
    written: bytes = midi.translate.music21ObjectToMidiFile(score).writestr()
    return written
