"""`scorehub publish`: check a folder, say what would happen, and put it on the Hub."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub import bundle
from hub.card import read_card
from hub.cli import shelf
from hub.cli.output import print_json, say
from hub.errors import FileError, ParamError, TrustError
from hub.folder import is_downloaded

if TYPE_CHECKING:
    from hub.remote.changes import Upload
    from hub.remote.publish import Plan, Published

FAILED = 1


def add(commands: Any) -> None:
    command = commands.add_parser(
        "publish",
        help="put a model on the Hub",
        description="Checks a model folder, then uploads its card, weights, code and examples in "
        "one commit, and nothing else. Publishing again without changes does nothing.",
        allow_abbrev=False,
    )
    command.set_defaults(run=run)
    add_ = command.add_argument
    add_("folder", metavar="FOLDER", help="a model folder, or a name in models/")
    add_("--to", required=True, metavar="USER/NAME", help="its repository, made if need be")
    add_("--private", action="store_true", help="a new repository is seen by you alone")
    add_("--space", action="store_true", help="publish its page as a Gradio Space as well")
    add_("--hardware", metavar="NAME", help="what the Space is to run on, such as zero-a10g")
    add_("--tag", metavar="TAG", help="name the commit, such as v1")
    add_("--dry-run", action="store_true", help="say what would happen, and change nothing")
    add_(
        "--over", action="append", default=[], metavar="COMMIT",
        help="publish on top of somebody else's commit, which you have looked at; 12 digits do",
    )  # fmt: skip
    add_("--json", action="store_true", help="print the result as JSON")


def run(args: argparse.Namespace) -> int:
    if args.hardware and not args.space:
        raise ParamError("--hardware is for the Space; add --space, or leave it out.")
    with _as_it_goes(shelf.locate(args.folder)) as (folder, left_out):
        if not _is_sound(folder, args.folder):
            return FAILED
        return _publish(folder, left_out, args)


@contextmanager
def _as_it_goes(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """A copy of what is published, for as long as it takes, and the names of what is not.

    So what is checked is what others will get: a model that reads a file which does not go fails
    here. Downloaded code is refused, since in the copy it would look like the user's own.
    """
    card = read_card(folder)
    if card.runs_own_code and is_downloaded(folder):
        raise TrustError(
            f'"{folder.name}" came from a Hub, with a program of its own. Copy the folder once you '
            "have read the code, and publish the copy."
        )
    files = bundle.files(folder)
    with tempfile.TemporaryDirectory(prefix="scorehub-") as place:
        copied = Path(place) / card.name
        try:
            for name, path in files.items():
                (copied / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copied / name)
        except OSError as error:
            raise FileError(
                f"What is to be published cannot be copied for its check ({error.strerror}); make "
                "room for it in the system's temporary folder, or set TMPDIR to another."
            ) from error
        yield copied, bundle.left_out(folder, files)


def _publish(folder: Path, left_out: list[str], args: argparse.Namespace) -> int:
    from hub import space
    from hub.remote import client, publish

    files = None
    if args.space:
        files = space.generate(folder, model_id=args.to, hub_url=client.endpoint())
    planned = publish.plan(
        folder, args.to, private=args.private, tag=args.tag, over=args.over,
        hardware=args.hardware, space=files,
    )  # fmt: skip
    planned = replace(planned, left_out=tuple(left_out))
    if args.dry_run:
        _show(_plan_facts(planned), _plan_text(planned), args.json)
        return 0
    published = publish.publish(planned)
    for warning in published.warnings:
        say(f"Mind: {warning}")
    _show(_facts(planned, published), _text(planned, published), args.json)
    return 0


def _is_sound(folder: Path, name: str) -> bool:
    from hub import check
    from hub.check.report import WARN
    from hub.cli.check import Progress

    say(f"Checking what would go of {name}")
    progress = Progress()
    report = check.check_folder(folder, on_finding=progress.found, on_step=progress.at)
    if not report.is_ok:
        say(f"{report.table()}\nNothing was published.")
        return False
    for finding in report.findings:
        if finding.status == WARN:
            say(f"Mind: {finding.name}: {finding.detail}")
    return True


def _show(facts: dict[str, Any], text: str, as_json: bool) -> None:
    if as_json:
        print_json(facts)
    else:
        print(text)


def _plan_text(planned: Plan) -> str:
    lines = []
    for upload in planned.uploads:
        kind = "private" if upload.is_private else "public"
        lines.append(f"{kind} {upload.repo_type} {upload.address}")
        lines += [
            f"    {c.what:<9} {c.name}  {c.size:,} bytes  {c.sha256[:12]}" for c in upload.changes
        ]
        lines += [f"    not ours  {ascii(name)[1:-1]}" for name in upload.others]
    lines += _staying(planned)
    calls = planned.calls() or ["nothing: it is published as it is"]
    return "\n".join([*lines, *(f"would {call}" for call in calls)])


def _text(planned: Plan, published: Published) -> str:
    lines = [*published.did] or ["Nothing has changed since it was published; no commit was made."]
    lines = [line[:1].upper() + line[1:] for line in lines]
    lines += [f"Model: {published.model.address}", f"Commit: {published.commit}"]
    if published.space is not None:
        lines.append(f"Space: {published.space.address}")
    if planned.left_out:
        lines += ["What is no part of a model was left out:", *_staying(planned)]
    return "\n".join([*lines, _how_to_open(planned, published)])


def _staying(planned: Plan) -> list[str]:
    return [f"    stays here {ascii(name)[1:-1]}" for name in planned.left_out]


def _how_to_open(planned: Plan, published: Published) -> str:
    repo_id, commit = published.model.repo_id, published.commit
    load = f'In Python: hub.load("{repo_id}", revision="{commit}")'
    if planned.card.runs_own_code:
        return f"Others read its code, then: scorehub trust {repo_id}@{commit}\n{load}"
    return f"Others open it by: scorehub inpaint SCORE --model {repo_id}@{commit}\n{load}"


def _plan_facts(planned: Plan) -> dict[str, Any]:
    return {
        "would": planned.calls(),
        "repositories": [_upload_facts(upload) for upload in planned.uploads],
        "left_out": list(planned.left_out),
        "doubts": list(planned.doubts),
    }


def _upload_facts(upload: Upload) -> dict[str, Any]:
    return {
        "type": upload.repo_type,
        "repository": upload.repo_id,
        "address": upload.address,
        "head": upload.head,
        "private": upload.is_private,
        "files": [asdict(change) for change in upload.changes],
        "not_ours": list(upload.others),
    }


def _facts(planned: Plan, published: Published) -> dict[str, Any]:
    return {
        "did": list(published.did),
        "left_out": list(planned.left_out),
        "doubts": list(planned.doubts),
        "warnings": list(published.warnings),
        "commit": published.commit,
        "address": published.model.address,
        "space": published.space.address if published.space else None,
        "space_commit": published.space_commit,
        "tag": planned.tag,
        "runs_own_code": planned.card.runs_own_code,
    }
