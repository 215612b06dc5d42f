"""A model folder → a repository of the Hub, in one commit, and its Space beside it.

`plan` only reads: it compares every file with what the Hub lists and says what would happen.
`publish` does that and nothing else. The commit names the one that was looked at as its parent, so
whatever somebody else commits in between is never overwritten; what they committed since this
machine last published is shown by `plan`. Large files travel before the commit, which is made at
once or not at all: an interruption leaves the old version whole, and the next try goes on.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub import bundle, places
from hub.card import CARD_FILE, ModelCard, read_card
from hub.errors import CardError, ConflictError, LoadError, NotFoundError
from hub.handle import ModelHandle, model_handle
from hub.remote import client

NEW, CHANGED, UNCHANGED, DELETED = "new", "changed", "unchanged", "deleted"
MODEL, SPACE = "model", "space"
SHOWN_COMMITS = 5
ATTRIBUTES = ".gitattributes"

Content = bytes | Path


@dataclass(frozen=True, kw_only=True)
class Change:
    """One file of a repository: what would happen to it. size in bytes, sha256 of the new one."""

    name: str
    what: str
    size: int = 0
    sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """What one repository would become.

    head      the commit that was looked at; None when there is no such repository yet
    changes   every file concerned, also those that stay
    """

    repo_id: str
    repo_type: str
    head: str | None
    changes: tuple[Change, ...]
    contents: Mapping[str, Content] = field(repr=False)

    @property
    def is_needed(self) -> bool:
        return self.head is None or any(c.what != UNCHANGED for c in self.changes)

    @property
    def address(self) -> str:
        prefix = "" if self.repo_type == MODEL else "spaces/"
        return f"{client.endpoint()}/{prefix}{self.repo_id}"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that `publish` would do.

    tagged    the commit that the tag names already, if any
    left_out  names of files that lie in the folder and do not go
    doubts    what the Hub will not understand in the card
    """

    card: ModelCard
    model: Upload
    space: Upload | None = None
    is_private: bool = False
    tag: str | None = None
    tagged: str | None = None
    left_out: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def uploads(self) -> list[Upload]:
        return [self.model] if self.space is None else [self.model, self.space]

    @property
    def is_needed(self) -> bool:
        return any(upload.is_needed for upload in self.uploads) or self.needs_tag

    @property
    def needs_tag(self) -> bool:
        return self.tag is not None and (self.tagged is None or self.model.is_needed)

    def calls(self) -> list[str]:
        """The calls that `publish` would make to change something, in words, in order."""
        said = []
        for upload in self.uploads:
            if upload.head is None:
                kind = "private" if self.is_private else "public"
                said.append(f"create the {kind} {upload.repo_type} repository {upload.repo_id}")
            if upload.is_needed:
                count = sum(change.what != UNCHANGED for change in upload.changes)
                parent = f" on top of {upload.head}" if upload.head else ""
                said.append(f"commit {count} files to {upload.repo_type} {upload.repo_id}{parent}")
            if upload is self.model and self.needs_tag:
                said.append(f"tag the commit of {upload.repo_id} as {self.tag}")
        return said


@dataclass(frozen=True, kw_only=True)
class Published:
    """What is on the Hub now. Commits are full hashes."""

    model: Upload
    commit: str
    space: Upload | None = None
    space_commit: str | None = None
    did: tuple[str, ...] = ()


def plan(
    folder: str | Path,
    repo_id: str,
    *,
    private: bool = False,
    tag: str | None = None,
    space: Mapping[str, bytes] | None = None,
    over: Sequence[str] = (),
) -> Plan:
    """What publishing `folder` as `repo_id` ("user/name") would do. Changes nothing.

    space  the Space's files, if the model's page is to be published as well (`hub.space.generate`)
    over   commits of somebody else's that the user has looked at and wants to publish on top of

    Raises CardError, FileError for the folder; RemoteError; ConflictError when somebody else has
    committed, or when the tag names another commit.
    """
    handle = _repository(repo_id)
    files = bundle.files(folder)
    card = read_card(folder)
    missing = card.missing_to_publish()
    if missing:
        raise CardError(f"The card does not say: {', '.join(missing)}.")
    contents: dict[str, Content] = dict(files)
    text = files[CARD_FILE].read_bytes().decode("utf-8")
    contents[CARD_FILE] = bundle.published_card(text, card.name).encode()
    _who_asks(handle.repo_id)
    model = _compare(handle.repo_id, MODEL, contents, over)
    return Plan(
        card=card,
        model=model,
        space=_compare(handle.repo_id, SPACE, space, over) if space is not None else None,
        is_private=private,
        tag=tag,
        tagged=_tagged(model, tag) if tag else None,
        left_out=tuple(bundle.left_out(folder, files)),
        doubts=tuple(bundle.doubts(card)),
    )


