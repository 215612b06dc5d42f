from __future__ import annotations

from dataclasses import replace

from hub.ui import about
from hub.ui.library import Entry


def test_a_card_cannot_write_markup_into_the_page(echo: Entry) -> None:
    evil = replace(echo.card, title="<b>x", summary="<img src=x>", front={"license": "<i>"})
    for html in (about.header(evil, "./"), about.gallery_card(evil, 'a"b')):
        assert not any(tag in html for tag in ("<b>", "<img", "<i>", 'a"b'))
    assert "<i>" not in about.limits(evil) and "&lt;i&gt;" in about.limits(evil)
    assert "<u>" not in about.broken_card("<u>", "<u>")


def test_limits_name_licence_and_data(echo: Entry) -> None:
    said = about.limits(echo.card)
    assert "Length of a region: 1 to 8 measures." in said
    assert "Licence: apache-2.0." in said and "none-at-all" in said
