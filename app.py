"""The hub in a browser: `python app.py [FOLDER …] [--host H] [--port P] [--no-hub]`.

Opens a gallery of the models in models/ and of the model folders named, and a page of models on
the Hub.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from hub import folder, ui

MODELS = Path(__file__).resolve().parent / "models"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="The hub in a browser.")
    parser.add_argument("folders", nargs="*", metavar="FOLDER", help="model folders to add")
    parser.add_argument("--host", default="127.0.0.1", help="address to serve on")
    parser.add_argument("--port", type=int, default=None, help="default: the first free from 7860")
    parser.add_argument("--no-hub", action="store_true", help="no page of models on the Hub")
    given = parser.parse_args(arguments)
    demo = ui.build(
        [*folder.find(MODELS), *given.folders], with_gallery=True, with_hub=not given.no_hub,
        is_public=not ui.is_local(given.host),
    )  # fmt: skip
    ui.launch(demo, host=given.host, port=given.port)


if __name__ == "__main__":
    main()
