"""The arrows of docs/architecture.md, held by walking every import statement.

An import at the top of a module and one inside a function are told apart: rooms may depend on each
other only downhill wherever the import stands, and heavy libraries never at the top.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import hub

PROJECT = Path(__file__).resolve().parent.parent
HUB_FILES = sorted((PROJECT / "hub").rglob("*.py"))
MODELS = sorted((PROJECT / "models").glob("*/*.py"))

# Library → the only files or folders of hub/ that may import it.
DOORS = {
    "gradio": ["ui/"],
    "gradio_client": ["ui/", "remote/"],
    "httpx": ["remote/"],
    "huggingface_hub": ["remote/"],
    "filelock": ["remote/"],
    "tqdm": ["remote/"],
    "starlette": ["local_hub/", "ui/"],
    "uvicorn": ["local_hub/"],
    "music21": ["interop.py", "formats/abc_convert.py"],
    "pretty_midi": ["interop.py", "preview/"],
    "markdown_it": ["preview/"],
    "verovio": ["preview/"],
    "midi2audio": ["preview/"],
    "tinysoundfont": ["preview/"],
    "spaces": ["engines/zero_gpu.py"],
    "safetensors": ["weights.py"],
    "yaml": ["card.py"],
    "torch": ["params.py", "weights.py"],
    "lxml": [],
    "symusic": [],
    "mido": [],
    "pandas": [],
    "PIL": [],
    "matplotlib": [],
}
# What `hub.local_hub.serve` imports when it is called, and nobody else does.
SERVED = ("local_hub/app.py", "local_hub/http.py", "local_hub/routes/")
# Imported only inside functions, where somebody's app is called.
CALLED = ("remote/app_errors.py", "remote/gradio_app.py", "remote/guard.py")
LIGHT = {"numpy"} | set(sys.stdlib_module_names)

# Room → the rooms of hub/ it may import; every file belongs to exactly one room.
CORE = ["errors", "limits", "score", "region"]
REQUEST = [*CORE, "params", "accepts", "card", "formats", "answer", "receipt"]
SERVICE = [*REQUEST, "blank_file", "model", "folder"]
HUB = ["bundle", "hub_card", "handle", "loading", "places", "remote", "sandbox", "trust"]
RANKS = {
    "errors": [],
    "limits": ["errors"],
    "wire": [],
    "version": [],
    "score": ["errors", "interop"],
    "region": ["errors", "score"],
    "excerpt": CORE,
    "interop": CORE,
    "weights": ["errors"],
    "child": ["errors", "wire"],
    "child_main": ["errors", "wire"],
    "params": ["errors"],
    "accepts": CORE,
    "card": ["errors", "accepts", "params"],
    "general_midi": [],
    "numerals": [],
    "engrave": [*CORE, "general_midi", "numerals"],
    "formats": [*CORE, "child", "engrave", "general_midi", "numerals"],
    "preview": [*CORE, "child", "engrave", "formats", "general_midi"],
    "answer": [*CORE, "accepts", "interop"],
    "receipt": [*CORE, "formats"],
    "edits": [*CORE, "formats", "receipt"],
    "blank_file": [*CORE, "formats"],
    "model": [*REQUEST, "blank_file", "weights"],
    "handle": ["errors"],
    "places": [],
    "architectures": ["errors"],
    "folder": ["errors", "architectures", "card", "model", "places"],
    "transfer": [*REQUEST, "model"],
    "sandbox": [*SERVICE, "transfer", "wire"],
    "secrets": [],
    "hub_card": ["errors", "card"],
    "bundle": ["errors", "limits", "formats", "card", "model", "secrets"],
    "remote": [*SERVICE, "architectures", "bundle", "hub_card", "handle", "places", "version"],
    "trust": ["errors", "handle", "places"],
    "loading": [*SERVICE, "architectures", "child", "handle", "remote", "sandbox", "trust"],
    "space": [*SERVICE, "architectures", "bundle", "hub_card", ""],
    "starter": [*SERVICE],
    "local_hub": ["errors", "card"],
    "engines": SERVICE,
    "check": [*SERVICE, "architectures", "hub_card", "secrets"],
    "cli": [*SERVICE, *HUB, "check", "engines", "local_hub", "space", "starter", "ui", ""],
    "ui": [
        *SERVICE,
        *HUB,
        "architectures",
        "child",
        "edits",
        "engines",
        "engrave",
        "excerpt",
        "preview",
        "",
    ],
    "__main__": ["cli"],
    "": [*SERVICE, "loading", "version"],  # hub/__init__.py
}


class Import(NamedTuple):
    module: str
    at_top: bool
    line: int


def imports(path: Path) -> list[Import]:
    """Every import of a file, except those under `if TYPE_CHECKING`; hub's as full names."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return list(_walk(tree, path, at_top=True))


