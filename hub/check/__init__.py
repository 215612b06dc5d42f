"""Proof that a model folder keeps its card's word: what `scorehub check` runs.

Card and files are looked at here. The model is loaded and tried (`hub.check.checks`) in a process
of its own, which is ended when it takes too long (`hub.check.watch`): a model that loops, crashes
or prints costs a row of the table, and not the table. Code that came from a Hub is not run:
`hub.folder` refuses it, there as elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from hub import hub_card
from hub.card import CARD_FILE, ModelCard, read_card
from hub.check import files, watch
from hub.check.checks import CHECKS
from hub.check.report import FAIL, OK, WARN, Cost, Finding, Report
from hub.errors import ScorehubError

__all__ = ["CHECKS", "FAIL", "OK", "WARN", "Cost", "Finding", "Report", "check_folder"]


def check_folder(
    folder: str | Path,
    *,
    on_finding: Callable[[Finding], None] = lambda finding: None,
    on_step: Callable[[str, str], None] = lambda check, step: None,
) -> Report:
    """Run every check on a model folder; a later one is left out where an earlier one must hold.

    `on_finding` gets each row as soon as it is known, `on_step` the check and what it begins.
    """
    path, findings, measured = Path(folder), list[Finding](), Cost()
    for found in _examine(path, on_step):
        if isinstance(found, Cost):
            measured = found
        else:
            findings.append(found)
            on_finding(found)
    name = path.resolve().name
    return Report(model=name, folder=str(path), findings=tuple(findings), measured=measured)


def _examine(path: Path, on_step: Callable[[str, str], None]) -> Iterator[Finding | Cost]:
    name = "card"
    try:
        card = read_card(path)
        yield from _card_is_complete(card, path)
        name = "files"
        yield from files.examine(path)
        name = "loads"
        yield from watch.examine(path, on_step)
    except ScorehubError as error:
        yield Finding(name, FAIL, str(error))


def _card_is_complete(card: ModelCard, folder: Path) -> Iterator[Finding]:
    """Does it say what every card must, in words that the Hub knows?"""
    missing = card.missing_to_publish()
    if "accepts" not in card.front["scorehub"]:
        missing.append("scorehub.accepts")
    if missing:
        yield Finding("card", FAIL, f"it does not say: {', '.join(missing)}")
        return
    text = (folder / CARD_FILE).read_text(encoding="utf-8")
    hub_card.published_card(text, card.name)
    left = [str(n) for n in hub_card.unfinished_lines(text)]
    doubts = hub_card.doubts(card)
    if left:
        doubts.append(f"It says {hub_card.CHANGE_ME} (line {', '.join(left)}).")
    yield from (Finding("card", WARN, doubt) for doubt in doubts)
    if not doubts:
        yield Finding("card", OK, f"complete; licence {card.license}")
