"""The promise over every readable real MIDI file: outside the region nothing changes.

Compared by `midi_oracle`, which shares no code with the hub, and by mido.
"""

from __future__ import annotations

import hashlib
import random
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from midi_oracle import Added, check_promise, mido_events, notes_of, parse, without_lengths

from hub import formats
from hub.errors import FileError
from hub.formats import Edit, midi
from hub.region import Box, Region
from hub.score import IntArray, Note, Notes, Score

REGIONS_PER_FILE = 3
MIDO_BYTES = 45_000
UNREADABLE_SHARE = 0.1


def midi_files(folder: Path) -> list[Path]:
    """Every MIDI file, one path for each content."""
    paths = sorted(p for p in folder.rglob("*.mid*") if p.suffix in (".mid", ".midi"))
    return list({hashlib.sha256(p.read_bytes()).digest(): p for p in paths}.values())


def random_region(score: Score, rng: random.Random) -> Region:
    """One to three boxes in any unit, some past the end, some with a pitch range, some tiny."""
    boxes = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        unit = rng.choice(("measures", "quarters", "ticks"))
        last = {
            "measures": len(score.measures),
            "quarters": score.end // score.ticks_per_quarter + 1,
            "ticks": score.end,
        }[unit]
        start = rng.randrange(last)
        length = rng.choice((1, 2, 4, 8)) * (score.ticks_per_quarter if unit == "ticks" else 1)
        part = rng.choice([None, *(p.id for p in score.parts)])
        low = rng.choice((0, 0, 0, 60))
        boxes.append(Box(start=start, end=start + length, unit=unit, part=part, low=low))
    return Region(boxes=tuple(boxes)).resolve(score)


def random_notes(score: Score, region: Region, rng: random.Random) -> Notes:
    """About as many notes as a model would write, inside the boxes."""
    rows = []
    for box in region.boxes:
        for _ in range(rng.randrange(12)):
            onset = rng.randrange(box.start_tick, box.end_tick)
            duration = rng.randint(1, max(1, box.end_tick - onset))
            pitch = rng.choice((rng.randrange(box.low, 128), 60, 62))
            part = score.part_index(box.part or "")
            rows.append(Note(onset, duration, pitch, rng.randint(1, 127), part))
    return Notes.of(rows)


@lru_cache(maxsize=1)
def places(data: bytes) -> tuple[list[tuple[int, int]], list[list[int]]]:
    """For each part its (track, channel), and the places of its notes in `oracle.notes`.

    By the written rule, not by the hub: parts are (track, channel) pairs in the order of their
    first note; rows of one part are sorted by onset, then pitch, then file order.
    """
    parts: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
    for track, (sounding, _) in enumerate(notes_of(data)):
        for place, note in enumerate(sounding):
            parts.setdefault((track, note.channel), []).append((note.onset, note.pitch, place))
    return list(parts), [[place for *_, place in sorted(rows)] for rows in parts.values()]


def oracle_edit(
    data: bytes, score: Score, removed: IntArray, added: Notes
) -> tuple[dict[int, set[int]], list[Added]]:
    """The edit in the oracle's words."""
    parts, rows = places(data)
    assert [channel for _, channel in parts] == [part.channel for part in score.parts]
    gone: dict[int, set[int]] = {}
    for number, (track, _) in enumerate(parts):
        of_part = np.flatnonzero(score.notes.part == number)
        assert len(of_part) == len(rows[number])
        mask = np.isin(of_part, removed)
        chosen = {row for row, is_gone in zip(rows[number], mask, strict=True) if is_gone}
        gone[track] = gone.get(track, set()) | chosen
    new = [Added(*parts[n.part], n.onset, n.duration, n.pitch, n.velocity) for n in added]
    return gone, new


def inpaint_at_random(data: bytes, score: Score, rng: random.Random) -> tuple[bytes, int, int]:
    """(edited file, notes asked for, notes there in full) for one random region, checked."""
    region = random_region(score, rng)
    removed = np.flatnonzero(region.contains(score.notes, score))
    added = random_notes(score, region, rng)
    after = formats.splice(score, Edit(removed=removed, added=added))
    gone, new = oracle_edit(data, score, removed, added)
    return after, len(new), check_promise(data, after, gone, new)


def test_nothing_outside_changes_in_any_real_file(shared_scores: Path) -> None:
    asked = in_full = readable = 0
    paths = midi_files(shared_scores)
    for path in paths:
        data = path.read_bytes()
        try:
            score = formats.read_score(data, path.name)
        except FileError:
            continue
        readable += 1
        if not score.parts:
            continue
        rng = random.Random(zlib.crc32(data))
        for _ in range(REGIONS_PER_FILE):
            _, wanted, full = inpaint_at_random(data, score, rng)
            asked, in_full = asked + wanted, in_full + full
    assert readable >= (1 - UNREADABLE_SHARE) * len(paths) > 0
    assert in_full > 0.5 * asked > 0


def test_mido_reads_the_edited_files_alike(shared_scores: Path) -> None:
    compared = 0
    for path in midi_files(shared_scores):
        data = path.read_bytes()
        if len(data) > MIDO_BYTES or "corrupted" in str(path):
            continue
        score = formats.read_score(data, path.name)
        if not score.parts:
            continue
        after, *_ = inpaint_at_random(data, score, random.Random(zlib.crc32(data) + 1))
        assert without_lengths(parse(after).tracks) == mido_events(after), path.name
        compared += 1
    assert compared >= 10


@pytest.mark.slow
def test_many_regions_of_every_real_file(shared_scores: Path) -> None:
    for path in midi_files(shared_scores):
        data = path.read_bytes()
        try:
            score = formats.read_score(data, path.name)
        except FileError:
            continue
        rng = random.Random(zlib.crc32(data) + 2)
        for _ in range(20 if score.parts else 0):
            inpaint_at_random(data, score, rng)


def test_damaged_real_files_give_file_errors_and_nothing_else(shared_scores: Path) -> None:
    """Truncations, flipped bytes and spliced-in garbage: a Score or a sentence, never a crash."""
    rng = random.Random(7)
    outcomes = {"read": 0, "refused": 0}
    for path in midi_files(shared_scores):
        data = path.read_bytes()
        if len(data) > 50_000:
            continue
        for damage in (truncated, flipped, flipped, stuffed):
            try:
                score = midi.read(damage(data, rng), path.name)
            except FileError as error:
                assert str(error).endswith("."), error
                outcomes["refused"] += 1
                continue
            outcomes["read"] += 1
            assert not len(score.notes) or score.notes.duration.min() >= 1
    assert min(outcomes.values()) >= 10


def truncated(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def flipped(data: bytes, rng: random.Random) -> bytes:
    damaged = bytearray(data)
    for _ in range(rng.randint(1, 20)):
        damaged[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(damaged)


def stuffed(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + rng.randbytes(rng.randint(1, 40)) + data[at:]
