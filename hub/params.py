"""The model's own controls: one table of types, one of scopes, and the validation both need.

A control is declared once, in the card; the widget, the validation, the API and the docs read
that one declaration (`ParamSpec`). A new type is a new row of TYPES.

Values as users and scripts write them, by scope:
    score           value
    part            {part id: value}
    measure         {measure index: value}              counted from 0
    part_measure    {part id: {measure index: value}}
A plain value for a scoped control means "everywhere"; None means "let the model decide" and is
allowed where the card says `auto: true`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hub.errors import CardError, ParamError, suggestion

if TYPE_CHECKING:
    import torch

SCOPES = ("score", "part", "measure", "part_measure")
MAX_SEED = 2**31 - 1
MAX_TAKES = 16
MAX_TEXT = 2_000


@dataclass(frozen=True, kw_only=True)
class ParamSpec:
    """One declared control. minimum, maximum and step are in the value's own unit."""

    name: str
    type: str
    label: str = ""
    help: str = ""
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()
    scope: str = "score"
    auto: bool = False

    @property
    def title(self) -> str:
        return self.label or self.name.replace("_", " ").capitalize()


@dataclass(frozen=True, kw_only=True)
class ParamType:
    """One row of TYPES.

    parse   (spec, value) → the checked value; raises ParamError
    keys    which of the optional card keys this type has a use for
    empty   the default of a control whose card names none
    """

    parse: Callable[[ParamSpec, Any], Any]
    keys: tuple[str, ...] = ()
    empty: Callable[[ParamSpec], Any] = lambda spec: None


def _refuse(spec: ParamSpec, value: Any, wanted: str) -> ParamError:
    shown = repr(value) if len(repr(value)) < 60 else repr(value)[:57] + "…"
    return ParamError(f"{spec.title} ({spec.name}) must be {wanted}; got {shown}.")


def _bounds(spec: ParamSpec) -> str:
    low, high = spec.minimum, spec.maximum
    if low is not None and high is not None:
        return f" from {low:.10g} to {high:.10g}"
    if low is not None:
        return f" of at least {low:.10g}"
    return f" of at most {high:.10g}" if high is not None else ""


def _number(spec: ParamSpec, value: Any) -> float:
    wanted = "a number" + _bounds(spec)
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise _refuse(spec, value, wanted) from None
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise _refuse(spec, value, wanted)
    number = float(value)
    too_low = spec.minimum is not None and number < spec.minimum
    too_high = spec.maximum is not None and number > spec.maximum
    if not math.isfinite(number) or too_low or too_high:
        raise _refuse(spec, value, wanted)
    return number


def _integer(spec: ParamSpec, value: Any) -> int:
    number = _number(spec, value)
    if number != int(number):
        raise _refuse(spec, value, "a whole number" + _bounds(spec))
    return int(number)


def _choice(spec: ParamSpec, value: Any) -> str:
    if value in spec.choices:
        return str(value)
    wanted = "one of " + ", ".join(spec.choices)
    error = _refuse(spec, value, wanted)
    raise ParamError(str(error) + suggestion(str(value), spec.choices))


