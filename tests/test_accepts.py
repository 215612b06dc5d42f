"""What a card may declare, and requests that do not fit."""

from dataclasses import replace

import pytest

from hub.accepts import Accepts, accepts_from_card, check_request, first_overlap, is_whole
from hub.errors import AcceptError, CardError
from hub.region import Box, Region
from hub.score import Measure, Notes, Part, Score

TPQ = 12
MELODY = Accepts(
    parts=(1, 1), polyphony="monophonic", meters=("4/4",), most=2, before=1, after=1, pitch=(40, 90)
)


def tune(notes=()):
    """A pickup, four measures of 4/4, one of 3/4; flute, piano, drums."""
    lengths = [12, 48, 48, 48, 48, 36]
    starts = [sum(lengths[:i]) for i in range(len(lengths))]
    measures = tuple(
        Measure(number=str(i), start=s, length=n, beats=3 if n == 36 else 4)
        for i, (s, n) in enumerate(zip(starts, lengths, strict=True))
    )
    parts = (
        Part(id="P1", name="Flute"),
        Part(id="P2", name="Piano"),
        Part(id="P3", name="Kit", is_drums=True),
    )
    return Score(ticks_per_quarter=TPQ, parts=parts, measures=measures, notes=Notes.of(notes))


def ask(accepts, *boxes, notes=(), **more):
    score = tune(notes)
    check_request(accepts, score, Region(boxes=boxes, **more).resolve(score))


def test_a_fitting_request_passes():
    ask(MELODY, Box(start=1, end=3, part="P1"), notes=[(12, 12, 60), (24, 12, 62)])


@pytest.mark.parametrize(
    ("accepts", "box", "message"),
    [
        (MELODY, Box(start=1, end=2), "rewrites 1 part.*spans 3"),
        (MELODY, Box(start=1, end=2, part="P3"), '"Kit"\\) is a drum part'),
        (replace(MELODY, drums="only"), Box(start=1, end=2, part="P1"), "writes only drums"),
        (MELODY, Box(start=5, end=6, part="P1"), "Measure 5 is in 3/4; this model writes 4/4"),
        (MELODY, Box(start=0, end=1, part="P1"), "Measure 0 is not a whole 4/4 measure"),
        (MELODY, Box(start=1, end=4, part="P1"), r"covers 3 measure\(s\).*at most 2"),
        (replace(MELODY, least=2), Box(start=1, end=2, part="P1"), "at least 2"),
        (MELODY, Box(start=20, end=36, unit="ticks", part="P1"), "Move its edges to bar lines"),
        (MELODY, Box(start=4, end=9, part="P1"), "ends after the score does"),
        (MELODY, Box(start=8, end=9, part="P1"), "begins after the end"),
    ],
)
def test_requests_outside_the_card(accepts, box, message):
    with pytest.raises(AcceptError, match=message):
        ask(accepts, box)


def test_chords_are_refused_only_where_the_model_reads():
    chord = [(12 + 48 * 3, 12, 60), (12 + 48 * 3, 12, 64)]
    with pytest.raises(AcceptError, match="several notes at once in measure 4, which .* context"):
        ask(MELODY, Box(start=3, end=4, part="P1"), notes=chord)
    with pytest.raises(AcceptError, match="several notes at once in measure 4; this"):
        ask(MELODY, Box(start=4, end=5, part="P1"), notes=chord)
    ask(MELODY, Box(start=1, end=2, part="P1"), notes=chord)
    ask(replace(MELODY, polyphony="polyphonic"), Box(start=3, end=4, part="P1"), notes=chord)


def test_another_parts_chords_do_not_matter():
    ask(MELODY, Box(start=1, end=2, part="P1"), notes=[(12, 9, 60, 80, 1), (12, 9, 64, 80, 1)])


def test_legato_is_one_line_but_a_held_note_is_not():
    assert first_overlap(Notes.of([(0, 14, 60), (12, 12, 62)]), allowed_ticks=3) is None
    assert first_overlap(Notes.of([(0, 48, 60), (12, 12, 62)]), allowed_ticks=3) == 12
    assert (
        first_overlap(Notes.of([(0, 48, 60), (12, 1, 62), (24, 1, 64)]), allowed_ticks=36) is None
    )


def test_beyond_the_end_where_the_card_allows_it():
    ask(replace(MELODY, beyond_end=True, most=8), Box(start=4, end=5, part="P1"))
    accepts = replace(MELODY, beyond_end=True, most=3, meters=())
    ask(accepts, Box(start=5, end=8, part="P1"))
    with pytest.raises(AcceptError, match="covers 4"):
        ask(accepts, Box(start=5, end=9, part="P1"))


def test_length_in_beats_and_ticks():
    box = Box(start=12, end=25, unit="ticks", part="P1")
    ask(replace(MELODY, unit="beat", most=2), box)
    with pytest.raises(AcceptError, match="covers 13 tick"):
        ask(replace(MELODY, unit="tick", most=12), box)


def test_attributes_only_as_declared():
    groove = replace(MELODY, change=("onset", "velocity"), reads=("notes",))
    ask(groove, Box(start=1, end=2, part="P1"), change=frozenset({"velocity"}))
    with pytest.raises(AcceptError, match="changes onset, velocity, not pitch"):
        ask(groove, Box(start=1, end=2, part="P1"), change=frozenset({"pitch"}))
    with pytest.raises(AcceptError, match="cannot change single attributes"):
        ask(MELODY, Box(start=1, end=2, part="P1"), change=frozenset({"pitch"}))


def test_whole_measures():
    measures = tune().measures
    assert [is_whole(m, TPQ) for m in measures] == [False, True, True, True, True, True]
    assert not is_whole(Measure(number="1", start=0, length=36, beats=6, beat_type=4), TPQ)
    assert is_whole(Measure(number="1", start=0, length=36, beats=6, beat_type=8), TPQ)


def test_card_block():
    accepts = accepts_from_card(
        {
            "parts": [1, 4],
            "polyphony": "monophonic",
            "drums": False,
            "meters": ["4/4", "2/2"],
            "region": {"unit": "beat", "min": 1, "max": 16},
            "context": {"before": 6, "after": 6},
            "pitch": [55, 88],
        }
    )
    assert (accepts.parts, accepts.drums, accepts.unit) == ((1, 4), "no", "beat")
    assert (accepts.least, accepts.most, accepts.before, accepts.pitch) == (1, 16, 6, (55, 88))
    text = " ".join(accepts.sentences())
    for said in (
        "1 to 4",
        "one note at a time",
        "No drum",
        "4/4, 2/2",
        "1 to 16 beats",
        "55 to 88",
    ):
        assert said in text


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"metres": []}, 'Did you mean "meters"'),
        ({"region": {"unti": "beat"}}, 'Did you mean "unit"'),
        ({"region": 4}, "is a mapping"),
        ({"region": {"unit": "measures"}}, 'Did you mean "measure"'),
        ({"polyphony": "mono"}, "polyphony is one of"),
        ({"parts": "two"}, "one number or"),
        ({"parts": [4, 1]}, "one number or"),
        ({"meters": "4/4"}, "is a list"),
        ({"reads": ["chord"]}, 'Did you mean "chords"'),
        ({"region": {"max": -1}}, "whole number"),
    ],
)
def test_wrong_blocks(block, message):
    with pytest.raises(CardError, match=message):
        accepts_from_card(block)
