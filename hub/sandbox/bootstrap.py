"""The child's first lines: lock the process, and only then import anything.

Run as a script by an isolated Python (`python -I bootstrap.py`), since `import hub` imports NumPy,
whose library starts threads, and a thread that is there before the lock is not bound by it. So
the few modules that lock are imported under packages of the same name whose `__init__` does not
run; afterwards they are forgotten, and the hub is imported as it is.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

PACKAGE = Path(__file__).resolve().parents[1]


def main() -> None:
    requests, replies = _private_pipes()
    header = _lock(requests, replies)
    _prepare(header)
    _import_hub()
    from hub.sandbox.server import serve

    serve(requests, replies, Path(header["bounds"]["folder"]))


def _private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """The wire on descriptors of its own; 0, 1, 2 lead nowhere, and no other is open."""
    null = os.open(os.devnull, os.O_RDWR)
    first, second = os.dup(0), os.dup(1)
    for number in range(3):
        os.dup2(null, number)
    for number in range(3, 256):
        if number not in (first, second):
            try:
                os.close(number)
            except OSError:
                continue
    return os.fdopen(first, "rb"), os.fdopen(second, "wb")


def _lock(requests: BinaryIO, replies: BinaryIO) -> dict[str, Any]:
    _import_bare()
    from hub.sandbox.lock import Bounds, lock_down
    from hub.wire import read_frame, write_frame

    header, _ = read_frame(requests)
    try:
        failures = lock_down(Bounds.from_json(header["bounds"]))
    except OSError as error:
        failures = [f"the lock cannot be made ({error})"]
    write_frame(replies, {"failures": failures})
    if failures:
        sys.exit(1)
    return header


def _prepare(header: dict[str, Any]) -> None:
    """An environment with nothing in it but a home, and the hub's own folders of packages."""
    os.environ.clear()
    for name in ("HOME", "TMPDIR", "TEMP", "TMP"):
        os.environ[name] = header["bounds"]["temp"]
    sys.path += [path for path in header["packages"] if path not in sys.path]


def _import_bare() -> None:
    for name, folder in (("hub", PACKAGE), ("hub.sandbox", PACKAGE / "sandbox")):
        bare = ModuleType(name)
        bare.__path__ = [str(folder)]
        sys.modules[name] = bare


def _import_hub() -> None:
    """The hub that this file belongs to, wherever it lies and whatever else is called so."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "hub"]:
        del sys.modules[name]
    spec = importlib.util.spec_from_file_location(
        "hub", PACKAGE / "__init__.py", submodule_search_locations=[str(PACKAGE)]
    )
    assert spec is not None and spec.loader is not None
    sys.modules["hub"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


if __name__ == "__main__":
    main()
