"""One model's page on a Hugging Face Space: what the Space's app.py calls.

On ZeroGPU the model works on borrowed GPUs; anywhere else it works here, and the same file serves
the same page. Address and port are left to Gradio's own variables (GRADIO_SERVER_NAME, …), which a
Space sets.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import gradio as gr

from hub.engines import zero_gpu
from hub.errors import LoadError
from hub.ui import app
from hub.ui.library import open_library


def build(model_folder: str | Path) -> gr.Blocks:
    """The page, with its model loaded. Raises LoadError or CardError."""
    library = open_library([model_folder])
    for name, problem in library.broken:
        raise LoadError(f'The model folder "{name}" cannot be used. {problem}')
    models = [entry.model() for entry in library.entries]  # before ZeroGPU forks this process
    engine = zero_gpu.engine(models, waiting=app.WAITING) if zero_gpu.is_here() else None
    app.end_cleanly()
    return app.queued(app.build(library, engine=engine))


def settings() -> dict[str, Any]:
    """What the Space's `demo.launch` is told."""
    is_here = "SYSTEM" not in os.environ  # which the Hub sets to "spaces"
    host = os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1")
    return app.settings(is_loopback=is_here and app.is_local(host))
