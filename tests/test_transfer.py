"""Requests come out of their bytes as they went in; an answer's bytes are believed in nothing."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import tune

import hub
from hub import transfer
from hub.answer import MAX_ANSWER_NOTES
from hub.errors import AnswerError
from hub.model import blank
from hub.params import Params
from hub.score import NOTE_COLUMNS, Annotation

EXAMPLE = Path(__file__).parents[1] / "models" / "inpaintnet" / "examples" / "salamanca-reel.mid"

ticks = st.integers(0, 1 << 40)
texts = st.text(max_size=12)
rows = st.tuples(
    ticks, st.integers(1, 1 << 20), st.integers(0, 127), st.integers(1, 127), st.integers(0, 1)
)
parts = st.builds(
    hub.Part, id=texts, name=texts, program=st.none() | st.integers(0, 127), is_drums=st.booleans(),
    staves=st.integers(1, 4), channel=st.none() | st.integers(0, 15),
)  # fmt: skip
measures = st.builds(
    hub.Measure, number=texts, start=ticks, length=st.integers(1, 9999),
    beats=st.integers(1, 17), beat_type=st.sampled_from([1, 2, 4, 8]),
)  # fmt: skip
scores = st.builds(
    hub.Score,
    ticks_per_quarter=st.integers(1, 32_767),
    parts=st.lists(parts, max_size=3).map(tuple),
    measures=st.lists(measures, max_size=4).map(tuple),
    notes=st.lists(rows, max_size=8).map(hub.Notes.of),
    tempos=st.lists(st.builds(hub.Tempo, ticks, st.floats(1, 1e4)), max_size=3).map(tuple),
    keys=st.lists(st.builds(hub.Key, ticks, st.integers(-7, 7), texts), max_size=3).map(tuple),
    annotations=st.lists(
        st.builds(Annotation, ticks, texts, texts, st.none() | texts), max_size=3
    ).map(tuple),
    title=texts,
)
singles = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
values = st.recursive(
    singles,
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple)
        | st.lists(inner, max_size=3)
        | st.dictionaries(texts | st.integers(0, 99), inner, max_size=3)
    ),
    max_leaves=6,
)
boxes = st.builds(
    hub.Box, start=st.integers(0, 50), end=st.integers(51, 10**10), unit=st.just("ticks"),
    part=texts, low=st.integers(0, 60), high=st.integers(60, 127),
)  # fmt: skip
regions = st.builds(
    hub.Region,
    boxes=st.lists(boxes, min_size=1, max_size=3).map(tuple),
    keep=st.lists(st.builds(hub.Kept, texts, ticks, st.integers(0, 127)), max_size=2).map(tuple),
    change=st.sampled_from([frozenset({"notes"}), frozenset({"onset", "velocity"})]),
    hide=st.lists(boxes, max_size=1).map(tuple),
)


def facts(score: hub.Score) -> dict[str, Any]:
    """Everything but the source; Score itself has no equality."""
    return {name: value for name, value in vars(score).items() if name in score.__match_args__} | {
        name: getattr(score, name)
        for name in (
            "ticks_per_quarter", "parts", "measures", "notes", "tempos", "keys", "annotations",
            "title",
        )
    }  # fmt: skip


def passed(*requests: hub.Request) -> list[hub.Request]:
    return transfer.unpack_requests(transfer.pack_requests(requests))


@given(scores, regions, st.dictionaries(st.sampled_from("abc"), values), st.integers(0, 2**31 - 1))
def test_a_request_comes_out_as_it_went_in(
    score: hub.Score, region: hub.Region, given_values: dict[str, Any], seed: int
) -> None:
    params = Params(values_by_name=given_values, seed=seed)
    (found,) = passed(hub.Request(score, region, params))
    assert facts(found.score) == facts(score)
    assert found.region == region
    assert repr(dict(found.params)) == repr(given_values)  # repr: 1 is not 1.0, () is not []
    assert found.params.seed == seed


def test_a_real_score_without_its_file() -> None:
    score = hub.open_score(EXAMPLE)
    region = hub.Region.measures(score, "5-8").resolve(score)
    data = transfer.pack_requests([hub.Request(score, region, Params())])
    (found,) = transfer.unpack_requests(data)
    assert facts(found.score) == facts(score)
    assert found.score.source is None
    assert score.source is not None
    assert score.source.data[:200] not in data and b"salamanca-reel" not in data


@pytest.mark.slow
def test_every_real_score(shared_scores: Path) -> None:
    paths = sorted(p for p in shared_scores.rglob("*") if p.suffix in (".mid", ".musicxml", ".mxl"))
    for path in paths[::7]:
        try:
            score = hub.open_score(path)
        except hub.ScorehubError:
            continue
        region = hub.Region(boxes=(hub.Box(start=0, end=1, unit="ticks", part="P"),))
        (found,) = passed(hub.Request(score, region, Params()))
        assert facts(found.score) == facts(score), path


def test_takes_share_one_score() -> None:
    score = tune(200)
    region = hub.Region.measures(score, "5-8", parts=["P1"]).resolve(score)
    seen = blank(score, region)
    takes = [hub.Request(seen, region, Params(seed=seed)) for seed in range(8)]
    assert len(transfer.pack_requests(takes)) < 1.2 * len(transfer.pack_requests(takes[:1]))
    found = passed(*takes)
    assert [request.params.seed for request in found] == list(range(8))
    assert len({id(request.score) for request in found}) == 1


def test_columns_arrive_read_only() -> None:
    region = hub.Region.measures(tune(), "1").resolve(tune())
    (found,) = passed(hub.Request(tune(), region, Params()))
    with pytest.raises(ValueError, match="read-only"):
        found.score.notes.onset[0] = 7


# --- answers --------------------------------------------------------------------------------------

NOTES = hub.Notes.of([(0, 10, 60), (10, 10, 62, 90, 1, 2)])


def packed(header: Any, *columns: list[int]) -> bytes:
    """An answer as a stranger may write it."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    body = b"".join(np.array(column, dtype="<i8").tobytes() for column in columns)
    return struct.pack("<Q", len(text)) + text + body