def publish(planned: Plan) -> Published:
    """Carry a plan out; what is there already is left as it is. Raises RemoteError, CardError."""
    commit = _upload(planned.model, planned)
    if planned.needs_tag and planned.tag is not None:
        with client.translated(f"The tag {planned.tag} of {planned.model.repo_id}"):
            client.api().create_tag(planned.model.repo_id, tag=planned.tag, revision=commit)
    space_commit = _upload(planned.space, planned) if planned.space is not None else None
    return Published(
        model=planned.model, commit=commit, space=planned.space, space_commit=space_commit,
        did=tuple(planned.calls()),
    )  # fmt: skip


def _repository(repo_id: str) -> ModelHandle:
    try:
        handle = model_handle(repo_id)
    except LoadError:
        handle = None
    if handle is None or handle.revision is not None:
        raise LoadError(f'Publish to USER/NAME, such as --to you/my-model; got "{repo_id}".')
    return handle


def _who_asks(repo_id: str) -> None:
    """Fail now, with a sentence about the token, rather than after a long upload.

    A hub of one's own may let everybody write; it says so itself, at the first call that does.
    """
    if client.endpoint() == client.PUBLIC_HUB:
        with client.translated(repo_id):
            client.api().whoami()


# --- comparing ----------------------------------------------------------------------------------


def _compare(
    repo_id: str, repo_type: str, contents: Mapping[str, Content], over: Sequence[str]
) -> Upload:
    there = _listed(repo_id, repo_type)
    if there is None:
        changes = [_change(name, NEW, content) for name, content in contents.items()]
        return _upload_of(repo_id, repo_type, None, changes, contents)
    head, listed = there
    changes = [
        _change(name, _difference(content, listed.get(name)), content)
        for name, content in contents.items()
    ]
    changes += [Change(name=n, what=DELETED) for n in _stale(repo_type, listed, contents)]
    upload = _upload_of(repo_id, repo_type, head, changes, contents)
    if upload.is_needed:
        _refuse_to_overwrite(upload, listed, over)
    return upload


def _upload_of(
    repo_id: str, repo_type: str, head: str | None, changes: list[Change],
    contents: Mapping[str, Content],
) -> Upload:  # fmt: skip
    ordered = tuple(sorted(changes, key=lambda change: change.name))
    return Upload(
        repo_id=repo_id, repo_type=repo_type, head=head, changes=ordered, contents=contents
    )  # fmt: skip


def _listed(repo_id: str, repo_type: str) -> tuple[str, dict[str, Any]] | None:
    """The head's commit and its files; None when there is no such repository."""
    try:
        with client.translated(repo_id):
            info: Any = client.api().repo_info(
                repo_id, repo_type=repo_type, files_metadata=True, timeout=client.TIMEOUT_SECONDS
            )
    except NotFoundError:
        return None
    return str(info.sha), {s.rfilename: s for s in info.siblings or ()}


def _difference(content: Content, listed: Any) -> str:
    if listed is None:
        return NEW
    data = _bytes(content)
    if listed.lfs is not None:
        same = listed.lfs.sha256 == hashlib.sha256(data).hexdigest()
    else:
        head = f"blob {len(data)}\0".encode()
        same = listed.blob_id == hashlib.sha1(head + data, usedforsecurity=False).hexdigest()
    return UNCHANGED if same else CHANGED


def _change(name: str, what: str, content: Content) -> Change:
    data = _bytes(content)
    return Change(name=name, what=what, size=len(data), sha256=hashlib.sha256(data).hexdigest())


def _bytes(content: Content) -> bytes:
    return content if isinstance(content, bytes) else content.read_bytes()


def _stale(repo_type: str, listed: Mapping[str, Any], contents: Mapping[str, Content]) -> list[str]:
    """Files of an earlier version that the new one no longer has. What others put there stays."""
    own_folders = ("hub/", "models/")
    return [
        name
        for name in listed
        if name not in contents
        and (bundle.belongs(name) if repo_type == MODEL else name.startswith(own_folders))
    ]


