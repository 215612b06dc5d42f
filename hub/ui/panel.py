"""A place for HTML of our own on the page: pictures, messages, progress.

The template is constant, so nothing a user wrote is ever evaluated as one; the value is put into
the page by our script. Values come from `hub.preview` (whose pictures are safe) and from
`html.escape`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr

ASSETS = Path(__file__).with_name("assets")


class Panel(gr.HTML):
    """Shows its value, an HTML text; with `picks`, measures in it can be marked by pointing, with
    `opens`, models opened by buttons.

    Event `pick`, data {"first": index, "last": index}: measures counted from 0.
    Event `choose`, data {"handle": text}: what the button's `data-open` says.
    """

    def __init__(
        self,
        value: str = "",
        *,
        role: str = "",
        name: str = "",
        picks: bool = False,
        opens: bool = False,
        **options: Any,
    ) -> None:
        scripts = ["panel.js", *["picks.js"] * picks, *["opens.js"] * opens]
        super().__init__(
            value=value,
            html_template=f'<div class="sh-panel"{_attributes(role, name)}></div>',
            js_on_load="".join(map(_script, scripts)),
            apply_default_css=False,
            **options,
        )

    def get_block_name(self) -> str:
        return "html"

    def api_info(self) -> dict[str, Any]:
        return {"type": "string", "description": "HTML"}


@cache
def _script(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _attributes(role: str, name: str) -> str:
    given: Mapping[str, str] = {"role": role, "aria-label": name}
    live = ' aria-live="polite"' if role == "status" else ""
    return "".join(f' {key}="{value}"' for key, value in given.items() if value) + live
