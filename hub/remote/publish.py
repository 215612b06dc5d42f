"""A model folder → a repository of the Hub, in one commit, and its Space beside it.

`plan` only reads: it compares every file with what the Hub lists and says what would happen.
`publish` does that and nothing else. The commit names the one that was looked at as its parent, so
whatever somebody else commits in between is never overwritten; what they committed since this
machine last published is shown by `plan`. Large files travel before the commit, which is made at
once or not at all: an interruption leaves the old version whole, and the next try goes on.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from hub import bundle, places
from hub.card import CARD_FILE, ModelCard, read_card
from hub.errors import CardError, ConflictError, FileError, LoadError, NotFoundError
from hub.handle import ModelHandle, model_handle
from hub.model import WEIGHTS_FILE
from hub.remote import client
from hub.remote.search import clean

NEW, CHANGED, UNCHANGED, DELETED = "new", "changed", "unchanged", "deleted"
MODEL, SPACE = "model", "space"
SHOWN_COMMITS = SHOWN_FILES = 5
MAX_SHOWN = 80  # characters of a stranger's title or file name
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
    others    names of files there that are no part of a model, and stay
    """

    repo_id: str
    repo_type: str
    head: str | None
    changes: tuple[Change, ...]
    contents: Mapping[str, Content] = field(repr=False)
    others: tuple[str, ...] = ()

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
    hardware  what the Space is to run on, where it does not yet
    left_out  names of files that lie in the folder and do not go
    doubts    what the Hub will not understand in the card
    """

    card: ModelCard
    model: Upload
    space: Upload | None = None
    is_private: bool = False
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
                kind = "private" if self.is_private else "public"
                said.append(f"create the {kind} {upload.repo_type} repository {upload.repo_id}")
            if upload.is_needed:
                count = sum(change.what != UNCHANGED for change in upload.changes)
                parent = f" on top of {upload.head}" if upload.head else ""
                said.append(f"commit {count} files to {upload.repo_type} {upload.repo_id}{parent}")
            if upload is self.model and self.needs_tag:
                said.append(f"tag the commit of {upload.repo_id} as {self.tag}")
        if self.space is not None and self.hardware:
            said.append(f"ask for {self.hardware} for the space {self.space.repo_id}")
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
    hardware: str | None = None,
) -> Plan:
    """What publishing `folder` as `repo_id` ("user/name") would do. Changes nothing.

    space     the Space's files, if the model's page is to be published too (`hub.space.generate`)
    hardware  what the Space is to run on, such as "zero-a10g"; None leaves it to the Hub
    over      commits of somebody else's that the user has looked at and wants to publish on top of

    Raises CardError, FileError for the folder; RemoteError; ConflictError when somebody else has
    committed, when the tag names another commit, or when `private` asks for what is public.
    """
    handle = _repository(repo_id)
    files = bundle.files(folder)
    card = read_card(folder)
    missing = card.missing_to_publish()
    if missing:
        raise CardError(f"The card does not say: {', '.join(missing)}.")
    contents = _contents(files, card.name)
    _who_asks(handle.repo_id)
    model = _compare(handle.repo_id, MODEL, contents, over, private)
    beside = _compare(handle.repo_id, SPACE, space, over, private) if space is not None else None
    return Plan(
        card=card,
        model=model,
        space=beside,
        is_private=private,
        tag=tag,
        tagged=_tagged(model, tag) if tag else None,
        hardware=_hardware_to_ask(beside, hardware),
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
    if planned.space is not None and planned.space.head is not None and planned.hardware:
        _ask_for_hardware(planned.space, planned.hardware)
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


def _contents(files: Mapping[str, Path], name: str) -> dict[str, Content]:
    """What goes, as it is now; of the weights only where they are, since they may be large."""
    contents: dict[str, Content] = {
        file: path if file == WEIGHTS_FILE else path.read_bytes() for file, path in files.items()
    }
    text = files[CARD_FILE].read_bytes().decode("utf-8")
    contents[CARD_FILE] = bundle.published_card(text, name).encode()
    return contents


def _who_asks(repo_id: str) -> None:
    """Fail now, with a sentence about the token, rather than after a long upload.

    A hub of one's own may let everybody write; it says so itself, at the first call that does.
    """
    if client.endpoint() == client.PUBLIC_HUB:
        with client.translated(repo_id):
            client.api().whoami()


# --- comparing ----------------------------------------------------------------------------------


class _Listing(NamedTuple):
    """A repository as the Hub lists it: the branch's commit, and name → the Hub's RepoSibling."""

    head: str
    files: dict[str, Any]
    is_private: bool


def _compare(
    repo_id: str, repo_type: str, contents: Mapping[str, Content], over: Sequence[str],
    private: bool,
) -> Upload:  # fmt: skip
    there = _listed(repo_id, repo_type)
    listed = there.files if there else {}
    stale = _stale(repo_type, listed, contents)
    changes = [_change(name, data, listed.get(name)) for name, data in contents.items()]
    changes += [Change(name=name, what=DELETED) for name in stale]
    upload = Upload(
        repo_id=repo_id, repo_type=repo_type, head=there.head if there else None,
        changes=tuple(sorted(changes, key=lambda change: change.name)), contents=contents,
        others=tuple(sorted(set(listed) - set(contents) - set(stale) - {ATTRIBUTES})),
    )  # fmt: skip
    if there and private and not there.is_private:
        raise ConflictError(
            f"{repo_type.capitalize()} {repo_id} is public already, and --private is only for what "
            "is made anew. Nothing was published; make it private in its settings, or leave "
            "--private out."
        )
    if there and upload.is_needed:
        _refuse_to_overwrite(upload, listed, over)
    return upload


def _listed(repo_id: str, repo_type: str, revision: str | None = None) -> _Listing | None:
    """The repository at its head, or at `revision`; None when there is no such thing."""
    try:
        with client.translated(repo_id):
            info: Any = client.api().repo_info(
                repo_id, repo_type=repo_type, revision=revision, files_metadata=True,
                timeout=client.TIMEOUT_SECONDS,
            )  # fmt: skip
    except NotFoundError:
        return None
    files = {sibling.rfilename: sibling for sibling in info.siblings or ()}
    return _Listing(str(info.sha), files, bool(info.private))


def _change(name: str, content: Content, listed: Any) -> Change:
    """What would happen to a file; the Hub lists large ones by SHA-256, others as git does."""
    sha256, size = _digest(content, hashlib.sha256()), _size(content)
    if listed is None:
        what = NEW
    elif listed.lfs is not None:
        what = UNCHANGED if listed.lfs.sha256 == sha256 else CHANGED
    else:
        blob = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
        what = UNCHANGED if listed.blob_id == _digest(content, blob) else CHANGED
    return Change(name=name, what=what, size=size, sha256=sha256)


def _open(content: Content) -> io.BufferedIOBase:
    return io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")


def _size(content: Content) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def _digest(content: Content, begun: Any) -> str:
    with _open(content) as stream:
        return hashlib.file_digest(stream, lambda: begun).hexdigest()


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
        f'{c.commit_id[:12]} "{_plain(c.title)}" by {_plain(", ".join(c.authors) or "somebody")}, '
        f"{c.created_at:%Y-%m-%d %H:%M}"
        for c in commits[:SHOWN_COMMITS]
    )
    more = f" and {len(commits) - SHOWN_COMMITS} more" if len(commits) > SHOWN_COMMITS else ""
    raise ConflictError(
        f"{upload.repo_type.capitalize()} {upload.repo_id} has commits that were not published "
        f"from here: {said}{more}; {_touched(upload, listed, known)}. Nothing was overwritten. "
        "Look at them, take over what you want to keep, then publish on top of them with --over "
        f"{upload.head}"
    )


def _touched(upload: Upload, listed: Mapping[str, Any], known: str | None) -> str:
    """Which files differ from what was last published from here; all of them if nothing was."""
    last = _listed(upload.repo_id, upload.repo_type, known) if known else None
    before = {name: file.blob_id for name, file in last.files.items()} if last else {}
    after = {name: file.blob_id for name, file in listed.items()}
    names = sorted(n for n in {*before, *after} - {ATTRIBUTES} if before.get(n) != after.get(n))
    more = f" and {len(names) - SHOWN_FILES} more" if len(names) > SHOWN_FILES else ""
    shown = ", ".join(map(_plain, names[:SHOWN_FILES])) or "no files"
    return f"{'they changed' if last else 'it holds'} {shown}{more}"


def _plain(text: str) -> str:
    """A stranger's words, for a terminal."""
    return clean(text, MAX_SHOWN)


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
        _remember(upload, upload.head)  # what is there is what is here, whoever put it there
        return upload.head
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
    commit = str(done.oid)
    _remember(upload, commit)
    return commit


def _create(upload: Upload, planned: Plan) -> str:
    """Make the repository; the commit that it begins with."""
    is_space = upload.repo_type == SPACE
    hardware: Any = planned.hardware if is_space else None
    with client.translated(upload.repo_id):
        client.api().create_repo(
            upload.repo_id, repo_type=upload.repo_type, private=planned.is_private,
            space_sdk="gradio" if is_space else None, space_hardware=hardware,
        )  # fmt: skip
    there = _listed(upload.repo_id, upload.repo_type)
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
    if _digest(content, hashlib.sha256()) != change.sha256:
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
