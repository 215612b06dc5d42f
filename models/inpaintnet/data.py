"""Folk tunes as token measures: reading the corpora, and a split that keeps one tune on one side.

A tune is a list of *segments*; a segment is an int16 array (measures, 24) of tokens, unbroken 4/4
time with repeats written out. Token values are those of `model.py`: HOLD, REST, then MIDI pitches.

Sources: the ABC tunes inside the PyPI package music21 (oneills1850, ryansMammoth, airdsAirs,
miscFolk), and optionally a folder or .tar.xz of MIDI tunes (CRE), written by abc2midi.

Only tunes in C, C|, 4/4 or 2/2 throughout are read; a 2/2 measure lasts as long as a 4/4 one.
"""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
from model import HOLD, QUARTERS_PER_MEASURE, TICKS_PER_MEASURE, notes_to_tokens

CORPORA = ("oneills1850", "ryansMammoth", "airdsAirs", "miscFolk")
COMMON_TIME = re.compile(r"(?m)^M:\s*(C\|?|4/4|2/2)\s*(%.*)?$")
ANY_METER = re.compile(r"(?m)^M:\s*(\S+)|\[M:\s*([^\]\s]+)")
SHARED_MEASURE_PAIRS = 0.3  # two tunes sharing this part of the shorter's measure pairs are one
MINIMUM_SHARED_PAIRS = 3

Note = tuple[Fraction, Fraction, int]  # onset and duration in quarters, MIDI pitch


# --- ABC ------------------------------------------------------------------------------------------


def abc_tunes() -> Iterator[tuple[str, str]]:
    """(name, ABC text) of every tune of the four corpora whose only meter is common or cut time."""
    import music21

    root = Path(music21.__file__).parent / "corpus"
    for corpus in CORPORA:
        for path in sorted((root / corpus).rglob("*.abc")):
            text = path.read_text(encoding="utf-8", errors="replace")
            for tune in re.split(r"(?m)^(?=X:)", text)[1:]:
                meters = {a or b for a, b in ANY_METER.findall(tune)}
                if meters and meters <= {"C", "C|", "4/4", "2/2"} and COMMON_TIME.search(tune):
                    number = re.match(r"X:\s*(\S*)", tune).group(1)
                    yield f"{corpus}/{path.stem}/{number}", tune


def abc_segments(text: str) -> tuple[str, list[np.ndarray]]:
    """Title and token segments of one ABC tune, first voice, top notes, repeats written out."""
    from music21 import converter
    from music21.repeat import ExpanderException
    from music21.stream import Measure

    score = converter.parse(text, format="abc", forceSource=True)
    part = score.parts[0]
    with suppress(ExpanderException):  # a repeat without its partner: read the tune as written
        part = part.expandRepeats()
    bars = [_bar_notes(bar) for bar in part.getElementsByClass(Measure)]
    return score.metadata.title or "", [_tokens(run) for run in _whole_measures(bars)]


def _bar_notes(bar) -> tuple[Fraction, list[Note]]:
    """Length in quarters and notes of one music21 measure; a tied continuation has pitch -1."""
    notes = []
    for element in bar.flatten().notesAndRests:
        onset, length = Fraction(element.offset), Fraction(element.duration.quarterLength)
        if length <= 0 or not (element.isNote or element.isRest or element.isChord):
            continue  # a grace note, or a chord symbol
        tied = element.tie is not None and element.tie.type in ("stop", "continue")
        notes.append((onset, length, -1 if tied else _top_pitch(element)))
    return Fraction(bar.highestTime), notes


def _top_pitch(element) -> int | None:
    return None if element.isRest else max(pitch.midi for pitch in element.pitches)


