"""`scorehub check FOLDER`: prove that a model folder keeps its card's word."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from hub import check
from hub.cli import output, shelf

QUIET_SECONDS = 3.0


def add(commands: Any) -> None:
    command = commands.add_parser(
        "check",
        help="prove that a model folder keeps its card's word",
        description="Try a model on every shape of region that its card declares, and measure it.",
        allow_abbrev=False,
    )
    command.set_defaults(run=run)
    command.add_argument("folder", metavar="FOLDER", help="a model folder, or a name in models/")
    command.add_argument("--json", action="store_true", help="print the report as JSON")


def run(args: argparse.Namespace) -> int:
    folder = shelf.locate(args.folder)
    if args.json:
        report = check.check_folder(folder)
        output.print_json(report.to_json())
    else:
        progress = Progress()
        report = check.check_folder(folder, on_finding=progress.found, on_step=progress.at)
        print(report.table())
    return 0 if report.is_ok else 1


class Progress:
    """Tells a person at a terminal what has been checked, and where a long check is."""

    def __init__(self) -> None:
        self.is_wanted = sys.stderr.isatty()
        self.told = time.monotonic()

    def found(self, finding: check.Finding) -> None:
        self._say(f"{finding.status:<5} {finding.name}")

    def at(self, name: str, step: str) -> None:
        if step and time.monotonic() - self.told > QUIET_SECONDS:
            self._say(f"      {name}: {step}")

    def _say(self, words: str) -> None:
        self.told = time.monotonic()
        if self.is_wanted:
            output.say(words)
