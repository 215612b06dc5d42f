"""The model card: a repository's README.md, its YAML front matter and its prose. The only config.

Standard Hub keys (license, datasets, tags, …) stand at the top level and are kept as they are;
one `scorehub:` block holds what this hub reads. Misspellings are errors with a suggestion; the
YAML is parsed safely (no tags, no aliases) and bounded in size.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from hub.accepts import Accepts, accepts_from_card
from hub.errors import CardError, suggestion
from hub.params import ParamSpec, spec_from_card

CARD_FILE = "README.md"
MAX_CARD_BYTES = 256 << 10
VERSION = 1

_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)(.*)\Z", re.S)
_BLOCK_KEYS = (
    "version", "title", "summary", "entry", "init", "accepts", "needs", "params", "examples",
)  # fmt: skip
_ENTRY_CLASS = re.compile(r"model\.py:[A-Za-z_]\w*")
_ARCHITECTURE = re.compile(r"[a-z][a-z0-9_]{0,63}")
MAX_NODES = 10_000  # of the front matter's YAML
MAX_DIGITS = 100
MAX_PARAMS = 64
MAX_EXAMPLES = 64
MAX_SECONDS = 24 * 60 * 60
MAX_MEMORY_MB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Example:
    """A score that comes with the model. `measures` as printed ("5-8"); '' for none."""

    file: str
    title: str = ""
    measures: str = ""
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Needs:
    """The card's `needs:` block: what one take costs at most, on two CPU cores. None: not said."""

    seconds: float | None = None
    memory_mb: int | None = None


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """A parsed card.

    name        the folder's or repository's name, used in file names
    front       the whole front matter as plain values, `scorehub` block included
    prose       everything after the front matter, Markdown
    entry       "model.py:Class", or the name of a registered architecture
    init        keyword arguments of the model's `setup`
    """

    name: str
    title: str
    summary: str
    entry: str
    init: Mapping[str, Any] = field(default_factory=dict)
    accepts: Accepts = field(default_factory=Accepts)
    needs: Needs = field(default_factory=Needs)
    params: tuple[ParamSpec, ...] = ()
    examples: tuple[Example, ...] = ()
    front: Mapping[str, Any] = field(default_factory=dict, repr=False)
    prose: str = field(default="", repr=False)

    @property
    def runs_own_code(self) -> bool:
        """Does its entry name a class in its own model.py, and no registered architecture?"""
        return ":" in self.entry

    @property
    def license(self) -> str:
        return str(self.front.get("license", ""))

    @property
    def datasets(self) -> tuple[str, ...]:
        listed = self.front.get("datasets") or ()
        return tuple(map(str, listed)) if isinstance(listed, list | tuple) else (str(listed),)

    def to_readme(self) -> str:
        """README.md text: the inverse of `parse_card` up to YAML's own formatting."""
        import yaml

        front = yaml.safe_dump(dict(self.front), sort_keys=False, allow_unicode=True)
        return f"---\n{front}---\n{self.prose}"

    def missing_to_publish(self) -> list[str]:
        """What a card must still say before it may be published; empty when complete."""
        wanted = {
            "license": self.license,
            "datasets": self.datasets,
            "scorehub.summary": self.summary,
            "prose after the front matter": self.prose.strip(),
        }
        return [name for name, value in wanted.items() if not value]


def read_card(folder: str | Path, name: str | None = None) -> ModelCard:
    """The card of a model folder; `name` if it is not the folder's. Raises CardError."""
    path = Path(folder) / CARD_FILE
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_CARD_BYTES + 1)
    except OSError as error:
        raise CardError(f'"{folder}" has no {CARD_FILE}, so it is not a model folder.') from error
    if len(data) > MAX_CARD_BYTES:
        raise CardError(f"{path} is larger than {MAX_CARD_BYTES >> 10} KiB; shorten the card.")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CardError(f"{path} is not UTF-8 text.") from error
    return parse_card(text, name or Path(folder).resolve().name)


def parse_card(text: str, name: str) -> ModelCard:
    """A ModelCard from README.md text; `name` is the folder's or repository's. Raises CardError."""
    return card_of(*split_card(text, name))


def split_card(text: str, name: str) -> tuple[dict[str, Any], str, str]:
    """Front matter as plain values, `name`, prose; of any card at all. Raises CardError."""
    match = _FRONT_MATTER.match(text)
    if not match:
        raise CardError(
            f'The card of "{name}" must begin with YAML front matter between "---" lines.'
        )
    return _load_yaml(match[1], name), name, match[2]


def card_of(front: Mapping[str, Any], name: str, prose: str = "") -> ModelCard:
    """A ModelCard from front matter that is plain values already. Raises CardError."""
    block = front.get("scorehub")
    if not isinstance(block, Mapping):
        raise CardError(f'The card of "{name}" has no "scorehub:" block.{_misspelt_block(front)}')
    for key in block:
        if key not in _BLOCK_KEYS:
            raise CardError(f'scorehub has no key "{key}".{suggestion(str(key), _BLOCK_KEYS)}')
    if type(block.get("version")) is not int or block["version"] != VERSION:
        raise CardError(f"scorehub.version must be {VERSION}; got {block.get('version')!r}.")
    return ModelCard(
        name=name,
        title=str(block.get("title") or name),
        summary=" ".join(str(block.get("summary") or "").split()),
        entry=_entry(block.get("entry")),
        init=_mapping(block, "init"),
        accepts=accepts_from_card(_mapping(block, "accepts")),
        needs=_needs(_mapping(block, "needs")),
        params=_params(block.get("params") or []),
        examples=_examples(block.get("examples") or []),
        front=front,
        prose=prose,
    )


