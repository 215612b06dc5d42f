"""Request ↔ bytes and Notes ↔ bytes, for models that run in another process.

What a model may read goes over whole: parts, measures, notes, tempos, keys, annotations, the title,
the region, the params and the seed. The user's own file (`Score.source`) and its name stay here.

A packed value is the length of a JSON text (8 bytes, little-endian), the text, padded with spaces
so that columns lie at multiples of 8 bytes, and then note columns as little-endian int64. Requests
go to the model, and are read there without suspicion. Notes come back from a stranger's program:
`unpack_notes` believes nothing.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hub.answer import MAX_ANSWER_NOTES
from hub.errors import AnswerError
from hub.model import Request
from hub.params import MAX_TAKES, Params
from hub.region import Box, Kept, Region
from hub.score import NOTE_COLUMNS, Annotation, Key, Measure, Notes, Part, Score, Tempo

_LENGTH = struct.Struct("<Q")
_COLUMN = np.dtype("<i8")
_NOTE_BYTES = _COLUMN.itemsize * len(NOTE_COLUMNS)
MAX_VALUE = 1 << 53  # of anything in a note: far beyond any score, far below an overflow
MAX_TEXT_BYTES = 4 << 10  # of the JSON of an answer, which only counts notes
MAX_ANSWER_BYTES = MAX_TAKES * MAX_ANSWER_NOTES * _NOTE_BYTES + MAX_TEXT_BYTES + _LENGTH.size

_PART = ("id", "name", "program", "is_drums", "staves", "channel")
_MEASURE = ("number", "start", "length", "beats", "beat_type")


def pack_requests(requests: Sequence[Request]) -> bytes:
    """The requests of one call; a score that several of them share goes over once."""
    scores = {id(request.score): request.score for request in requests}
    places = {key: place for place, key in enumerate(scores)}
    header = {
        "scores": [_score_to_json(score) for score in scores.values()],
        "requests": [
            {
                "score": places[id(request.score)],
                "region": _region_to_json(request.region),
                "values": _tagged(dict(request.params.values_by_name)),
                "seed": request.params.seed,
            }
            for request in requests
        ],
    }
    return _with_columns(header, [score.notes for score in scores.values()])


def unpack_requests(data: bytes) -> list[Request]:
    """The inverse of `pack_requests`; the scores have no source."""
    header, at = _read_header(data)
    scores = []
    for packed in header["scores"]:
        notes, at = _read_notes(data, at, packed["notes"])
        scores.append(_score_from_json(packed, notes))
    return [
        Request(
            scores[packed["score"]],
            _region_from_json(packed["region"]),
            Params(values_by_name=_untagged(packed["values"]), seed=packed["seed"]),
        )
        for packed in header["requests"]
    ]


def pack_notes(answers: Sequence[Notes]) -> bytes:
    """The answers of one call. Raises AnswerError for more notes than any answer may have."""
    for notes in answers:
        _check_count(len(notes))
    return _with_columns({"counts": [len(notes) for notes in answers]}, answers)


def unpack_notes(data: bytes, expected: int) -> list[Notes]:
    """`expected` answers out of bytes that anybody may have written. Raises AnswerError."""
    try:
        header, at = _read_header(data, MAX_TEXT_BYTES)
        counts = header["counts"]
        if not isinstance(counts, list) or any(type(count) is not int for count in counts):
            raise ValueError("it counts no notes")
    except (ValueError, KeyError, TypeError, RecursionError, struct.error) as error:
        raise AnswerError("The model's answer is damaged; nothing of it was used.") from error
    if len(counts) != expected:
        raise AnswerError(f"The model was asked for {expected} takes and gave {len(counts)}.")
    for count in counts:
        _check_count(count)
    if len(data) != at + sum(counts) * _NOTE_BYTES:
        raise AnswerError("The model's answer is not as long as it says; nothing of it was used.")
    answers = []
    for count in counts:
        notes, at = _read_notes(data, at, count)
        _check_values(notes)
        answers.append(notes.sorted())
    return answers


def _check_count(count: int) -> None:
    if not 0 <= count <= MAX_ANSWER_NOTES:
        raise AnswerError(f"The model answered with {count:,} notes; that cannot be right.")


def _check_values(notes: Notes) -> None:
    for name in NOTE_COLUMNS:
        column = getattr(notes, name)
        if len(column) and not (column.min() >= -MAX_VALUE and column.max() <= MAX_VALUE):
            raise AnswerError(f"The model answered with a note whose {name} is absurd.")


# --- bytes ----------------------------------------------------------------------------------------


def _with_columns(header: Mapping[str, Any], tables: Sequence[Notes]) -> bytes:
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _COLUMN.itemsize)
    columns = (getattr(notes, name) for notes in tables for name in NOTE_COLUMNS)
    return b"".join(
        [_LENGTH.pack(len(text)), text, *(c.astype(_COLUMN).tobytes() for c in columns)]
    )


def _read_header(data: bytes, most: int | None = None) -> tuple[dict[str, Any], int]:
    """The JSON object, and where the columns begin. Raises ValueError, struct.error."""
    (length,) = _LENGTH.unpack_from(data)
    at = _LENGTH.size + length
    if at > len(data) or (most is not None and length > most):
        raise ValueError("its header is too long")
    header = json.loads(data[_LENGTH.size : at])
    if not isinstance(header, dict):
        raise ValueError("its header is no object")
    return header, at


def _read_notes(data: bytes, at: int, count: int) -> tuple[Notes, int]:
    columns = {}
    for name in NOTE_COLUMNS:
        columns[name] = np.frombuffer(data, _COLUMN, count, at)
        at += count * _COLUMN.itemsize
    return Notes(**columns), at


# --- score, region, values ------------------------------------------------------------------------


def _score_to_json(score: Score) -> dict[str, Any]:
    return {
        "ticks_per_quarter": score.ticks_per_quarter,
        "parts": [[getattr(part, name) for name in _PART] for part in score.parts],
        "measures": [[getattr(measure, name) for name in _MEASURE] for measure in score.measures],
        "notes": len(score.notes),
        "tempos": score.tempos,
        "keys": score.keys,
        "annotations": score.annotations,
        "title": score.title,
    }


def _score_from_json(packed: Mapping[str, Any], notes: Notes) -> Score:
    return Score(
        ticks_per_quarter=packed["ticks_per_quarter"],
        parts=tuple(Part(**dict(zip(_PART, row, strict=True))) for row in packed["parts"]),
        measures=tuple(
            Measure(**dict(zip(_MEASURE, row, strict=True))) for row in packed["measures"]
        ),
        notes=notes,
        tempos=tuple(Tempo(*row) for row in packed["tempos"]),
        keys=tuple(Key(*row) for row in packed["keys"]),
        annotations=tuple(Annotation(*row) for row in packed["annotations"]),
        title=packed["title"],
    )


def _region_to_json(region: Region) -> dict[str, Any]:
    assert region.is_resolved, "only resolved regions go to a model"
    return region.to_json()


def _region_from_json(packed: Mapping[str, Any]) -> Region:
    """Not `Region.from_json`: that one is for people, and counts how much they may write."""
    return Region(
        boxes=tuple(Box(**box) for box in packed["boxes"]),
        keep=tuple(Kept(*row) for row in packed["keep"]),
        change=frozenset(packed["change"]),
        hide=tuple(Box(**box) for box in packed["hide"]),
    )


def _tagged(value: Any) -> Any:
    """JSON with tuples and mappings told from lists: {"tuple": […]}, {"map": [[key, value], …]}."""
    if isinstance(value, Mapping):
        return {"map": [[key, _tagged(item)] for key, item in value.items()]}
    if isinstance(value, tuple):
        return {"tuple": [_tagged(item) for item in value]}
    if isinstance(value, list):
        return [_tagged(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def _untagged(value: Any) -> Any:
    if isinstance(value, list):
        return [_untagged(item) for item in value]
    if isinstance(value, dict) and "tuple" in value:
        return tuple(_untagged(item) for item in value["tuple"])
    if isinstance(value, dict):
        return {key: _untagged(item) for key, item in value["map"]}
    return value
