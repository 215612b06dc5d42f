"""What the app is made of, before anybody opens it in a browser."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import gradio as gr
import pytest

from hub import ui
from hub.ui.library import Entry

pytestmark = pytest.mark.filterwarnings("ignore")  # Gradio's own


def texts(demo: gr.Blocks, page: str = "") -> str:
    """Everything the browser is told about a page."""
    config = demo.get_config_file()
    shown = set(config["page"][page]["components"])
    return json.dumps([c for c in config["components"] if c["id"] in shown], default=str)


def test_a_single_model_is_the_front_page(echo: Entry) -> None:
    demo = ui.build([echo.folder])
    assert [path for path, *_ in demo.pages] == [""]
    assert "Drop a score here" in texts(demo)


def test_a_gallery_links_to_a_page_a_model_and_names_broken_ones(
    echo: Entry, tmp_path: Path
) -> None:
    (tmp_path / "README.md").write_text("nothing")
    demo = ui.build([echo.folder, tmp_path], with_gallery=True)
    assert [path for path, *_ in demo.pages] == ["", "echo"]
    assert 'href=\\"echo\\"' in texts(demo)
    assert "This model cannot be opened" in texts(demo)
    assert "Drop a score here" in texts(demo, "echo")


def test_an_app_without_models_says_so() -> None:
    assert "There is no model here yet" in texts(ui.build([], with_gallery=True))


def test_no_template_of_the_page_reads_a_value(echo: Entry) -> None:
    """Templates are evaluated; values must never get into one."""
    components = ui.build([echo.folder]).get_config_file()["components"]
    templates = [c["props"].get("html_template") for c in components if c["type"] == "html"]
    assert len(templates) > 16
    assert not any("$" in t or "{" in t for t in templates)


def test_only_the_endpoints_are_public(echo: Entry) -> None:
    dependencies = ui.build([echo.folder]).get_config_file()["dependencies"]
    public = [d["api_name"] for d in dependencies if d["api_visibility"] != "private"]
    assert public == ["inpaint", "card"]


def test_nothing_is_fetched_from_elsewhere_and_nothing_is_reported(echo: Entry) -> None:
    ui.build([echo.folder])
    settings = ui.settings()
    assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"
    loaded = re.findall(r"url\(\s*(?!['\"]?data:)|@import", settings["theme"]._get_theme_css())
    assert loaded == []
    assert settings["theme"]._stylesheets == []
    assert "url(" not in settings["css"] and "@import" not in settings["css"]
    assert settings["show_error"] is False and settings["run_history"] is False


@pytest.mark.parametrize(
    ("host", "is_local"),
    [
        ("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False),
        ("192.168.1.5", False), ("::", False), ("lab.example", False), ("", False),
    ],
)  # fmt: skip
def test_only_loopback_is_local(host: str, is_local: bool) -> None:
    assert ui.is_local(host) is is_local
