from __future__ import annotations

import json

import gradio as gr
import pytest

from hub.ui import gallery
from hub.ui.library import Entry, Library

pytestmark = pytest.mark.filterwarnings("ignore")  # Gradio's own


def shown(library: Library, hub_path: str = "") -> str:
    with gr.Blocks() as blocks:
        gallery.lay_out(library, {entry.name: entry.name for entry in library.entries}, hub_path)
    return json.dumps(blocks.get_config_file()["components"], default=str)


def test_it_leads_to_every_model_and_names_the_broken(echo: Entry) -> None:
    page = shown(Library(entries=(echo,), broken=(("odd", "It is <odd>."),)))
    assert 'href=\\"echo\\"' in page and "It is &lt;odd&gt;." in page


def test_it_leads_to_the_hub_where_there_is_such_a_page(echo: Entry) -> None:
    assert 'href=\\"hub\\"' in shown(Library(entries=(echo,)), "hub")
    assert "Models on the Hub" not in shown(Library(entries=(echo,)))
