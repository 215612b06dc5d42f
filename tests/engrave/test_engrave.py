"""Engraving: exact where the score is exact, readable where it is not, always well-formed."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.engrave import to_musicxml
from hub.errors import LimitError, PreviewError
from hub.formats import musicxml, open_score
from hub.score import Annotation, Key, Measure, Notes, Part, Score, Tempo

TPQ = 24


def score_of(
    rows: list[tuple[int, ...]],
    *,
    measures: int = 2,
    beats: int = 4,
    beat_type: int = 4,
    tpq: int = TPQ,
    parts: tuple[Part, ...] = (Part(id="P1", name="Flute", program=73),),
    pickup: int = 0,
    **more: object,
) -> Score:
    """Rows of Note; `pickup` ticks before the first full measure."""
    length = tpq * 4 * beats // beat_type
    meter = {"beats": beats, "beat_type": beat_type}
    spans = [Measure(number="0", start=0, length=pickup, **meter)] if pickup else []
    spans += [
        Measure(number=str(i + 1), start=pickup + i * length, length=length, **meter)
        for i in range(measures)
    ]
    return Score(
        ticks_per_quarter=tpq,
        parts=parts,
        measures=tuple(spans),
        notes=Notes.of(rows),
        **more,  # type: ignore[arg-type]
    )


def heads(xml: bytes) -> list[tuple[str, str, int]]:
    """(type, pitch, dots) of the first part's notes; rests are "rest"."""
    root = ElementTree.fromstring(xml)
    out = []
    for note in root.find("part").iter("note"):  # type: ignore[union-attr]
        step = note.findtext("pitch/step")
        alter = {"1": "#", "-1": "b", None: ""}.get(note.findtext("pitch/alter"), "x")
        name = f"{step}{alter}{note.findtext('pitch/octave')}" if step else "rest"
        out.append((note.findtext("type", "measure"), name, len(note.findall("dot"))))
    return out


def written(score: Score) -> list[tuple[Fraction, Fraction, int]]:
    """(onset, duration, pitch) in quarters, sorted."""
    tpq = score.ticks_per_quarter
    return sorted((Fraction(n.onset, tpq), Fraction(n.duration, tpq), n.pitch) for n in score.notes)


def measure_sums(xml: bytes) -> Iterator[tuple[str, set[int]]]:
    """(part and measure number, the lengths that its voices add up to)."""
    root = ElementTree.fromstring(xml)
    for part in root.findall("part"):
        for measure in part.findall("measure"):
            position, ends = 0, set()
            for element in measure:
                duration = int(element.findtext("duration", "0"))
                if element.tag == "backup":
                    ends.add(position)
                    position -= duration
                elif element.tag == "forward" or (
                    element.tag == "note" and element.find("chord") is None
                ):
                    position += duration
            yield f"{part.get('id')} {measure.get('number')}", ends | {position}


# Exactness


