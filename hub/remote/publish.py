"""A model folder → a repository of the Hub, in one commit, and its Space beside it.

`plan` only reads: it compares every file with what the Hub lists and says what would happen.
`publish` does that and nothing else. The commit names the one that was looked at as its parent, so
whatever somebody else commits in between is never overwritten; what they committed since this
machine last published is shown by `plan`. Large files travel before the commit, which is made at
once or not at all: an interruption leaves the old version whole. Of what had travelled, the next
try finds the files that arrived whole, and sends the others from their beginning.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub import bundle, hub_card
from hub.card import CARD_FILE, ModelCard, read_card
from hub.errors import (
    CardError,
    ConflictError,
    FileError,
    LoadError,
    NotFoundError,
    ParamError,
    ScorehubError,
)
from hub.handle import ModelHandle, model_handle
from hub.model import WEIGHTS_FILE
from hub.remote import client, published, tags
from hub.remote.changes import (
    DELETED,
    MODEL,
    SHORTEST_HASH,
    SPACE,
    UNCHANGED,
    Change,
    Content,
    Upload,
    compare,
    listed_at,
    sha_of,
)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that `publish` would do.

    tagged    the commit that the tag names already, if any
    hardware  what the Space is to run on, where it does not yet
    left_out  names of files that lie in the folder and do not go
    doubts    what the Hub will not understand in the card
    """

    card: ModelCard
    model: Upload
    space: Upload | None = None
    tag: str | None = None
    tagged: str | None = None
    hardware: str | None = None
    left_out: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def uploads(self) -> list[Upload]:
        return [self.model] if self.space is None else [self.model, self.space]

    @property
    def is_needed(self) -> bool:
        return any(upload.is_needed for upload in self.uploads) or bool(
            self.needs_tag or self.hardware
        )

    @property
    def needs_tag(self) -> bool:
        return self.tag is not None and (self.tagged is None or self.model.is_needed)

    def calls(self) -> list[str]:
        """The calls that `publish` would make to change something, in words, in order."""
        said = []
        for upload in self.uploads:
            if upload.head is None:
                kind = "private" if upload.is_private else "public"
                said.append(f"create the {kind} {upload.repo_type} repository {upload.repo_id}")
            if upload.is_needed:
                count = sum(change.what != UNCHANGED for change in upload.changes)
                files = "file" if count == 1 else "files"
                parent = f" on top of {upload.head}" if upload.head else ""
                what = f"{upload.counted()} {files}"
                said.append(f"commit {what} to {upload.repo_type} {upload.repo_id}{parent}")
            if upload is self.model and self.needs_tag:
                said.append(f"tag the commit of {upload.repo_id} as {self.tag}")
        if self.space is not None and self.hardware:
            said.append(f"ask for {self.hardware} for the space {self.space.repo_id}")
        return said


@dataclass(frozen=True, kw_only=True)
class Published:
    """What is on the Hub now. Commits are full hashes; `warnings` are sentences."""

    model: Upload
    commit: str
    space: Upload | None = None
    space_commit: str | None = None
    did: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def plan(
    folder: str | Path,
    repo_id: str,
    *,
    private: bool = False,
    tag: str | None = None,
    space: Mapping[str, Content] | None = None,
    over: Sequence[str] = (),
    hardware: str | None = None,
) -> Plan:
    """What publishing `folder` as `repo_id` ("user/name") would do. Changes nothing.

    space     the Space's files, if the model's page is to be published too (`hub.space.generate`)
    hardware  what the Space is to run on, such as "zero-a10g"; None leaves it to the Hub
    over      commits of somebody else's that the user has looked at and wants to publish on top of,
              or what 12 digits and more of their hashes begin with

    Raises CardError, FileError for the folder; ParamError for `tag` and `over`; RemoteError;
    ConflictError when somebody else has committed, when the tag names another commit, or when
    something that is to be private would be public: the model, or the Space of a private model.
    """
    handle = _repository(repo_id)
    if tag is not None:
        tags.check(tag)
    over = [_hash(commit) for commit in over]
    files = bundle.files(folder)
    card = read_card(folder)
    missing = card.missing_to_publish()
    if missing:
        raise CardError(f"The card does not say: {', '.join(missing)}.")
    contents = _contents(files, card.name)
    _who_asks(handle.repo_id)
    model = compare(handle.repo_id, MODEL, contents, over, private)
    # A Space holds the model's weights, so it is seen by no more people.
    hidden = model.is_private or model.is_gated
    beside = compare(handle.repo_id, SPACE, space, over, hidden) if space is not None else None
    return Plan(
        card=card,
        model=model,
        space=beside,
        tag=tag,
        tagged=_tagged(model, tag) if tag else None,
        hardware=_hardware_to_ask(beside, hardware),
        left_out=tuple(bundle.left_out(folder, files)),
        doubts=tuple(hub_card.doubts(card)),
    )


def publish(planned: Plan) -> Published:
    """Carry a plan out; what is there already is left as it is. Raises RemoteError, CardError."""
    commit = _upload(planned.model, planned)
    warnings = [_remember(planned.model, commit)]
    space_commit = None
    with _telling_what_is_done(planned.model, commit):
        if planned.needs_tag and planned.tag is not None:
            with client.translated(f"The tag {planned.tag} of {planned.model.repo_id}"):
                client.api().create_tag(planned.model.repo_id, tag=planned.tag, revision=commit)
        if planned.space is not None:
            space_commit = _upload(planned.space, planned)
            warnings.append(_remember(planned.space, space_commit))
            if planned.space.head is not None and planned.hardware:
                _ask_for_hardware(planned.space, planned.hardware)
    return Published(
        model=planned.model, commit=commit, space=planned.space, space_commit=space_commit,
        did=tuple(planned.calls()), warnings=tuple(filter(None, warnings)),
    )  # fmt: skip


