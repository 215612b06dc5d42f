"""What every format must keep: the same tests over every row of the table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import hub
from hub import formats
from hub.errors import FileError, PromiseError
from hub.score import Key, Measure, Notes, Part, Tempo

ROWS = formats.all_formats()
WRITTEN = [row for row in ROWS if row.write]
EDITED = [row for row in ROWS if row.splice]
NAMES = {"ids": lambda row: row.name}


def tune() -> hub.Score:
    """Two parts, eight measures of 4/4, eighths and triplets above, held notes below."""
    steps = (60, 62, 64, 65, 67, 69, 71, 72)
    upper = [(i * 12, 12, steps[i % 8]) for i in range(48)]
    upper += [(576 + i * 8, 8, steps[-1 - i % 8]) for i in range(24)]
    lower = [(i * 96, 96, 48 + (i % 3), 80, 1) for i in range(8)]
    return hub.Score(
        ticks_per_quarter=24,
        title="Contract",
        parts=(Part(id="P1", name="Upper", program=73), Part(id="P2", name="Lower", program=42)),
        measures=tuple(Measure(number=str(i + 1), start=96 * i, length=96) for i in range(8)),
        notes=Notes.of([*upper, *lower]),
        tempos=(Tempo(0, 100.0),),
        keys=(Key(0, 0),),
    )


def written(row: formats.Format) -> hub.Score:
    return hub.read_score(row.write(tune()), "tune" + row.extensions[0])


def rows_of(score: hub.Score) -> list[tuple[float, float, int, int]]:
    """(onset, duration in quarters, pitch, part): what must survive in any format."""
    scale = score.ticks_per_quarter
    return [(n.onset / scale, n.duration / scale, n.pitch, n.part) for n in score.notes]


@pytest.mark.parametrize("row", ROWS, **NAMES)
def test_rows_are_complete(row):
    assert formats.get(row.name) is row
    assert all(e.startswith(".") and e == e.lower() for e in row.extensions)
    assert (row.splice is None) == (row.verify is None)


@pytest.mark.parametrize("row", WRITTEN, **NAMES)
def test_what_is_written_is_read_again(row):
    score = written(row)
    assert rows_of(score) == rows_of(tune())
    assert [p.name for p in score.parts] == ["Upper", "Lower"]
    assert [m.number for m in score.measures] == [str(i + 1) for i in range(8)]
    assert round(score.tempos[0].qpm) == 100
    assert score.source.name == "tune" + row.extensions[0]


@pytest.mark.parametrize("row", EDITED, **NAMES)
def test_an_edit_of_nothing_is_the_same_file(row):
    score = written(row)
    nothing = formats.Edit(removed=np.empty(0, np.int64), added=Notes.empty())
    assert formats.splice(score, nothing) == score.source.data


def edit(score: hub.Score) -> formats.Edit:
    """Measure 3 of the upper part becomes four quarters and two triplet eighths."""
    quarter = score.ticks_per_quarter
    region = hub.Region(boxes=(hub.Box(start=2, end=3, part=score.parts[0].id),)).resolve(score)
    removed = np.flatnonzero(region.contains(score.notes, score))
    onset = 8 * quarter
    added = [(onset + i * quarter, quarter, 70 + i) for i in range(3)]
    added += [(onset + 3 * quarter + i * quarter // 3, quarter // 3, 80 + i) for i in range(3)]
    return formats.Edit(removed=removed, added=Notes.of(added))


@pytest.mark.parametrize("row", EDITED, **NAMES)
def test_an_edit_leaves_everything_else_and_can_be_edited_again(row):
    score = written(row)
    change = edit(score)
    data = formats.splice(score, change)
    again = hub.read_score(data, score.source.name)
    stays = np.setdiff1d(np.arange(len(score.notes)), change.removed)
    columns = ("onset", "duration", "pitch", "part")
    wanted = score.notes[stays] + change.added
    assert again.ticks_per_quarter == score.ticks_per_quarter
    for name in columns:
        assert getattr(again.notes, name).tolist() == getattr(wanted, name).tolist()
    assert again.measures == score.measures
    assert formats.splice(again, edit(again)) is not None


@pytest.mark.parametrize("row", EDITED, **NAMES)
def test_verify_finds_what_a_splice_must_not_do(row):
    """The right edit passes; the same edit plus one note more, or one other note gone, does not."""
    score = written(row)
    change = edit(score)
    row.verify(score, change, row.splice(score, change))
    other = int(np.flatnonzero(score.notes.onset >= 20 * score.ticks_per_quarter)[0])
    thief = replace(change, removed=np.sort(np.append(change.removed, other)))
    intruder = replace(change, added=change.added + Notes.of([(0, 5, 100)]))
    for wrong in (thief, intruder):
        with pytest.raises(PromiseError):
            row.verify(score, change, row.splice(score, wrong))
    with pytest.raises(PromiseError):
        row.verify(score, change, score.source.data)


@pytest.mark.parametrize("row", WRITTEN, **NAMES)
def test_a_damaged_file_is_a_sentence(row):
    data = row.write(tune())
    for cut in range(0, len(data), max(1, len(data) // 40)):
        try:
            hub.read_score(data[:cut], "tune" + row.extensions[0])
        except FileError as error:
            assert str(error).endswith((".", "?"))
            assert "Traceback" not in str(error)


@pytest.mark.parametrize("row", ROWS, **NAMES)
def test_a_file_that_is_only_named_like_it(row):
    with pytest.raises(FileError, match="named like|is not"):
        hub.read_score(b"Dear diary, today I wrote no music at all.", "x" + row.extensions[0])


def test_what_no_format_reads():
    with pytest.raises(FileError, match="is empty"):
        hub.read_score(b"  \n", "a.mid")
    with pytest.raises(FileError, match=r"it reads .*\.mid"):
        hub.read_score(b"%PDF-1.7", "a.pdf")
    with pytest.raises(FileError, match="cannot be opened"):
        hub.open_score("/nowhere/a.mid")


def test_only_files_are_opened(tmp_path):
    for place in ("/dev/zero", tmp_path):
        with pytest.raises(FileError, match="is not a file"):
            hub.open_score(place)
