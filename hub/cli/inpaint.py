"""`scorehub inpaint`: rewrite measures of a score. What it does is in `hub.cli.takes`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import hub
from hub.cli import shelf, takes
from hub.cli.output import print_json
from hub.model import DEFAULT_DEADLINE_SECONDS


def add(commands: Any) -> None:
    command = commands.add_parser(
        "inpaint",
        help="rewrite measures of a score",
        description="Rewrite measures of a score. Nothing outside them changes.",
        allow_abbrev=False,
    )
    command.set_defaults(run=run)
    add = command.add_argument
    add("score", metavar="SCORE", help="a MIDI, MusicXML, .mxl or ABC file")
    add("--model", required=True, metavar="MODEL", help=shelf.WHAT_MODEL)
    add("--measures", metavar="M", help='printed numbers: "7-10", "3", "1-2,5"; "#n" is the n-th')
    add("--parts", metavar="P", help="part ids or names, comma-separated (default: all parts)")
    add("--region", metavar="JSON", help='any region: {"boxes": [{"start": 2, "end": 3.5, …}]}')
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="one of its controls")
    add("--n", type=int, default=1, metavar="N", help="number of takes (default 1)")
    add("--seed", type=int, metavar="S", help="same seed, same notes (default: a new one)")
    add("-o", "--output", type=Path, metavar="OUT", help="a folder, or a file for one take")
    add("--force", action="store_true", help="overwrite existing files (never the input)")
    add(
        "--deadline", type=float, default=DEFAULT_DEADLINE_SECONDS, metavar="S",
        help="stop after so many seconds (default %(default)g)",
    )  # fmt: skip
    add("--json", action="store_true", help="print the results as JSON")


def run(args: argparse.Namespace) -> int:
    order = takes.Order(
        score=Path(args.score),
        model=args.model,
        measures=args.measures,
        parts=args.parts,
        region=args.region,
        settings=args.set,
        takes=args.n,
        seed=args.seed,
        output=args.output,
        force=args.force,
        deadline_seconds=args.deadline,
    )
    written: list[dict[str, Any]] = []
    try:
        for receipt in takes.carry_out(order, _show_progress):
            written.append(receipt)
            if not args.json:
                print(_receipt_text(receipt), flush=True)
    finally:
        if args.json:
            print_json(written)
    return 0


def _show_progress(progress: hub.Progress | None) -> None:
    """One line on a terminal, rewritten in place; None wipes it."""
    if sys.stderr.isatty():
        line = f"{progress.fraction:4.0%} {progress.text}" if progress else ""
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)


def _receipt_text(receipt: dict[str, Any]) -> str:
    head = f"{receipt['file']}: {receipt['sentence']} {receipt['seconds']:.2f} s."
    return "\n".join([head, *(f"    {line}" for line in receipt["log"])])