@contextmanager
def _telling_what_is_done(model: Upload, commit: str) -> Iterator[None]:
    """A step that fails after the model's commit says that it is there."""
    try:
        yield
    except ScorehubError as error:
        done = "was published before that" if model.is_needed else "is published as it is here"
        raise type(error)(
            f"{error} The model {done}, as commit {commit} of {model.repo_id}; mend this, then "
            "give the same command again: it does only what is missing."
        ) from error


def _remember(upload: Upload, commit: str) -> str:
    return published.remember(upload.repo_id, upload.repo_type, commit, upload.contents)


def _hash(commit: str) -> str:
    if re.fullmatch(rf"[0-9a-f]{{{SHORTEST_HASH},40}}", commit.lower()):
        return commit.lower()
    raise ParamError(
        f"--over wants the hash of a commit, {SHORTEST_HASH} digits of it at least; got {commit!a}."
    )


def _repository(repo_id: str) -> ModelHandle:
    try:
        handle = model_handle(repo_id)
    except LoadError:
        handle = None
    if handle is None or handle.revision is not None:
        raise LoadError(f'Publish to USER/NAME, such as --to you/my-model; got "{repo_id}".')
    return handle


def _contents(files: Mapping[str, Path], name: str) -> dict[str, Content]:
    """What goes, as it is now; of the weights only where they are, since they may be large."""
    contents: dict[str, Content] = {
        file: path if file == WEIGHTS_FILE else path.read_bytes() for file, path in files.items()
    }
    text = files[CARD_FILE].read_bytes().decode("utf-8")
    if left := hub_card.unfinished_lines(text):
        raise CardError(
            f"The card still says {hub_card.CHANGE_ME} (line {', '.join(map(str, left))}); decide "
            "what is to stand there, then publish."
        )
    contents[CARD_FILE] = hub_card.published_card(text, name).encode()
    return contents


def _who_asks(repo_id: str) -> None:
    """Fail now, with a sentence about the token, rather than after a long upload.

    A hub of one's own may let everybody write; it says so itself, at the first call that does.
    """
    if client.endpoint() == client.PUBLIC_HUB:
        with client.translated(repo_id):
            client.api().whoami()


def _tagged(model: Upload, tag: str) -> str | None:
    """The commit that a tag names. Raises ConflictError when it is not the one to come."""
    if model.head is None:
        return None
    commit = tags.commit_of(model.repo_id, tag)
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
        return upload.head  # what is there is what is here, whoever put it there
    parent = upload.head or _create(upload, planned)
    what = f"{upload.repo_type.capitalize()} {upload.repo_id}"
    with client.translated(what):
        try:
            done = client.api().create_commit(
                upload.repo_id, _operations(upload), repo_type=upload.repo_type,
                commit_message=_message(planned), parent_commit=parent,
            )  # fmt: skip
        except ValueError as error:
            raise _about_the_card(error) or error from None
    return str(done.oid)


def _create(upload: Upload, planned: Plan) -> str:
    """Make the repository; the commit that it begins with."""
    is_space = upload.repo_type == SPACE
    hardware: Any = planned.hardware if is_space else None
    with client.translated(upload.repo_id):
        client.api().create_repo(
            upload.repo_id, repo_type=upload.repo_type, private=upload.is_private,
            space_sdk="gradio" if is_space else None, space_hardware=hardware,
        )  # fmt: skip
    there = listed_at(upload.repo_id, upload.repo_type)
    if there is None:
        raise NotFoundError(f"{upload.repo_id} was created and is not there; try again.")
    return there.head


def _operations(upload: Upload) -> list[Any]:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    operations: list[Any] = []
    for change in upload.changes:
        if change.what == DELETED:
            operations.append(CommitOperationDelete(path_in_repo=change.name))
        elif change.what != UNCHANGED:
            content = _unmoved(change, upload.contents[change.name])
            operations.append(CommitOperationAdd(path_in_repo=change.name, path_or_fileobj=content))
    return operations


def _unmoved(change: Change, content: Content) -> bytes | str:
    """What was planned for, in the client's terms: bytes, or where they are."""
    if isinstance(content, bytes):
        return content
    if sha_of(content, hashlib.sha256()) != change.sha256:
        raise FileError(
            f'"{change.name}" has changed since it was checked. No commit was made; publish again '
            "when it is finished."
        )
    return str(content)


def _hardware_to_ask(space: Upload | None, hardware: str | None) -> str | None:
    """The hardware, unless the Space has it or has asked for it already."""
    if space is None or space.head is None or hardware is None:
        return hardware
    with client.translated(space.repo_id):
        runtime = client.api().get_space_runtime(space.repo_id)
    return None if hardware in (runtime.hardware, runtime.requested_hardware) else hardware


def _ask_for_hardware(space: Upload, hardware: Any) -> None:
    with client.translated(f"{hardware} for the Space {space.repo_id}"):
        client.api().request_space_hardware(space.repo_id, hardware)


def _message(planned: Plan) -> str:
    return f"Publish {planned.card.title}" + (f" {planned.tag}" if planned.tag else "")


def _about_the_card(error: ValueError) -> CardError | None:
    """The Hub's complaints about the card's front matter, which the client raises like this."""
    lines = str(error).splitlines()
    if not lines or "Invalid metadata" not in lines[0] or getattr(error, "response", None):
        return None
    reasons = "; ".join(line.strip("- ") for line in lines[1:] if line.strip())[:500]
    return CardError(f"The Hub does not accept the card's front matter: {reasons}")
