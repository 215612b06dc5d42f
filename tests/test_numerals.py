"""Whole numbers in strangers' files."""

from __future__ import annotations

import pytest

from hub.numerals import next_number, signed_number, whole_number


@pytest.mark.parametrize("text", ["", "²", "٣", "1" * 10, "9" * 5000, "1.0", "1e3", "0x1", "--1"])
def test_what_is_no_number(text: str) -> None:
    assert whole_number(text) is None and signed_number(text) is None


def test_numbers() -> None:
    assert (whole_number(" 012 "), whole_number("-3"), signed_number(" -3")) == (12, None, -3)


def test_the_next_measure() -> None:
    assert next_number("9") == "10" and next_number("12", 3) == "15"
    assert next_number("X1") == "X1+1" and next_number("²", 2) == "²+2"
