"""What the page of models on the Hub does, without a browser: tests/browser has one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from hub import ui
from hub.errors import NotFoundError
from hub.ui import hub_page
from hub.ui.hub_page import Handlers, Trail
from tests.remote.test_search import publish

pytestmark = pytest.mark.filterwarnings("ignore")  # Gradio's own


class FakeOpener:
    """Opens nothing, and says so in every way that an Opener can."""

    is_public = False

    def __init__(self) -> None:
        self.asked: list[str] = []

    def is_at_hand(self, text: str) -> bool:
        return text.startswith("here/")

    def steps(self, text: str) -> Iterator[str]:
        self.asked.append(text)
        yield "Asking <it>"
        if "missing" in text:
            raise NotFoundError("ann/<missing> is not there.")
        yield "ann/tiny@" + "a" * 40


@pytest.fixture
def acts() -> Handlers:
    names = hub_page.Widgets.__dataclass_fields__
    return Handlers(SimpleNamespace(**{name: name for name in names}), FakeOpener())  # type: ignore[arg-type]


def test_the_first_page_and_the_way_on(hub_server: Any, acts: Handlers) -> None:
    for number in range(23):
        publish(hub_server, f"alice/m{number}", downloads=number)
    first = acts.look("")
    assert first["found"].count('class="sh-card"') == 20 and "alice/m22<" in first["found"]
    assert (first["earlier"]["visible"], first["later"]["visible"]) == (False, True)
    second = acts.later(first["trail"])
    assert second["found"].count('class="sh-card"') == 3
    assert (second["earlier"]["visible"], second["later"]["visible"]) == (True, False)
    assert acts.earlier(second["trail"])["found"] == first["found"]


def test_a_search_begins_anew(hub_server: Any, acts: Handlers) -> None:
    publish(hub_server, "alice/reels")
    publish(hub_server, "alice/jigs")
    shown = acts.look("jig")
    assert "alice/jigs" in shown["found"] and "alice/reels" not in shown["found"]
    assert "has &quot;&lt;x&gt;&quot; in its name" in acts.look("<x>")["found"]


def test_an_empty_hub_and_no_hub_say_so(hub_server: Any, acts: Handlers) -> None:
    assert "No model has been published" in acts.look("")["found"]
    hub_server.stop()
    shown = acts.look("")
    assert "cannot be reached" in shown["found"] and shown["later"]["visible"] is False


def test_a_forged_trail_is_an_error_and_no_request(hub_server: Any, acts: Handlers) -> None:
    shown = acts.later(Trail(following="x&y=z"))
    assert "no such page" in shown["found"] and hub_server.requests == []


def test_opening_tells_what_happens_and_leads_there(acts: Handlers) -> None:
    steps = list(acts.open("ann/tiny"))
    assert "Asking &lt;it&gt;" in steps[1]["status"]
    assert steps[-1]["address"] == f"hub/ann/tiny@{'a' * 40}/"
    assert re.fullmatch(r"hub/[\w.:@/-]+/", steps[-1]["address"]), "the browser would refuse it"


def test_a_failure_is_a_sentence_and_leads_nowhere(acts: Handlers) -> None:
    steps = list(acts.open("ann/missing"))
    assert "ann/&lt;missing&gt; is not there." in steps[-1]["status"]
    assert steps[-1]["address"] == ""


@pytest.mark.parametrize("data", [None, {}, {"handle": None}, {"handle": ["x"]}])
def test_whatever_a_browser_sends_as_a_choice(acts: Handlers, data: Any) -> None:
    list(acts.choose(gr.EventData(None, data)))
    assert isinstance(acts.opener.asked[0], str)  # type: ignore[attr-defined]


def arriving(acts: Handlers, query: dict[str, str]) -> list[Any]:
    return list(acts.arrive(SimpleNamespace(query_params=query)))  # type: ignore[arg-type]


def test_an_address_opens_only_what_costs_nothing(acts: Handlers) -> None:
    assert arriving(acts, {"open": "here/tiny"})[-1]["address"].startswith("hub/ann/tiny@")
    (shown,) = arriving(acts, {"open": "ann/<b>"})
    assert shown["name"] == "ann/<b>" and "ann/&lt;b&gt; is not open here" in shown["status"]
    assert acts.opener.asked == ["here/tiny"]  # type: ignore[attr-defined]
    assert len(arriving(acts, {})) == 1


def test_strangers_do_not_see_what_is_on_this_disk(
    acts: Handlers, hub_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_page, "_on_this_disk", lambda: pytest.fail("asked for it"))
    acts.opener.is_public = True
    assert acts.list_here() == ""


def test_the_list_for_strangers_is_asked_for_without_a_token(
    acts: Handlers, hub_server: Any
) -> None:
    acts.opener.is_public = True
    acts.look("")
    assert "authorization" not in hub_server.requests[-1].headers


# --- in the app ---------------------------------------------------------------------------------


def test_the_gallery_leads_there_and_back() -> None:
    demo = ui.build([], with_hub=True)
    config = json.dumps(demo.get_config_file()["components"], default=str)
    assert 'href=\\"hub\\"' in config and "Models here" in config
    assert [path for path, *_ in demo.pages] == ["", "hub"]


def test_without_it_there_is_no_such_page() -> None:
    demo = ui.build([], with_gallery=True)
    assert [path for path, *_ in demo.pages] == [""]
    config = json.dumps(demo.get_config_file()["components"], default=str)
    assert "Models on the Hub" not in config
    layers = [layer.__name__ for layer, _, _ in ui.settings(demo)["app_kwargs"]["middleware"]]
    assert layers == ["Headers", "Asker"]  # and no Addresses: nothing can be opened


def test_a_model_called_hub_keeps_a_page_of_its_own(tmp_path: Any, echo: Any) -> None:
    folder = tmp_path / "hub"
    folder.mkdir()
    (folder / "README.md").write_bytes((echo.folder / "README.md").read_bytes())
    demo = ui.build([folder], with_hub=True)
    assert [path for path, *_ in demo.pages] == ["", "hub-model", "hub"]


def test_its_events_are_private() -> None:
    dependencies = ui.build([], with_hub=True).get_config_file()["dependencies"]
    public = {d["api_name"] for d in dependencies if d["api_visibility"] != "private"}
    assert public <= {"inpaint", "card"}
