"""`scorehub new`: a model folder that already works, for an author to change piece by piece.

The files are templates in `starter_files/` ($title, $class_name); the example score is written by
the hub's own MIDI writer from the tune at the end of this file.
"""

from __future__ import annotations

import keyword
import re
import string
from collections.abc import Iterator
from pathlib import Path

from hub import formats
from hub.errors import FileError, LoadError
from hub.score import Measure, Note, Notes, Part, Score

TEMPLATES = Path(__file__).with_name("starter_files")
FILES = {
    "README.md": "README.md",
    "model.py": "model.py.txt",  # .txt: a template is no Python yet
    "test_model.py": "test_model.py.txt",
}
EXAMPLE = "examples/lantern-song.mid"
MAX_NAME = 64  # characters; the Hub allows 96 for owner and name together
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


def write(folder: str | Path) -> list[Path]:
    """Make the folder, named after the model, and write its files; their paths.

    Raises LoadError for a name that is no repository's, FileError when the folder exists already
    or cannot be written. Nothing is ever overwritten.
    """
    folder = Path(folder)
    check_name(folder.name)
    contents = files(folder.name)
    _make(folder)
    written = []
    for name, data in contents.items():
        path = folder / name
        try:
            path.parent.mkdir(exist_ok=True)
            with path.open("xb") as stream:
                stream.write(data)
        except OSError as error:
            raise FileError(f'"{path}" cannot be written ({error.strerror}).') from error
        written.append(path)
    return written


def files(name: str) -> dict[str, bytes]:
    """Path in the folder → contents, for a model of that name."""
    words = {"title": title(name), "class_name": class_name(name)}
    made = {}
    for target, template in FILES.items():
        text = (TEMPLATES / template).read_text(encoding="utf-8")
        made[target] = string.Template(text).substitute(words).encode()
    return {**made, EXAMPLE: formats.write_score(example(), "midi")}


def check_name(name: str) -> None:
    """Raise LoadError unless a repository of the Hub may have this name."""
    doubled = next((pair for pair in ("--", "..") if pair in name), None)
    if doubled:
        raise LoadError(f'"{name}" has "{doubled}" in it, which the Hub does not allow.')
    if not _NAME.fullmatch(name):
        raise LoadError(
            f'"{name}" cannot be the name of a model on the Hub: use letters from a to z, digits, '
            'and "-", "_" or "." between them, such as "my-model".'
        )
    if len(name) > MAX_NAME:
        raise LoadError(f'"{name}" is too long: a name has at most {MAX_NAME} characters.')
    if name.endswith(".git"):
        raise LoadError(f'"{name}" ends in ".git", which the Hub does not allow.')


def class_name(name: str) -> str:
    """ "my-model.2" → "MyModel2": a class that Python can have."""
    joined = "".join(word[:1].upper() + word[1:] for word in re.split(r"[._-]+", name))
    unfit = joined[:1].isdigit() or keyword.iskeyword(joined)
    return f"Model{joined}" if unfit else joined


def title(name: str) -> str:
    """ "my-model" → "My model"."""
    words = re.sub(r"[._-]+", " ", name)
    return words[:1].upper() + words[1:]


def example() -> Score:
    """Lantern Song: a melody of sixteen measures over a bass, written for this purpose (CC0)."""
    length = 4 * TICKS_PER_QUARTER
    measures = tuple(
        Measure(number=str(index + 1), start=index * length, length=length)
        for index in range(len(MELODY))
    )
    parts = (
        Part(id="P1", name="Melody", program=73, channel=0),
        Part(id="P2", name="Bass", program=32, channel=1),
    )
    rows = [*_line(MELODY, part=0, velocity=88), *_line(BASS, part=1, velocity=72)]
    return Score(
        ticks_per_quarter=TICKS_PER_QUARTER, parts=parts, measures=measures, notes=Notes.of(rows)
    )


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise FileError(
            f'"{folder}" exists already and is left as it is; choose another name, or another '
            "place (--folder)."
        ) from None
    except OSError as error:
        raise FileError(f'The folder "{folder}" cannot be made ({error.strerror}).') from error


# --- the tune: one text a measure, "note:quarters", a quarter where no length is given -----------

TICKS_PER_QUARTER = 480
MELODY = (
    "E4 G4 A4:1.5 G4:.5", "C5 A4 G4:2", "A4:.5 G4:.5 E4 D4 E4", "G4:3 E4",
    "E4 G4 A4:1.5 G4:.5", "C5 D5 E5:1.5 D5:.5", "C5:.5 A4:.5 G4 E4 D4", "C4:3 G4",
    "C5:1.5 B4:.5 C5 D5", "E5 D5:.5 C5:.5 A4:2", "F4 A4 C5:1.5 A4:.5", "G4:3 G4",
    "E4 G4 A4:1.5 G4:.5", "C5 D5 E5:1.5 D5:.5", "C5:.5 A4:.5 G4 F4:.5 E4:.5 D4", "C4:4",
)  # fmt: skip
BASS = (
    "C3:2 A2:2", "F2:2 C3:2", "F2:2 G2:2", "C3:2 B2:2",
    "A2:2 F2:2", "A2:2 C3:2", "F2:2 G2:2", "C3:2 E3:2",
    "A2:2 E2:2", "A2:2 F2:2", "D3:2 F2:2", "G2:2 B2:2",
    "C3:2 A2:2", "F2:2 C3:2", "F2:2 G2:2", "C3:4",
)  # fmt: skip
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def _line(measures: tuple[str, ...], *, part: int, velocity: int) -> Iterator[Note]:
    onset = 0
    for word in " ".join(measures).split():
        note, _, quarters = word.partition(":")
        pitch = 12 * (int(note[1]) + 1) + _STEPS[note[0]]
        duration = round(float(quarters or 1) * TICKS_PER_QUARTER)
        yield Note(onset, duration, pitch, velocity, part)
        onset += duration
