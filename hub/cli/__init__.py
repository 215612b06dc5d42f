"""The command line. A command is a module with `add(commands)`, and a place in COMMANDS.

A script can rely on this: results go to standard output, everything else to standard error;
`--json` makes the results JSON; a failure is one line that begins with "scorehub: " and an exit
code: 0 done · 1 failed, or `check` found a fault · 2 wrong usage · 3 the file · 4 the region ·
5 a control · 6 the card · 7 the model · 8 the splice · 9 a preview · 10 code that nobody trusted ·
11 the Hub, or the way there · 75 busy · 130 stopped · 141 nobody reads the output any more.
The environment variable SCOREHUB_DEBUG=1 shows the traceback of an unexpected failure.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import hub
from hub.cli import app, check, inpaint, listing, load, local_hub, new, publish, space, trust
from hub.errors import ScorehubError

COMMANDS = (inpaint, listing, app, load, trust, new, check, publish, space, local_hub)

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
    for command in COMMANDS:
        command.add(commands)
    return parser
