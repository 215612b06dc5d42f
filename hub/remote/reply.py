"""A file that came back from somebody's app → the new notes in it. The file is a hostile one.

It must be of the format that was sent, be readable within the hub's limits, and be the score that
was sent everywhere but in the region. Only the notes in the region are taken; `hub.model.finish`
does with them what it does with every model's answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hub import formats
from hub.blank_file import Places, part_places, renumbered, same_notes
from hub.errors import FileError, IntegrityError, RegionError
from hub.params import Params, ParamSpec
from hub.region import Box, Region
from hub.score import Notes, Score, Source


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What is sent for a request.

    score   what a model here would get: the blanked score, its `source` the blanked file
    region  in that score's parts
    """

    score: Score
    region: Region

    @property
    def source(self) -> Source:
        assert self.score.source is not None
        return self.score.source

    @property
    def places(self) -> Places:
        places = self.source.index
        assert isinstance(places, Places)
        return places

    @property
    def file(self) -> Score:
        """The blanked file as whoever gets it reads it; its parts may be numbered otherwise."""
        return self.places.file

    @cached_property
    def ids(self) -> dict[str, str]:
        """What the file calls the score's parts, by the score's ids."""
        return {
            self.score.parts[place].id: part.id
            for place, part in zip(self.places.parts, self.file.parts, strict=True)
        }

    def region_json(self) -> dict[str, Any]:
        """The region in the file's own parts."""
        return _renamed(self.region, self.ids).to_json()

    def params_json(self, params: Params, specs: Sequence[ParamSpec]) -> dict[str, Any]:
        """The controls' values, those of parts keyed by the file's own."""
        by_part = {spec.name for spec in specs if spec.scope.startswith("part")}
        return {
            name: {self.ids.get(str(part), part): each for part, each in value.items()}
            if name in by_part and isinstance(value, Mapping)
            else value
            for name, value in params.items()
        }

    def outside(self, notes: Notes) -> Notes:
        return notes[~self.region.contains(notes, self.score)]


def _renamed(region: Region, ids: dict[str, str]) -> Region:
    def boxes(of: tuple[Box, ...]) -> tuple[Box, ...]:
        moved = ((box, ids.get(box.part or "")) for box in of)
        return tuple(
            Box(**{**box.__dict__, "part": part}) for box, part in moved if part is not None
        )

    keep = tuple(kept._replace(part=ids[kept.part]) for kept in region.keep if kept.part in ids)
    return Region(
        boxes=boxes(region.boxes), keep=keep, change=region.change, hide=boxes(region.hide)
    )


def new_notes(data: bytes, sent: Sent, place: str) -> Notes:
    """The notes of a returned file that lie in the region. Raises IntegrityError."""
    reply = _read(data, sent, place)
    found = part_places(formats.part_keys(reply), formats.part_keys(sent.file))
    if found is None or reply.ticks_per_quarter != sent.score.ticks_per_quarter:
        raise _another(place)
    try:
        notes = _numbered(reply.notes, found, sent)
        expected = sent.outside(renumbered(sent.file.notes, sent.places.parts))
        if not same_notes(sent.outside(notes), expected):
            raise _another(place)
        return notes[sent.region.contains(notes, sent.score)]
    except RegionError:
        raise _another(place) from None


def _numbered(notes: Notes, found: tuple[int, ...], sent: Sent) -> Notes:
    """Notes of the reply with their parts numbered as in the score."""
    return renumbered(notes, tuple(sent.places.parts[i] for i in found))


def _read(data: bytes, sent: Sent, place: str) -> Score:
    """The reply as a score, by the reader of what was sent and by no other."""
    row = formats.get(sent.source.format)
    try:
        if not data.strip() or not row.sniff(data):
            raise IntegrityError(
                f"{place} returned something that is no {row.label}; it is refused."
            )
        return formats.read_score(data, "answer" + row.extensions[0])
    except FileError as error:
        raise IntegrityError(f"{place} returned a file that is refused. {error}") from None


def _another(place: str) -> IntegrityError:
    return IntegrityError(
        f"{place} returned another score than the one it was sent; it is refused, and yours is "
        "unchanged."
    )
