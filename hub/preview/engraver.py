"""Runs in a child process: MusicXML → safe SVG. The only door to verovio.

The SVG that verovio makes is rebuilt from a short list of allowed elements and attributes, so
nothing a score's text says can become script, style or a link. Ids get the picture's own prefix,
measures of the region a translucent rectangle behind them, and changed notes a colour and class.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from xml.etree import ElementTree

from hub.errors import PreviewError

SVG = "{http://www.w3.org/2000/svg}"
XLINK_HREF = "{http://www.w3.org/1999/xlink}href"
REGION_COLOUR, CHANGED_COLOUR = "#e69f00", "#d55e00"
_REGION_LOOK = {
    "class": "region",
    "fill": REGION_COLOUR,
    "fill-opacity": "0.28",
    "stroke": "none",
}
UNITS_A_PIXEL = 2.5  # verovio's scale 40

_ELEMENTS = {
    "svg", "g", "defs", "symbol", "use", "path", "rect", "ellipse", "circle", "polygon",
    "polyline", "line", "text", "tspan", "title",
}  # fmt: skip
_ATTRIBUTES = {
    "class", "d", "x", "y", "x1", "y1", "x2", "y2", "dx", "dy", "rx", "ry", "cx", "cy", "r",
    "width", "height", "points", "transform", "viewBox", "overflow", "font-size", "font-style",
    "font-weight", "font-family", "text-anchor", "stroke", "stroke-width", "stroke-linecap",
    "stroke-linejoin", "stroke-dasharray", "fill", "fill-opacity", "stroke-opacity", "opacity",
    "version",
}  # fmt: skip
_SAFE_VALUE = re.compile(r"^(?!.*(?:url\s*\(|javascript:|expression\s*\()).*$", re.S | re.I)
_STROKED = {SVG + name for name in ("ellipse", "path", "polygon", "polyline", "rect")}
_LETTERS = {  # what verovio's own style sheet says of text, by class
    **dict.fromkeys(("ending", "fing", "reh", "tempo"), ("font-weight", "bold")),
    **dict.fromkeys(("dir", "dynam", "mNum"), ("font-style", "italic")),
}
_PRIVATE_USE = re.compile("[\ue000-\uf8ff]")
_TEXT_GLYPHS = {  # verovio's music font inside text → what other fonts have
    "\ueca2": "\U0001d15d", "\ueca3": "\U0001d15e", "\ueca5": "♩", "\ueca7": "♪",
    "\ueca9": "\U0001d161", "\uecb7": ".", "\ue1d5": "♩", "\ue1d7": "♪", "\ue1e7": ".",
    "\ue260": "♭", "\ue261": "♮", "\ue262": "♯", "\ued60": "♭", "\ued61": "♮", "\ued62": "♯",
    "\ue520": "p", "\ue521": "m", "\ue522": "f", "\ue523": "r", "\ue524": "s", "\ue525": "z",
    "\ue870": "°", "\ue871": "ø", "\ue872": "+", "\ue873": "△", "\ue874": "−",
}  # fmt: skip
_STAFF_LINE = re.compile(r"^M([-\d.]+) ([-\d.]+) ?L([-\d.]+) ([-\d.]+)$")
_OPTIONS = {
    "scale": 40,
    "header": "none",
    "footer": "none",
    "adjustPageHeight": True,
    "svgViewBox": True,
    "svgRemoveXlink": True,
    "mnumInterval": 1,
    "pageMarginLeft": 20,
    "pageMarginRight": 20,
    "pageMarginTop": 40,
    "pageMarginBottom": 40,
    "spacingSystem": 8,
    "breaks": "auto",
    "xmlIdSeed": 1,
}

ElementTree.register_namespace("", SVG.strip("{}"))
_toolkit: Any = None


def render(
    data: bytes,
    *,
    width: int,
    page_height: int,
    max_pages: int,
    prefix: str,
    title: str,
    marks: Sequence[dict[str, Any]],
    changed: Sequence[str],
) -> bytes:
    """A JSON list of SVG texts, one a page.

    width, page_height  pixels.
    marks       {"measure": id, "staves": [first, last), "from": share, "to": share} to shade;
                shares 0..1 of the measure's width
    changed     ids of notes to colour (tied continuations "<id>.1" … go with them)
    """
    toolkit = _verovio()
    toolkit.setOptions(
        {
            **_OPTIONS,
            "pageWidth": round(width * UNITS_A_PIXEL),
            "pageHeight": round(page_height * UNITS_A_PIXEL),
        }
    )
    if not toolkit.loadData(data.decode()):
        raise PreviewError("The notation program cannot read this score.")
    pages = min(toolkit.getPageCount(), max_pages)
    if not pages:
        raise PreviewError("The notation program drew nothing for this score.")
    drawn = []
    for page in range(1, pages + 1):
        picture = _Picture(toolkit.renderToSVG(page), f"{prefix}{page}-")
        picture.shade(marks)
        picture.colour(set(changed))
        drawn.append(picture.text(title, width))
    return json.dumps(drawn).encode()


def _verovio() -> Any:
    global _toolkit
    if _toolkit is None:
        import verovio

        verovio.enableLog(verovio.LOG_OFF)
        _toolkit = verovio.toolkit()
    return _toolkit


class _Picture:
    """One page while it is being made safe and marked."""

    def __init__(self, svg: str, prefix: str) -> None:
        self._root = ElementTree.fromstring(svg)
        self._prefix = prefix
        self._by_id: dict[str, ElementTree.Element] = {}
        self._clean(self._root, is_definition=False)

    def _clean(self, element: ElementTree.Element, *, is_definition: bool) -> None:
        """Drop everything that is not on the list; scope ids; let colours follow the page."""
        for child in list(element):
            is_known = child.tag.startswith(SVG) and child.tag.removeprefix(SVG) in _ELEMENTS
            if is_known and "placeholder" not in child.get("class", ""):
                self._clean(child, is_definition=is_definition or child.tag == f"{SVG}defs")
            else:
                element.remove(child)
        if (name := element.get("id")) is not None:
            self._by_id[name] = element
        self._clean_attributes(element)
        element.text, element.tail = _plain(element.text), _plain(element.tail)
        if not is_definition:
            _restyle(element)

    def _clean_attributes(self, element: ElementTree.Element) -> None:
        for name, value in list(element.attrib.items()):
            if name in ("href", XLINK_HREF) and value.startswith("#"):
                element.set(name, f"#{self._prefix}{value[1:]}")
            elif name == "id":
                element.set(name, self._prefix + value)
            elif name not in _ATTRIBUTES or not _SAFE_VALUE.match(value):
                del element.attrib[name]

    def shade(self, marks: Sequence[dict[str, Any]]) -> None:
        """A rectangle behind the marked staves of each marked measure."""
        for mark in marks:
            measure = self._by_id.get(mark["measure"])
            if measure is None:
                continue
            first, last = mark["staves"]
            staves = list(self._staves(measure))[first:last]
            if staves:
                box = _around(staves, mark["from"], mark["to"])
                measure.insert(0, ElementTree.Element(f"{SVG}rect", box | _REGION_LOOK))

    def _staves(self, measure: ElementTree.Element) -> Iterator[tuple[float, float, float, float]]:
        """left, top, right, bottom of each staff of a measure, from its lines."""
        for staff in measure.findall(f"{SVG}g"):
            if "staff" not in staff.get("class", "").split():
                continue
            lines = [
                [float(n) for n in match.groups()]
                for path in staff.findall(f"{SVG}path")
                if (match := _STAFF_LINE.match(path.get("d", "")))
            ]
            if lines:
                ys = [line[1] for line in lines]
                yield lines[0][0], min(ys), lines[0][2], max(ys)

    def colour(self, changed: set[str]) -> None:
        """Colour the notes whose ids are in `changed`, but not the words under them."""
        for name, note in self._by_id.items():
            if name.split(".")[0] in changed:
                note.set("class", f"{note.get('class', '')} changed".strip())
                for piece in note:
                    if "verse" not in piece.get("class", ""):
                        piece.set("color", CHANGED_COLOUR)

    def text(self, title: str, width: int) -> str:
        root = self._root
        for name in ("id", "width", "height"):
            root.attrib.pop(name, None)
        root.attrib |= {"width": "100%", "style": _style(width), "class": "notation", "role": "img"}
        label = ElementTree.Element(f"{SVG}title")
        label.text = "".join(c for c in title if c.isprintable())[:200]
        root.insert(0, label)
        return ElementTree.tostring(root, encoding="unicode")


def _plain(text: str | None) -> str | None:
    """Without characters that only verovio's own font has."""
    if not text:
        return text
    return _PRIVATE_USE.sub(lambda match: _TEXT_GLYPHS.get(match[0], ""), text)


def _restyle(element: ElementTree.Element) -> None:
    """As attributes what verovio's style sheet said; a style sheet would reach the whole page."""
    if element.tag in _STROKED:
        element.set("stroke", "currentColor")
    for name in element.get("class", "").split():
        if name in _LETTERS:
            element.set(*_LETTERS[name])


def _style(width: int) -> str:
    return (
        f"max-width:{width}px;background:#fff;color:#111;fill:currentColor;border-radius:6px;"
        "font-family:Georgia,'Times New Roman',serif"
    )


def _around(
    staves: Sequence[tuple[float, float, float, float]], start: float, end: float
) -> dict[str, str]:
    """Attributes of the rectangle around some staves, a space of air above and below."""
    left, right = staves[0][0], staves[0][2]
    top, bottom = min(s[1] for s in staves), max(s[3] for s in staves)
    air = (staves[0][3] - staves[0][1]) * 0.45
    x = left + (right - left) * start
    return {
        "x": f"{x:.0f}",
        "y": f"{top - air:.0f}",
        "width": f"{(right - left) * (end - start):.0f}",
        "height": f"{bottom - top + 2 * air:.0f}",
    }