def _walk(node: ast.AST, path: Path, *, at_top: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, at_top, child.lineno)
        elif isinstance(child, ast.ImportFrom):
            assert not child.level, f"{path}: relative imports hide where the arrows go"
            for alias in child.names:
                yield Import(f"{child.module}.{alias.name}", at_top, child.lineno)
        else:
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _walk(child, path, at_top=at_top and not inside)


def room(path: Path) -> str:
    """The room a file of hub/ belongs to: its folder or its own name, "" for hub/__init__.py."""
    relative = path.relative_to(PROJECT / "hub")
    first = relative.parts[0]
    return "" if first == "__init__.py" else first.removesuffix(".py")


def target_room(module: str) -> str | None:
    """The room of hub/ that an imported name lies in; None for other packages."""
    package, _, rest = module.partition(".")
    if package != "hub":
        return None
    name = rest.partition(".")[0]
    known = name in RANKS and name != ""
    return name if known else ""


def relative(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def test_every_file_has_a_room() -> None:
    assert {room(path) for path in HUB_FILES} <= set(RANKS)


@pytest.mark.parametrize("path", HUB_FILES, ids=relative)
def test_arrows_run_downhill(path: Path) -> None:
    allowed = {room(path), *RANKS[room(path)]}
    wrong = [
        f"{relative(path)}:{found.line} imports {found.module}"
        for found in imports(path)
        if (target := target_room(found.module)) is not None and target not in allowed
    ]
    assert wrong == []


def test_no_room_imports_one_that_imports_it() -> None:
    """The table itself has no circles, but for the converters that Score reaches lazily."""
    downhill = {name: [r for r in below if r != "interop"] for name, below in RANKS.items()}
    done: set[str] = set()
    while len(done) < len(downhill):
        ready = {r for r in downhill if r not in done and set(downhill[r]) - {r} <= done}
        circle = sorted(set(downhill) - done - ready)
        assert ready or not circle, f"these depend on each other: {circle}"
        done |= ready


@pytest.mark.parametrize("path", HUB_FILES, ids=relative)
def test_one_library_one_door(path: Path) -> None:
    inside_hub = path.relative_to(PROJECT / "hub").as_posix()
    for found in imports(path):
        package = found.module.partition(".")[0]
        if package in DOORS:
            doors = DOORS[package]
            assert inside_hub.startswith(tuple(doors)), f"{found} — its doors: {doors}"
        else:
            assert package in LIGHT | {"hub"}, f"{found}: name the door of {package} in DOORS"


@pytest.mark.parametrize("path", HUB_FILES, ids=relative)
def test_heavy_libraries_load_where_they_are_used(path: Path) -> None:
    if room(path) == "ui":  # a room that is not imported unless a page is wanted
        return
    if path.relative_to(PROJECT / "hub").as_posix().startswith(SERVED + CALLED):
        return
    heavy = [
        found
        for found in imports(path)
        if found.at_top and found.module.partition(".")[0] not in LIGHT | {"hub"}
    ]
    assert heavy == []


def test_hub_never_imports_models() -> None:
    found = {i.module.partition(".")[0] for path in HUB_FILES for i in imports(path)}
    assert not found & {"models", "benchmarks", "app", "tests"}


@pytest.mark.parametrize("path", MODELS, ids=relative)
def test_models_use_public_names_only(path: Path) -> None:
    neighbours = {sibling.stem for sibling in path.parent.glob("*.py")}
    for found in imports(path):
        package, _, rest = found.module.partition(".")
        assert package != "models", "a model never imports another"
        assert package != "hub" or rest in ("", *hub.__all__), f"{found} is not public"
        if package in neighbours:
            assert package != path.stem
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "hub":
            assert node.attr in hub.__all__, f"hub.{node.attr} is not public"


def test_import_hub_is_light() -> None:
    heavy = sorted({*DOORS, "scipy", "requests", "asyncio"} - {"yaml"})
    code = f"import hub, sys; print([m for m in {heavy!r} if m in sys.modules])"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT, check=True)
    assert done.stdout.strip() == "[]"
