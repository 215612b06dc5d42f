"""A model folder → a Gradio Space: every file that a Space on the Hub needs, and nothing else.

    README.md           the Space's settings, from the model's card
    app.py              six lines that end in demo.launch()
    requirements.txt    exact versions; packages.txt: what Debian brings
    hub/                this package, as it is here
    models/<name>/      the model, as it would be published; and the architecture it names, if any

The same model and the same Scorehub give the same bytes.
"""

from hub.space.files import generate
from hub.space.folder import link, write

__all__ = ["generate", "link", "write"]