def test_notes_come_out_as_they_went_in() -> None:
    answers = [NOTES, hub.Notes.empty()]
    assert transfer.unpack_notes(transfer.pack_notes(answers), 2) == answers


def test_rows_in_any_order_are_sorted() -> None:
    columns = [[10, 0], [5, 5], [60, 62], [80, 80], [0, 0], [1, 1]]
    (notes,) = transfer.unpack_notes(packed({"counts": [2]}, *columns), 1)
    assert notes.onset.tolist() == [0, 10]


GOOD = [[1]] * len(NOTE_COLUMNS)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "damaged"),
        (b"\xff" * 64, "damaged"),
        (struct.pack("<Q", 8) + b"[" * 8, "damaged"),
        (packed(b"[" * 3000), "damaged"),
        (packed(b'{"counts": [' + b"9" * 4000 + b"]}"), "damaged|cannot be right"),
        (packed({}), "damaged"),
        (packed([1]), "damaged"),
        (packed({"counts": {"0": 1}}, *GOOD), "damaged"),
        (packed({"counts": [True]}, *GOOD), "damaged"),
        (packed({"counts": [1.0]}, *GOOD), "damaged"),
        (packed({"counts": ["1"]}, *GOOD), "damaged"),
        (packed({"counts": [1], "x": "y" * 5000}, *GOOD), "damaged"),
        (packed({"counts": [1, 0]}, *GOOD), "asked for 1 takes and gave 2"),
        (packed({"counts": [-1]}), "cannot be right"),
        (packed({"counts": [10**9]}), "1,000,000,000 notes"),
        (packed({"counts": [MAX_ANSWER_NOTES + 1]}), "cannot be right"),
        (packed({"counts": [2]}, *GOOD), "not as long as it says"),
        (packed({"counts": [1]}, *GOOD, [1]), "not as long as it says"),
        (packed({"counts": [1]}, *GOOD)[:-1], "not as long as it says"),
        (packed({"counts": [1]}, *GOOD[1:], [1 << 62]), "voice is absurd"),
        (packed({"counts": [1]}, [-(1 << 62)], *GOOD[1:]), "onset is absurd"),
    ],
)
def test_a_strangers_answer_is_refused_in_one_sentence(data: bytes, words: str) -> None:
    with pytest.raises(AnswerError, match=words):
        transfer.unpack_notes(data, 1)


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_else(data: bytes) -> None:
    with pytest.raises(AnswerError):
        transfer.unpack_notes(data, 1)


def test_more_notes_than_an_answer_may_have_are_not_even_packed() -> None:
    with pytest.raises(AnswerError, match="100,001 notes"):
        transfer.pack_notes([hub.Notes.from_columns(np.arange(MAX_ANSWER_NOTES + 1), 1, 60)])
