"""Small MusicXML documents for tests, written by hand as text."""

from __future__ import annotations

from collections.abc import Sequence

from hub.formats import Edit, musicxml
from hub.score import Note, Notes, Score

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def pitch(name: str) -> str:
    """ "C4", "F#5", "Bb3" as a pitch element."""
    step, octave = name[0], name[-1]
    alter = name.count("#") - name[1:].count("b")
    middle = f"<alter>{alter}</alter>" if alter else ""
    return f"<pitch><step>{step}</step>{middle}<octave>{octave}</octave></pitch>"


def note(
    name: str,
    duration: int,
    *,
    chord: bool = False,
    tie: str = "",
    voice: str = "1",
    staff: int = 0,
    more: str = "",
    notations: str = "",
) -> str:
    """A note ("R" is a rest); `tie` holds "start", "stop" or both."""
    ties = "".join(f'<tie type="{kind}"/>' for kind in tie.split())
    tied = "".join(f'<tied type="{kind}"/>' for kind in tie.split()) + notations
    return (
        "<note>"
        + ("<chord/>" if chord else "")
        + ("<rest/>" if name == "R" else pitch(name))
        + f"<duration>{duration}</duration>{ties}<voice>{voice}</voice>"
        + more
        + (f"<staff>{staff}</staff>" if staff else "")
        + (f"<notations>{tied}</notations>" if tied else "")
        + "</note>"
    )


def grace(name: str, voice: str = "1") -> str:
    return f"<note><grace/>{pitch(name)}<voice>{voice}</voice><type>eighth</type></note>"


def backup(duration: int) -> str:
    return f"<backup><duration>{duration}</duration></backup>"


def forward(duration: int) -> str:
    return f"<forward><duration>{duration}</duration></forward>"


def words(text: str) -> str:
    return f"<direction><direction-type><words>{text}</words></direction-type></direction>"


def attributes(
    divisions: int = 2, meter: str = "4/4", fifths: int = 0, staves: int = 0, more: str = ""
) -> str:
    beats, beat_type = meter.split("/")
    return (
        f"<attributes><divisions>{divisions}</divisions><key><fifths>{fifths}</fifths></key>"
        f"<time><beats>{beats}</beats><beat-type>{beat_type}</beat-type></time>"
        + (f"<staves>{staves}</staves>" if staves else "")
        + more
        + "</attributes>"
    )


def document(*parts: Sequence[str], listed: str = "", head: str = HEAD) -> str:
    """Parts are lists of measure contents; `listed` goes into every score-part."""
    names = "".join(
        f'<score-part id="P{n}"><part-name>Part {n}</part-name>{listed}</score-part>'
        for n in range(1, len(parts) + 1)
    )
    bodies = ""
    for n, measures in enumerate(parts, start=1):
        inner = "".join(
            f'\n    <measure number="{m}">\n      {content}\n    </measure>'
            for m, content in enumerate(measures, start=1)
        )
        bodies += f'\n  <part id="P{n}">{inner}\n  </part>'
    return (
        f'{head}<score-partwise version="4.0">\n  <part-list>{names}</part-list>{bodies}\n'
        "</score-partwise>\n"
    )


def read(*parts: Sequence[str], listed: str = "") -> Score:
    return musicxml.read(document(*parts, listed=listed).encode(), "test.musicxml")


def rows(score: Score) -> list[tuple[int, int, int]]:
    """(onset, duration, pitch) of all notes."""
    return [tuple(note[:3]) for note in score.notes]


def edit(
    score: Score, added: Sequence[Note] = (), *, start: int = 0, end: int = 0, part: int = 0
) -> Edit:
    """Everything of a part that begins in [start, end) goes, `added` comes."""
    notes = score.notes
    inside = (notes.part == part) & (notes.onset >= start) & (notes.onset < end)
    return Edit(removed=inside.nonzero()[0], added=Notes.of(added))


def spliced(score: Score, change: Edit) -> str:
    """The edited document, verified."""
    data = musicxml.splice(score, change)
    musicxml.verify(score, change, data)
    return data.decode()
