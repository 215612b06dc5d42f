"""Every type × scope, and messages that teach."""

import math

import pytest

from hub.errors import CardError, ParamError
from hub.params import SCOPES, TYPES, parse, spec_from_card, validate

EXAMPLES = {
    "number": ({"min": 0, "max": 1}, 0.5, 2, "a number from 0 to 1"),
    "integer": ({"min": 1, "max": 9}, 3, 3.5, "a whole number from 1 to 9"),
    "choice": ({"choices": ["calm", "wild"]}, "wild", "wlid", 'Did you mean "wild"'),
    "boolean": ({}, True, "perhaps", "true or false"),
    "text": ({}, "lively", 3, "a text"),
    "range": ({"min": 0, "max": 127}, (48, 72), (72, 48), "lower first"),
    "chords": ({}, (("C",), ("Am", "F#m7/C#")), "H7", "chord symbols"),
    "excerpt": ({}, (0, 4), (4, 4), "a span of measures"),
}


def wrapped(value, scope):
    places = {"part": "P1", "measure": 3}
    for level in reversed([] if scope == "score" else scope.split("_")):
        value = {places[level]: value}
    return value


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("kind", TYPES)
def test_every_type_in_every_scope(kind, scope):
    keys, good, bad, message = EXAMPLES[kind]
    spec = spec_from_card({"name": "x", "type": kind, "scope": scope, "auto": True, **keys})
    assert parse(spec, wrapped(good, scope)) == wrapped(good, scope)
    assert parse(spec, good) == good
    assert parse(spec, None) is None
    with pytest.raises(ParamError, match=message):
        parse(spec, wrapped(bad, scope))


@pytest.mark.parametrize("kind", TYPES)
def test_a_default_is_found_for_every_type(kind):
    spec = spec_from_card({"name": "x", "type": kind, **EXAMPLES[kind][0]})
    assert parse(spec, spec.default) is not None


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("number", "0.25", 0.25),
        ("integer", "7", 7),
        ("boolean", "off", False),
        ("range", "48..72", (48.0, 72.0)),
        ("chords", "C | Am F", (("C",), ("Am", "F"))),
        ("excerpt", "0-4", (0, 4)),
    ],
)
def test_texts_from_a_command_line(kind, text, value):
    spec = spec_from_card({"name": "x", "type": kind, **EXAMPLES[kind][0]})
    assert parse(spec, text) == value


@pytest.mark.parametrize("value", [math.nan, math.inf, "nan", True, [], "x" * 500])
def test_numbers_that_are_none(value):
    spec = spec_from_card({"name": "x", "type": "number", "min": 0, "max": 1})
    with pytest.raises(ParamError, match="a number from 0 to 1") as caught:
        parse(spec, value)
    assert len(str(caught.value)) < 200


def test_none_is_refused_where_the_model_does_not_decide():
    spec = spec_from_card({"name": "x", "type": "number", "scope": "part"})
    with pytest.raises(ParamError, match="does not decide it by itself"):
        parse(spec, {"P1": None})


def test_scoped_values_are_looked_up_by_place():
    specs = [
        spec_from_card({"name": "density", "type": "number", "scope": "part_measure", "auto": True})
    ]
    params = validate(specs, {"density": {"P1": {"3": 0.5}}})
    assert params.at("density", part="P1", measure=3) == 0.5
    assert params.at("density", part="P1", measure=4) is None
    assert params.at("density", part="P2", measure=3) is None
    assert validate(specs, {"density": 0.1}).at("density", part="P2", measure=0) == 0.1


def test_reserved_names_bring_their_definition_and_cards_may_narrow_it():
    spec = spec_from_card({"name": "temperature", "max": 1.5, "default": 0.8})
    assert (spec.type, spec.minimum, spec.maximum, spec.default) == ("number", 0.0, 1.5, 0.8)
    assert spec.help


def test_unknown_control_is_named_with_a_suggestion():
    with pytest.raises(ParamError, match='Did you mean "temperature"'):
        validate([spec_from_card({"name": "temperature"})], {"temprature": 1})


@pytest.mark.parametrize("seed", [-1, 2**31, 1.5, "x", None])
def test_impossible_seeds(seed):
    with pytest.raises(ParamError, match="Seed"):
        validate([], {}, seed)


def test_generators_are_seeded():
    one, two = validate([], {}, 7), validate([], {}, 8)
    assert one.rng().random() == validate([], {}, 7).rng().random() != two.rng().random()
    assert one.torch_generator().initial_seed() == 7


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"name": "x", "type": "nubmer"}, 'Did you mean "number"'),
        ({"name": "x", "type": "number", "scope": "bar"}, "scope must be one of"),
        ({"name": "x", "type": "number", "mni": 0}, 'Did you mean "min"'),
        ({"name": "x", "type": "text", "min": 0}, 'a text has no "minimum"'),
        ({"name": "x", "type": "choice"}, "needs a list of choices"),
        ({"name": "x", "type": "number", "min": 0, "max": 1, "default": 5}, "default does not fit"),
        ({"name": "seed", "type": "integer"}, "cannot name a control"),
        ({"name": "two words", "type": "number"}, "cannot name a control"),
        ({"type": "number"}, '"name" and "type"'),
        ("x", '"name" and "type"'),
    ],
)
def test_wrong_declarations(entry, message):
    with pytest.raises(CardError, match=message):
        spec_from_card(entry)
