"""The benchmarks measure what they say, on files that a second parser reads the same way."""

from __future__ import annotations

import io
from pathlib import Path

import mido
import pytest

import hub
from benchmarks import files, music, report


@pytest.mark.parametrize("wanted", [200, 4_000])
def test_the_song_has_the_notes_it_says(wanted: int) -> None:
    data = music.song(wanted)
    assert data == music.song(wanted)
    score = hub.read_score(data, "song.mid")
    assert wanted <= len(score.notes) < wanted + music.NOTES_PER_MEASURE
    assert len(score.parts) == len(music.PROGRAMS) + 1
    assert [part.is_drums for part in score.parts] == [False] * 5 + [True]
    messages = [m for track in mido.MidiFile(file=io.BytesIO(data)).tracks for m in track]
    sounding = [m for m in messages if m.type == "note_on" and m.velocity]
    assert len(sounding) == len(score.notes)
    assert {"control_change", "pitchwheel", "set_tempo"} <= {m.type for m in messages}


def test_the_melody_is_one_line() -> None:
    score = hub.read_score(music.melody(16), "melody.mid")
    assert len(score.measures) == 16
    assert (score.notes.end[:-1] <= score.notes.onset[1:]).all()


def test_every_peer_makes_the_same_edit() -> None:
    """Eight notes in measures 3-4 of the first part, whoever writes them."""
    data = music.song(400)
    hub_made = hub.read_score(files.edit_with_hub(data), "a.mid")
    peer_made = hub.read_score(files.edit_with_pretty_midi(data), "b.mid")
    for score in (hub_made, peer_made):
        line = score.notes_of("P1")
        scale = score.ticks_per_quarter / music.TICKS_PER_QUARTER
        start, end = files.FIRST * scale, (files.FIRST + 2 * music.MEASURE) * scale
        inside = line[(line.onset >= start - 2) & (line.onset < end - 2)]
        assert tuple(inside.pitch.tolist()) == files.PITCHES
    assert len(hub_made.notes) == len(hub.read_score(data, "c.mid").notes) - 8


def test_results_go_into_the_marked_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = tmp_path / "results.md"
    document.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    monkeypatch.setattr(report, "DOCUMENT", document)
    monkeypatch.setattr(report, "JSON_FILE", tmp_path / "results.json")
    report.save([report.Row(key="k", what="this", value=1234.5, unit="ms", wanted="< 9", ok=False)])
    text = document.read_text()
    assert text.startswith(f"before\n{report.BEGIN}\n")
    assert text.endswith(f"{report.END}\nafter\n")
    assert "| this | 1,234 ms | < 9 | NO |" in text
    assert "old" not in text
    assert '"value": 1234.5' in (tmp_path / "results.json").read_text()
