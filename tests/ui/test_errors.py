from __future__ import annotations

import logging

import pytest

from hub.errors import RegionError
from hub.ui.errors import LONGEST, sentence


def test_the_hubs_own_sentences_are_shown_as_they_are() -> None:
    assert sentence(RegionError("Mark a measure.")) == "Mark a measure."


def test_anything_else_is_an_incident_whose_cause_stays_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR, logger="hub.ui"):
        said = sentence(KeyError("/secret/path"))
    incident = caplog.records[0].getMessage().split()[-1]
    assert incident in said and "secret" not in said
    assert "/secret/path" in caplog.text


def test_a_quotation_of_any_length_is_cut() -> None:
    said = sentence(RegionError("x" * 100_000))
    assert len(said) == LONGEST and said.startswith("xxx") and said.endswith("…")
