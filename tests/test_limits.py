"""Every limit has its own words and its own way out."""

from __future__ import annotations

import math
from dataclasses import fields

import pytest

from hub.errors import LimitError
from hub.limits import LIMITS, check


@pytest.mark.parametrize("name", [field.name for field in fields(LIMITS)])
def test_each_limit_lets_its_bound_pass_and_says_what_to_do_beyond(name: str) -> None:
    bound = getattr(LIMITS, name)
    check(name, bound)
    with pytest.raises(LimitError, match=r"^This file has .* at most [\d,]+ are accepted\. .+\.$"):
        check(name, bound + 1)


@pytest.mark.parametrize("name", ["tempo_qpm", "ticks_per_quarter", "xml_depth", "unzip_ratio"])
def test_what_cutting_does_not_help_has_another_remedy(name: str) -> None:
    with pytest.raises(LimitError) as caught:
        check(name, 1e9)
    assert "smaller files" not in str(caught.value)


@pytest.mark.parametrize("value", [math.inf, 1e300])
def test_absurd_values_are_not_printed(value: float) -> None:
    with pytest.raises(LimitError, match="absurdly many") as caught:
        check("tempo_qpm", value)
    assert "inf" not in str(caught.value) and len(str(caught.value)) < 200
