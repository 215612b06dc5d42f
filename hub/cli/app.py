"""`scorehub app`: open the hub in a browser."""

from __future__ import annotations

import argparse
from typing import Any

from hub.cli import shelf


def add(commands: Any) -> None:
    command = commands.add_parser("app", help="open the hub in a browser", allow_abbrev=False)
    command.set_defaults(run=run)
    add = command.add_argument
    add("folders", metavar="FOLDER", nargs="*", help="model folders to add")
    add("--port", type=int, help="default: the first free one from 7860 on")
    add("--host", default="127.0.0.1", help="default: %(default)s")
    add("--no-hub", action="store_true", help="no page of models on the Hub")


def run(args: argparse.Namespace) -> int:
    from hub import ui

    folders = [*shelf.at_hand(), *map(shelf.locate, args.folders)]
    demo = ui.build(
        folders, with_gallery=True, with_hub=not args.no_hub, is_public=not ui.is_local(args.host)
    )
    ui.launch(demo, host=args.host, port=args.port)
    return 0
