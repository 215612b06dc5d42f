"""Notation: what is shown, and the pictures verovio draws of it in its child process."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from hub import child
from hub.engrave import to_musicxml
from hub.engrave.spelling import keys_of
from hub.errors import PreviewError
from hub.formats import musicxml, open_score
from hub.preview import engraver, notation
from hub.preview.notation import in_keys_of
from hub.region import Box, Region
from hub.score import Annotation, Measure, Note, Notes, Part, Score

SVG = "{http://www.w3.org/2000/svg}"
PARTS = (
    Part(id="P1", name="Flute", program=73),
    Part(id="P2", name="Piano", program=0),
    Part(id="P3", name="Silent", program=40),
)
MEASURES = tuple(Measure(number=str(i + 1), start=i * 96, length=96) for i in range(12))
ROWS = [(i * 24, 24, 67 + i % 8, 80, 0) for i in range(48)]
ROWS += [(i * 96, 96, pitch, 80, 1) for i in range(12) for pitch in (40, 76)]
SCORE = Score(ticks_per_quarter=24, parts=PARTS, measures=MEASURES, notes=Notes.of(ROWS))
REGION = Region(boxes=(Box(start=4, end=6, part="P1"),))


def parse(pictures: list[str]) -> ElementTree.Element:
    assert len(pictures) == 1
    return ElementTree.fromstring(pictures[0])


def with_class(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [e for e in root.iter() if name in e.get("class", "").split()]


def ids(root: ElementTree.Element, pattern: str) -> list[str]:
    """Ids without the picture's prefix that match."""
    found = [re.sub(r"^[a-z0-9]+-\d+-", "", e.get("id", "")) for e in root.iter()]
    return [name for name in found if re.fullmatch(pattern, name)]


def test_only_the_measures_asked_for_are_drawn_with_our_ids() -> None:
    root = parse(notation.notation_svg(SCORE, measures=(4, 6)))
    assert ids(root, r"m\d+\.p\d+") == ["m4.p0", "m5.p0"]
    rows = {i for i, n in enumerate(SCORE.notes) if 4 * 96 <= n.onset < 6 * 96}
    assert {int(name[1:]) for name in ids(root, r"n\d+")} == rows
    numbers = ["".join(e.itertext()).strip() for e in with_class(root, "mNum")]
    assert numbers == ["5", "6"]


def test_the_region_is_shaded_behind_its_staff_only() -> None:
    root = parse(notation.notation_svg(SCORE, measures=(3, 7), region=REGION))
    shaded = with_class(root, "region")
    assert len(shaded) == 2
    measure = with_class(root, "measure")[1]
    assert shaded[0] in list(measure) and next(iter(measure)) is shaded[0]
    flute = next(iter(with_class(measure, "staff")))
    ys = [float(p.get("d", "").split()[1]) for p in flute.findall(f"{SVG}path")]
    top, height = float(shaded[0].get("y", 0)), float(shaded[0].get("height", 0))
    assert top < min(ys) and max(ys) < top + height < min(ys) + 3 * (max(ys) - min(ys))


def test_a_box_inside_a_measure_shades_a_share_of_it() -> None:
    region = Region(boxes=(Box(start=0, end=2, unit="quarters", part="P1"),))
    (mark,) = notation.display(SCORE, measures=(0, 2), region=region).marks
    assert (mark.measure, mark.start, mark.end, mark.staves) == ("m0.p0", 0.0, 0.5, (0, 1))


def test_the_second_parts_staves_come_after_the_first_ones() -> None:
    region = Region(boxes=(Box(start=0, end=1, part="P2"),))
    (mark,) = notation.display(SCORE, measures=(0, 2), region=region).marks
    assert mark.staves == (1, 3)


def test_changed_notes_are_coloured_and_classed() -> None:
    root = parse(notation.notation_svg(SCORE, measures=(0, 2), changed_rows=[0, 3]))
    changed = with_class(root, "changed")
    assert sorted(ids(root, r"n\d+")) and len(changed) == 2
    assert all(engraver.CHANGED_COLOUR in {p.get("color") for p in note} for note in changed)


def test_silent_parts_are_left_out_unless_asked_for_or_marked() -> None:
    assert b"Silent" not in notation.display(SCORE, measures=(0, 2)).musicxml
    assert b"Silent" in notation.display(SCORE, measures=(0, 2), parts=["P3"]).musicxml
    marked = Region(boxes=(Box(start=0, end=1, part="P3"),))
    assert b"Silent" in notation.display(SCORE, measures=(0, 2), region=marked).musicxml


def test_pictures_on_one_page_share_no_ids() -> None:
    seen: set[str] = set()
    for changed in ([], [0], [1]):
        root = parse(notation.notation_svg(SCORE, measures=(0, 2), changed_rows=changed))
        names = {e.get("id", "") for e in root.iter()} - {""}
        assert not names & seen
        seen |= names
    given = parse(notation.notation_svg(SCORE, measures=(0, 2), prefix="take7"))
    names = [e.get("id", "") for e in given.iter() if e.get("id")]
    assert all(name.startswith("take7-") for name in names)


def test_every_reference_is_to_the_picture_itself() -> None:
    root = parse(notation.notation_svg(SCORE, measures=(0, 2)))
    names = {e.get("id") for e in root.iter()}
    references = [v for e in root.iter() for k, v in e.attrib.items() if k.endswith("href")]
    assert references and all(ref[0] == "#" and ref[1:] in names for ref in references)


EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> ${x} javascript:alert(3)"


