"""README.md ↔ ModelCard."""

import pytest

from hub.card import MAX_CARD_BYTES, parse_card, read_card
from hub.errors import CardError

CARD = """---
license: apache-2.0
datasets: [oneills1850]
tags: [music]
scorehub:
  version: 1
  title: Echo
  summary: Repeats
    what was there.
  entry: model.py:Echo
  init: {hidden: 8}
  accepts: {parts: 1}
  params:
    - {name: temperature}
    - {name: mood, type: choice, choices: [calm, wild]}
  examples:
    - examples/kesh-jig.mid
    - {file: examples/b.musicxml, title: B, measures: 5-8, parts: [P1]}
---
# Echo

Prose.
"""


def with_block(**changes):
    lines = {"version": "1", "entry": "model.py:X", **changes}
    body = "".join(f"  {key}: {value}\n" for key, value in lines.items() if value is not None)
    return f"---\nscorehub:\n{body}---\n"


def test_everything_is_read():
    card = parse_card(CARD, "echo")
    assert (card.title, card.summary, card.entry) == (
        "Echo",
        "Repeats what was there.",
        "model.py:Echo",
    )
    assert (card.license, card.datasets, card.init) == (
        "apache-2.0",
        ("oneills1850",),
        {"hidden": 8},
    )
    assert [p.name for p in card.params] == ["temperature", "mood"]
    assert [(e.title, e.measures, e.parts) for e in card.examples] == [
        ("kesh jig", "", ()),
        ("B", "5-8", ("P1",)),
    ]
    assert card.prose.startswith("# Echo")


def test_writing_and_reading_again_is_the_same_card():
    card = parse_card(CARD, "echo")
    assert parse_card(card.to_readme(), "echo") == card
    assert "tags" in card.to_readme()


def test_windows_line_ends_and_a_byte_order_mark():
    assert parse_card("\ufeff" + CARD.replace("\n", "\r\n"), "echo").title == "Echo"


def test_what_is_missing_to_publish():
    assert parse_card(CARD, "echo").missing_to_publish() == []
    missing = parse_card(with_block(), "x").missing_to_publish()
    assert missing == ["license", "datasets", "scorehub.summary", "prose after the front matter"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# no front matter", "must begin with YAML front matter"),
        ("---\n- a\n---\n", "must be a mapping"),
        ("---\na: [\n---\n", "cannot be read near line"),
        ("---\nlicense: mit\n---\n", 'no "scorehub:" block'),
        ("---\nscorehubb: {}\n---\n", '"scorehubb" looks like it'),
        (with_block(version="2"), "version must be 1"),
        (with_block(version="true"), "version must be 1"),
        (with_block(init="{a: 1, a: 2}"), 'has "a" twice'),
        (with_block(init="{a: 1" + ":59" * 5000 + "}"), "too long"),
        (with_block(init="{a: " + "9" * 50 + "}"), "too large"),
        (with_block(entry="other.py:X"), "model.py:YourClass"),
        (with_block(entry="model.py:os.system"), "model.py:YourClass"),
        (with_block(entry="../model.py:X"), "model.py:YourClass"),
        (with_block(entyr="x"), 'Did you mean "entry"'),
        (with_block(params="{}x"), "cannot be read"),
        (with_block(params="{a: 1}"), "must be a list"),
        (with_block(params="[{name: a, type: text}, {name: a, type: text}]"), "twice"),
        (with_block(examples="[{file: ../../etc/passwd}]"), "inside the model's folder"),
        (with_block(examples="[/etc/passwd]"), "inside the model's folder"),
        (with_block(examples="[{flie: x}]"), "Each example"),
        (with_block(init="[1]"), "must be a mapping"),
        ("---\na: &x [1]\nb: *x\n---\n", "alias"),
        ("---\na: !!python/object/apply:os.system [ls]\n---\n", "cannot be read"),
        ("---\n" + "[" * 5000 + "\n---\n", "cannot be read"),
    ],
)
def test_wrong_cards(text, message):
    with pytest.raises(CardError, match=message):
        parse_card(text, "x")


def test_read_from_a_folder(tmp_path):
    with pytest.raises(CardError, match="not a model folder"):
        read_card(tmp_path)
    (tmp_path / "README.md").write_text(CARD)
    assert read_card(tmp_path).name == tmp_path.name
    (tmp_path / "README.md").write_bytes(b"---\n\xff\n---\n")
    with pytest.raises(CardError, match="UTF-8"):
        read_card(tmp_path)
    (tmp_path / "README.md").write_bytes(b"-" * (MAX_CARD_BYTES + 1))
    with pytest.raises(CardError, match="larger than"):
        read_card(tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            with_block(init="{" + ", ".join(f"k{i}: 1" for i in range(20_000)) + "}"),
            "10,000 values",
        ),
        (with_block(examples=str([f"{i}.mid" for i in range(65)])), "at most 64"),
        (with_block(params=str([f"p{i}" for i in range(65)])), "at most 64"),
        (with_block(init="{a: " + "[" * 5000 + "]" * 5000 + "}"), "cannot be read|values"),
    ],
)
def test_cards_are_bounded_in_what_they_hold(text, says):
    with pytest.raises(CardError, match=says):
        parse_card(text, "echo")


def test_numbers_to_the_base_of_60_are_texts():
    card = parse_card(with_block(init="{a: 1:30, b: 12, c: 1.5, d: 0x10}"), "echo")
    assert card.init == {"a": "1:30", "b": 12, "c": 1.5, "d": 16}
