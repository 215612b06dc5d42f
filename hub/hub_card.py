"""The card as the Hub is to see it: findable, and in words that the Hub understands."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hub.card import MAX_CARD_BYTES, ModelCard, parse_card
from hub.errors import CardError

LIBRARY = "scorehub"
TAGS = ("scorehub", "symbolic-music", "music-inpainting")  # by the first, models are found
CHANGE_ME = "CHANGE ME"  # what a new folder's card says where its author must decide

_DATASET = re.compile(r"[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)?")

# The Hub's names of licences; others go by "other" and license_name.
LICENCES = frozenset(  # one name a word
    """
    apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m openrail++ afl-3.0
    bigscience-bloom-rail-1.0 bigcode-openrail-m artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause
    bsd-3-clause-clear c-uda cc cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0
    cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0
    cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0
    cdla-permissive-1.0 cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1
    eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 lgpl-lr isc h-research
    lppl-1.3c ms-pl mpl-2.0 odc-by odbl osl-3.0 pddl postgresql ofl-1.1 ncsa unlicense zlib
    unknown other
    """.split()  # noqa: SIM905 (sixty quoted names are no easier to read)
)


def doubts(card: ModelCard) -> list[str]:
    """What the Hub will not understand in a card, and how it would."""
    found = []
    if card.license not in LICENCES:
        found.append(
            f'The Hub knows no licence "{card.license}"; use one of its names, or "other" with '
            "license_name and license_link."
        )
    elif card.license == "other" and not card.front.get("license_name"):
        found.append('With the licence "other", say which: license_name and license_link.')
    wrong = [name for name in card.datasets if not _DATASET.fullmatch(name)]
    if wrong:
        found.append(
            f'The data set "{wrong[0]}" is not a name that the Hub can list (letters, digits, '
            "-, _, one / at most); describe it in the prose."
        )
    return found


def unfinished_lines(text: str) -> list[int]:
    """The lines of a card, counted from 1, where its author has still to decide."""
    return [n for n, line in enumerate(text.splitlines(), 1) if CHANGE_ME in line]


def published_card(text: str, name: str) -> str:
    """The card with what makes it findable: `library_name` and the tags. Nothing else changes.

    Raises CardError when its list of tags cannot be added to, or makes the card too long.
    """
    front = parse_card(text, name).front
    added = _findable(text, front)
    try:
        after = parse_card(added, name).front
    except CardError:
        after = {}
    if not set(TAGS) <= set(_tags(after)) or _others(after) != _others(front):
        raise CardError(
            f'Add these to the tags of the card of "{name}", one a line, so that it can be found: '
            f"{', '.join(TAGS)}. And a line: library_name: {LIBRARY}."
        )
    if len(added.encode()) > MAX_CARD_BYTES:
        raise CardError(
            f'With its tags the card of "{name}" is longer than {MAX_CARD_BYTES >> 10} KiB; '
            "shorten it."
        )
    return added


def _findable(text: str, front: Mapping[str, object]) -> str:
    newline = "\r\n" if "---\r\n" in text[:16] else "\n"
    if not front.get("library_name"):
        text = _insert_first(text, f"library_name: {LIBRARY}", newline)
    missing = [tag for tag in TAGS if tag not in _tags(front)]
    if missing:
        text = _with_tags(text, "tags" in front, missing, newline)
    return text


def _tags(front: Mapping[str, object]) -> list[str]:
    value = front.get("tags") or []
    return [str(tag) for tag in value] if isinstance(value, list) else [str(value)]


def _others(front: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in front.items() if key not in ("tags", "library_name")}


def _insert_first(text: str, line: str, newline: str) -> str:
    start = text.index("---") + 3
    start = text.index("\n", start) + 1
    return f"{text[:start]}{line}{newline}{text[start:]}"


def _with_tags(text: str, has_tags: bool, missing: list[str], newline: str) -> str:
    if not has_tags:
        return _insert_first(text, f"tags: [{', '.join(missing)}]", newline)
    key = r"""^(?:tags|'tags'|"tags")[ \t]*:"""
    flow = re.compile(rf"{key}[ \t]*\[", re.M)
    if match := flow.search(text):
        rest = text[match.end() :].lstrip()
        added = ", ".join(missing) + ("" if rest.startswith("]") else ", ")
        return f"{text[: match.end()]}{added}{text[match.end() :]}"
    comment = r"[ \t]*(?:#[^\r\n]*)?\r?\n"
    block = re.compile(rf"{key}(?:{comment})+([ \t]*)-[ \t]", re.M)
    if match := block.search(text):
        lines = "".join(f"{match[1]}- {tag}{newline}" for tag in missing)
        at = match.start(1)
        return f"{text[:at]}{lines}{text[at:]}"
    empty = re.compile(rf"({key})[ \t]*(?:null|Null|NULL|~)?(?={comment})", re.M)
    return empty.sub(rf"\1 [{', '.join(missing)}]", text, count=1)
