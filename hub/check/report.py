"""What a check has found out, for a person and for a script."""

from __future__ import annotations

import textwrap
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

OK, WARN, FAIL = "ok", "warn", "fail"
COLUMNS = 100


@dataclass(frozen=True)
class Finding:
    """One line of the table. status is OK, WARN or FAIL."""

    name: str
    status: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one take was measured to cost at most; None: it could not be measured.

    memory_mb   the model's own: what a process of its own grew by, libraries included
    """

    seconds: float | None = None
    memory_mb: int | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was found out about a model folder."""

    model: str
    folder: str
    findings: tuple[Finding, ...]
    measured: Cost = Cost()

    @property
    def is_ok(self) -> bool:
        return all(finding.status != FAIL for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "ok": self.is_ok}

    def table(self) -> str:
        """For a person: a row for each finding, and the verdict."""
        width = max(len(finding.name) for finding in self.findings)
        lines = [_line(finding, width) for finding in self.findings]
        counts = Counter(finding.status for finding in self.findings)
        verdict = f"{counts[FAIL]} failed" if counts[FAIL] else "keeps its card's word"
        warned = f", {counts[WARN]} to look at" if counts[WARN] else ""
        return "\n".join([*lines, f"{self.model}: {verdict}{warned}."])


def _line(finding: Finding, width: int) -> str:
    head = f"{finding.status:<5} {finding.name:<{width}}  "
    return textwrap.fill(
        finding.detail, COLUMNS, initial_indent=head, subsequent_indent=" " * len(head),
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
