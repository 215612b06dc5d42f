from __future__ import annotations

from dataclasses import replace

from hub.ui import about
from hub.ui.library import Entry


def test_prose_loses_raw_html_and_images() -> None:
    prose = "<script>x</script> ![a](https://e.com/x.png) `a < b`\n\n```\n<b>\n```"
    safe = about.safe_markdown(prose)
    assert "<script" not in safe and "![" not in safe
    assert "`a < b`" in safe and "```\n<b>\n```" in safe


def test_prose_draws_no_diagrams() -> None:
    for fence in ("```", "~~~~", "- ```", "> ~~~ "):
        assert "mermaid" not in about.safe_markdown(f"{fence}Mermaid\ngraph TD; A-->B\n").lower()


def test_a_card_cannot_write_markup_into_the_page(echo: Entry) -> None:
    evil = replace(echo.card, title="<b>x", summary="<img src=x>", front={"license": "<i>"})
    for html in (about.header(evil, "./"), about.gallery_card(evil, 'a"b')):
        assert not any(tag in html for tag in ("<b>", "<img", "<i>", 'a"b'))
    assert "<i>" not in about.limits_markdown(evil)
    assert "<u>" not in about.broken_card("<u>", "<u>")


def test_limits_name_licence_and_data(echo: Entry) -> None:
    said = about.limits_markdown(echo.card)
    assert "Length of a region: 1 to 8 measures." in said
    assert "Licence: apache-2.0." in said and "none-at-all" in said
