"""Model folders → one Gradio app: a gallery and a page a model, or the page of a single one; and
the page of models on the Hub, each of which becomes an app of its own when it is opened."""

from __future__ import annotations

import atexit
import ipaddress
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from hub.engines.local import LocalEngine
from hub.limits import LIMITS
from hub.ui import api, gallery, hub_page, page, stranger, wiring
from hub.ui.asker import Asker
from hub.ui.headers import Headers
from hub.ui.library import Entry, Library, open_library
from hub.ui.opener import Opener
from hub.ui.opening import PAGE, Addresses, OpenModels
from hub.ui.panel import ASSETS

SESSIONS = 100  # visitors whose scores and takes are remembered at a time
CACHE_SECONDS = (600, 3600)  # how often files are looked through, and how old they may get
QUEUE = 64  # requests that may wait in Gradio's queue
WAITING = 24  # of those it has let through, how many may wait for the engine


_opened: weakref.WeakKeyDictionary[gr.Blocks, OpenModels] = weakref.WeakKeyDictionary()


def build(
    folders: Iterable[str | Path] | Library,
    *,
    with_gallery: bool | None = None,
    with_hub: bool = False,
    is_public: bool = False,
    engine: LocalEngine | None = None,
) -> gr.Blocks:
    """The app of these model folders. Raises LoadError.

    with_gallery  a front page that links to the models; without it (default: for a single model)
                  the model's page is the front page
    with_hub      a page to find and open models of the Hub, linked from the gallery
    is_public     strangers can reach it: see `hub.ui.opener` for what they may open
    engine        runs the models; default: here, in threads
    """
    library = folders if isinstance(folders, Library) else open_library(folders)
    prepare_environment()
    engine = engine or LocalEngine(waiting=WAITING)
    if with_gallery is None:
        with_gallery = with_hub or len(library.entries) != 1
    demo = _blocks(gallery.NAME if with_gallery else library.entries[0].card.title)
    with demo:
        if with_gallery:
            gr.Navbar(visible=False)
            paths = _paths(library, {PAGE} if with_hub else set())
            gallery.lay_out(library, paths, PAGE if with_hub else "")
        api.add(library, engine)  # before the pages: a name belongs to whoever takes it first
        if not with_gallery:
            wiring.wire(page.lay_out(library.entries[0]), engine)
            return demo
    for entry in library.entries:
        with demo.route(entry.card.title, f"/{paths[entry.name]}", show_in_navbar=False):
            gr.Navbar(visible=False)
            wiring.wire(page.lay_out(entry, home="./"), engine)
    if with_hub:
        _add_hub(demo, engine, is_public)
    return demo


def _blocks(title: str) -> gr.Blocks:
    return gr.Blocks(
        title=title, analytics_enabled=False, delete_cache=CACHE_SECONDS, fill_width=True
    )


def _add_hub(demo: gr.Blocks, engine: LocalEngine, is_public: bool) -> None:
    """The page of models on the Hub, and what serves those that are opened."""
    home = f"../../../{PAGE}"  # from hub/user/name@commit/
    models = OpenModels(partial(_mounted, weakref.ref(demo)))

    def of_entry(entry: Entry) -> None:
        wiring.wire(page.lay_out(entry, home, "← Models on the Hub"), engine)

    opener = Opener(models, of_entry, partial(stranger.lay_out, home=home), is_public=is_public)
    with demo.route(hub_page.TITLE, f"/{PAGE}", show_in_navbar=False):
        gr.Navbar(visible=False)
        hub_page.lay_out(demo, opener)
    _opened[demo] = models


def _mounted(
    main: Callable[[], gr.Blocks | None], title: str, lay_out: Callable[[], Any], address: str
) -> Any:
    """What `lay_out` builds, as an ASGI app that answers below `address`."""
    from starlette.applications import Starlette

    demo = main()
    blocks = _blocks(title)
    with blocks:
        lay_out()
    queued(blocks)
    blocks.state_session_capacity = SESSIONS
    kept = {name: value for name, value in settings().items() if name not in _OF_LAUNCH}
    host = Starlette()
    gr.mount_gradio_app(host, blocks, address, auth=demo.auth if demo else None, **kept)
    return host


# Settings that only `Blocks.launch` takes: the main app has them for all.
_OF_LAUNCH = ("app_kwargs", "state_session_capacity")


def _paths(library: Library, taken: set[str]) -> dict[str, str]:
    """Model name → address of its page; none of them one that is `taken`."""
    paths = {entry.name: _path(entry.name) for entry in library.entries}
    return {name: f"{path}-model" if path in taken else path for name, path in paths.items()}


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


def settings(demo: gr.Blocks | None = None, *, is_loopback: bool = False) -> dict[str, Any]:
    """What `Blocks.launch` needs to be told: looks, limits, and nothing from outside.

    is_loopback  it is served to this machine alone, see `hub.ui.asker`
    """
    layers: list[Any] = [  # class, arguments, named ones
        (Headers, (), {}),
        (Asker, (), {"is_loopback": is_loopback}),
    ]
    if demo in _opened:
        layers.append((Addresses, (), {"models": _opened[demo]}))
    return {
        "app_kwargs": {"middleware": layers},
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


def is_local(host: str) -> bool:
    """Is this address to listen on one that only this machine can reach?"""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def launch(
    demo: gr.Blocks, *, host: str = "127.0.0.1", port: int | None = None, **options: Any
) -> tuple[Any, str, str]:
    """Serve the app; `options` go to `Blocks.launch` and win over `settings()`."""
    end_cleanly()
    queued(demo)
    given = {"server_name": host, "server_port": port, "share": False, "quiet": False}
    given |= settings(demo, is_loopback=is_local(host) and not options.get("share"))
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