def _load_yaml(text: str, name: str) -> dict[str, Any]:
    import yaml

    class Loader(yaml.SafeLoader):
        nodes = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise CardError("The card uses a YAML alias (*name); write the value out instead.")
            self.nodes += 1
            if self.nodes > MAX_NODES:
                raise CardError(
                    f'The front matter of "{name}" has more than {MAX_NODES:,} values; shorten it.'
                )
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen = set()
            for key, _ in node.value:
                if isinstance(key.value, str) and key.value in seen:
                    raise CardError(f'The front matter of "{name}" has "{key.value}" twice.')
                seen.add(key.value if isinstance(key.value, str) else id(key))
            return super().construct_mapping(node, deep)

    _take_plain_numbers_only(Loader)
    try:
        front = yaml.load(text, Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" near line {mark.line + 2}" if mark else ""
        problem = getattr(error, "problem", None) or "it is not valid YAML"
        raise CardError(f'The front matter of "{name}" cannot be read{line}: {problem}.') from error
    except (ValueError, RecursionError) as error:
        raise CardError(f'The front matter of "{name}" cannot be read: {error}.') from error
    if not isinstance(front, dict):
        raise CardError(f'The front matter of "{name}" must be a mapping of keys to values.')
    if any(type(value) is int and value.bit_length() > 64 for value in _leaves(front)):
        raise CardError(f'The front matter of "{name}" has a number that is too large.')
    return front


def _take_plain_numbers_only(loader: Any) -> None:
    """Without YAML 1.1's numbers to the base of 60: nobody means them, and they grow for ever."""
    base_60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
    for kind in ("int", "float"):
        tag = f"tag:yaml.org,2002:{kind}"
        construct = loader.yaml_constructors[tag]

        def plain(self: Any, node: Any, construct: Any = construct) -> Any:
            value = self.construct_scalar(node)
            if len(value) > MAX_DIGITS:
                raise CardError("The front matter has a number that is too long.")
            return value if base_60.fullmatch(value) else construct(self, node)

        loader.add_constructor(tag, plain)


def _leaves(value: Any) -> Iterator[Any]:
    """Every single value in nested mappings and lists."""
    if isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _leaves(item)
    else:
        yield value


def _misspelt_block(front: Mapping[str, Any]) -> str:
    close = [key for key in front if suggestion(str(key), ["scorehub"])]
    return f' "{close[0]}" looks like it.' if close else " docs/adding-a-model.md shows one."


def _mapping(block: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = block.get(key) or {}
    if not isinstance(value, Mapping):
        raise CardError(f"scorehub.{key} must be a mapping of names to values.")
    return value


def _entry(value: Any) -> str:
    kinds = (_ENTRY_CLASS, _ARCHITECTURE)
    if isinstance(value, str) and any(kind.fullmatch(value) for kind in kinds):
        return value
    raise CardError(
        'scorehub.entry must be "model.py:YourClass", or the name of a registered architecture; '
        f"got {value!r}."
    )


def _needs(block: Mapping[str, Any]) -> Needs:
    for key in block:
        if key not in ("seconds", "memory_mb"):
            known = ("seconds", "memory_mb")
            raise CardError(f'scorehub.needs has no key "{key}".{suggestion(str(key), known)}')
    seconds, memory_mb = block.get("seconds"), block.get("memory_mb")
    if seconds is not None and not _is_number(seconds, MAX_SECONDS):
        raise CardError(f"scorehub.needs.seconds must be a number above 0; got {seconds!r}.")
    if memory_mb is not None and not (
        _is_number(memory_mb, MAX_MEMORY_MB) and isinstance(memory_mb, int)
    ):
        raise CardError(f"scorehub.needs.memory_mb must be a whole number; got {memory_mb!r}.")
    return Needs(seconds=None if seconds is None else float(seconds), memory_mb=memory_mb)


def _is_number(value: Any, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= most


def _params(items: Any) -> tuple[ParamSpec, ...]:
    if not isinstance(items, list):
        raise CardError("scorehub.params must be a list of controls.")
    if len(items) > MAX_PARAMS:
        raise CardError(f"scorehub.params has {len(items):,} controls; at most {MAX_PARAMS}.")
    specs = tuple(spec_from_card(item) for item in items)
    names = [spec.name for spec in specs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise CardError(f'scorehub.params declares "{twice}" twice.')
    return specs


def _examples(items: Any) -> tuple[Example, ...]:
    if not isinstance(items, list):
        raise CardError("scorehub.examples must be a list of files or mappings.")
    if len(items) > MAX_EXAMPLES:
        raise CardError(f"scorehub.examples has {len(items):,} scores; at most {MAX_EXAMPLES}.")
    return tuple(_example({"file": item} if isinstance(item, str) else item) for item in items)


def _example(item: Any) -> Example:
    keys = ("file", "title", "measures", "parts")
    if not isinstance(item, Mapping) or not isinstance(item.get("file"), str):
        raise CardError(
            "Each example is a file name, or a mapping with file, title, measures, parts."
        )
    for key in item:
        if key not in keys:
            raise CardError(f'An example has no key "{key}".{suggestion(str(key), keys)}')
    path = PurePosixPath(item["file"])
    if path.is_absolute() or ".." in path.parts or "\\" in item["file"]:
        raise CardError(f'The example "{item["file"]}" must lie inside the model\'s folder.')
    return Example(
        file=item["file"],
        title=str(item.get("title") or path.stem.replace("-", " ")),
        measures=str(item.get("measures") or ""),
        parts=tuple(map(str, item.get("parts") or ())),
    )
