"""What a musician has made of a score: every version of it, and the takes they have not kept.

A `Document` is an immutable tree. Its root is the score as it was opened; every other node is the
score after a kept take or an edit. One node is current; undo goes to its parent, redo down the
branch that was last on. Keeping another take of an older node begins another branch. Takes wait
beside the node that they were made for until they are kept or discarded.

Memory is bounded in count and bytes. What has to go is, in this order: takes that were not kept,
oldest first; the oldest versions on other branches; the oldest versions after the opened one.
`Document.notices` says so. The file of a session is in `hub.ui.session_file`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from hub import edits, formats
from hub.edits import Edited
from hub.errors import RegionError
from hub.formats import Edit
from hub.model import Take
from hub.receipt import unchanged_rows
from hub.region import Region
from hub.score import NOTE_COLUMNS, Notes, Score

MAX_NODES = 200
MAX_TAKES = 100
MAX_BYTES = 24 << 20
MAX_READ = 4  # versions kept open as scores; the others are bytes, and read when they are shown
MAX_LABEL = 200
ROOT = 0


@dataclass(frozen=True, kw_only=True)
class Node:
    """One version of the score.

    number      unique in the document and never used again
    kind        "opened", "take" or "edit"
    data        the user's file; equal files are held once
    detail      what made it, as JSON: seed, model, params, region of a take; receipt of both
    made_at     seconds since 1970
    """

    number: int
    parent: int | None
    kind: str
    label: str
    data: bytes = field(repr=False)
    made_at: float = 0.0
    detail: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A take that is neither kept nor discarded: its notes, and what they were asked with.

    The file is not held: keeping the take splices it again, with the same result.
    """

    number: int
    node: int
    seed: int
    notes: Notes
    region: Mapping[str, Any]
    model: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    receipt: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    made_at: float = 0.0

    @property
    def size_bytes(self) -> int:
        return len(self.notes) * len(NOTE_COLUMNS) * 8