def _refuse_to_overwrite(upload: Upload, listed: Mapping[str, Any], over: Sequence[str]) -> None:
    known = _last_published(upload)
    if upload.head in (known, *over):
        return
    commits = _commits_since(upload, known)
    if known is None and len(commits) == 1 and set(listed) <= {ATTRIBUTES, CARD_FILE}:
        return  # just created, as the Hub does it, by hand or by an interrupted publication
    said = "; ".join(
        f'{c.commit_id[:12]} "{c.title}" by {", ".join(c.authors) or "somebody"}, '
        f"{c.created_at:%Y-%m-%d %H:%M}"
        for c in commits[:SHOWN_COMMITS]
    )
    more = f" and {len(commits) - SHOWN_COMMITS} more" if len(commits) > SHOWN_COMMITS else ""
    raise ConflictError(
        f"{upload.repo_type.capitalize()} {upload.repo_id} has commits that were not published "
        f"from here: {said}{more}. Nothing was overwritten. Look at them, take over what you want "
        f"to keep, then publish on top of them with --over {upload.head}"
    )


def _commits_since(upload: Upload, known: str | None) -> list[Any]:
    with client.translated(upload.repo_id):
        commits = client.api().list_repo_commits(upload.repo_id, repo_type=upload.repo_type)
    hashes = [commit.commit_id for commit in commits]
    return commits[: hashes.index(known)] if known in hashes else commits


def _tagged(model: Upload, tag: str) -> str | None:
    """The commit that a tag names. Raises ConflictError when it is not the one to come."""
    if model.head is None:
        return None
    with client.translated(model.repo_id):
        refs = client.api().list_repo_refs(model.repo_id)
    commit = next((t.target_commit for t in refs.tags if t.name == tag), None)
    if commit is None or (commit == model.head and not model.is_needed):
        return commit
    raise ConflictError(
        f"{model.repo_id} has a tag {tag} already, on commit {commit[:12]}. Tags are not moved, "
        "since others rely on them; choose another."
    )


# --- uploading ----------------------------------------------------------------------------------


def _upload(upload: Upload, planned: Plan) -> str:
    """The commit that is there afterwards."""
    if not upload.is_needed:
        assert upload.head is not None
        return upload.head
    parent = upload.head or _create(upload, planned.is_private)
    what = f"{upload.repo_type.capitalize()} {upload.repo_id}"
    with client.translated(what):
        try:
            done = client.api().create_commit(
                upload.repo_id, _operations(upload), repo_type=upload.repo_type,
                commit_message=_message(planned), parent_commit=parent,
            )  # fmt: skip
        except ValueError as error:
            raise _about_the_card(error) or error from None
    commit = str(done.oid)
    _remember(upload, commit)
    return commit


def _create(upload: Upload, is_private: bool) -> str:
    """Make the repository; the commit that it begins with."""
    with client.translated(upload.repo_id):
        client.api().create_repo(
            upload.repo_id, repo_type=upload.repo_type, private=is_private,
            space_sdk="gradio" if upload.repo_type == SPACE else None,
        )  # fmt: skip
    there = _listed(upload.repo_id, upload.repo_type)
    if there is None:
        raise NotFoundError(f"{upload.repo_id} was created and is not there; try again.")
    return there[0]


def _operations(upload: Upload) -> list[Any]:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    operations: list[Any] = []
    for change in upload.changes:
        if change.what == DELETED:
            operations.append(CommitOperationDelete(path_in_repo=change.name))
        elif change.what != UNCHANGED:
            operations.append(
                CommitOperationAdd(
                    path_in_repo=change.name, path_or_fileobj=_bytes(upload.contents[change.name])
                )
            )
    return operations


def _message(planned: Plan) -> str:
    return f"Publish {planned.card.title}" + (f" {planned.tag}" if planned.tag else "")


def _about_the_card(error: ValueError) -> CardError | None:
    """The Hub's complaints about the card's front matter, which the client raises like this."""
    lines = str(error).splitlines()
    if not lines or "Invalid metadata" not in lines[0] or getattr(error, "response", None):
        return None
    reasons = "; ".join(line.strip("- ") for line in lines[1:] if line.strip())[:500]
    return CardError(f"The Hub does not accept the card's front matter: {reasons}")


# --- what was published from here ---------------------------------------------------------------


def _last_published(upload: Upload) -> str | None:
    commit = _record().get(_key(upload))
    return commit if isinstance(commit, str) else None


def _remember(upload: Upload, commit: str) -> None:
    path = places.published()
    record = {**_record(), _key(upload): commit}
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(json.dumps(record, indent=1, sort_keys=True), encoding="utf-8")
    beside.replace(path)


def _record() -> dict[str, Any]:
    try:
        value = json.loads(places.published().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _key(upload: Upload) -> str:
    return f"{client.host()}/{upload.repo_type}s/{upload.repo_id}"
