"""Opened models at their addresses, in a real app over real HTTP."""

from __future__ import annotations

import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import gradio as gr
import pytest

from hub import ui
from hub.errors import BusyError
from hub.handle import parse_handle
from hub.ui import app as ui_app
from hub.ui.headers import POLICY
from hub.ui.opening import _ADDRESS, OpenModels, key_of

pytestmark = pytest.mark.filterwarnings("ignore")  # Gradio's own

KEY = "ann/tiny@" + "0123456789" * 4


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def get(url: str) -> tuple[int, str, Any]:
    """Status, text, headers; redirects are not followed."""
    opener = urllib.request.build_opener(NoRedirect)
    try:
        with opener.open(url, timeout=20) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, OpenModels]]:
    demo = ui.build([], with_hub=True)
    _, url, _ = ui.launch(demo, prevent_thread_lock=True, quiet=True)
    models = ui_app._opened[demo]
    models._most = 3
    yield url.rstrip("/"), models
    started = time.monotonic()
    demo.close(verbose=False)
    assert time.monotonic() - started < 8


@pytest.fixture
def url(served: tuple[str, OpenModels]) -> str:
    return served[0]


@pytest.fixture
def models(served: tuple[str, OpenModels]) -> Iterator[OpenModels]:
    get(served[0])  # so that the app has seen a request
    models = served[1]
    yield models
    assert models.loop is not None
    for key in list(models._opened):
        models.loop.call_soon_threadsafe(models._put_away, key)


def hello(text: str) -> Any:
    return lambda: gr.Markdown(text)


def test_an_opened_model_has_a_page_with_the_app_s_headers(url: str, models: OpenModels) -> None:
    models.open(KEY, "Tiny", hello("Here I am"))
    status, text, headers = get(f"{url}/hub/{KEY}/")
    assert status == 200 and "Here I am" in text and '"title":"Tiny"' in text
    assert headers.get_all("content-security-policy") == [POLICY]
    assert f'"root":"{url}/hub/{KEY}"' in text
    assert "Here I am" in get(f"{url}/hub/{KEY}/config")[1]


def test_a_title_cannot_leave_its_place(url: str, models: OpenModels) -> None:
    models.open(KEY, "</title><script>x", hello("</script><script>y"))
    text = get(f"{url}/hub/{KEY}/")[1]
    assert "<script>x" not in text and "<script>y" not in text


def test_an_address_without_its_slash_leads_to_the_one_with_it(
    url: str, models: OpenModels
) -> None:
    models.open(KEY, "Tiny", hello("Here I am"))
    status, _, headers = get(f"{url}/hub/{KEY}")
    assert (status, headers["location"]) == (303, f"./{KEY.partition('/')[2].replace('@', '%40')}/")


def test_what_is_not_open_leads_to_where_it_can_be_opened(url: str, models: OpenModels) -> None:
    status, _, headers = get(f"{url}/hub/ann/other/")
    assert (status, headers["location"]) == (303, "../../../hub?open=ann/other")
    status, _, headers = get(f"{url}/hub/ann/other@v1/")  # a tag: whatever it means now
    assert (status, headers["location"]) == (303, "../../../hub?open=ann/other%40v1")
    assert get(f"{url}/hub/ann/other/gradio_api/info")[0] == 404
    assert get(f"{url}/hub")[0] == 200


@pytest.mark.parametrize(
    "path", ["/hub/a/b/c@d/", "/hub/../../etc/passwd", "/hub/a", "/hub/%0a/b@x/"]
)
def test_odd_addresses_are_nobody_s(url: str, models: OpenModels, path: str) -> None:
    assert get(url + path)[0] in (303, 404)


def test_the_one_that_nobody_looks_at_makes_room(url: str, models: OpenModels) -> None:
    closed: list[str] = []
    for name in ("a", "b", "c"):
        models.open(f"x/{name}", name, hello(name), lambda n=name: closed.append(n))
        time.sleep(0.02)
    get(f"{url}/hub/x/a/")
    models.open("x/d", "d", hello("d"))
    assert not models.is_open("x/b") and models.is_open("x/a")
    assert get(f"{url}/hub/x/b/")[0] == 303
    end = time.monotonic() + 5
    while not closed and time.monotonic() < end:
        time.sleep(0.01)
    assert closed == ["b"]


def test_pages_in_use_stay_and_no_more_are_opened(url: str, models: OpenModels) -> None:
    for name in ("a", "b", "c"):
        models.open(f"x/{name}", name, hello(name))
        models._opened[f"x/{name}"].looking = 1
    closed = threading.Event()
    with pytest.raises(BusyError, match="3 models of the Hub are in use"):
        models.open("x/d", "d", hello("d"), closed.set)
    assert closed.is_set() and get(f"{url}/hub/x/a/")[0] == 200


def test_a_page_that_is_not_final_gives_way(url: str, models: OpenModels) -> None:
    models.open(KEY, "Tiny", hello("Not yet"), is_final=False)
    assert not models.is_open(KEY) and "Not yet" in get(f"{url}/hub/{KEY}/")[1]
    models.open(KEY, "Tiny", hello("Now"))
    assert models.is_open(KEY) and "Now" in get(f"{url}/hub/{KEY}/")[1]


def test_what_is_open_is_not_built_again(url: str, models: OpenModels) -> None:
    models.open(KEY, "Tiny", hello("First"))
    closed = threading.Event()
    models.open(KEY, "Tiny", hello("Second"), closed.set)
    assert closed.is_set() and "First" in get(f"{url}/hub/{KEY}/")[1]


def test_what_cannot_be_built_is_not_opened(url: str, models: OpenModels) -> None:
    closed = threading.Event()
    with pytest.raises(ZeroDivisionError):
        models.open(KEY, "Tiny", lambda: 1 / 0, closed.set)
    assert closed.is_set() and get(f"{url}/hub/{KEY}/")[0] == 303


def test_keys_are_what_a_person_types_and_never_an_address_as_it_is() -> None:
    assert key_of(parse_handle("space:ann/tiny")) == "space:ann/tiny"
    assert key_of(parse_handle("space:ann/tiny#echo")) == "space:ann/tiny:echo"
    at = key_of(parse_handle("space:http://127.0.0.1:7860"))
    assert re.fullmatch("space:at/http-127.0.0.1-7860-[0-9a-f]{12}", at)


def test_no_two_models_share_a_key() -> None:
    places = ("ann/tiny", "http://h:1/a/b", "http://h:1/a-b", "http://h-1/a/b")
    models = ("", "#echo", "#echo-1", "#echo 1", "#echo+1", "#écho", "#ècho")
    keys = {key_of(parse_handle(f"space:{place}{model}")) for place in places for model in models}
    assert len(keys) == len(places) * len(models)
    assert all(_ADDRESS.fullmatch(f"/hub/{key}/") for key in keys)
    assert all(re.fullmatch(r"[\w.:@/-]+", key, re.A) for key in keys)  # see hub_page._GO


def test_one_of_several_models_of_a_space(url: str, models: OpenModels) -> None:
    for name in ("one", "two"):
        key = key_of(parse_handle(f"space:ann/tiny#{name}"))
        models.open(key, name, hello(f"I am {name}"))
    assert "I am two" in get(f"{url}/hub/space:ann/tiny:two/")[1]
    assert "I am one" in get(f"{url}/hub/space:ann/tiny:one/")[1]
    status, _, headers = get(f"{url}/hub/space:ann/tiny:three/")
    assert (status, headers["location"]) == (303, "../../../hub?open=space%3Aann/tiny%23three")
