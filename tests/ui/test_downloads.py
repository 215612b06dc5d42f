from __future__ import annotations

import io
import zipfile

import pytest

import hub
from hub.errors import ScorehubError
from hub.model import Take
from hub.score import Score
from hub.ui import downloads
from hub.ui.library import Entry


@pytest.fixture
def take(echo: Entry, tune: Score) -> Take:
    region = hub.Region.measures(tune, "3-4", ["P1"])
    return hub.inpaint(echo.model(), tune, region, seed=42)[0]


def test_the_whole_file_is_the_take_itself(take: Take) -> None:
    assert downloads.make(take, "file", "echo") == ("tune.m3-4.echo.seed42.mid", take.data)


def test_the_score_with_kept_takes_has_a_name_that_says_so(take: Take, mixed: Score) -> None:
    assert downloads.kept_score(take.score, 2) == ("tune.kept2.mid", take.data)
    name, data = downloads.kept_score(mixed, 1)
    assert name == "score.kept1.mid" and len(hub.read_score(data, name).notes) == len(mixed.notes)


def test_the_region_alone_begins_at_its_first_measure(take: Take) -> None:
    name, data = downloads.make(take, "region", "echo")
    cut = hub.read_score(data, name)
    assert name == "tune.m3-4.echo.seed42.region.mid"
    assert [n[:3] for n in cut.notes] == [(n[0] - 2 * 1920, *n[1:3]) for n in take.notes]


def test_the_zip_holds_a_file_a_part(take: Take) -> None:
    name, data = downloads.make(take, "parts", "echo")
    assert name == "tune.m3-4.echo.seed42.parts.zip"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["P1-Flute.mid", "P2-Bass.mid"]
        bass = hub.read_score(archive.read("P2-Bass.mid"), "bass.mid")
    assert len(bass.notes) == len(take.score.notes_of("P2"))


def test_renderings_are_offered_only_where_they_are_renderings(take: Take) -> None:
    kinds = [kind for _, kind in downloads.choices(take.before)]
    assert "musicxml" in kinds and "midi" not in kinds
    labels = {kind: label for label, kind in downloads.choices(take.before)}
    assert "edited in place" in labels["file"] and "rendering" in labels["musicxml"]


def test_an_unknown_kind_is_refused(take: Take) -> None:
    with pytest.raises(ScorehubError, match='no download "mp3"'):
        downloads.make(take, "mp3", "echo")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("../../etc/passwd", "etc-passwd"),
        ('<img src=x onerror="a">', "img src-x onerror-a"),
        ("a\x00b\nc", "a-b-c"),
        ("...", "score"),
        ("Größe 1", "Größe 1"),
    ],
)
def test_names_are_made_safe(text: str, name: str) -> None:
    assert downloads.safe_name(text) == name


def test_a_long_name_in_any_script_fits_a_file_system() -> None:
    name = downloads.safe_name("漢字" * 100 + ".m5-8.echo.seed1")
    assert name.endswith("字.m5-8.echo.seed1") and len(name.encode()) <= 120
