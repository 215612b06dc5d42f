"""Boxes, and the one rule of what lies inside."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import RegionError
from hub.region import Box, Kept, Region
from hub.score import Measure, Notes, Part, Score

TPQ = 12


def tune(notes=(), numbers=("0", "1", "2", "3")):
    """A pickup of one quarter, then measures of four, in two parts."""
    starts = [0, *(TPQ + 4 * TPQ * i for i in range(len(numbers) - 1))]
    lengths = [TPQ, *[4 * TPQ] * (len(numbers) - 1)]
    measures = [
        Measure(number=n, start=s, length=e)
        for n, s, e in zip(numbers, starts, lengths, strict=True)
    ]
    return Score(
        ticks_per_quarter=TPQ,
        parts=(Part(id="P1", name="a"), Part(id="P2", name="b")),
        measures=tuple(measures),
        notes=Notes.of(notes),
    )


def resolved(score, *boxes, **more):
    return Region(boxes=boxes, **more).resolve(score)


def test_onset_decides_and_the_end_is_outside():
    score = tune([(11, 20, 60), (12, 1, 60), (59, 1, 60), (60, 1, 60)])
    region = resolved(score, Box(start=1, end=2, part="P1"))
    assert region.contains(score.notes, score).tolist() == [False, True, True, False]


def test_part_and_pitch_bound_a_box():
    score = tune([(12, 1, 59), (12, 1, 60), (12, 1, 72), (12, 1, 73), (12, 1, 65, 80, 1)])
    region = resolved(score, Box(start=1, end=2, part="P1", low=60, high=72))
    inside = score.notes[region.contains(score.notes, score)]
    assert [(n.part, n.pitch) for n in inside] == [(0, 60), (0, 72)]


def test_a_box_without_a_part_is_every_part():
    score = tune([(12, 1, 60), (12, 1, 60, 80, 1)])
    region = resolved(score, Box(start=1, end=2))
    assert region.parts() == ("P1", "P2")
    assert region.contains(score.notes, score).all()


def test_a_kept_note_is_outside():
    score = tune([(12, 1, 60), (12, 1, 64)])
    region = resolved(score, Box(start=1, end=2, part="P1"), keep=(Kept("P1", 12, 64),))
    assert region.contains(score.notes, score).tolist() == [True, False]


def test_units_agree():
    score = tune()
    measures = resolved(score, Box(start=1, end=3, part="P1"))
    quarters = resolved(score, Box(start=1, end=9, unit="quarters", part="P1"))
    ticks = resolved(score, Box(start=12, end=108, unit="ticks", part="P1"))
    assert measures == quarters == ticks


def test_thirds_of_a_quarter_are_exact():
    region = resolved(tune(), Box(start=Fraction(1, 3), end=1, unit="quarters", part="P1"))
    assert (region.boxes[0].start_tick, region.boxes[0].end_tick) == (4, 12)


def test_measures_past_the_end_go_on_like_the_last():
    region = resolved(tune(), Box(start=3, end=6, part="P1"))
    assert region.boxes[0].end_tick == 12 + 5 * 48


def test_touching_boxes_are_one_span():
    score = tune()
    boxes = (Box(start=2, end=3, part="P1"), Box(start=1, end=2, part="P1"))
    assert resolved(score, *boxes).spans("P1") == [(12, 108)]
    assert resolved(score, *boxes).measure_indices(score) == [1, 2]


def test_printed_numbers_include_the_last_and_the_pickup_is_0():
    region = Region.measures(tune(), "0,2-3", ["P2"])
    assert [(b.start, b.end, b.part) for b in region.boxes] == [(0, 1, "P2"), (2, 4, "P2")]


@pytest.mark.parametrize("text", ["1-2", "1–2", "1 — 2", "1..2", "1 to 2", " 1 - 2 "])
def test_any_dash_that_people_type(text):
    assert Region.measures(tune(), text).boxes == (Box(start=1, end=3),)


def test_ordinals_serve_where_printed_numbers_repeat():
    score = tune(numbers=("1", "1", "2", "2"))
    assert Region.measures(score, "#2-#3").boxes[0].start == 1
    with pytest.raises(RegionError, match=r"2 measures are numbered 2; say which: #3, #4"):
        Region.measures(score, "2")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("9", "no measure 9 in this score; it has 0 to 3"),
        ("3-1", "Measure 1 comes before measure 3"),
        ("", "not a range of measures"),
        ("1-2-3", "not a range of measures"),
        ("1," * 2000, "at most 1,000"),
        ("#²", "#² is not"),
        ("#" + "9" * 5000, "is not one of"),
        ("#9", "#9 is not one of the 4 measures"),
    ],
)
def test_wrong_measure_texts_teach(text, message):
    with pytest.raises(RegionError, match=message):
        Region.measures(tune(), text)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"start": 2, "end": 2}, "end after it begins"),
        ({"start": -1, "end": 2}, "begin at 0 or later"),
        ({"start": float("nan"), "end": 2}, "begin at 0 or later"),
        ({"start": 0, "end": float("inf")}, "too far"),
        ({"start": 0, "end": 1, "unit": "bars"}, "unit is"),
        ({"start": 0, "end": 1, "low": 60, "high": 59}, "lower pitch first"),
    ],
)
def test_impossible_boxes(fields, message):
    with pytest.raises(RegionError, match=message):
        Box(**fields)


def test_empty_and_unknown_change():
    with pytest.raises(RegionError, match="region is empty"):
        Region(boxes=())
    with pytest.raises(RegionError, match="got colour"):
        Region(boxes=(Box(start=0, end=1),), change=frozenset({"colour"}))


def test_unresolved_regions_refuse_to_answer():
    score = tune([(0, 1, 60)])
    with pytest.raises(RegionError, match="resolve"):
        Region(boxes=(Box(start=0, end=1),)).contains(score.notes, score)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "A region is an object"),
        ({"boxs": []}, 'Did you mean "boxes"'),
        ({"boxes": [{"start": 1}]}, "end is missing"),
        ({"boxes": [{"start": "1", "end": 2}]}, "is a number"),
        ({"boxes": [{"start": True, "end": 2}]}, "is a number"),
        ({"boxes": [3]}, "A box is an object"),
        ({"boxes": [{"start": 0, "end": 1}], "keep": [1]}, "cannot be read"),
        ({"boxes": [{"start": 0, "end": 1}], "keep": [["P1", 1e999, 5]]}, "cannot be read"),
        ({"boxes": [{"start": 0, "end": 1, "low": 1.5}]}, "pitch range"),
        ({"boxes": [{"start": 0, "end": 1}] * 1001}, "at most 1,000"),
    ],
)
def test_json_that_is_no_region(value, message):
    with pytest.raises(RegionError, match=message):
        Region.from_json(value)


boxes = st.builds(
    lambda start, length, part, low, more, unit: Box(
        start=start, end=start + length, part=part, low=low, high=min(127, low + more), unit=unit
    ),
    st.integers(0, 50),
    st.integers(1, 50),
    st.sampled_from([None, "P1", "P2"]),
    st.integers(0, 127),
    st.integers(0, 127),
    st.sampled_from(["measures", "quarters", "ticks"]),
)
regions = st.builds(
    lambda b, k, h: Region(boxes=tuple(b), keep=tuple(k), hide=tuple(h)),
    st.lists(boxes, min_size=1, max_size=4),
    st.lists(
        st.builds(Kept, st.sampled_from(["P1", "P2"]), st.integers(0, 99), st.integers(0, 127))
    ),
    st.lists(boxes, max_size=2),
)


@given(regions)
def test_json_round_trip(region):
    assert Region.from_json(region.to_json()) == region


@given(
    regions,
    st.lists(
        st.tuples(
            st.integers(0, 200),
            st.integers(1, 30),
            st.integers(0, 127),
            st.just(80),
            st.integers(0, 1),
        )
    ),
)
def test_contains_says_what_the_definition_says(region, rows):
    score = tune(rows)
    region = region.resolve(score)
    ids = [part.id for part in score.parts]
    kept = set(region.keep)

    def inside(note):
        part = ids[note.part]
        in_box = any(
            b.part == part and b.start <= note.onset < b.end and b.low <= note.pitch <= b.high
            for b in region.boxes
        )
        return in_box and (part, note.onset, note.pitch) not in kept

    assert region.contains(score.notes, score).tolist() == [inside(n) for n in score.notes]
