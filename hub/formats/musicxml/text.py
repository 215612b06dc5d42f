"""XML by byte offsets: decode whatever encoding came, parse once with expat, encode back the same.

Conventions
    body    the document as UTF-8 bytes, without byte order mark and leading white space; all
            offsets are offsets into it
    span    half-open byte range [start, end) of an element, tags included

No entity is expanded (a declaration is refused), nothing outside the document is ever opened.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from xml.parsers import expat

from hub import limits
from hub.errors import BadFileError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WHITE = b" \t\r\n"
_CHUNK = 1 << 14
_DECLARED = re.compile(rb"""<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")


@dataclass(frozen=True, kw_only=True)
class XmlText:
    """A decoded document; `encode` is the inverse of `decode`, byte for byte."""

    prefix: bytes
    codec: str
    body: bytes

    def encode(self, body: bytes) -> bytes:
        """Another body in this document's encoding, behind the same prefix."""
        if self.codec == "utf-8":
            return self.prefix + body
        return self.prefix + body.decode("utf-8").encode(self.codec)


def decode(data: bytes) -> XmlText:
    """The bytes of an XML document as UTF-8; raises BadFileError where they are not text."""
    bom, codec = next(((b, c) for b, c in _BOMS if data.startswith(b)), (b"", ""))
    rest = data[len(bom) :]
    codec = codec or _guess_codec(rest)
    if codec == "utf-8":
        body = rest.lstrip(_WHITE)
        return XmlText(prefix=data[: len(data) - len(body)], codec=codec, body=body)
    try:
        text = rest.decode(codec)
        faithful = text.encode(codec) == rest
        stripped = text.lstrip()
        prefix = bom + text[: len(text) - len(stripped)].encode(codec)
        body = stripped.encode("utf-8")
    except (UnicodeError, LookupError) as error:
        raise _not_text(codec) from error
    if not faithful:
        raise _not_text(codec)
    return XmlText(prefix=prefix, codec=codec, body=body)


def _not_text(codec: str) -> BadFileError:
    return BadFileError(
        f'The text of this file is not in the encoding it declares ("{codec}"); '
        "export it again as UTF-8."
    )


def _guess_codec(data: bytes) -> str:
    """From the first bytes, then from the XML declaration; UTF-8 where nothing is said."""
    if data[:4].replace(b"\0", b"") in (b"<?", b"<s", b"<!") and b"\0" in data[:4]:
        return "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
    match = _DECLARED.search(data[:400].lstrip(_WHITE))
    declared = match[1].decode("ascii").lower() if match else "utf-8"
    try:
        known = codecs.lookup(declared)
    except LookupError as error:
        raise _not_text(declared) from error
    if known.name in ("utf-8", "ascii") or not known._is_text_encoding or "16" in known.name:
        return "utf-8"
    return known.name


class Element:
    """One XML element and its span. `text` is all its character data, between children too."""

    __slots__ = ("attrs", "children", "end", "start", "tag", "text")

    def __init__(self, tag: str, attrs: dict[str, str], start: int) -> None:
        self.tag = tag
        self.attrs = attrs
        self.start = start
        self.end = start
        self.text = ""
        self.children: list[Element] = []

    def find(self, tag: str) -> Element | None:
        """The first child called `tag`."""
        for child in self.children:
            if child.tag == tag:
                return child
        return None

    def all(self, tag: str) -> list[Element]:
        """The children called `tag`."""
        return [child for child in self.children if child.tag == tag]

    def value(self, tag: str, default: str = "") -> str:
        """The stripped text of the first child called `tag`."""
        child = self.find(tag)
        return default if child is None else child.text.strip()

    def walk(self) -> Iterator[Element]:
        """This element and everything below it, in document order."""
        stack = [self]
        while stack:
            element = stack.pop()
            yield element
            stack.extend(reversed(element.children))


MeasureSink = Callable[[Element, Element, Element], None]


def parse(body: bytes, on_measure: MeasureSink) -> Element:
    """The root element; a part's measures go to `on_measure(root, part, measure)` and are let go.

    Raises BadFileError for XML that is not well-formed or declares entities, and LimitError.
    """
    return _Builder(body, on_measure).run()


