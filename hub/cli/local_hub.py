"""scorehub hub: a hub of one's own in a folder."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

_DESCRIPTION = """\
Serve a hub of your own from a folder: for people without an account or a network, and for a
laboratory that shares models in its own network. Publishing, listing and loading work against it,
as do the Hub's own client and command (hf), once HF_ENDPOINT names its address.

What it is not: one process serves one folder. There are no pages but plain text, no git, no pull
requests, no data sets; Spaces are kept but not run; downloads are not counted; transport is plain
HTTP. For more than a few people who trust each other, use the Hub itself.

Without --tokens everybody who reaches the address may read, write and delete everything; it must
then be this machine's own. With it, each owner of a token writes below their own name, and what is
private is seen by its owner alone.
"""


def add(commands: Any) -> None:
    command = commands.add_parser(
        "hub",
        help="serve a hub of your own from a folder",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.set_defaults(run=run)
    option = command.add_argument
    option("--dir", required=True, type=Path, metavar="DIR", help="where everything is kept")
    option("--host", default="127.0.0.1", help="the address to listen at (default: %(default)s)")
    option("--port", type=int, default=7870, help="default: %(default)s; 0: any that is free")
    option(
        "--tokens", type=Path, metavar="FILE",
        help='who may write: lines of "user token", the token at least 8 characters long',
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    from hub.local_hub import serve

    order = serve.Order(folder=args.dir, host=args.host, port=args.port, tokens=args.tokens)
    serve.serve(order)
    return 0
