"""What a take did, in numbers, and the verified statement that nothing else changed."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hub.region import Region
from hub.score import BoolArray, Notes, Score

if TYPE_CHECKING:
    from hub.formats import Edit


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """Counts of one take.

    removed, added  notes that went and came
    unchanged       notes in the region that the model wrote again exactly as they were
    lyrics          syllables that went with the notes that carried them (MusicXML)
    outside         notes outside the region, all still there
    bytes_before, bytes_after   size of the user's file; None for a score without one
    verified        the result was re-read and compared: nothing else changed. False only for
                    scores that came from no file, where there is nothing to compare
    """

    removed: int
    added: int
    unchanged: int
    lyrics: int
    outside: int
    bytes_before: int | None
    bytes_after: int | None
    verified: bool

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def sentence(self) -> str:
        if not self.removed and not self.added:
            return "The same notes as before; nothing changed."
        same = f", {self.unchanged} unchanged" if self.unchanged else ""
        words = f", {_count(self.lyrics, 'syllable')} of lyrics gone" if self.lyrics else ""
        counts = f"{_count(self.removed, 'note')} removed, {self.added} added{same}{words}"
        if not self.verified:
            return counts + "."
        return f"{counts}; outside the region nothing changed (verified)."


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def write_receipt(score: Score, region: Region | None, edit: Edit, data: bytes | None) -> Receipt:
    """The receipt of an edit that `formats.splice` has verified (it raises when it cannot).

    region  None: the removed notes themselves, of an edit that a person made
    """
    inside = len(edit.removed)
    if region is not None:
        inside = int(region.contains(score.notes, score).sum())
    return Receipt(
        removed=len(edit.removed),
        added=len(edit.added),
        unchanged=inside - len(edit.removed),
        lyrics=_lyrics_gone(score, edit),
        outside=len(score.notes) - inside,
        bytes_before=len(score.source.data) if score.source else None,
        bytes_after=len(data) if data is not None else None,
        verified=data is not None,
    )


def _lyrics_gone(score: Score, edit: Edit) -> int:
    """Syllables on removed notes that no added note of the same onset and length takes over.

    In MusicXML lyrics belong to notes; in MIDI they are events of their own, which all stay.
    """
    if score.source is None or score.source.format == "midi" or not score.annotations:
        return 0
    replaced = {(n.part, n.onset, n.duration) for n in edit.added}
    gone = {
        (score.parts[n.part].id, n.onset)
        for n in score.notes[edit.removed]
        if (n.part, n.onset, n.duration) not in replaced
    }
    return sum(a.kind == "lyric" and (a.part, a.tick) in gone for a in score.annotations)


def unchanged_rows(before: Notes, after: Notes) -> tuple[BoolArray, BoolArray]:
    """Masks of the notes that stand in both, matched one to one (the voice is not compared)."""
    rows_before, rows_after = _rows(before), _rows(after)
    left = Counter(rows_before) & Counter(rows_after)
    return _take(rows_before, left.copy()), _take(rows_after, left)


def _rows(notes: Notes) -> list[tuple[int, ...]]:
    columns = (notes.part, notes.onset, notes.duration, notes.pitch, notes.velocity)
    return list(zip(*(c.tolist() for c in columns), strict=True))


def _take(rows: list[tuple[int, ...]], left: Counter[tuple[int, ...]]) -> BoolArray:
    mask = np.zeros(len(rows), dtype=bool)
    for index, row in enumerate(rows):
        if left[row] > 0:
            left[row] -= 1
            mask[index] = True
    return mask
