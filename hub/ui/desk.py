"""What one visitor's page remembers on the server: the score they work on, and the run going on."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace

from hub.accepts import Accepts
from hub.model import Take
from hub.region import Region
from hub.score import Score
from hub.ui.selection import Fit, fit

MAX_UNDO = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class Desk:
    """The score on the page and how it came to be.

    fit         where the model's card fits this score
    kept        how the score differs from the uploaded one: "take 2 (seed 7) kept", …
    takes       the takes that were on the page when this desk was left
    previous    the desk before the last kept take
    """

    score: Score
    fit: Fit
    kept: tuple[str, ...] = ()
    takes: tuple[Take, ...] = ()
    previous: Desk | None = None

    def keep(self, take: Take, number: int, takes: tuple[Take, ...], accepts: Accepts) -> Desk:
        """The desk with a take as its score; this one, with its takes, stays behind it."""
        region: Region = take.region
        found = fit(accepts, take.score)
        note = f"take {number} (seed {take.seed}, measures {take.measures_text()})"
        return Desk(
            score=take.score,
            fit=replace(found, region=region),
            kept=(*self.kept, note),
            previous=_shortened(replace(self, takes=takes), MAX_UNDO - 1),
        )


def _shortened(desk: Desk, depth: int) -> Desk:
    """The desk with at most `depth` desks behind it."""
    if desk.previous is None:
        return desk
    return replace(desk, previous=_shortened(desk.previous, depth - 1) if depth > 0 else None)


@dataclass(frozen=True, eq=False)
class Run:
    """One press of the button. `stop`: the visitor cancelled; `stale`: something newer began."""

    stop: threading.Event = field(default_factory=threading.Event)
    stale: threading.Event = field(default_factory=threading.Event)

    def retire(self) -> None:
        self.stop.set()
        self.stale.set()