_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def _boolean(spec: ParamSpec, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _WORDS:
        return _WORDS[value.lower()]
    raise _refuse(spec, value, "true or false")


def _text(spec: ParamSpec, value: Any) -> str:
    if not isinstance(value, str):
        raise _refuse(spec, value, "a text")
    if len(value) > MAX_TEXT:
        raise _refuse(spec, value, f"a text of at most {MAX_TEXT} characters")
    return value


def _pair(spec: ParamSpec, value: Any, separator: str = "-") -> tuple[Any, Any]:
    if isinstance(value, str):
        value = value.split(separator)
    if not isinstance(value, Sequence) or len(value) != 2:
        raise _refuse(spec, value, "two numbers, lower first" + _bounds(spec))
    return value[0], value[1]


def _range(spec: ParamSpec, value: Any) -> tuple[float, float]:
    low, high = (_number(spec, end) for end in _pair(spec, value, ".."))
    if low > high:
        raise _refuse(spec, value, "two numbers, lower first" + _bounds(spec))
    return low, high


_CHORD = re.compile(r"^([A-G][#b]?[A-Za-z0-9#b+°øΔ()-]*(/[A-G][#b]?)?|N\.?C\.?)$")


def _chords(spec: ParamSpec, value: Any) -> tuple[tuple[str, ...], ...]:
    """Chord symbols, a tuple a measure, from "C | Am F | G7"."""
    bars = _text(spec, value).split("|") if isinstance(value, str) else value
    if not isinstance(bars, Sequence):
        raise _refuse(spec, value, 'chord symbols such as "C | Am F | G7"')
    symbols = tuple(tuple(bar.split() if isinstance(bar, str) else bar) for bar in bars)
    for symbol in (s for bar in symbols for s in bar):
        if not isinstance(symbol, str) or not _CHORD.match(symbol):
            raise _refuse(spec, symbol, 'chord symbols such as "C | Am F#m7 | G7/B"')
    return symbols


def _excerpt(spec: ParamSpec, value: Any) -> tuple[int, int]:
    """A half-open span of measure indices, counted from 0."""
    start, end = (_integer(spec, edge) for edge in _pair(spec, value))
    if not 0 <= start < end:
        raise _refuse(spec, value, "a span of measures [start, end) such as [0, 4]")
    return start, end


_NUMERIC_KEYS = ("minimum", "maximum", "step")

TYPES: dict[str, ParamType] = {
    "number": ParamType(parse=_number, keys=_NUMERIC_KEYS, empty=lambda s: s.minimum or 0.0),
    "integer": ParamType(parse=_integer, keys=_NUMERIC_KEYS, empty=lambda s: s.minimum or 0),
    "choice": ParamType(parse=_choice, keys=("choices",), empty=lambda s: s.choices[0]),
    "boolean": ParamType(parse=_boolean, empty=lambda s: False),
    "text": ParamType(parse=_text, empty=lambda s: ""),
    "range": ParamType(
        parse=_range, keys=_NUMERIC_KEYS, empty=lambda s: (s.minimum or 0, s.maximum or 127)
    ),
    "chords": ParamType(parse=_chords, empty=lambda s: ""),
    "excerpt": ParamType(parse=_excerpt, empty=lambda s: (0, 1)),
}

# Names that mean the same in every model. `seed` and `n` belong to every request and are not
# declared; the others are declared by cards, which may narrow these bounds.
REQUEST_NAMES = ("seed", "n")
RESERVED: dict[str, dict[str, Any]] = {
    "temperature": {
        "type": "number",
        "label": "Temperature",
        "help": "How adventurous: low stays with the likeliest notes, high surprises.",
        "default": 1.0,
        "minimum": 0.0,
        "maximum": 2.0,
        "step": 0.05,
    },
    "top_p": {
        "type": "number",
        "label": "Top-p",
        "help": "Sample only among the likeliest notes that together have this probability.",
        "default": 0.95,
        "minimum": 0.05,
        "maximum": 1.0,
        "step": 0.05,
    },
    "variation": {
        "type": "number",
        "label": "Variation",
        "help": "How far a take may move away from the notes that are there.",
        "default": 0.5,
        "minimum": 0.0,
        "maximum": 1.0,
        "step": 0.05,
    },
}

_SPEC_KEYS = (
    "name", "type", "label", "help", "default", "min", "max", "step", "choices", "scope", "auto",
)  # fmt: skip
_CARD_TO_FIELD = {"min": "minimum", "max": "maximum"}


def spec_from_card(value: Mapping[str, Any]) -> ParamSpec:
    """A ParamSpec from one entry of the card's `params:` list. Raises CardError."""
    if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
        raise CardError('Each entry of params is a mapping with at least "name" and "type".')
    name = value["name"]
    if not name.isidentifier() or name in REQUEST_NAMES:
        raise CardError(
            f'"{name}" cannot name a control: use a Python identifier other than seed, n.'
        )
    for key in value:
        if key not in _SPEC_KEYS:
            raise CardError(f'params "{name}" has no key "{key}".{suggestion(key, _SPEC_KEYS)}')
    given = {_CARD_TO_FIELD.get(k, k): v for k, v in value.items()}
    return _checked_spec({**RESERVED.get(name, {}), **given})


def _checked_spec(given: dict[str, Any]) -> ParamSpec:
    name = given["name"]
    for key, table in (("type", tuple(TYPES)), ("scope", SCOPES)):
        word = given.get(key, "score" if key == "scope" else None)
        if word not in table:
            hint = suggestion(str(word), table)
            raise CardError(f'params "{name}": {key} must be one of {", ".join(table)}.{hint}')
    kind = TYPES[given["type"]]
    for key in (*_NUMERIC_KEYS, "choices"):
        if key in given and key not in kind.keys:
            raise CardError(f'params "{name}": a {given["type"]} has no "{key}".')
    if given["type"] == "choice" and not given.get("choices"):
        raise CardError(f'params "{name}": a choice needs a list of choices.')
    spec = ParamSpec(**{**given, "choices": tuple(map(str, given.get("choices", ())))})
    return _with_default(spec, kind)


def _with_default(spec: ParamSpec, kind: ParamType) -> ParamSpec:
    default = spec.default
    if default is None and not spec.auto:
        default = kind.empty(spec)
    if default is not None:
        try:
            kind.parse(spec, default)
        except ParamError as error:
            raise CardError(f'params "{spec.name}": the default does not fit. {error}') from error
    return ParamSpec(**{**spec.__dict__, "default": default})


@dataclass(frozen=True, kw_only=True, eq=False)
class Params(Mapping[str, Any]):
    """Validated values, as a model receives them: a mapping, the seed, and seeded generators."""

    values_by_name: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0

    def __getitem__(self, name: str) -> Any:
        return self.values_by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_name)

    def __len__(self) -> int:
        return len(self.values_by_name)

    def at(self, name: str, *, part: str | None = None, measure: int | None = None) -> Any:
        """The value of a scoped control at a place; None where the model shall decide."""
        value = self.values_by_name[name]
        for place in (part, measure):
            if place is not None and isinstance(value, Mapping):
                value = value.get(place)
        return value

    def rng(self) -> np.random.Generator:
        """A fresh NumPy generator, seeded: the same at every call."""
        return np.random.default_rng(self.seed)

    def torch_generator(self) -> torch.Generator:
        """A fresh torch generator on the CPU, seeded: the same at every call."""
        import torch

        return torch.Generator().manual_seed(self.seed)


