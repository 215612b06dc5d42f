"""Model folders → one Gradio app: a gallery and a page a model, or the page of a single one."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import gradio as gr

from hub.engines.local import LocalEngine
from hub.limits import LIMITS
from hub.ui import api, gallery, page, wiring
from hub.ui.headers import Headers
from hub.ui.library import Library, open_library
from hub.ui.panel import ASSETS

SESSIONS = 100  # visitors whose scores and takes are remembered at a time
CACHE_SECONDS = (600, 3600)  # how often files are looked through, and how old they may get
QUEUE = 64  # requests that may wait in Gradio's queue
WAITING = 24  # of those it has let through, how many may wait for the engine


def build(
    folders: Iterable[str | Path] | Library,
    *,
    with_gallery: bool | None = None,
    engine: LocalEngine | None = None,
) -> gr.Blocks:
    """The app of these model folders. Without a gallery (default: for a single model) its page is
    the front page. The models run on `engine`, by default in threads of this process.
    Raises LoadError."""
    library = folders if isinstance(folders, Library) else open_library(folders)
    prepare_environment()
    engine = engine or LocalEngine(waiting=WAITING)
    demo = gr.Blocks(
        title=_title(library, with_gallery), analytics_enabled=False, delete_cache=CACHE_SECONDS,
        fill_width=True,
    )  # fmt: skip
    if with_gallery is False or (with_gallery is None and len(library.entries) == 1):
        with demo:
            api.add(library, engine)  # first: a name belongs to whoever takes it first
            wiring.wire(page.lay_out(library.entries[0]), engine)
        return demo
    paths = {entry.name: _path(entry.name) for entry in library.entries}
    with demo:
        gr.Navbar(visible=False)
        gallery.lay_out(library, paths)
        api.add(library, engine)
    for entry in library.entries:
        with demo.route(entry.card.title, f"/{paths[entry.name]}", show_in_navbar=False):
            gr.Navbar(visible=False)
            wiring.wire(page.lay_out(entry, home="./"), engine)
    return demo


def _title(library: Library, with_gallery: bool | None) -> str:
    single = len(library.entries) == 1 and not with_gallery
    return library.entries[0].card.title if single else gallery.NAME


def _path(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9._~-]+", "-", name).strip("-") or "model"


def prepare_environment() -> None:
    """No telemetry; uploads in a folder of this process's own. What is set already stays."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    if "GRADIO_TEMP_DIR" not in os.environ:
        folder = tempfile.mkdtemp(prefix="scorehub-")
        os.environ["GRADIO_TEMP_DIR"] = folder
        atexit.register(shutil.rmtree, folder, ignore_errors=True)


def settings() -> dict[str, Any]:
    """What `Blocks.launch` needs to be told: looks, limits, and nothing from outside."""
    return {
        "app_kwargs": {"middleware": [(Headers, (), {})]},  # class, arguments, named ones
        "theme": _theme(),
        "css": (ASSETS / "style.css").read_text(encoding="utf-8"),
        "head": f"<script>{(ASSETS / 'players.js').read_text(encoding='utf-8')}</script>",
        "footer_links": ["api"],
        "run_history": False,
        "ssr_mode": False,
        "show_error": False,
        "max_file_size": 2 * LIMITS.file_bytes,  # up to here the hub's own sentence is shown
        "state_session_capacity": SESSIONS,
        "enable_monitoring": False,
        "pwa": False,
    }


def queued(demo: gr.Blocks) -> gr.Blocks:
    """The app, with as much room for waiting visitors as it has."""
    demo.queue(max_size=QUEUE, default_concurrency_limit=4)
    return demo


def launch(
    demo: gr.Blocks, *, host: str = "127.0.0.1", port: int | None = None, **options: Any
) -> tuple[Any, str, str]:
    """Serve the app; `options` go to `Blocks.launch` and win over `settings()`."""
    end_cleanly()
    queued(demo)
    given = {"server_name": host, "server_port": port, "share": False, "quiet": False, **settings()}
    served: tuple[Any, str, str] = demo.launch(**(given | options))
    return served


def end_cleanly() -> None:
    """Ended by SIGTERM, as service managers do it, clean up as after Ctrl-C."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


def _theme() -> gr.themes.Base:
    """The system's own fonts, so that no font is fetched from anywhere."""
    return gr.themes.Default(
        primary_hue="indigo",
        neutral_hue="slate",
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    ).set(  # Gradio's own grey is too pale to read: 2.6 to 1 on white
        body_text_color_subdued="*neutral_500",
        block_info_text_color="*neutral_500",
        block_label_text_color="*neutral_600",
        block_title_text_color="*neutral_700",
        link_text_color_dark="*secondary_400",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
    )
