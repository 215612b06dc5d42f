"""Prose of strangers: what it may become, and how long it may take."""

from __future__ import annotations

import time
from html.parser import HTMLParser

import pytest

from hub import child
from hub.errors import ChildError
from hub.preview import prose

TAGS = {
    "p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "a", "em", "strong",
    "s", "code", "pre", "blockquote", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
ATTRIBUTES = {"href", "target", "rel", "class", "start"}
HOSTILE = [
    '\\`<div style="position:fixed;inset:0;z-index:99999">\\`', "<script>x</script>", "`` ` <b> ``",
    '<img src="http://e.com/x.png" onerror=x>', "![a](http://e.com/x.png)", "![a][r]\n\n[r]: http://e",
    "[a](javascript:x)", "[a](JaVa\nscript:x)", "[a](&#106;avascript:x)", "<javascript:x>",
    "[a](\tjavascript:x)", "[a](data:text/html,x)", "[a](//evil.example)", "[a](vbscript:x)",
    '[a](http://e.com/"onclick="x)', '[a](http://e.com "t" onclick=x)', "<a href=x>", "&lt;b&gt;",
    "| a |\n|:-:|\n| <b> |", "```mermaid\" onclick=x\ngraph TD\n```", "~~~a\n</code></pre><b>\n~~~",
    "$\\href{javascript:x}{y}$", "[![a](http://x)](http://y)", "![<b>\"](http://x)", "<!-- x -->",
    "- > 1. <iframe src=x>", "\x00<b>", "[x]: <javascript:y>\n\n[x]", "{{7*7}} ${x}", "![](http://x)",
]  # fmt: skip
SLOW = {
    "ticks": "`" * 65_536, "rising ticks": "".join("`" * n + " " for n in range(400)),
    "brackets": "[" * 65_536, "stars": "*a " * 30_000, "quotes": "> " * 30_000,
    "tags": "<a " * 30_000,
    "cells": "|a" * 30_000 + "\n" + "|-" * 30_000, "pictures": "![](" * 20_000,
    "entities": "&" * 65_536,
    "references": "".join(f"[{n}]: x\n" for n in range(6_000)), "lists": "- " * 30_000,
}  # fmt: skip


class Seen(HTMLParser):
    """Every element with its attributes, and the text of it all."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.elements.append(("!--", {}))


def check(html: str) -> Seen:
    seen = Seen(html)
    for tag, attributes in seen.elements:
        assert tag in TAGS and set(attributes) <= ATTRIBUTES, (tag, attributes)
        assert tag != "a" or attributes["rel"] == "noopener noreferrer nofollow"
        assert (attributes.get("class") or "language-").startswith("language-")
        address = attributes.get("href")
        assert address is None or address.startswith(("http://", "https://", "mailto:", "#"))
    return seen


@pytest.mark.parametrize("markdown", HOSTILE)
def test_tags_and_addresses_of_a_stranger_are_text(markdown: str) -> None:
    check(prose.html(markdown))


def test_tags_are_shown_as_they_are_written() -> None:
    assert '<div style="x">' in check(prose.html('\\`<div style="x">\\`')).text
    assert "<b>" in check(prose.html("```\n<b>\n```")).text


def test_pictures_are_links() -> None:
    seen = check(
        prose.html("![A map](https://e.com/map.png) [![in](http://x)](http://y) ![](http://z)")
    )
    assert [a["href"] for _, a in seen.elements[1:]] == [
        "https://e.com/map.png",
        "http://y",
        "http://z",
    ]
    assert "A map" in seen.text and "picture" in seen.text


def test_what_a_card_is_written_in() -> None:
    html = prose.html(
        "# One\n\n- *a* **b** ~~c~~ `d`\n\n1. x\n\n> q\n\n| h |\n|--:|\n| v |\n\n"
        "<https://e.com> <a@b.org> [here](#x)\n\n```python\nx < 1\n```\n"
    )
    tags = {tag for tag, _ in check(html).elements}
    assert tags >= TAGS - {"br", "hr", "h2", "h3", "h4", "h5", "h6"}
    assert "x &lt; 1" in html and 'href="mailto:a@b.org"' in html and 'href="#x"' in html


@pytest.mark.parametrize("name", SLOW)
def test_no_prose_takes_longer_than_it_may(name: str) -> None:
    started = time.monotonic()
    check(prose.html(SLOW[name]))
    assert time.monotonic() - started < prose.SECONDS + 3


def test_a_long_card_is_cut_and_says_so() -> None:
    text = check(prose.html("a" * 70_000)).text
    assert text.count("a") < 60_100 and "Only the first 60,000 characters" in text
    assert "Only the first" not in prose.html("a" * 60_000)


def test_what_cannot_be_rendered_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **options: object) -> bytes:
        raise ChildError("It took too long.")

    monkeypatch.setattr(child, "call", fail)
    assert prose.html("# <b>\ud800") == "<pre># &lt;b&gt;?</pre>"
