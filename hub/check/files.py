"""What may lie in a model folder: no links, no weights but safetensors, no secrets.

Nothing is loaded or unpacked here: names, links and first bytes tell. What is only a cache is
passed over; it never leaves the folder.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from hub.check.report import FAIL, OK, WARN, Finding
from hub.model import WEIGHTS_FILE
from hub.secrets import secret_in

MAX_FILES = 10_000
MAX_SCANNED_BYTES = 4 << 20  # of each file, when looking for secrets
CACHES = {
    ".git", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".venv", "__pycache__", "node_modules",
}  # fmt: skip
OTHER_WEIGHTS = {
    ".bin", ".ckpt", ".gz", ".h5", ".hdf5", ".joblib", ".keras", ".msgpack", ".npy", ".npz",
    ".onnx", ".pb", ".pickle", ".pkl", ".pt", ".pth", ".tar", ".tflite", ".tgz", ".th", ".zip",
}  # fmt: skip
ARCHIVES = {b"PK\x03\x04", b"\x1f\x8b", b"\x89HDF", b"\x93NUMPY"}  # first bytes
PICKLE = re.compile(rb"\x80[\x02-\x05]")
SCORE_ARCHIVE = ".mxl"
SECRET_NAMES = {".env", ".netrc", ".pypirc", ".git-credentials", "id_rsa", "id_ed25519", "token"}


def examine(folder: Path) -> Iterator[Finding]:
    """One finding a fault, or one that says that all is well."""
    faults, count = [], 0
    for path in _walk(folder):
        count += 1
        if count > MAX_FILES:
            yield Finding(
                "files", WARN, f"more than {MAX_FILES:,} files; the rest is not looked at"
            )
            break
        name = path.relative_to(folder).as_posix()
        faults += [f"{name} {fault}" for fault in _faults(path, PurePosixPath(name))]
    yield from (Finding("files", FAIL, fault) for fault in faults)
    if not faults:
        yield Finding("files", OK, f"{count}; no links, no weights but safetensors, no secrets")


def _walk(folder: Path) -> Iterator[Path]:
    """Every file and every link below the folder, links not followed, caches left out."""
    for place, folders, names in os.walk(folder):
        here = Path(place)
        links = [name for name in folders if (here / name).is_symlink()]
        folders[:] = sorted(set(folders) - CACHES - set(links))
        yield from (here / name for name in sorted([*names, *links]))


def _faults(path: Path, name: PurePosixPath) -> Iterator[str]:
    if path.is_symlink():
        yield "is a symbolic link; put the file itself there"
    elif not path.is_file():
        yield "is neither a file nor a folder; remove it"
    elif name.name in SECRET_NAMES or name.suffix in (".pem", ".key"):
        yield "is a file that holds secrets; move it out of the folder"
    else:
        yield from _faults_inside(path, name)


def _faults_inside(path: Path, name: PurePosixPath) -> Iterator[str]:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_SCANNED_BYTES)
    except OSError as error:
        yield f"cannot be read ({error.strerror})"
        return
    if name.suffix.lower() in OTHER_WEIGHTS or _is_archive(data, name):
        yield f"may be weights that can run code; only {WEIGHTS_FILE} is read, move it elsewhere"
    elif name.suffix == ".safetensors":
        if not _is_safetensors(data, path.stat().st_size):
            yield "is not a safetensors file: its header is damaged"
    elif found := secret_in(data):
        yield f"has {found[0]} in line {found[1]}; remove it, and make it invalid where it is known"


def _is_archive(data: bytes, name: PurePosixPath) -> bool:
    if name.suffix.lower() == SCORE_ARCHIVE:
        return False
    return bool(PICKLE.match(data)) or any(data.startswith(magic) for magic in ARCHIVES)


def _is_safetensors(data: bytes, size: int) -> bool:
    """Eight bytes of header length, little-endian, then the header, a JSON object."""
    length = int.from_bytes(data[:8], "little")
    return 2 <= length <= size - 8 and data[8:9] == b"{"
