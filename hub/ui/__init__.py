"""Cards and params → a Gradio app. The only place that imports gradio; `import hub` does not."""

from hub.ui.app import build, is_local, launch, settings
from hub.ui.editor import ScoreEditor
from hub.ui.library import Entry, Library, open_library

__all__ = [
    "Entry",
    "Library",
    "ScoreEditor",
    "build",
    "is_local",
    "launch",
    "open_library",
    "settings",
]