def validate(specs: Sequence[ParamSpec], given: Mapping[str, Any] | None, seed: int = 0) -> Params:
    """Params from what a user gave; defaults for the rest. Raises ParamError."""
    given = dict(given or {})
    known = {spec.name: spec for spec in specs}
    for name in given:
        if name not in known:
            names = ", ".join(known) or "none"
            raise ParamError(
                f'This model has no control "{name}".{suggestion(name, known)} It has: {names}.'
            )
    values = {name: parse(spec, given.get(name, spec.default)) for name, spec in known.items()}
    return Params(values_by_name=values, seed=check_seed(seed))


def check_seed(seed: Any) -> int:
    spec = ParamSpec(name="seed", type="integer", minimum=0, maximum=MAX_SEED)
    return _integer(spec, seed)


def check_takes(n: Any) -> int:
    spec = ParamSpec(name="n", type="integer", label="Takes", minimum=1, maximum=MAX_TAKES)
    return _integer(spec, n)


def check_deadline(seconds: Any) -> float:
    spec = ParamSpec(name="deadline_seconds", type="number", label="Deadline", minimum=0)
    return _number(spec, seconds)


def parse(spec: ParamSpec, value: Any) -> Any:
    """The checked value of one control, scoped values included. Raises ParamError."""
    return _parse_scoped(spec, value, spec.scope.split("_") if spec.scope != "score" else [])


def _parse_scoped(spec: ParamSpec, value: Any, levels: Sequence[str]) -> Any:
    if levels and isinstance(value, Mapping):
        level, rest = levels[0], levels[1:]
        return {
            _place(spec, level, key): _parse_scoped(spec, item, rest) for key, item in value.items()
        }
    if isinstance(value, Mapping):
        raise _refuse(spec, value, f"one value, since its scope is {spec.scope}")
    if value is None:
        if spec.auto:
            return None
        raise _refuse(spec, value, "given: this model does not decide it by itself")
    return TYPES[spec.type].parse(spec, value)


def _place(spec: ParamSpec, level: str, key: Any) -> str | int:
    if level == "part":
        return str(key)
    if isinstance(key, bool) or not re.fullmatch(r"[0-9]{1,6}", str(key)):
        raise _refuse(spec, key, "keyed by measure indices, counted from 0")
    return int(key)
