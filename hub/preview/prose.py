"""A card's prose, which strangers write: Markdown → HTML that is text, and nothing besides.

CommonMark with tables and strikethrough. Tags in it are shown as they are written; images are
links, so nothing is loaded; links lead to web pages, mail or a place on the page. No element has
a style, so none leaves its place. `render` runs in a child process, where markdown-it is imported.
"""

from __future__ import annotations

from html import escape
from typing import Any

from hub import child
from hub.errors import ChildError

MAX_SHOWN = 60_000  # characters
SECONDS = 5.0
_CUT = f"Only the first {MAX_SHOWN:,} characters are shown here; the rest is in the card."
_LINKS = ("http://", "https://", "mailto:", "#")


def html(markdown: str) -> str:
    """Safe to put into a page; what cannot be rendered in time is shown as it is written."""
    shown = markdown[:MAX_SHOWN].encode("utf-8", "replace")  # "replace": half a surrogate pair
    try:
        made = child.call("hub.preview.prose:render", shown, timeout_seconds=SECONDS).decode()
    except ChildError:
        made = f"<pre>{escape(shown.decode())}</pre>"
    return made + (f"<p><em>{_CUT}</em></p>" if len(markdown) > MAX_SHOWN else "")


def render(data: bytes) -> bytes:
    """Markdown → HTML; for the child process."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.validateLink = _is_link  # type: ignore[method-assign, assignment]
    rules = {"image": _image, "link_open": _link, "link_close": _link_end}
    for name, rule in {**rules, "th_open": _cell, "td_open": _cell}.items():
        parser.add_render_rule(name, rule)
    made: str = parser.render(data.decode())
    return made.encode()


def _is_link(address: str) -> bool:
    return address.strip().lower().startswith(_LINKS)


def _link(renderer: Any, tokens: Any, number: int, options: Any, env: Any) -> str:
    env["is_inside_link"] = True
    return _anchor(str(tokens[number].attrGet("href") or ""))


def _link_end(renderer: Any, tokens: Any, number: int, options: Any, env: Any) -> str:
    env["is_inside_link"] = False
    return "</a>"


def _image(renderer: Any, tokens: Any, number: int, options: Any, env: Any) -> str:
    """A link, unless it stands inside of one."""
    token = tokens[number]
    words = escape(renderer.renderInlineAsText(token.children or [], options, env) or "picture")
    if env.get("is_inside_link"):
        return words
    return f"{_anchor(str(token.attrGet('src') or ''))}{words}</a>"


def _anchor(address: str) -> str:
    place = "" if address.startswith("#") else ' target="_blank"'
    return f'<a href="{escape(address)}"{place} rel="noopener noreferrer nofollow">'


def _cell(renderer: Any, tokens: Any, number: int, options: Any, env: Any) -> str:
    """Without the alignment, which would be a style."""
    return f"<{tokens[number].tag}>"
