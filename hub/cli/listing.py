"""`scorehub list`: the models at hand, or with --hub those that others have published."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import hub
from hub.cli import shelf
from hub.cli.output import card_facts, print_json, say
from hub.cli.takes import UsageError
from hub.errors import CardError, ScorehubError
from hub.remote.search import MOST_PER_PAGE, Listing, pages

LIMIT = 20  # models shown at a time
MOST_PAGES = 1_000  # of --all, lest a broken Hub go round in circles


def add(commands: Any) -> None:
    command = commands.add_parser(
        "list",
        help="the models at hand, or on the Hub",
        description="Lists the model folders at hand; with --hub, published models, the most "
        "downloaded first.",
        allow_abbrev=False,
    )
    command.set_defaults(run=run)
    add = command.add_argument
    add("folder", metavar="FOLDER", nargs="?", help="default: models/")
    add("--hub", action="store_true", help="models that have been published on the Hub")
    add("--search", metavar="TEXT", help="with --hub: only those with this in their names")
    add("--limit", type=_number, metavar="N", help=f"with --hub: models a page (default {LIMIT})")
    add("--page", type=_number, metavar="N", help="with --hub: the N-th page (default 1)")
    add("--all", action="store_true", help="with --hub: every page")
    add("--json", action="store_true", help="print the results as JSON")


def run(args: argparse.Namespace) -> int:
    if args.hub:
        return _list_hub(args)
    if args.all or any(given is not None for given in (args.search, args.limit, args.page)):
        raise UsageError("--search, --limit, --page and --all list the Hub; add --hub.")
    return _list_folders(args.folder, args.json)


def _number(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 1_000_000:
        raise argparse.ArgumentTypeError(f'"{text}" is not a whole number from 1 on')
    return int(text)


# --- the Hub ------------------------------------------------------------------------------------


def _list_hub(args: argparse.Namespace) -> int:
    if args.folder:
        raise UsageError(f'--hub lists the Hub, and "{args.folder}" is a folder; give one of them.')
    if args.all and args.page:
        raise UsageError("--all shows every page; leave --page out.")
    limit, page = args.limit or LIMIT, args.page or 1
    found = _published(args.search or "", MOST_PER_PAGE if args.all else limit)
    rows = list(found if args.all else islice(found, (page - 1) * limit, page * limit))
    if args.json:
        print_json([_hub_row(row) for row in rows])
    elif rows:
        print("\n\n".join(map(_hub_text, rows)))
    if not rows:
        say(_nothing(args.search, page))
    elif not args.all and next(found, None) is not None:
        say(f"There are more: --page {page + 1}, or --all.")
    return 0


def _published(text: str, page_size: int) -> Iterator[Listing]:
    for page in pages(text, page_size=page_size, most=MOST_PAGES):
        yield from page.results


def _nothing(text: str | None, page: int) -> str:
    from hub.remote import client

    which = f' with "{text}" in its name' if text else ""
    return f"There is no {'more ' if page > 1 else ''}model{which} on {client.host()}."


def _hub_row(row: Listing) -> dict[str, Any]:
    when = row.last_modified.isoformat() if row.last_modified else None
    return {**asdict(row), "last_modified": when}


def _hub_text(row: Listing) -> str:
    head = f"{row.repo_id}  ({row.title})"
    if row.problem:
        return f"{head}\n    cannot be used: {row.problem}"
    said = f"Licence: {row.license or 'not stated'}."
    if row.datasets:
        said += f" Trained on: {', '.join(row.datasets)}."
    lines = [row.summary, *row.limits, said, _figures(row)]
    return "\n    ".join([head, *filter(None, lines)])


def _figures(row: Listing) -> str:
    said = ["its own code" if row.runs_own_code else f"data for {row.architecture}"]
    if row.downloads is not None:
        said.append(f"{row.downloads} downloads")
    if row.last_modified is not None:
        said.append(f"last change {row.last_modified:%Y-%m-%d}")
    said += [word for word, is_so in (("gated", row.gated), ("private", row.private)) if is_so]
    return f"({', '.join(said)})"


# --- folders ------------------------------------------------------------------------------------


def _list_folders(folder: str | None, as_json: bool) -> int:
    rows = [_row(path) for path in shelf.at_hand(folder)]
    if as_json:
        print_json(rows)
    elif rows:
        print("\n\n".join(map(_text, rows)))
    else:
        where = f'in "{folder}"' if folder else "in models/"
        print(f"There are no model folders {where}.", file=sys.stderr)
    return 0 if all("error" not in row for row in rows) else CardError.exit_code


def _row(path: Path) -> dict[str, Any]:
    try:
        card = hub.read_card(path)
    except ScorehubError as error:
        return {"name": path.name, "folder": str(path), "error": str(error)}
    return {"name": card.name, "folder": str(path), **card_facts(card)}


def _text(row: dict[str, Any]) -> str:
    if "error" in row:
        return f"{row['name']}  ({row['folder']})\n    cannot be used: {row['error']}"
    lines = [row["summary"], *row["limits"]]
    if row["params"]:
        controls = ", ".join(f"{spec['name']}={spec['default']}" for spec in row["params"])
        lines.append(f"Controls (--set): {controls}.")
    return "\n    ".join([f"{row['name']}  ({row['folder']})", *filter(None, lines)])