def test_hostile_text_stays_text() -> None:
    part = Part(id="P1", name=EVIL)
    notes = (Annotation(0, "marker", EVIL), Annotation(0, "lyric", EVIL, "P1"))
    score = Score(
        ticks_per_quarter=24, parts=(part,), measures=MEASURES[:2], title=EVIL, annotations=notes,
        notes=Notes.of([(0, 24, 60)]),
    )  # fmt: skip
    for source in (score, musicxml.read(to_musicxml(score))):
        (svg,) = notation.notation_svg(source)
        root = ElementTree.fromstring(svg)
        assert "<script" not in svg and "<img" not in svg and "<style" not in svg
        tags = {e.tag.removeprefix(SVG) for e in root.iter()}
        assert tags <= engraver._ELEMENTS
        assert not [k for e in root.iter() for k in e.attrib if k.lower().startswith("on")]


def test_the_sieve_drops_what_it_does_not_know() -> None:
    dirty = (
        '<svg xmlns="http://www.w3.org/2000/svg" onload="a()"><script>b()</script>'
        '<foreignObject><p xmlns="http://www.w3.org/1999/xhtml">c</p></foreignObject>'
        '<g id="m" fill="url(http://x/y)" onclick="d()"><use href="http://x/z"/>'
        '<image href="http://x/i.png"/><a href="javascript:e()"><text>f</text></a></g></svg>'
    )
    text = engraver._Picture(dirty, "p-").text("title", 100)
    for bad in ("onload", "script", "foreignObject", "http://x", "onclick", "image", "javascript"):
        assert bad not in text
    assert 'id="p-m"' in text


def test_colours_follow_the_page_and_no_font_is_fetched() -> None:
    (svg,) = notation.notation_svg(SCORE, measures=(0, 2))
    assert "@font-face" not in svg and "http" not in svg.replace("http://www.w3.org", "")
    assert not re.search("[\ue000-\uf8ff]", svg)  # letters that only music fonts have
    assert "♩" in svg


def test_the_users_own_engraving_is_shown() -> None:
    data = to_musicxml(SCORE).replace(
        b"<type>quarter</type>", b"<type>quarter</type><stem>down</stem>"
    )
    shown = notation.display(musicxml.read(data), measures=(2, 4))
    assert b"<stem>down</stem>" in shown.musicxml
    again = notation.display(musicxml.read(data), measures=(2, 4), own=False)
    assert b"<stem>down</stem>" not in again.musicxml


def test_what_verovio_refuses_is_engraved_from_the_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    score = musicxml.read(to_musicxml(SCORE))
    asked = []
    real = child.call

    def refusing(function: str, data: bytes, **options: object) -> bytes:
        asked.append(data)
        if len(asked) == 1:
            raise PreviewError("refused")
        return real(function, data, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(child, "call", refusing)
    assert len(notation.notation_svg(score, measures=(0, 2))) == 1
    assert len(asked) == 2 and b"Scorehub" in asked[1]


def test_a_score_that_kills_verovio_is_a_sentence_and_the_next_is_drawn() -> None:
    fatal = to_musicxml(SCORE, ids=True).replace(
        b"<beat-type>4</beat-type>", b"<beat-type>0</beat-type>"
    )
    with pytest.raises(PreviewError) as caught:
        notation.draw(notation.Display(musicxml=fatal, measures=(0, 12)))
    assert "\n" not in str(caught.value)
    assert notation.notation_svg(SCORE, measures=(0, 2))


def test_long_music_is_cut_to_a_display() -> None:
    measures = tuple(Measure(number=str(i + 1), start=i * 96, length=96) for i in range(500))
    score = Score(ticks_per_quarter=24, parts=PARTS, measures=measures, notes=SCORE.notes)
    assert notation.display(score).measures == (0, notation.MAX_MEASURES)


def test_tall_music_makes_several_pictures() -> None:
    rows = [(i * 24, 24, 60 + i % 24, 80, p) for i in range(192) for p in range(3)]
    measures = tuple(Measure(number=str(i + 1), start=i * 96, length=96) for i in range(48))
    score = Score(ticks_per_quarter=24, parts=PARTS, measures=measures, notes=Notes.of(rows))
    pictures = notation.notation_svg(score, width=500)
    assert 1 < len(pictures) <= notation.MAX_PAGES


def test_an_empty_window_is_refused() -> None:
    with pytest.raises(PreviewError, match="no measures"):
        notation.notation_svg(SCORE, measures=(12, 14))


@pytest.mark.slow
def test_real_scores_are_drawn(shared_scores: Path) -> None:
    paths = sorted(shared_scores.glob("miditok/**/*.mid"))
    paths += sorted(shared_scores.glob("openscore-lieder/**/*.mxl"))[:12]
    drawn = 0
    for path in paths:
        try:
            score = open_score(path)
        except Exception:  # damaged on purpose
            continue
        if not len(score.notes):
            continue
        middle = len(score.measures) // 2
        window = (middle, min(middle + 8, len(score.measures)))
        region = Region(boxes=(Box(start=middle, end=middle + 1, part=score.parts[0].id),))
        pictures = notation.notation_svg(score, measures=window, region=region)
        assert 'class="region"' in "".join(pictures), path.name
        drawn += 1
    assert drawn > 30


def test_a_few_new_notes_do_not_turn_the_printed_key_over() -> None:
    """Without key signatures the key is an estimate: pictures to be compared share one."""
    measures = (Measure(number="1", start=0, length=96),)
    part = (Part(id="P1", name="Flute"),)
    tune = [Note(12 * i, 12, pitch) for i, pitch in enumerate((67, 69, 71, 72, 74, 76, 78, 79))]
    before = Score(ticks_per_quarter=24, parts=part, measures=measures, notes=Notes.of(tune))
    after = before.with_notes(Notes.of(note._replace(pitch=note.pitch + 1) for note in tune))
    assert keys_of(before)[0].fifths == 1
    assert keys_of(after)[0].fifths != 1
    assert keys_of(in_keys_of(after, before))[0].fifths == 1
