"""What the page says about a score: plain sentences, and HTML made of them."""

from __future__ import annotations

from hub.score import Score
from hub.ui import pictures
from hub.ui.desk import Desk


def counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def part_label(score: Score, part_id: str) -> str:
    part = score.parts[score.part_index(part_id)]
    notes = counted(len(score.notes_of(part_id)), "note")
    return f"{part.id} {part.name} ({notes})" if part.name else f"{part.id} ({notes})"


def about_score(desk: Desk) -> str:
    score = desk.score
    name = score.source.name if score.source else "score"
    sizes = {"measure": len(score.measures), "part": len(score.parts), "note": len(score.notes)}
    said = f"{name}: " + ", ".join(counted(n, word) for word, n in sizes.items()) + "."
    if score.source and score.source.converted_from:
        said += (
            f" It was converted from {score.source.converted_from}; what you download is the "
            "converted score."
        )
    if desk.kept:
        said += f" With {'; '.join(desk.kept)} kept."
    return pictures.message(said, "note")


def parts_note(desk: Desk) -> str:
    """Why the other parts cannot be chosen, a line a part."""
    lines = [f"{part_label(desk.score, i)}: {why}" for i, why in desk.fit.reasons.items()]
    return pictures.listed("Parts that this model cannot rewrite", lines) if desk.fit.region else ""


def nothing_fits(desk: Desk) -> str:
    if desk.fit.region is not None:
        return ""
    return f"Nothing in this score fits this model. {desk.fit.reason}"
