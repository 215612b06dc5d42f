"""`scorehub check FOLDER`: prove that a model folder keeps its card's word."""

from __future__ import annotations

import argparse
from typing import Any

from hub import check
from hub.cli import output, shelf


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
    report = check.check_folder(shelf.locate(args.folder))
    if args.json:
        output.print_json(report.to_json())
    else:
        print(report.table())
    return 0 if report.is_ok else 1
