"""`scorehub trust`: see a stranger's code, then say that it may run."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from hub.cli.output import print_json, say
from hub.errors import LoadError, TrustError
from hub.handle import ModelHandle, parse_handle
from hub.trust import Review, grants, review, revoke, trust, visible


def add(commands: Any) -> None:
    command = commands.add_parser(
        "trust",
        help="let the code of one commit of a model on the Hub run here, in a sandbox",
        description="Shows the code of a model on the Hub, and what changed since the commit that "
        "you trusted before; asks; and then lets exactly that commit run, in a sandbox.",
        allow_abbrev=False,
    )
    command.set_defaults(run=run)
    command.add_argument("model", metavar="USER/NAME@COMMIT", nargs="?", help="a full commit hash")
    command.add_argument("--yes", action="store_true", help="do not ask; you have read the code")
    command.add_argument("--revoke", action="store_true", help="trust no commit of it any more")
    command.add_argument("--list", action="store_true", help="show what is trusted here")
    command.add_argument("--json", action="store_true", help="with --list: as JSON")


def run(args: argparse.Namespace) -> int:
    if args.list:
        return _list(args.json)
    handle = parse_handle(args.model or "")
    if not isinstance(handle, ModelHandle):
        raise LoadError(f'Only models of the Hub need trust; "{args.model}" is none.')
    if args.revoke:
        return _revoke(handle)
    from hub.remote.fetch import fetch

    snapshot = fetch(handle, say)
    if not snapshot.card.runs_own_code:
        print(f"{snapshot.handle.repo_id} brings no code of its own; it needs no trust.")
        return 0
    seen = review(snapshot.handle, snapshot.folder, snapshot.host)
    print(code_text(seen))
    if not handle.is_pinned:
        raise TrustError(
            f"A branch or tag can move, so name the commit that you have read: scorehub trust "
            f"{snapshot.handle}"
        )
    if not (args.yes or _agreed(seen)):
        raise TrustError("Nothing was trusted.")
    trust(seen)
    print(f"{seen.handle} is trusted. It runs in a sandbox; later commits are not trusted.")
    return 0


def code_text(seen: Review) -> str:
    """What changed, where something was trusted before; otherwise every file, whole."""
    if seen.before is not None:
        body = [visible(seen.changes)] if seen.changes else []
    else:
        body = [f"--- {visible(name)}\n{visible(text)}" for name, text in seen.files.items()]
    return "\n".join([f"{seen.handle} on {seen.host}", *body, seen.summary()])


def _agreed(seen: Review) -> bool:
    if not sys.stdin.isatty():
        raise TrustError("Nobody is there to be asked; add --yes once you have read the code.")
    return input(f"Let the code of {seen.handle} run here? Type yes: ").strip() == "yes"


def _revoke(handle: ModelHandle) -> int:
    from hub.remote import client

    count = revoke(handle.repo_id, client.host())
    print(f"{handle.repo_id}: {count} trusted commits were taken from the list.")
    return 0


def _list(as_json: bool) -> int:
    rows = grants()
    if as_json:
        from dataclasses import asdict

        print_json([asdict(row) for row in rows])
    else:
        lines = [f"{row.repository}@{row.commit}  ({row.host}, {row.when})" for row in rows]
        print("\n".join(lines) or "No commit is trusted here.")
    return 0