@dataclass(frozen=True, kw_only=True, eq=False)
class Document:
    """A score with its history.

    name            the file's name as the user knows it
    converted_from  see `hub.score.Source`
    forward         node → the child that redo goes to
    next_number     of the next node or take; nothing ever has the number of something else
    notices         what was given up for want of room, in sentences
    """

    name: str
    nodes: Mapping[int, Node]
    current: int = ROOT
    forward: Mapping[int, int] = field(default_factory=dict)
    waiting: tuple[Waiting, ...] = ()
    next_number: int = 1
    converted_from: str | None = None
    notices: tuple[str, ...] = ()
    _read: dict[int, Score] = field(default_factory=dict, repr=False)

    @classmethod
    def open(cls, score: Score) -> Document:
        """A document of one version. A score that came from no file is written as MIDI first."""
        if score.source is None:
            name = f"{score.title or 'score'}.mid"
            score = formats.read_score(formats.write_score(score, "midi"), name)
        source = score.source
        assert source is not None
        root = Node(
            number=ROOT, parent=None, kind="opened", label=source.name[:MAX_LABEL],
            data=source.data, made_at=time.time(),
        )  # fmt: skip
        return cls(
            name=source.name,
            nodes=MappingProxyType({ROOT: root}),
            converted_from=source.converted_from,
            _read={ROOT: score},
        )

    # ------------------------------------------------------------------------------ looking at it

    @property
    def node(self) -> Node:
        return self.nodes[self.current]

    @property
    def score(self) -> Score:
        """The current version."""
        return self.score_at(self.current)

    def score_at(self, number: int) -> Score:
        """Any version. Raises RegionError for one that is not there, FileError for a broken one."""
        node = self._node(number)
        if number not in self._read:
            self._read[number] = self._parse(node.data)
            for old in [n for n in self._read if n not in (number, self.current)]:
                if len(self._read) <= MAX_READ:
                    break
                del self._read[old]
        return self._read[number]

    def _parse(self, data: bytes) -> Score:
        score = formats.read_score(data, self.name)
        if self.converted_from is None or score.source is None:
            return score
        return replace(score, source=replace(score.source, converted_from=self.converted_from))

    @property
    def takes(self) -> tuple[Waiting, ...]:
        """The takes that wait beside the current version."""
        return tuple(take for take in self.waiting if take.node == self.current)

    @property
    def can_undo(self) -> bool:
        return self.node.parent is not None

    @property
    def can_redo(self) -> bool:
        return self.current in self.forward

    @property
    def branches(self) -> tuple[int, ...]:
        """The numbers of the versions from which nothing was made, oldest first."""
        parents = {node.parent for node in self.nodes.values()}
        return tuple(number for number in sorted(self.nodes) if number not in parents)

    @property
    def way(self) -> tuple[Node, ...]:
        """The versions from the opened one to the current one."""
        return tuple(reversed([self.nodes[n] for n in self._ancestors(self.current)]))

    @property
    def size_bytes(self) -> int:
        """What the document holds: equal files are counted once."""
        files = {id(node.data): len(node.data) for node in self.nodes.values()}
        return sum(files.values()) + sum(take.size_bytes for take in self.waiting)

    # ------------------------------------------------------------------------------------ editing

    def edit(self, edit: Edit, *, label: str = "", revision: int | None = None) -> Document:
        """The document after a person's edit of the current version.

        revision    the version that the edit was drawn on, if it may be another one: its notes
                    are looked for in the current one
        """
        if revision is not None and revision != self.current:
            edit = edits.rebased(edit, self.score_at(revision), self.score)
        edited = edits.apply(self.score, edit)
        if edited.score is self.score:
            return replace(self, notices=edited.log)
        detail = {"receipt": edited.receipt.to_json()}
        return self._grown("edit", label or edited.sentence(), edited, detail)

    def with_takes(
        self, takes: Iterable[Take], *, model: str = "", params: Mapping[str, Any] | None = None
    ) -> Document:
        """The document with takes of its current version waiting beside it."""
        made_at = time.time()
        fresh = [
            Waiting(
                number=self.next_number + place, node=self.current, seed=take.seed,
                notes=take.notes, region=take.region.to_json(), model=model[:MAX_LABEL],
                params=dict(params or {}), receipt=take.receipt.to_json(), seconds=take.seconds,
                made_at=made_at,
            )
            for place, take in enumerate(takes)
        ]  # fmt: skip
        grown = replace(
            self,
            waiting=(*self.waiting, *fresh),
            next_number=self.next_number + len(fresh),
            notices=(),
        )
        return grown.within(MAX_BYTES)

    def audition(self, number: int) -> Score:
        """The score as it would be with a waiting take."""
        return self._with(self._take(number)).score

    def keep(self, number: int) -> Document:
        """The document after a waiting take: a new version of the one that it was made for.

        The other takes go on waiting there.
        """
        take = self._take(number)
        edited = self._with(take)
        detail = {
            "seed": take.seed, "model": take.model, "params": dict(take.params),
            "region": dict(take.region), "receipt": edited.receipt.to_json(),
        }  # fmt: skip
        rest = replace(self, waiting=_without(self.waiting, number), current=take.node)
        return rest._grown("take", f"take, seed {take.seed}", edited, detail)

    def discard(self, number: int) -> Document:
        self._take(number)
        return replace(self, waiting=_without(self.waiting, number), notices=())

    def _take(self, number: int) -> Waiting:
        found = next((take for take in self.waiting if take.number == number), None)
        if found is None:
            raise RegionError("This take is not here any more; make new ones.")
        return found

    def _with(self, take: Waiting) -> Edited:
        """The version that a take was made for, with the take in it, as `model.finish` does it."""
        score = self.score_at(take.node)
        region = Region.from_json(take.region).resolve(score)
        inside = np.flatnonzero(region.contains(score.notes, score))
        same_before, same_after = unchanged_rows(score.notes[inside], take.notes)
        edit = Edit(removed=inside[~same_before], added=take.notes[~same_after])
        return edits.apply(score, edit)

    def _grown(self, kind: str, label: str, edited: Edited, detail: Mapping[str, Any]) -> Document:
        """The document with one more version, which is current."""
        assert edited.data is not None
        number = self.next_number
        node = Node(
            number=number, parent=self.current, kind=kind, label=label[:MAX_LABEL],
            data=self._shared(edited.data), made_at=time.time(), detail=detail,
        )  # fmt: skip
        read = {n: score for n, score in self._read.items() if n == self.current}
        grown = replace(
            self,
            nodes=MappingProxyType({**self.nodes, number: node}),
            forward=MappingProxyType({**self.forward, self.current: number}),
            current=number,
            next_number=number + 1,
            notices=edited.log,
            _read={**read, number: edited.score},
        )
        return grown.within(MAX_BYTES)

    def _shared(self, data: bytes) -> bytes:
        """The very bytes that another version holds, if any are equal."""
        return next((node.data for node in self.nodes.values() if node.data == data), data)

    # ------------------------------------------------------------------------------ going about

    def undo(self) -> Document:
        """The document one version back; itself at the beginning."""
        parent = self.node.parent
        return self if parent is None else self._at(parent)

    def redo(self) -> Document:
        """The document one version on, down the branch that was last on; itself at its end."""
        return self._at(self.forward[self.current]) if self.can_redo else self

    def go_to(self, number: int) -> Document:
        """The document at any version; undo and redo now follow its branch."""
        way = list(self._ancestors(self._node(number).number))
        forward = dict(self.forward) | {way[i + 1]: way[i] for i in range(len(way) - 1)}
        return replace(self._at(number), forward=MappingProxyType(forward))

    def _at(self, number: int) -> Document:
        return replace(self, current=number, notices=(), _read=dict(self._read))

    def _node(self, number: int) -> Node:
        if number not in self.nodes:
            raise RegionError("This version of the score is not here any more.")
        return self.nodes[number]

    def _ancestors(self, number: int | None) -> Iterator[int]:
        """The version itself, its parent, … up to the opened one."""
        while number is not None:
            yield number
            number = self.nodes[number].parent

    # ------------------------------------------------------------------------------ bounded memory

    def within(self, most_bytes: int) -> Document:
        """The document with at most so many bytes and the counts above; what went is said."""
        document, takes, versions = self, 0, 0
        while document.waiting and (
            len(document.waiting) > MAX_TAKES or document.size_bytes > most_bytes
        ):
            document = replace(document, waiting=document.waiting[1:])
            takes += 1
        while len(document.nodes) > MAX_NODES or document.size_bytes > most_bytes:
            victim = document._least_wanted()
            if victim is None:
                break
            document = document._without_node(victim)
            versions += 1
        said = _said(takes, "take that was not kept", "takes that were not kept")
        said += _said(versions, "version of the score", "versions of the score")
        return replace(document, notices=(*document.notices, *said)) if said else document

    def _least_wanted(self) -> Node | None:
        """The oldest version on another branch, else on this one; never the opened or current."""
        own = set(self._ancestors(self.current))
        spare = [n for n in sorted(self.nodes) if n not in (ROOT, self.current)]
        ranked: Sequence[int] = [n for n in spare if n not in own] or spare
        return self.nodes[ranked[0]] if ranked else None

    def _without_node(self, gone: Node) -> Document:
        """What was made of the version hangs from its parent; takes that wait beside it go."""
        nodes = {
            number: replace(node, parent=gone.parent) if node.parent == gone.number else node
            for number, node in self.nodes.items()
            if number != gone.number
        }
        forward = dict(self.forward)
        following = forward.pop(gone.number, None)
        if gone.parent is not None and forward.get(gone.parent) == gone.number:
            del forward[gone.parent]
            if following is not None:
                forward[gone.parent] = following
        return replace(
            self,
            nodes=MappingProxyType(nodes),
            forward=MappingProxyType(forward),
            waiting=tuple(take for take in self.waiting if take.node != gone.number),
            _read={n: score for n, score in self._read.items() if n != gone.number},
        )


def _without(waiting: tuple[Waiting, ...], number: int) -> tuple[Waiting, ...]:
    return tuple(take for take in waiting if take.number != number)


def _said(count: int, one: str, many: str) -> tuple[str, ...]:
    if not count:
        return ()
    return (f"To save memory, the oldest {one if count == 1 else f'{count} {many}'} went.",)
