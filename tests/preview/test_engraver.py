"""The child's side of notation, run here in process on harmless scores."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from hub.engrave import to_musicxml
from hub.errors import PreviewError
from hub.preview import engraver
from hub.score import Measure, Notes, Part, Score

SVG = "{http://www.w3.org/2000/svg}"
SCORE = Score(
    ticks_per_quarter=24,
    parts=(Part(id="P1", name="Flute", program=73),),
    measures=tuple(Measure(number=str(i + 1), start=i * 96, length=96) for i in range(3)),
    notes=Notes.of((i * 24, 24, 67 + i % 8) for i in range(12)),
)


def drawn(*, marks: tuple[dict[str, object], ...] = (), changed: tuple[str, ...] = (),
          width: int = 900) -> ElementTree.Element:  # fmt: skip
    data = engraver.render(
        to_musicxml(SCORE, ids=True),
        width=width,
        page_height=1000,
        max_pages=5,
        prefix="x",
        title="A <title>",
        marks=marks,
        changed=changed,
    )
    (svg,) = json.loads(data)
    return ElementTree.fromstring(svg)


def test_the_picture_has_its_title_and_its_width() -> None:
    root = drawn(width=700)
    assert root.findtext(f"{SVG}title") == "A <title>"
    assert root.get("width") == "100%" and "max-width:700px" in root.get("style", "")


def test_a_mark_takes_its_share_of_the_measure() -> None:
    def box(start: float, end: float) -> tuple[float, float]:
        mark = {"measure": "m1.p0", "staves": [0, 1], "from": start, "to": end}
        found = next(e for e in drawn(marks=(mark,)).iter() if e.get("class") == "region")
        return float(found.get("x", 0)), float(found.get("width", 0))

    whole, second_half = box(0, 1), box(0.5, 1)
    assert second_half[1] == pytest.approx(whole[1] / 2, abs=2)
    assert second_half[0] == pytest.approx(whole[0] + whole[1] / 2, abs=2)


def test_marks_of_measures_that_are_not_drawn_are_no_error() -> None:
    mark = {"measure": "m99.p0", "staves": [0, 1], "from": 0, "to": 1}
    assert not [e for e in drawn(marks=(mark,)).iter() if e.get("class") == "region"]


def test_only_the_changed_notes_are_coloured() -> None:
    root = drawn(changed=("n1",))
    coloured = [e for e in root.iter(f"{SVG}g") if "changed" in e.get("class", "").split()]
    assert [e.get("id") for e in coloured] == ["x1-n1"]


def test_what_is_no_music_is_refused() -> None:
    with pytest.raises(PreviewError):
        engraver.render(
            b"<html/>", width=500, page_height=500, max_pages=1, prefix="x", title="", marks=(),
            changed=(),
        )  # fmt: skip


def test_music_font_letters_become_plain_ones() -> None:
    assert engraver._plain("\ueca5 = 120\ue999") == "♩ = 120"
    assert engraver._plain(None) is None