def parse_at(body: bytes, start: int, end: int | None = None) -> Element:
    """The one element that begins at byte `start`; it ends at `end`, or wherever it ends.

    Raises BadFileError where no well-formed element begins there.
    """
    return _Builder(body, None, start).run_one(end)


class _Builder:
    """Expat callbacks that grow a tree of Elements."""

    def __init__(self, body: bytes, on_measure: MeasureSink | None, offset: int = 0) -> None:
        self.body = body
        self.on_measure = on_measure
        self.offset = offset
        self.count = 0
        self.top = Element("", {}, 0)
        self.stack = [self.top]
        self.further: dict[Element, list[str]] = {}  # text behind an element's children
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.close
        parser.CharacterDataHandler = self.data
        parser.EntityDeclHandler = _refuse_entity
        self.parser = parser

    def run(self) -> Element:
        try:
            self.parser.Parse(self.body, True)
        except expat.ExpatError as error:
            raise _damaged(error) from error
        limits.check("xml_elements", self.count)
        return self.top.children[0]

    def run_one(self, end: int | None) -> Element:
        self.parser.UseForeignDTD(True)
        for piece in self._pieces(end):
            self._feed(piece, is_last=False)
            if self.is_done:
                return self.top.children[0]
        self._feed(b"", is_last=True)  # what expat had put off
        if self.is_done:
            return self.top.children[0]
        raise BadFileError("This file ends in the middle of an element; it may be cut off.")

    def _feed(self, piece: bytes, *, is_last: bool) -> None:
        try:
            self.parser.Parse(piece, is_last)
        except expat.ExpatError as error:
            if not self.is_done and not is_last:
                raise _damaged(error) from error

    def _pieces(self, end: int | None) -> Iterator[bytes]:
        """The body from the start on; each piece twice as long as the one before.

        So a token that spans many pieces, which expat scans anew with each, costs linear time.
        """
        at, size = self.offset, _CHUNK
        stop = len(self.body) if end is None else end
        while at < stop:
            upto = stop if end is not None else min(stop, at + size)
            yield self.body[at:upto]
            at, size = upto, 2 * size

    @property
    def is_done(self) -> bool:
        return bool(self.top.children) and len(self.stack) == 1

    def start(self, tag: str, attrs: dict[str, str]) -> None:
        element = Element(tag, attrs, self.parser.CurrentByteIndex + self.offset)
        stack = self.stack
        stack[-1].children.append(element)
        stack.append(element)
        self.count += 1
        if len(stack) > limits.LIMITS.xml_depth:
            limits.check("xml_depth", len(stack))

    def data(self, text: str) -> None:
        element = self.stack[-1]
        if element.text:
            self.further.setdefault(element, []).append(text)
        else:
            element.text = text

    def close(self, tag: str) -> None:
        stack = self.stack
        element = stack.pop()
        if element in self.further:
            element.text += "".join(self.further.pop(element))
        at = self.parser.CurrentByteIndex + self.offset
        # Expat stands behind an empty-element tag, but in front of an end tag.
        if element.children or element.text or self.body[at - 2 : at] != b"/>":
            at = self.body.index(b">", at) + 1
        element.end = at
        if self.on_measure is not None and tag == "measure" and _is_part(stack):
            stack[-1].children.pop()
            limits.check("xml_elements", self.count)
            self.on_measure(stack[1], stack[2], element)


def _is_part(stack: list[Element]) -> bool:
    """Is what is open a part of the score, and nothing below?"""
    return len(stack) == 3 and stack[2].tag == "part"


def _refuse_entity(*declaration: object) -> None:
    raise BadFileError(
        f'This file declares the XML entity "{declaration[0]}"; files with entities are not '
        "opened. Export it again from a notation program."
    )


def _damaged(error: expat.ExpatError) -> BadFileError:
    return BadFileError(
        f"This file is not well-formed XML ({expat.ErrorString(error.code)}, line {error.lineno}); "
        "it may be cut off. Export it again."
    )
