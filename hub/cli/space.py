"""`scorehub space FOLDER -o DIR`: write a model's page as a Gradio Space."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

from hub import space
from hub.cli import shelf
from hub.space.readme import GRADIO_VERSION


def add(commands: Any) -> None:
    command = commands.add_parser(
        "space",
        help="write a model's page as a Gradio Space",
        description="Write everything that a Space on the Hub needs to show a model's page.",
        allow_abbrev=False,
    )
    command.set_defaults(run=run)
    add_ = command.add_argument
    add_("folder", metavar="FOLDER", help="a model folder, or a name in models/")
    add_(
        "-o", "--output", type=Path, required=True, metavar="DIR",
        help="a new or empty folder, or one with an earlier Space, which is brought up to date",
    )  # fmt: skip
    add_("--model-id", metavar="USER/NAME", help="the model's repository, for the Space's card")
    add_(
        "--link", action="store_true",
        help="link to the code and the model instead of copying them",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    make = space.link if args.link else space.write
    for name in make(shelf.locate(args.folder), args.output, model_id=args.model_id):
        print(args.output / name)
    print("\n".join(["", *_next(args)]), file=sys.stderr)
    return 0


def _next(args: argparse.Namespace) -> list[str]:
    """What its author does with it, as commands to be copied."""
    place, model = shlex.quote(str(args.output)), shlex.quote(args.folder)
    return [
        f"See it here (needs pip install gradio=={GRADIO_VERSION} -r {place}/requirements.txt):",
        f"  cd {place} && python app.py",
        "Put it on the Hub, with its model:",
        f"  scorehub publish {model} --to {args.model_id or 'USER/NAME'} --space",
    ]
