"""The command line: scorehub inpaint | check | list | app.

A script can rely on this: results go to standard output, everything else to standard error;
`--json` makes the results JSON; a failure is one line that begins with "scorehub: " and an exit
code: 0 done · 1 failed, or `check` found a fault · 2 wrong usage · 3 the file · 4 the region ·
5 a control · 6 the card · 7 the model · 8 the splice · 9 a preview · 10 code that nobody trusted ·
11 the Hub, or the way there · 75 busy · 130 stopped · 141 nobody reads the output any more.
The environment variable SCOREHUB_DEBUG=1 shows the traceback of an unexpected failure.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import hub
from hub.cli import check, inpaint, listing, load, local_hub, new, publish, shelf, space, trust
from hub.errors import ScorehubError
from hub.model import DEFAULT_DEADLINE_SECONDS

USAGE_ERROR = 2
INTERRUPTED = 130
READER_GONE = 141  # what a shell reports of a program that SIGPIPE has ended


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. Never raises, never shows a traceback unasked."""
    try:
        args = _parser().parse_args(argv)
    except SystemExit as error:  # argparse has said why
        return error.code if isinstance(error.code, int) else 1
    try:
        code: int = args.run(args)
        sys.stdout.flush()
        return code
    except ScorehubError as error:
        return _complain(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _complain("Stopped, as you asked.", INTERRUPTED)
    except BrokenPipeError:  # the reader has what it wanted, as in `scorehub list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE
    except Exception as error:
        return _unexpected(error)


def _complain(message: str, code: int) -> int:
    print(f"scorehub: {message}", file=sys.stderr)
    return code


def _unexpected(error: Exception) -> int:
    if os.environ.get("SCOREHUB_DEBUG"):
        import traceback

        traceback.print_exc()
    return _complain(_what_happened(error), ScorehubError.exit_code)


def _what_happened(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError) and not str(error.name).startswith("hub."):
        return (
            f'This needs the package "{error.name}": install it with pip, or everything at once '
            'with pip install "scorehub[all]".'
        )
    return (
        f"Something unexpected went wrong ({type(error).__name__}: {error}). Run it again with "
        "SCOREHUB_DEBUG=1 to see where, and tell us."
    )


class _Parser(argparse.ArgumentParser):
    """argparse, with failures in the form that all others have."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE_ERROR, f"scorehub: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="scorehub",
        description="Models that rewrite any part of a score, given the rest.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"scorehub {hub.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    own = (_add_inpaint, listing.add, _add_app)
    for add in (
        *own,
        check.add,
        load.add,
        local_hub.add,
        new.add,
        publish.add,
        space.add,
        trust.add,
    ):
        add(commands)
    return parser


def _add_inpaint(commands: Any) -> None:
    command = commands.add_parser(
        "inpaint",
        help="rewrite measures of a score",
        description="Rewrite measures of a score. Nothing outside them changes.",
        allow_abbrev=False,
    )
    command.set_defaults(run=_inpaint)
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
    _add_json(command)


def _add_app(commands: Any) -> None:
    command = commands.add_parser("app", help="open the hub in a browser", allow_abbrev=False)
    command.set_defaults(run=_app)
    command.add_argument("folders", metavar="FOLDER", nargs="*", help="model folders to add")
    command.add_argument("--port", type=int, help="default: the first free one from 7860 on")
    command.add_argument("--host", default="127.0.0.1", help="default: %(default)s")
    command.add_argument("--no-hub", action="store_true", help="no page of models on the Hub")


def _add_json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print the results as JSON")


def _inpaint(args: argparse.Namespace) -> int:
    order = inpaint.Order(
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
        for receipt in inpaint.carry_out(order, _show_progress):
            written.append(receipt)
            if not args.json:
                print(_receipt_text(receipt), flush=True)
    finally:
        if args.json:
            _print_json(written)
    return 0


def _show_progress(progress: hub.Progress | None) -> None:
    """One line on a terminal, rewritten in place; None wipes it."""
    if sys.stderr.isatty():
        line = f"{progress.fraction:4.0%} {progress.text}" if progress else ""
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)


def _receipt_text(receipt: dict[str, Any]) -> str:
    head = f"{receipt['file']}: {receipt['sentence']} {receipt['seconds']:.2f} s."
    return "\n".join([head, *(f"    {line}" for line in receipt["log"])])


def _app(args: argparse.Namespace) -> int:
    from hub import ui

    folders = [*shelf.at_hand(), *map(shelf.locate, args.folders)]
    demo = ui.build(
        folders, with_gallery=True, with_hub=not args.no_hub, is_public=not ui.is_local(args.host)
    )
    ui.launch(demo, host=args.host, port=args.port)
    return 0


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))
