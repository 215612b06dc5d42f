"""Whole numbers as strangers' files write them: ASCII digits, few enough to mean something.

`str.isdigit` and `int` accept too much ("²", "٣", thousands of digits) and then disagree.
"""

from __future__ import annotations

import re

_WHOLE = re.compile(r"\d{1,9}", re.ASCII)
_SIGNED = re.compile(r"[+-]?\d{1,9}", re.ASCII)


def whole_number(text: str) -> int | None:
    """The number that `text` (white space around it aside) spells; None where it is none."""
    text = text.strip()
    return int(text) if _WHOLE.fullmatch(text) else None


def signed_number(text: str) -> int | None:
    """`whole_number`, with a sign or without."""
    text = text.strip()
    return int(text) if _SIGNED.fullmatch(text) else None


def next_number(text: str, steps: int = 1) -> str:
    """The label of a measure `steps` after the one labelled `text`: "12" → "13", "X1" → "X1+1"."""
    number = whole_number(text)
    return f"{text}+{steps}" if number is None else str(number + steps)
