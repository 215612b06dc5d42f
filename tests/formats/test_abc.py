"""ABC on import."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.errors import BadFileError, FileError, LimitError
from hub.formats import abc, open_score, read_score

TUNE = b"X:1\nT:The Kesh\nM:6/8\nL:1/8\nK:G\n|:G3 GAB|A3 ABd|edd gdd|edB dBA:|\n"


def test_a_tune_becomes_a_score_that_can_be_edited_as_musicxml() -> None:
    score = read_score(TUNE, "kesh.abc")
    assert score.title == "The Kesh"
    assert score.source is not None
    assert (score.source.format, score.source.converted_from) == ("musicxml", "abc")
    assert score.source.name == "kesh.abc"
    assert score.measures[0].meter == "6/8" and len(score.measures) == 4
    assert score.notes.pitch[:5].tolist() == [67, 67, 69, 71, 69]
    assert (score.notes.duration[:2] * 2 / score.ticks_per_quarter).tolist() == [3.0, 1.0]
    assert score.keys[0].fifths == 1
    assert [part.id for part in score.parts] == ["P1"]


def test_the_same_text_is_always_the_same_file() -> None:
    first, second = (read_score(TUNE, "kesh.abc").source for _ in range(2))
    assert first is not None and second is not None and first.data == second.data


def test_of_a_tune_book_the_first_tune_and_a_notice() -> None:
    book = TUNE + b"\nX:2\nT:Other\nM:4/4\nL:1/4\nK:C\nCDEF|\n"
    score = read_score(book, "book.abc")
    assert len(score.measures) == 4
    assert [a.value for a in score.annotations if a.kind == "notice"] == [
        "This is the first of 2 tunes in the file."
    ]


@pytest.mark.parametrize("ending", [b"\r\n", b"\r"])
def test_other_line_ends_and_encodings(ending: bytes) -> None:
    text = TUNE.replace(b"The Kesh", "Caoine á".encode("latin-1")).replace(b"\n", ending)
    assert read_score(text, "x.abc").title == "Caoine á"


@pytest.mark.parametrize(
    "data",
    [
        b"X:1\nK:C\n",
        b"X:1\nT:Words\nK:\nthis is no music at all %%%% ((((\n",
        b"X:1\nM:0/0\nL:1/0\nK:C\nCDE|\n",
        b"X:1\nK:C\n" + b"(" * 400 + b"\n",
        b"X:1\nM:4/4\nL:1/4\nK:C\nC99999999999999999999\n",
        b"X:\nK:\n",
    ],
)
def test_garbage_is_one_sentence(data: bytes) -> None:
    try:
        score = read_score(data, "bad.abc")
    except FileError as error:
        assert "\n" not in str(error) and "Traceback" not in str(error)
        assert len(str(error)) < 500
    else:
        assert score.source is not None and score.source.converted_from == "abc"


def test_a_tune_without_notes_says_so() -> None:
    with pytest.raises(BadFileError, match="no notes"):
        read_score(b"X:1\nT:Nothing\nK:C\n", "x.abc")


def test_a_file_without_key_says_so() -> None:
    with pytest.raises(BadFileError, match="no key"):
        abc.read(b"X:1\nCDEF|\n")


def test_limits_come_first() -> None:
    with pytest.raises(LimitError, match="200,000"):
        abc.read(TUNE + b"CDEF|\n" * 40_000)
    with pytest.raises(LimitError, match="5,000 lines"):
        abc.read(TUNE + b"C|\n" * 6_000)
    with pytest.raises(LimitError, match="number 999"):
        abc.read(b"X:1\nT:1234567\nK:C\nC99999999999|\n")
    assert abc.read(b'X:1\nT:1234567\nK:C\n"19991231"CDEF| % 1234567\n').title == "1234567"
    with pytest.raises(LimitError, match="letters"):
        abc.read(TUNE + b"C" * 6_000 + b"\n")


@pytest.mark.parametrize("data", [b"MThd\0\0\0\6", b"<score-partwise/>", b"Dear X:1\n", b"K:C\n"])
def test_sniff_refuses_other_files(data: bytes) -> None:
    assert not abc.sniff(data)


def test_sniff_knows_abc() -> None:
    assert abc.sniff(TUNE) and abc.sniff(b"\xef\xbb\xbf% by hand\n" + TUNE)


def test_real_tunes(shared_scores: Path) -> None:
    paths = sorted(shared_scores.glob("*/tests/**/*.abc"))
    assert len(paths) == 10
    for path in paths:
        score = open_score(path)
        assert len(score.notes) > 50 and len(score.measures) > 15, path.name
