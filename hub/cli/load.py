"""`scorehub load`: fetch a model once, verify it, and say what it is and what it may do."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

import hub
from hub import trust
from hub.cli import shelf
from hub.cli.output import card_facts, print_json, say
from hub.handle import FolderHandle, Handle, SpaceHandle

if TYPE_CHECKING:
    from hub.remote.fetch import Snapshot


def add(commands: Any) -> None:
    command = commands.add_parser(
        "load",
        help="download a model and say what it is",
        description="Downloads a model of the Hub, verifies every file, and says what it is. After "
        "that it can be used without a network, by its full commit hash.",
        allow_abbrev=False,
    )
    command.set_defaults(run=run)
    command.add_argument("model", metavar="MODEL", help=shelf.WHAT_MODEL)
    command.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: argparse.Namespace) -> int:
    facts = _facts(shelf.handle(args.model))
    if args.json:
        print_json(facts)
    else:
        print(_text(facts))
    return 0


def _facts(handle: Handle) -> dict[str, Any]:
    if isinstance(handle, FolderHandle):
        card = hub.read_card(handle.path)
        return {"model": str(handle), "runs": "your own folder", **card_facts(card)}
    if isinstance(handle, SpaceHandle):
        card = hub.load(handle, report=say).card
        return {"model": str(handle), "runs": "on its author's machine", **card_facts(card)}
    from hub.remote.fetch import fetch

    snapshot = fetch(handle, say)
    return {
        "model": snapshot.handle.repo_id,
        "commit": snapshot.commit,
        "folder": str(snapshot.folder),
        "offline": snapshot.is_stale,
        "runs": _permission(snapshot),
        **card_facts(snapshot.card),
    }


def _permission(snapshot: Snapshot) -> str:
    if not snapshot.card.runs_own_code:
        return f"data only, served by the architecture {snapshot.card.entry} installed here"
    if trust.is_trusted(snapshot.handle, snapshot.folder, snapshot.host):
        return "its own code, which you trusted, in a sandbox"
    return f"not yet: it brings its own code; read it, then: scorehub trust {snapshot.handle}"


def _text(facts: dict[str, Any]) -> str:
    lines = [f"{facts['title']}  ({facts['model']})", facts["summary"]]
    lines += [f"Licence: {facts['license'] or 'not stated'}.", *facts["limits"]]
    if facts["datasets"]:
        lines.append(f"Trained on: {', '.join(facts['datasets'])}.")
    lines.append(f"Runs: {facts['runs']}")
    if "commit" in facts:
        stale = " (as last seen; the Hub could not be asked)" if facts["offline"] else ""
        lines += [f"Commit: {facts['commit']}{stale}", f"Folder: {facts['folder']}"]
    return "\n    ".join(lines)
