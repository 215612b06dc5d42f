"""What a Hub lists: published models found by their tag, a page at a time, as bounded Listings.

A listing is made of the repository's own card as the Hub repeats it, so every word of it is a
stranger's. It is parsed like any card, cut to a length that a page can show, and loses characters
that steer a terminal or turn text around; whoever shows it escapes it still. One odd card becomes
a listing with a `problem`, never a page without the others.

The pages are asked for by the cursor in the Hub's Link header. Only the cursor is taken from that
header, never its address, which could send a token elsewhere.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from hub import hub_card
from hub.card import ModelCard, card_of
from hub.errors import AccessError, LoadError, RemoteError, ScorehubError, UnavailableError
from hub.handle import ModelHandle, model_handle
from hub.remote import client

PAGE_SIZE = 20
MOST_PER_PAGE = 100
MAX_ANSWER_BYTES = 16 << 20
MAX_SEARCH = 100  # characters
MAX_CARD_VALUES = 5_000  # single values in a card's front matter, and
MAX_CARD_DEPTH = 12  # how deeply they may be nested

_CURSOR = re.compile(r"[A-Za-z0-9+/=_.:-]{1,600}")
_ASKED = ("cardData", "downloads", "likes", "lastModified", "gated", "private", "spaces")
_RETRIES = 2
_WAIT_SECONDS = 0.5  # before the first retry


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A model as a Hub lists it. Texts are a stranger's, cut and cleaned, not escaped.

    limits         what the model accepts, in sentences
    downloads      in the last month; None where the Hub does not say, as for likes
    gated          its author wants to be asked first
    architecture   that it needs, if it brings no code of its own
    runs_own_code  it brings a model.py, which runs only once its commit has been trusted
    has_space      there is a Space of the same name that uses it
    problem        why it cannot be opened, in a sentence; "" if nothing is known against it
    """

    repo_id: str
    title: str
    summary: str = ""
    license: str = ""
    datasets: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    downloads: int | None = None
    likes: int | None = None
    last_modified: datetime | None = None
    gated: bool = False
    private: bool = False
    architecture: str = ""
    runs_own_code: bool = False
    has_space: bool = False
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some listings, and the cursor of the next ones; None if these were the last."""

    results: tuple[Listing, ...]
    next_cursor: str | None = None


def search(
    text: str = "",
    *,
    page_size: int = PAGE_SIZE,
    cursor: str | None = None,
    with_token: bool = True,
) -> Page:
    """A page of published models whose names contain `text`, the most downloaded first.

    Without a token the Hub lists what anybody may see. Raises RemoteError.
    """
    query: dict[str, Any] = {
        "filter": hub_card.TAGS[0], "sort": "downloads",
        "limit": min(max(page_size, 1), MOST_PER_PAGE),
    }  # fmt: skip
    if text := clean(text, MAX_SEARCH):
        query["search"] = text
    if cursor:
        query["cursor"] = _checked(cursor)
    try:
        rows, following = _ask({**query, "expand": list(_ASKED)}, with_token)
    except (ValueError, RecursionError):  # some card is too much: list them without their cards
        try:
            rows, following = _ask(query, with_token)
        except (ValueError, RecursionError) as error:
            raise UnavailableError(f"{client.host()} gave no list of models.") from error
    listings = (_listing(row) for row in rows if isinstance(row, Mapping))
    return Page(results=tuple(filter(None, listings)), next_cursor=following)


def pages(text: str = "", *, page_size: int = PAGE_SIZE, most: int = 100) -> Iterator[Page]:
    """One page after the other, `most` at most. Raises RemoteError."""
    cursor = None
    for _ in range(most):
        page = search(text, page_size=page_size, cursor=cursor)
        yield page
        if page.next_cursor is None or page.next_cursor == cursor:
            return
        cursor = page.next_cursor


def check_public(handle: ModelHandle) -> None:
    """Raise RemoteError unless anybody may see and download this model, without a token."""
    with client.translated(str(handle)):
        info = client.api(with_token=False).model_info(
            handle.repo_id, revision=handle.revision, timeout=client.TIMEOUT_SECONDS
        )
        if info.gated or info.private:
            raise AccessError(
                f"{handle} is not open to everybody, so this page does not download it. Use it "
                "in an app of your own."
            )


def clean(text: str, most: int) -> str:
    """One line of at most `most` characters, without any that are not seen."""
    seen = (" " if c.isspace() else c for c in text[: 4 * most])
    plain = " ".join("".join(c for c in seen if unicodedata.category(c)[0] != "C").split())
    return plain if len(plain) <= most else plain[: most - 1].rstrip() + "…"


# --- the question -------------------------------------------------------------------------------


def _checked(cursor: str) -> str:
    if not _CURSOR.fullmatch(cursor):
        raise RemoteError("There is no such page of the list; begin with its first.")
    return cursor


def _ask(query: Mapping[str, Any], with_token: bool) -> tuple[list[Any], str | None]:
    """The rows of one page and the cursor of the next. ValueError: it is no list, or too long."""
    with client.translated("The list of models"):
        from huggingface_hub.utils import (  # type: ignore[attr-defined]
            build_hf_headers,
            hf_raise_for_status,
            http_stream_backoff,
        )

        api = client.api(with_token=with_token)
        headers = build_hf_headers(
            token=api.token, library_name=api.library_name, library_version=api.library_version
        )
        with http_stream_backoff(
            "GET", f"{api.endpoint}/api/models", params=query, headers=headers,
            timeout=client.TIMEOUT_SECONDS, max_retries=_RETRIES, base_wait_time=_WAIT_SECONDS,
        ) as response:  # fmt: skip
            hf_raise_for_status(response)
            data = _read(response)
            following = response.links.get("next", {}).get("url")
    rows = json.loads(data)
    if not isinstance(rows, list):
        raise ValueError("no list")
    return rows, _cursor_in(following)


def _read(response: Any) -> bytes:
    """The body, as far as it is allowed to go; JSON that is cut there is a ValueError later."""
    data = b""
    for piece in response.iter_bytes():
        data += piece
        if len(data) > MAX_ANSWER_BYTES:
            break
    return data[:MAX_ANSWER_BYTES]


def _cursor_in(address: str | None) -> str | None:
    found = parse_qs(urlsplit(address or "").query).get("cursor", [""])[0]
    return found if _CURSOR.fullmatch(found) else None


# --- the answer ---------------------------------------------------------------------------------


def _listing(row: Mapping[str, Any]) -> Listing | None:
    """None for a row without a usable name."""
    repo_id = row.get("id")
    try:
        handle = model_handle(repo_id) if isinstance(repo_id, str) else None
    except LoadError:
        return None
    if handle is None or handle.revision is not None:
        return None
    spaces = row.get("spaces")
    return Listing(
        repo_id=handle.repo_id,
        downloads=_count(row.get("downloads")),
        likes=_count(row.get("likes")),
        last_modified=_time(row.get("lastModified")),
        gated=bool(row.get("gated")),
        private=row.get("private") is True,
        has_space=isinstance(spaces, list) and handle.repo_id in spaces,
        **_said(row.get("cardData"), handle.name),
    )


def _said(front: Any, name: str) -> dict[str, Any]:
    """What the card says, as fields of a Listing."""
    try:
        if not isinstance(front, dict):
            return {"title": name, "problem": "The Hub does not list its card."}
        _check_size(front)
        card = card_of(front, name)
        return _facts(card)
    except ScorehubError as error:
        return {"title": name, "problem": clean(str(error), 300)}
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError):
        return {"title": name, "problem": "Its card cannot be read."}


def _facts(card: ModelCard) -> dict[str, Any]:
    own = card.runs_own_code
    return {
        "title": clean(card.title, 100) or card.name,
        "summary": clean(card.summary, 300),
        "license": clean(card.license, 60),
        "datasets": tuple(clean(name, 80) for name in card.datasets[:8]),
        "limits": tuple(clean(said, 160) for said in card.accepts.sentences()[:8]),
        "architecture": "" if own else card.entry,
        "runs_own_code": own,
    }


def _check_size(value: Any) -> None:
    """Raise ValueError for a card that is nested too deeply or has too much in it."""
    level, count = [value], 0
    for _ in range(MAX_CARD_DEPTH):
        count += len(level)
        groups = [v for v in level if isinstance(v, dict | list)]
        level = [item for v in groups for item in (v.values() if isinstance(v, dict) else v)]
        if not level and count <= MAX_CARD_VALUES:
            return
        if count > MAX_CARD_VALUES:
            break
    raise ValueError("too much in one card")


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < 1 << 53 else None


def _time(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
