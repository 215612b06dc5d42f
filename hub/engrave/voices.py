"""Which staff and voice a written note goes to, and a voice as a row of chords.

A staff has two voices where a note is held while others move, one elsewhere. Within a voice time
is cut at every onset and release; what sounds in a piece is a chord, tied to its neighbours.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby, pairwise
from statistics import fmean
from typing import NamedTuple

from hub.engrave.quantise import Bar, Written

_MIDDLE_C = 60
_HAND_SPAN = 14  # semitones that one hand reaches comfortably
_RECENT = 12  # no chord of one hand has more notes
_SPLITS = range(53, 68)


class Tone(NamedTuple):
    """One notehead: the note it belongs to, and whether it is tied to the ones around it."""

    note: Written
    tied_before: bool
    tied_after: bool


class Chord(NamedTuple):
    """What a voice sounds in [start, end), tones from low to high."""

    start: int
    end: int
    tones: tuple[Tone, ...]


def split_hands(notes: Sequence[Written], excerpt: Sequence[Bar]) -> list[list[Written]]:
    """The notes of the upper and the lower staff.

    Where the score tells voices apart a voice stays on its staff; else the split follows the
    hands, bar by bar.
    """
    if len({note.voice for note in notes}) > 1:
        return _split_by_voice(notes)
    upper: list[Written] = []
    lower: list[Written] = []
    by_bar = _by_bar(notes, excerpt)
    split = _MIDDLE_C
    for bar in excerpt:
        inside = by_bar.get(bar.index, [])
        split = _best_split(inside, split) if inside else split
        for note in inside:
            (upper if note.pitch >= split else lower).append(note)
    return [upper, lower]


def _split_by_voice(notes: Sequence[Written]) -> list[list[Written]]:
    """Voices nearer to the highest one above, the others below."""
    pitches: dict[int, list[int]] = defaultdict(list)
    for note in notes:
        pitches[note.voice].append(note.pitch)
    means = {voice: fmean(found) for voice, found in pitches.items()}
    middle = (max(means.values()) + min(means.values())) / 2
    upper = [note for note in notes if means[note.voice] >= middle]
    return [upper, [note for note in notes if means[note.voice] < middle]]


def _by_bar(notes: Sequence[Written], excerpt: Sequence[Bar]) -> dict[int, list[Written]]:
    found: dict[int, list[Written]] = defaultdict(list)
    place = 0
    for note in sorted(notes):
        while place + 1 < len(excerpt) and excerpt[place].end <= note.start:
            place += 1
        found[excerpt[place].index].append(note)
    return found


def _best_split(notes: Sequence[Written], previous: int) -> int:
    """Lowest pitch of the right hand: near middle C and the last split, in a gap, hands small."""
    chords = [[n.pitch for n in group] for _, group in groupby(notes, key=lambda n: n.start)]
    pitches = sorted({note.pitch for note in notes})

    def cost(split: int) -> float:
        low = max((p for p in pitches if p < split), default=split - 12)
        high = min((p for p in pitches if p >= split), default=split + 12)
        return (
            0.35 * abs(split - _MIDDLE_C)
            + 0.25 * abs(split - previous)
            - 0.5 * min(high - low, 9)
            + 2.0 * sum(_stretch(chord, split) for chord in chords) / len(chords)
        )

    return min(_SPLITS, key=cost)


def _stretch(chord: Sequence[int], split: int) -> int:
    """How many semitones beyond a hand's span this chord asks for."""
    hands = [p for p in chord if p < split], [p for p in chord if p >= split]
    return sum(max(0, max(hand) - min(hand) - _HAND_SPAN) for hand in hands if hand)


def voices(notes: Sequence[Written], *, exact: bool) -> list[list[Chord]]:
    """One staff's notes as voices, upper first. Exact ones keep every length by ties."""
    hints = sorted({note.voice for note in notes})
    if len(hints) > 1:
        groups = [[n for n in notes if n.voice == hint] for hint in hints[:3]]
        groups.append([n for n in notes if n.voice in hints[3:]])
        return [chords(group) for group in groups if group]
    return [chords(voice) for voice in _two_voices(notes, exact=exact) if voice]


def _two_voices(notes: Sequence[Written], *, exact: bool) -> list[list[Written]]:
    """Notes to voices 0 and 1 by who is free; without a free one, the shorter rest is cut."""
    groups = [list(group) for _, group in groupby(sorted(notes), key=lambda n: n.start)]
    placed: list[list[Written]] = [[], []]
    for index, group in enumerate(groups):
        start = group[0].start
        busy = [v for v in (0, 1) if placed[v] and max(_ends(placed[v])) > start]
        following = groups[index + 1][0].start if index + 1 < len(groups) else None
        for voice, members in _assign(group, following, groups[index + 1 :], busy, placed):
            if not exact:
                _cut(placed[voice], start)
                members = _same_end(members)
            placed[voice] += members
    return placed


def _ends(notes: Sequence[Written]) -> list[int]:
    return [note.end for note in notes[-_RECENT:]]


def _assign(
    group: list[Written],
    following: int | None,
    later: Sequence[list[Written]],
    busy: list[int],
    placed: list[list[Written]],
) -> list[tuple[int, list[Written]]]:
    if len(busy) == 1:
        return [(1 - busy[0], group)]
    if len(busy) == 2:
        sooner = min(busy, key=lambda v: max(_ends(placed[v])))
        return [(sooner, group)]
    held = [n for n in group if following is not None and n.end > following]
    short = [n for n in group if n not in held]
    if not held:
        return [(0, group)]
    if short:
        held_voice = 1 if fmean(n.pitch for n in held) < fmean(n.pitch for n in short) else 0
        return [(held_voice, held), (1 - held_voice, short)]
    return [(_voice_of_held(held, later), held)]


def _voice_of_held(held: list[Written], later: Sequence[list[Written]]) -> int:
    """Below what moves while it is held: the lower voice."""
    end = max(note.end for note in held)
    moving = []
    for group in later[:16]:
        if group[0].start >= end:
            break
        moving += [note.pitch for note in group]
    return 1 if moving and fmean(moving) >= fmean(n.pitch for n in held) else 0


def _cut(notes: list[Written], at: int) -> None:
    """Nothing of this voice sounds past `at`. Only its last notes can."""
    for index in range(max(0, len(notes) - _RECENT), len(notes)):
        if notes[index].end > at:
            notes[index] = notes[index]._replace(end=at)


def _same_end(notes: list[Written]) -> list[Written]:
    end = max(note.end for note in notes)
    return [note._replace(end=end) for note in notes]


def chords(notes: Sequence[Written]) -> list[Chord]:
    """A voice's notes cut at every onset and release; of equal pitches the latest sounds."""
    edges = sorted({n.start for n in notes} | {n.end for n in notes})
    queue = sorted(notes, reverse=True)
    active: list[Written] = []
    out = []
    for start, end in pairwise(edges):
        while queue and queue[-1].start <= start:
            active.append(queue.pop())
        active = [note for note in active if note.end > start]
        sounding = {note.pitch: note for note in active}
        if sounding:
            tones = [_tone(sounding[pitch], start, end) for pitch in sorted(sounding)]
            out.append(Chord(start, end, tuple(tones)))
    return out


def _tone(note: Written, start: int, end: int) -> Tone:
    return Tone(note, note.start < start, end < note.end)