@st.composite
def exact_scores(draw: st.DrawFn) -> Score:
    beats, beat_type = draw(
        st.sampled_from([(4, 4), (3, 4), (6, 8), (2, 2), (5, 8), (7, 8), (9, 8)])
    )
    measures = draw(st.integers(1, 3))
    total = measures * TPQ * 4 * beats // beat_type
    step = draw(st.sampled_from([1, 2, 3, 4, 6, 8, 12]))
    keyboard = draw(st.booleans())
    ends: dict[int, int] = {}
    rows = []
    for _ in range(draw(st.integers(0, 24))):
        onset = draw(st.integers(0, (total - 1) // step)) * step
        duration = min(draw(st.integers(1, 12)) * step, total - onset)
        pitch = draw(st.integers(36, 90)) if keyboard else draw(st.integers(60, 84))
        rows.append((onset, duration, pitch, 80))
    rows.sort()
    kept = []
    for onset, duration, pitch, velocity in rows:
        if ends.get(pitch, 0) <= onset:
            kept.append((onset, duration, pitch, velocity))
            ends[pitch] = onset + duration
    part = Part(id="P1", name="Piano", program=0 if keyboard else 73)
    return score_of(kept, measures=measures, beats=beats, beat_type=beat_type, parts=(part,))


@settings(max_examples=150, deadline=None)
@given(exact_scores())
def test_notes_on_the_grid_are_engraved_exactly(score: Score) -> None:
    xml = to_musicxml(score)
    assert written(musicxml.read(xml)) == written(score)
    length = score.measures[0].length
    assert all(sums == {length} for _, sums in measure_sums(xml))


def test_sixths_of_a_quarter_are_exact() -> None:
    score = score_of([(i, 1, 60 + i % 12, 80) for i in range(24)], measures=1, tpq=6)
    assert written(musicxml.read(to_musicxml(score))) == written(score)


def test_music21_reads_the_same_notes() -> None:
    music21 = pytest.importorskip("music21")
    rows = [(0, 36, 67, 80), (36, 12, 66, 80), (48, 16, 64, 80), (64, 16, 62, 80), (80, 16, 60, 80)]
    rows += [(96, 96, 60, 80), (96, 24, 72, 80), (120, 72, 74, 80)]
    score = score_of(rows)
    parsed = music21.converter.parseData(to_musicxml(score).decode(), format="musicxml")

    def quarters(value: float) -> Fraction:
        return Fraction(value).limit_denominator(48)

    found = sorted(
        (quarters(n.getOffsetInHierarchy(parsed)), quarters(n.quarterLength), n.pitch.midi)
        for n in parsed.stripTies().recurse().notes
    )
    assert found == written(score)


# Rhythm


def test_plain_values() -> None:
    score = score_of(
        [(0, 24, 60, 80), (24, 36, 62, 80), (60, 12, 64, 80), (72, 24, 65, 80)], measures=1
    )
    assert heads(to_musicxml(score)) == [
        ("quarter", "C4", 0),
        ("quarter", "D4", 1),
        ("eighth", "E4", 0),
        ("quarter", "F4", 0),
    ]


def test_a_note_over_the_bar_line_is_tied() -> None:
    xml = to_musicxml(score_of([(72, 48, 60, 80)]), ids=True)
    notes = [n for n in ElementTree.fromstring(xml).iter("note") if n.find("pitch") is not None]
    assert [n.get("id") for n in notes] == ["n0", "n0.1"]
    assert [[t.get("type") for t in n.findall("tie")] for n in notes] == [["start"], ["stop"]]


def test_the_middle_of_four_four_stays_visible() -> None:
    xml = to_musicxml(score_of([(36, 24, 60, 80)], measures=1))
    assert [h for h in heads(xml) if h[1] == "C4"] == [("eighth", "C4", 0)] * 2
    syncopated = to_musicxml(score_of([(12, 24, 60, 80)], measures=1))
    assert [h for h in heads(syncopated) if h[1] == "C4"] == [("quarter", "C4", 0)]


def test_compound_meters_beam_by_dotted_quarters() -> None:
    score = score_of([(i * 12, 12, 60 + i, 80) for i in range(6)], measures=1, beats=6, beat_type=8)
    root = ElementTree.fromstring(to_musicxml(score))
    beams = [n.findtext("beam") for n in root.iter("note")]
    assert beams == ["begin", "continue", "end"] * 2


def test_eighths_beam_by_half_measures() -> None:
    score = score_of([(i * 12, 12, 60 + i, 80) for i in range(8)], measures=1)
    root = ElementTree.fromstring(to_musicxml(score))
    assert [n.findtext("beam") for n in root.iter("note")] == [
        "begin", "continue", "continue", "end",
    ] * 2  # fmt: skip


def test_triplets_have_brackets_and_ratios() -> None:
    score = score_of([(i * 8, 8, 60 + i, 80) for i in range(3)], measures=1)
    notes = list(ElementTree.fromstring(to_musicxml(score)).iter("note"))[:3]
    assert [n.findtext("type") for n in notes] == ["eighth"] * 3
    assert {n.findtext("time-modification/actual-notes") for n in notes} == {"3"}
    tuplets = [[t.get("type") for t in n.iter("tuplet")] for n in notes]
    assert tuplets == [["start"], [], ["stop"]]


def test_quarter_triplets_share_one_bracket() -> None:
    score = score_of([(i * 16, 16, 60 + i, 80) for i in range(3)], measures=1)
    notes = list(ElementTree.fromstring(to_musicxml(score)).iter("note"))[:3]
    assert [n.findtext("type") for n in notes] == ["quarter"] * 3
    assert [[t.get("type") for t in n.iter("tuplet")] for n in notes] == [["start"], [], ["stop"]]


def test_a_pickup_is_implicit_and_beams_with_its_end() -> None:
    rows = [(0, 12, 67, 80), (12, 24, 72, 80)]
    xml = to_musicxml(score_of(rows, pickup=12, measures=1))
    first = ElementTree.fromstring(xml).find("part/measure")
    assert first is not None and first.get("implicit") == "yes" and first.get("number") == "0"
    assert dict(measure_sums(xml)) == {"P1 0": {12}, "P1 1": {96}}


# Performances


def test_a_loose_performance_reads_as_plain_quarters() -> None:
    late = [7, -9, 12, -4, 9, 0, -6, 11]
    rows = [(max(0, i * 480 + late[i]), 430, 60 + i, 80) for i in range(8)]
    assert [kind for kind, _, _ in heads(to_musicxml(score_of(rows, tpq=480)))] == ["quarter"] * 8


def test_swing_gives_no_thirty_seconds() -> None:
    rows = []
    for beat in range(8):
        rows += [(beat * 480, 200, 60, 80), (beat * 480 + 298, 100, 64, 80)]
    kinds = {kind for kind, _, _ in heads(to_musicxml(score_of(rows, tpq=480)))}
    assert "32nd" not in kinds and "64th" not in kinds


def test_drum_strokes_give_no_short_rests() -> None:
    rows = [(i * 240 + (i * 7) % 11, 30, 42, 80) for i in range(16)]
    drums = Part(id="P1", name="Drums", is_drums=True, channel=9)
    xml = to_musicxml(score_of(rows, tpq=480, parts=(drums,)))
    root = ElementTree.fromstring(xml)
    assert [n.findtext("type") for n in root.iter("note")] == ["eighth"] * 16
    assert root.find(".//rest") is None
    assert root.findtext(".//clef/sign") == "percussion"
    assert [n.pitch for n in musicxml.read(xml).notes] == [42] * 16


def test_every_note_of_a_performance_is_somewhere() -> None:
    rows = [(i * 173, 150 + (i * 37) % 400, 40 + (i * 11) % 45, 80) for i in range(60)]
    score = score_of(rows, tpq=480, measures=6, parts=(Part(id="P1", name="P", program=0),))
    root = ElementTree.fromstring(to_musicxml(score, ids=True))
    found = {n.get("id", "").split(".")[0] for n in root.iter("note")} - {""}
    assert found == {f"n{row}" for row in range(60)}


# Voices and staves


def test_a_held_note_under_a_line_is_not_cut() -> None:
    rows = [(0, 96, 60, 80), *((i * 24, 24, 72 + i, 80) for i in range(4))]
    xml = to_musicxml(score_of(rows, measures=1))
    assert ("whole", "C4", 0) in heads(xml)
    voices = {n.findtext("voice") for n in ElementTree.fromstring(xml).iter("note")}
    assert voices == {"1", "2"}


def test_a_held_note_in_a_performance_is_not_cut() -> None:
    rows = [(3, 1900, 60, 80), *((i * 480 + 5, 440, 72 + i, 80) for i in range(4))]
    assert ("whole", "C4", 0) in heads(to_musicxml(score_of(rows, measures=1, tpq=480)))


def test_keyboards_get_two_staves() -> None:
    rows = [(i * 24, 24, pitch, 80) for i in range(4) for pitch in (43 + i, 50, 67, 72 + i)]
    piano = Part(id="P1", name="Piano", program=0)
    root = ElementTree.fromstring(to_musicxml(score_of(rows, measures=1, parts=(piano,))))
    assert root.findtext(".//staves") == "2"
    assert [c.findtext("sign") for c in root.iter("clef")] == ["G", "F"]
    staff_of = {n.findtext("pitch/octave"): n.findtext("staff") for n in root.iter("note")}
    assert staff_of["2"] == "2" and staff_of["5"] == "1"


def test_voices_of_the_score_stay_on_their_staves() -> None:
    rows = [(i * 24, 24, 72 - i * 6, 80, 0, 1) for i in range(4)]
    rows += [(i * 24, 24, 40 + i * 6, 80, 0, 5) for i in range(4)]
    piano = Part(id="P1", name="Piano", program=0, staves=2)
    root = ElementTree.fromstring(to_musicxml(score_of(rows, measures=1, parts=(piano,))))
    notes = [(n.findtext("staff"), n.findtext("type")) for n in root.iter("note")]
    assert notes == [("1", "quarter")] * 4 + [("2", "quarter")] * 4


@pytest.mark.parametrize(
    ("pitches", "program", "clef"),
    [((60, 79), 73, ("G", None)), ((36, 50), 42, ("F", None)), ((28, 40), 33, ("F", "-1"))],
)
def test_clefs_follow_the_range(
    pitches: tuple[int, int], program: int, clef: tuple[str, str | None]
) -> None:
    rows = [(i * 24, 24, pitches[i % 2], 80) for i in range(8)]
    part = Part(id="P1", name="X", program=program)
    root = ElementTree.fromstring(to_musicxml(score_of(rows, parts=(part,))))
    found = root.find(".//clef")
    assert found is not None
    assert (found.findtext("sign"), found.findtext("clef-octave-change")) == clef


# Keys and names


def test_the_scores_key_is_used_and_may_change() -> None:
    keys = (Key(0, -3, "minor"), Key(96, 2, "major"))
    root = ElementTree.fromstring(to_musicxml(score_of([(0, 24, 63, 80)], keys=keys)))
    assert [k.findtext("fifths") for k in root.iter("key")] == ["-3", "2"]


def test_a_key_is_estimated_where_there_is_none() -> None:
    scale = [62, 64, 66, 67, 69, 71, 73, 74, 69, 66, 62, 69, 74, 66, 62, 62]
    rows = [(i * 12, 12, pitch, 80) for i, pitch in enumerate(scale)]
    xml = to_musicxml(score_of(rows))
    assert ElementTree.fromstring(xml).findtext(".//fifths") == "2"
    assert ("eighth", "F#4", 0) in heads(xml)


def test_accidentals_are_printed_once_a_measure() -> None:
    rows = [(0, 24, 66, 80), (24, 24, 66, 80), (48, 24, 65, 80), (96, 24, 66, 80)]
    root = ElementTree.fromstring(to_musicxml(score_of(rows, keys=(Key(0, -1, "major"),))))
    signs = [n.findtext("accidental") for n in root.iter("note") if n.find("pitch") is not None]
    assert signs == ["sharp", None, "natural", "sharp"]


# What else is written


def test_meter_changes_tempo_chords_lyrics_and_names() -> None:
    measures = (
        Measure(number="1", start=0, length=96),
        Measure(number="2", start=96, length=72, beats=3),
    )
    notes = Notes.of([(0, 24, 60, 80), (96, 24, 64, 80)])
    score = Score(
        ticks_per_quarter=24,
        parts=(Part(id="P1", name="<Violin> & co", program=40),),
        measures=measures,
        notes=notes,
        tempos=(Tempo(0, 90.0),),
        title="A & <B>",
        annotations=(
            Annotation(0, "chord", "F#m7/C#"),
            Annotation(96, "lyric", "la", "P1"),
            Annotation(0, "fermata", "", "P1"),
        ),
    )
    root = ElementTree.fromstring(to_musicxml(score))
    assert [t.findtext("beats") for t in root.iter("time")] == ["4", "3"]
    assert root.findtext(".//per-minute") == "90"
    assert root.findtext("part-list/score-part/part-name") == "<Violin> & co"
    assert root.findtext("movement-title") == "A & <B>"
    assert root.findtext(".//harmony/root/root-step") == "F"
    assert root.findtext(".//harmony/bass/bass-alter") == "1"
    assert root.findtext(".//lyric/text") == "la"
    assert len(list(root.iter("fermata"))) == 1


def test_an_excerpt_has_its_own_measures_numbers_and_ids() -> None:
    rows = [(i * 24, 24, 60 + i % 12, 80) for i in range(40)]
    score = score_of(rows, measures=10, keys=(Key(0, 1, "major"),))
    root = ElementTree.fromstring(to_musicxml(score, ids=True, measures=(4, 6)))
    assert [m.get("number") for m in root.iter("measure")] == ["5", "6"]
    assert [m.get("id") for m in root.iter("measure")] == ["m4.p0", "m5.p0"]
    assert [n.get("id") for n in root.iter("note")] == [f"n{row}" for row in range(16, 24)]
    assert root.findtext(".//fifths") == "1"


def test_an_excerpt_shows_what_sounds_into_it() -> None:
    score = score_of([(0, 120, 60, 80)], measures=2)
    notes = list(ElementTree.fromstring(to_musicxml(score, ids=True, measures=(1, 2))).iter("note"))
    assert notes[0].get("id") == "n0" and notes[0].findtext("duration") == "24"


def test_measures_go_on_where_notes_do() -> None:
    score = score_of([(96 * 3, 24, 60, 80)], measures=2)
    root = ElementTree.fromstring(to_musicxml(score))
    assert [m.get("number") for m in root.iter("measure")] == ["1", "2", "3", "4"]


def test_only_the_parts_wanted() -> None:
    parts = (Part(id="A", name="A"), Part(id="B", name="B"))
    score = score_of([(0, 24, 60, 80, 0), (0, 24, 64, 80, 1)], parts=parts)
    root = ElementTree.fromstring(to_musicxml(score, parts=["B"]))
    assert [p.get("id") for p in root.findall("part")] == ["P2"]


def test_an_empty_range_is_refused() -> None:
    with pytest.raises(PreviewError, match="no measures"):
        to_musicxml(score_of([]), measures=(3, 3))


def test_a_score_without_notes_is_rests() -> None:
    xml = to_musicxml(score_of([]))
    assert [kind for kind, _, _ in heads(xml)] == ["measure", "measure"]


def test_overlapping_equal_pitches_do_not_tie_to_each_other() -> None:
    score = score_of([(0, 48, 60, 80), (24, 48, 60, 80)], measures=1)
    assert written(musicxml.read(to_musicxml(score))) == [(0, 1, 60), (1, 2, 60)]


@pytest.mark.slow
def test_every_real_midi_file_engraves_and_adds_up(shared_scores: Path) -> None:
    for path in sorted(shared_scores.glob("miditok/**/*.mid")):
        try:
            score = open_score(path)
        except Exception:  # damaged on purpose
            continue
        if not score.parts:
            continue
        window = (0, min(40, len(score.measures)))
        for place, sums in measure_sums(to_musicxml(score, measures=window)):
            assert len(sums) == 1, (path.name, place, sums)


@st.composite
def loose_scores(draw: st.DrawFn) -> Score:
    """Any meters, odd measure lengths, several parts, drums, notes anywhere."""
    tpq = draw(st.sampled_from([96, 120, 384, 480, 1000]))
    measures, start = [], 0
    for number in range(draw(st.integers(1, 4))):
        beat_type = draw(st.sampled_from([1, 2, 4, 8, 16, 32, 64]))
        beats = draw(st.integers(1, 13))
        full = max(1, tpq * 4 * beats // beat_type)
        length = draw(st.sampled_from([full, full, max(1, full // 2), full + 7]))
        measures.append(
            Measure(
                number=str(number), start=start, length=length, beats=beats, beat_type=beat_type
            )
        )
        start += length
    parts = (
        Part(id="P1", name="Piano", program=0),
        Part(id="P2", name="Drums", is_drums=True),
        Part(id="P3", name="Flute", program=73),
    )
    row = st.tuples(
        st.integers(0, start - 1),
        st.integers(1, 4 * tpq),
        st.integers(20, 100),
        st.integers(1, 127),
        st.integers(0, 2),
        st.integers(1, 3),
    )
    rows = draw(st.lists(row, max_size=40))
    return Score(ticks_per_quarter=tpq, parts=parts, measures=tuple(measures), notes=Notes.of(rows))


@settings(max_examples=150, deadline=None)
@given(loose_scores())
def test_whatever_comes_the_voices_of_a_measure_add_up(score: Score) -> None:
    xml = to_musicxml(score, ids=True)
    for place, sums in measure_sums(xml):
        assert len(sums) == 1, place
    root = ElementTree.fromstring(xml)
    ids = [e.get("id") for kind in ("note", "measure") for e in root.iter(kind) if e.get("id")]
    assert len(ids) == len(set(ids))


def test_what_would_take_too_long_is_refused_with_a_way_out() -> None:
    many = score_of([(n // 50, 1, n % 50 + 30) for n in range(100_001)], measures=30)
    with pytest.raises(LimitError, match="100,001 notes to engrave.*Choose fewer measures"):
        to_musicxml(many)
    assert to_musicxml(many, measures=(25, 26)).count(b"<measure ") == 1
    long = score_of([(0, 20_000 * 4 * TPQ, 30 + n) for n in range(6)], measures=20_000)
    with pytest.raises(LimitError, match="120,000 notes to engrave, tied ones counted by measure"):
        to_musicxml(long)
    parts = tuple(Part(id=f"P{n}", name="Flute") for n in range(11))
    with pytest.raises(LimitError, match="220,000 measures to engrave"):
        to_musicxml(score_of([(0, 1, 60)], measures=20_000, parts=parts))
