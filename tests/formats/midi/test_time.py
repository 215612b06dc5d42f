"""Tempos, meters → measures, keys, texts."""

from __future__ import annotations

import pytest

from hub.errors import BadFileError, LimitError
from hub.formats.midi import time as midi_time
from hub.formats.midi.time import KEY, METER, TEMPO, TRACK_NAME, Timed, text
from hub.score import Annotation, Key, Tempo

QUARTER = 96


def meter(tick: int, beats: int, power: int) -> Timed:
    return Timed(0, tick, METER, bytes([beats, power, 24, 8]))


def spans(metas: list[Timed], end: int) -> list[tuple[str, int, int, str]]:
    found = midi_time.measures(metas, QUARTER, end)
    return [(m.number, m.start, m.length, m.meter) for m in found]


def test_without_a_meter_measures_are_4_4_and_the_last_one_is_whole() -> None:
    assert spans([], 400) == [("1", 0, 384, "4/4"), ("2", 384, 384, "4/4")]
    assert spans([], 0) == [("1", 0, 384, "4/4")]


def test_a_meter_change_inside_a_measure_cuts_it_short() -> None:
    assert spans([meter(0, 3, 2), meter(384, 6, 3)], 600) == [
        ("1", 0, 288, "3/4"),
        ("2", 288, 96, "3/4"),
        ("3", 384, 288, "6/8"),
    ]


def test_a_change_a_few_ticks_beside_the_bar_line_is_on_it() -> None:
    assert spans([meter(2, 3, 2), meter(285, 2, 2)], 480) == [
        ("1", 0, 288, "3/4"),
        ("2", 288, 192, "2/4"),
    ]


def test_repeated_meters_change_nothing() -> None:
    assert len(spans([meter(0, 4, 2), meter(100, 4, 2), meter(150, 4, 2)], 384)) == 1


def test_a_note_that_rings_a_few_ticks_over_opens_no_new_measure() -> None:
    assert len(spans([], 384 + 5)) == 1
    assert len(spans([], 384 + 7)) == 2


def test_changes_behind_the_music_add_no_measures() -> None:
    assert spans([meter(3840, 3, 2)], 384) == [("1", 0, 384, "4/4")]


def test_meters_without_sense_are_passed_over() -> None:
    nonsense = [meter(0, 0, 2), meter(0, 4, 9), Timed(0, 0, METER, b"")]
    assert spans(nonsense, 384) == [("1", 0, 384, "4/4")]


def test_measures_of_a_fraction_of_a_tick_do_not_drift() -> None:
    found = midi_time.measures([meter(0, 1, 6)], 24, 24)
    assert [m.start for m in found[:5]] == [0, 1, 3, 4, 6]
    assert found[-1].end == 24


def test_more_measures_than_a_score_can_have_are_refused() -> None:
    with pytest.raises(LimitError, match="30,001 measures"):
        midi_time.measures([], QUARTER, 30_000 * 384 + 10)


def test_the_last_of_several_tempos_at_one_tick_holds() -> None:
    metas = [Timed(0, 0, TEMPO, b"\x0f\x42\x40"), Timed(1, 0, TEMPO, b"\x07\xa1\x20")]
    assert midi_time.tempos(metas) == (Tempo(0, 120.0),)
    late = [Timed(0, 96, TEMPO, b"\x0f\x42\x40"), Timed(0, 99, TEMPO, b"")]
    assert midi_time.tempos(late) == (Tempo(0, 120.0), Tempo(96, 60.0))


def test_impossible_tempos_are_refused() -> None:
    with pytest.raises(BadFileError, match=r"tempo at tick 7 .* infinitely fast"):
        midi_time.tempos([Timed(0, 7, TEMPO, b"\0\0\0")])
    with pytest.raises(LimitError, match="quarter notes a minute"):
        midi_time.tempos([Timed(0, 0, TEMPO, b"\0\0\1")])


def test_keys_say_when_they_change() -> None:
    metas = [
        Timed(0, 0, KEY, b"\xfd\1"),
        Timed(1, 0, KEY, b"\xfd\1"),
        Timed(0, 96, KEY, b"\xfd\1"),
        Timed(0, 192, KEY, b"\2\0"),
        Timed(0, 300, KEY, b"\x40\0"),
    ]
    assert midi_time.keys(metas) == (Key(0, -3, "minor"), Key(192, 2, "major"))


def test_texts_are_decoded_cleaned_and_bounded() -> None:
    assert text("Flöte".encode()) == "Flöte"
    assert text("Flöte".encode("latin-1")) == "Flöte"
    assert text(b" a\0\x1b[31m\n\tb ") == "a [31m b"
    assert len(text(b"x" * 5000)) == midi_time.TEXT_CHARACTERS


def test_names_lyrics_and_markers() -> None:
    metas = [
        Timed(0, 0, TRACK_NAME, b"\0 "),
        Timed(0, 0, TRACK_NAME, b"Song"),
        Timed(0, 0, TRACK_NAME, b"Other"),
        Timed(1, 5, 0x05, b"la"),
        Timed(0, 9, 0x06, b"Verse"),
        Timed(0, 9, 0x06, b""),
    ]
    assert midi_time.track_names(metas) == {0: "Song"}
    assert midi_time.timed_texts(metas) == (
        Annotation(5, "lyric", "la"),
        Annotation(9, "marker", "Verse"),
    )
    many = [Timed(0, tick, 0x05, b"x") for tick in range(midi_time.ANNOTATIONS + 5)]
    assert len(midi_time.timed_texts(many)) == midi_time.ANNOTATIONS
