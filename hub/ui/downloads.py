"""What can be taken home of a take: one row a kind. Files are made when they are asked for."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath

from hub import formats
from hub.errors import ScorehubError, SpliceError
from hub.excerpt import excerpt, region_excerpt
from hub.model import Take
from hub.region import Region
from hub.score import Score


@dataclass(frozen=True, kw_only=True)
class Download:
    """One row.

    label       what the visitor reads; gets the format that came in as {format}
    ending      appended to the take's stem, "" for the suffix alone
    suffix      the file's ending with its dot; "" for that of the format that came in
    make        take → bytes
    offered     is this kind of use for a score of this format?
    """

    label: str
    make: Callable[[Take], bytes]
    suffix: str = ""
    ending: str = ""
    offered: Callable[[str], bool] = lambda format_name: True


def _whole(take: Take) -> bytes:
    if take.data is None:
        raise SpliceError("This take has no file of its own; download a rendering instead.")
    return take.data


def _rendering(format_name: str) -> Callable[[Take], bytes]:
    return lambda take: formats.write_score(take.score, format_name)


def _region_only(take: Take) -> bytes:
    return formats.write_score(region_excerpt(take.score, take.region), written_format(take.before))


def _zip_of_parts(take: Take) -> bytes:
    name = written_format(take.before)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in take.score.parts:
            data = formats.write_score(excerpt(take.score, None, [part.id]), name)
            archive.writestr(f"{safe_name(f'{part.id}-{part.name}')}{suffix_of(name)}", data)
    return buffer.getvalue()


def _sound(take: Take) -> bytes:
    from hub.preview import sound

    return sound.wav(take.score)


def _region_sound(take: Take) -> bytes:
    return region_wav(take.score, take.region)


DOWNLOADS: dict[str, Download] = {
    "file": Download(label="Whole file ({format}, edited in place)", make=_whole),
    "region": Download(label="Region only", make=_region_only, ending=".region"),
    "parts": Download(label="Each part (zip)", make=_zip_of_parts, ending=".parts", suffix=".zip"),
    "midi": Download(
        label="MIDI (a rendering of the score)",
        make=_rendering("midi"),
        suffix=".mid",
        offered=lambda name: name != "midi",
    ),
    "musicxml": Download(
        label="MusicXML (a rendering: quantised, spelled)",
        make=_rendering("musicxml"),
        suffix=".musicxml",
        offered=lambda name: name not in ("musicxml", "mxl"),
    ),
    "wav": Download(label="WAV, whole", make=_sound, suffix=".wav"),
    "wav-region": Download(
        label="WAV, around the region", make=_region_sound, ending=".region", suffix=".wav"
    ),
}


def choices(score: Score) -> list[tuple[str, str]]:
    """(label, kind) of every download that makes sense for this score, the best first."""
    name = source_format(score)
    label = formats.get(name).label
    offered = {kind: row for kind, row in DOWNLOADS.items() if row.offered(name)}
    return [(row.label.format(format=label), kind) for kind, row in offered.items()]


def make(take: Take, kind: str, model_name: str) -> tuple[str, bytes]:
    """(file name, bytes) of one download. Raises ScorehubError."""
    if kind not in DOWNLOADS:
        raise ScorehubError(f'There is no download "{kind}"; choose {", ".join(DOWNLOADS)}.')
    row = DOWNLOADS[kind]
    suffix = row.suffix
    if not suffix:
        whole = source_format(take.before) if kind == "file" else written_format(take.before)
        suffix = suffix_of(whole)
    return safe_name(take.file_stem(model_name) + row.ending) + suffix, row.make(take)


def kept_score(score: Score, kept: int) -> tuple[str, bytes]:
    """(file name, bytes) of the score with the takes kept so far: "kesh-jig.kept2.mid"."""
    name = source_format(score)
    stem = PurePath(score.source.name).stem if score.source else "score"
    data = score.source.data if score.source else formats.write_score(score, name)
    return safe_name(f"{stem}.kept{kept}") + suffix_of(name), data


def source_format(score: Score) -> str:
    return score.source.format if score.source else "midi"


def written_format(score: Score) -> str:
    """The format in which pieces of this score are written: MIDI stays MIDI, the rest MusicXML."""
    return "midi" if source_format(score) == "midi" else "musicxml"


def suffix_of(format_name: str) -> str:
    return formats.get(format_name).extensions[0]


def safe_name(text: str, length: int = 120) -> str:
    """A file name without separators, control characters or leading dots; never empty.

    It has at most `length` bytes: file systems count those, and a letter may take four of them.
    """
    clean = re.sub(r"[^\w.,#+() -]+", "-", text).strip(" .-")
    end = clean.encode("utf-8", "ignore")[-length:].decode("utf-8", "ignore")
    return end.strip(" .-") or "score"


def region_wav(score: Score, region: Region, margin: int = 2) -> bytes:
    """The region with `margin` measures on each side, as WAV. Raises PreviewError."""
    from hub.preview import sound

    first, last = around(score, region, margin)
    return sound.wav(score, score.measures[first].start, score.measures[last - 1].end)


def around(score: Score, region: Region, margin: int) -> tuple[int, int]:
    """Measure indices [first, last) of the region with `margin` measures on each side."""
    touched = region.measure_indices(score)
    return max(0, touched[0] - margin), min(len(score.measures), touched[-1] + 1 + margin)
