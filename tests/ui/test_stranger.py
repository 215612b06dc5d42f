from __future__ import annotations

import json
from pathlib import Path

import gradio as gr
import pytest

from hub.card import parse_card
from hub.handle import ModelHandle
from hub.preview import prose
from hub.remote.fetch import Snapshot
from hub.ui import stranger

pytestmark = pytest.mark.filterwarnings("ignore")  # Gradio's own

CARD = """---
scorehub: {version: 1, title: "<b>Evil", summary: s, entry: "model.py:M"}
---
<script>prose</script>
"""


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the browser is told of the page, as JSON."""
    monkeypatch.setenv("SCOREHUB_HOME", str(tmp_path))
    (tmp_path / "model.py").write_text("# </pre><img src=x>\n\u202ehidden\n" + "x = 1\n" * 20_000)
    handle = ModelHandle(owner="ann", name="evil", revision="a" * 40)
    card = parse_card(CARD, "evil")
    with gr.Blocks() as blocks:
        snapshot = Snapshot(handle=handle, folder=tmp_path, card=card, host="h")
        stranger.lay_out(snapshot, prose.html(card.prose), "../hub")
    return json.dumps(blocks.get_config_file()["components"], default=str)


def test_it_says_what_it_is_and_how_to_trust_it(page: str) -> None:
    assert "This model is a program" in page and "has not been run" in page
    assert f"scorehub trust ann/evil@{'a' * 40}" in page
    assert f"../hub?open=ann/evil@{'a' * 40}" in page


def test_the_code_is_shown_as_text_every_character_of_it(page: str) -> None:
    assert "# &lt;/pre&gt;&lt;img src=x&gt;" in page and "<img" not in page
    assert "u{202e}hidden" in page and "the rest is in the file" in page
    assert "<script>prose" not in page and "&lt;script&gt;prose" in page
    assert "<b>Evil" not in page.replace('"label": "<b>Evil', "")


def test_nothing_on_it_does_anything(page: str) -> None:
    kinds = {component["type"] for component in json.loads(page)}
    assert not kinds & {"button", "textbox", "checkbox", "file", "uploadbutton", "state"}