def _whole_measures(bars) -> Iterator[list[list[Note]]]:
    """Runs of whole measures; partial bars that add up to one (… 3 | 1 …) become one measure."""
    run, partial, length = [], [], Fraction(0)
    for bar_length, notes in bars:
        partial += [(onset + length, duration, pitch) for onset, duration, pitch in notes]
        length += bar_length
        if length == QUARTERS_PER_MEASURE:
            run.append(partial)
        elif bar_length == QUARTERS_PER_MEASURE:  # the partial bars before it led nowhere
            if run:
                yield run
            run = [notes]
        elif length > QUARTERS_PER_MEASURE:
            if run:
                yield run
            run, partial, length = [], list(notes), bar_length
            continue
        else:
            continue
        partial, length = [], Fraction(0)
    if run:
        yield run


def _tokens(run: list[list[Note]]) -> np.ndarray:
    """(measures, 24) int16 tokens of a run of measures."""
    notes = [
        (float(onset + QUARTERS_PER_MEASURE * index), float(length), pitch)
        for index, bar in enumerate(run)
        for onset, length, pitch in bar
        if pitch is not None and pitch >= 0
    ]
    held = [
        float(onset + QUARTERS_PER_MEASURE * index)
        for index, bar in enumerate(run)
        for onset, _, pitch in bar
        if pitch == -1
    ]
    return notes_to_tokens(_tie(notes, held, run), len(run))


def _tie(notes, held_onsets, run):
    """Lengthen the note before each tied continuation up to the continuation's own end."""
    ends = {
        float(onset + QUARTERS_PER_MEASURE * index): float(length)
        for index, bar in enumerate(run)
        for onset, length, pitch in bar
        if pitch == -1
    }
    merged = [list(note) for note in notes]
    by_end = {round(onset + length, 6): i for i, (onset, length, _) in enumerate(merged)}
    for onset in sorted(held_onsets):
        index = by_end.get(round(onset, 6))
        if index is not None:
            merged[index][1] += ends[onset]
            by_end[round(onset + ends[onset], 6)] = index
    return merged


# --- MIDI -----------------------------------------------------------------------------------------


