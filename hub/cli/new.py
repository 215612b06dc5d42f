"""`scorehub new NAME`: write a model folder that already works, and say what comes next."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

from hub import starter


def add(commands: Any) -> None:
    command = commands.add_parser(
        "new",
        help="start a model of your own",
        description="Write a model folder that already works: card, code, example score, test.",
        allow_abbrev=False,
    )
    command.set_defaults(run=run)
    command.add_argument("name", metavar="NAME", help="as on the Hub, such as my-model")
    command.add_argument(
        "--folder", metavar="DIR", type=Path, default=Path(), help="make it in DIR, not here"
    )


def run(args: argparse.Namespace) -> int:
    starter.check_name(args.name)  # before it is joined to a path
    folder = args.folder / args.name
    for path in starter.write(folder):
        print(path)
    print("\n".join(["", "It works already. Next:", *next_commands(folder)]), file=sys.stderr)
    return 0


def next_commands(folder: Path) -> list[str]:
    """The three commands that an author needs after this one, ready to be copied."""
    place, score = shlex.quote(str(folder)), shlex.quote(str(folder / starter.EXAMPLE))
    return [
        f"  scorehub check {place}",
        f"  scorehub inpaint {score} --model {place} --parts P1 --measures 5-8",
        f"  scorehub publish {place} --to USER/{folder.name} --dry-run",
    ]
