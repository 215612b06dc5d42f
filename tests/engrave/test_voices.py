"""Hands, voices and chords."""

from __future__ import annotations

from itertools import pairwise

from hub.engrave.quantise import Bar, Written
from hub.engrave.voices import chords, split_hands, voices
from hub.score import Measure

BAR = Bar(index=0, measure=Measure(number="1", start=0, length=96), start=0, length=96)


def notes(*rows: tuple[int, ...]) -> list[Written]:
    """Rows (start, end, pitch[, voice])."""
    return [Written(r[0], r[1], r[2], row, *r[3:]) for row, r in enumerate(rows)]


def spans(voice: list) -> list[tuple[int, int, list[int]]]:  # type: ignore[type-arg]
    return [(c.start, c.end, [t.note.pitch for t in c.tones]) for c in voice]


def test_a_line_is_one_voice() -> None:
    found = voices(notes((0, 24, 60), (24, 48, 62)), exact=True)
    assert [spans(v) for v in found] == [[(0, 24, [60]), (24, 48, [62])]]


def test_a_held_low_note_is_the_second_voice_and_a_held_high_one_the_first() -> None:
    low = voices(notes((0, 96, 50), (0, 24, 70), (24, 48, 72)), exact=True)
    assert [spans(v)[0][2] for v in low] == [[70], [50]]
    high = voices(notes((0, 96, 80), (0, 24, 60), (24, 48, 62)), exact=True)
    assert [spans(v)[0][2] for v in high] == [[80], [60]]


def test_a_held_note_waits_below_what_moves_later() -> None:
    found = voices(notes((0, 96, 50), (24, 48, 70), (48, 72, 72)), exact=True)
    assert [spans(v)[0][2] for v in found] == [[70], [50]]


def test_exact_notes_keep_their_lengths_by_ties() -> None:
    rows = notes((0, 48, 60), (0, 72, 64), (24, 96, 67), (48, 96, 71))
    found = voices(rows, exact=True)
    sounded: dict[int, int] = {}
    for voice in found:
        for chord in voice:
            for tone in chord.tones:
                sounded[tone.note.row] = sounded.get(tone.note.row, 0) + chord.end - chord.start
    assert sounded == {note.row: note.end - note.start for note in rows}


def test_performed_notes_are_cut_where_both_voices_are_taken() -> None:
    rows = notes((0, 90, 60), (12, 90, 64), (24, 90, 67))
    found = voices(rows, exact=False)
    assert len(found) == 2
    for voice in found:
        assert all(a.end <= b.start for a, b in pairwise(voice))
        assert not any(tone.tied_before for chord in voice for tone in chord.tones)


def test_the_scores_own_voices_are_kept() -> None:
    found = voices(notes((0, 24, 60, 1), (24, 48, 62, 2)), exact=True)
    assert [spans(v) for v in found] == [[(0, 24, [60])], [(24, 48, [62])]]


def test_chords_are_cut_at_every_edge_and_tied() -> None:
    first, second = chords(notes((0, 48, 60), (0, 24, 64)))
    assert [t.note.pitch for t in first.tones] == [60, 64]
    assert [(t.tied_before, t.tied_after) for t in first.tones] == [(False, True), (False, False)]
    assert [(t.tied_before, t.tied_after) for t in second.tones] == [(True, False)]


def test_hands_part_in_the_gap_near_middle_c() -> None:
    rows = notes((0, 24, 45), (0, 24, 57), (0, 24, 64), (0, 24, 72))
    upper, lower = split_hands(rows, [BAR])
    assert ([n.pitch for n in upper], [n.pitch for n in lower]) == ([64, 72], [45, 57])


def test_the_split_follows_the_hands() -> None:
    high = notes((0, 24, 57), (0, 24, 62), (0, 24, 67), (0, 24, 74))
    upper, lower = split_hands(high, [BAR])
    assert ([n.pitch for n in upper], [n.pitch for n in lower]) == ([62, 67, 74], [57])