def midi_tunes(source: Path) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of every .mid file in a folder or a tar archive."""
    if source.is_dir():
        for path in sorted(source.rglob("*.mid")):
            yield path.stem, path.read_bytes()
        return
    with tarfile.open(source) as archive:
        members = sorted(archive.getmembers(), key=lambda member: member.name)
        for member in members:
            if member.isfile() and member.name.endswith(".mid"):
                yield Path(member.name).stem, archive.extractfile(member).read()


def midi_segments(content: bytes) -> tuple[str, list[np.ndarray]]:
    """Title and token segments of one abc2midi file; no segments if it is not in 4/4 or 2/2.

    abc2midi writes no bar lines, but plays the first beat of each measure with velocity 105: a
    measure runs from one such note to the next.
    """
    import mido

    midi = mido.MidiFile(file=io.BytesIO(content), clip=True)
    title, meters, notes = _midi_notes(midi)
    if not meters or not meters <= {(4, 4), (2, 2)}:
        return title, []
    downbeats = sorted({onset for onset, _, _, velocity in notes if velocity == 105})
    segments, start = [], 0
    spans = [b - a for a, b in pairwise(downbeats)] + [Fraction(QUARTERS_PER_MEASURE)]
    for index, span in enumerate(spans):
        if span % QUARTERS_PER_MEASURE == 0 and index < len(spans) - 1:
            continue
        end = downbeats[index] + (QUARTERS_PER_MEASURE if span % QUARTERS_PER_MEASURE == 0 else 0)
        segments.append((downbeats[start], end))
        start = index + 1
    return title, [s for a, b in segments if b > a and len(s := _cut(notes, a, b))]


def _midi_notes(midi) -> tuple[str, set, list[tuple[Fraction, Fraction, int, int]]]:
    title, meters, notes = "", set(), []
    for track in midi.tracks:
        tick, sounding = 0, {}
        for message in track:
            tick += message.time
            if message.type == "track_name" and not title:
                title = message.name.strip()
            elif message.type == "time_signature":
                meters.add((message.numerator, message.denominator))
            elif message.type == "note_on" and message.velocity:
                sounding[message.note] = (tick, message.velocity)
            elif message.type in ("note_on", "note_off") and message.note in sounding:
                onset, velocity = sounding.pop(message.note)
                quarter = midi.ticks_per_beat
                length = Fraction(tick + 1 - onset, quarter)  # abc2midi ends notes a tick early
                notes.append((Fraction(onset, quarter), length, message.note, velocity))
    return title, meters, sorted(notes)


def _cut(notes, start: Fraction, end: Fraction) -> np.ndarray:
    inside = [(float(o - start), float(n), p) for o, n, p, _ in notes if start <= o < end]
    return notes_to_tokens(inside, int((end - start) // QUARTERS_PER_MEASURE))


# --- one tune, one side ---------------------------------------------------------------------------


def fingerprints(segments: list[np.ndarray]) -> set[bytes]:
    """Transposition-invariant fingerprints: the pitches on the 8 beats of two adjacent measures,
    relative to the first. Ornaments between the beats do not change them."""
    found = set()
    for segment in segments:
        beats = _sounding(segment.reshape(-1))[:: TICKS_PER_MEASURE // 4].reshape(-1, 4)
        for pair in np.concatenate([beats[:-1], beats[1:]], axis=1):
            if len(set(pair.tolist())) > 2:  # a drone or a scale of rests names no tune
                found.add((pair - pair[0]).astype(np.int8).tobytes())
    return found


def _sounding(tokens: np.ndarray) -> np.ndarray:
    """The token in force at each tick: holds replaced by what they hold."""
    index = np.where(tokens == HOLD, 0, np.arange(len(tokens)))
    return tokens[np.maximum.accumulate(index)].astype(np.int16)


def title_key(title: str) -> str:
    """'The Flowers of Edinburgh -- Reel' and 'Flowers of Edinburgh, The' give one key."""
    text = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    text = re.split(r"--|\(|\[", text)[0]
    words = re.findall(r"[a-z]+", text.replace("'", ""))
    return " ".join(sorted(word for word in words if word not in ("the", "a", "an", "of", "or")))


def group_tunes(titles: list[str], prints: list[set[bytes]]) -> list[int]:
    """Group number of each tune: one number for all settings of a tune (same title, or at least
    30 % and 3 of the shorter one's fingerprints in common)."""
    parent = list(range(len(titles)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for i, j in _same_tune_pairs(titles, prints):
        parent[max(root(i), root(j))] = min(root(i), root(j))
    return [root(i) for i in range(len(titles))]


def _same_tune_pairs(titles, prints) -> Iterator[tuple[int, int]]:
    first_with_title: dict[str, int] = {}
    for i, title in enumerate(titles):
        key = title_key(title)
        if len(key) > 3:
            yield first_with_title.setdefault(key, i), i
    holders = defaultdict(list)
    for i, found in enumerate(prints):
        for mark in found:
            holders[mark].append(i)
    for i, found in enumerate(prints):
        shared = Counter(j for mark in found for j in holders[mark] if j > i)
        for j, count in shared.items():
            enough = SHARED_MEASURE_PAIRS * min(len(found), len(prints[j]))
            if count >= max(enough, MINIMUM_SHARED_PAIRS):
                yield i, j


def split_of(group_members: list[str]) -> str:
    """train, valid or test (80/10/10) by a hash of the group's alphabetically first tune name."""
    digest = hashlib.sha256(min(group_members).encode()).digest()
    return "train" if digest[0] < 205 else "valid" if digest[0] < 231 else "test"


def assign_splits(names: list[str], titles: list[str], prints: list[set[bytes]]) -> list[str]:
    groups = group_tunes(titles, prints)
    members = defaultdict(list)
    for name, group in zip(names, groups, strict=True):
        members[group].append(name)
    return [split_of(members[group]) for group in groups]


def shared_prints(prints: list[set[bytes]], splits: list[str]) -> float:
    """The share of a test tune's fingerprints that also occur in a training tune, on average."""
    seen = set().union(*(p for p, split in zip(prints, splits, strict=True) if split == "train"))
    tested = [p for p, split in zip(prints, splits, strict=True) if split == "test" and p]
    return float(np.mean([len(each & seen) / len(each) for each in tested]))
