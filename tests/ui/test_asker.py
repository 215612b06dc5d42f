"""Requests of other sites' pages, over real HTTP."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from hub import ui
from hub.ui import app as ui_app
from hub.ui import hosted
from hub.ui.asker import Asker
from tests.ui.conftest import ECHO

pytestmark = pytest.mark.filterwarnings("ignore")  # Gradio's own

JOIN = "/gradio_api/queue/join"
API = "/gradio_api/info"
OPENED = "/hub/ann/tiny@" + "0123456789" * 4 + "/gradio_api/queue/join"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    demo = ui.build([ECHO], with_hub=True)
    _, url, _ = ui.launch(demo, prevent_thread_lock=True, quiet=True)
    yield urlsplit(url).port or 0
    demo.close(verbose=False)


def ask(port: int, method: str, path: str, **headers: str) -> tuple[int, str]:
    given = {
        name.replace("_", "-"): text.replace("PORT", str(port)) for name, text in headers.items()
    }
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        given = {"Content-Type": "application/json", **given}
        connection.request(method, path, "{}" if method == "POST" else None, given)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("host", "is_answered"),
    [
        ("127.0.0.1:PORT", True), ("localhost:PORT", True), ("LOCALHOST:9", True),
        ("[::1]:PORT", True), ("127.0.0.1", True),
        ("evil.example:PORT", False), ("127.0.0.1.evil.example", False), ("", False),
        ("evil.example@127.0.0.1.evil", False), ("192.168.0.7:PORT", False), ("[evil", False),
    ],
)  # fmt: skip
def test_a_local_app_goes_by_this_machine_s_names(port: int, host: str, is_answered: bool) -> None:
    for method, path in (("GET", "/"), ("GET", "/hub"), ("GET", API), ("POST", JOIN)):
        status, said = ask(port, method, path, Host=host)
        assert (status != 403) is is_answered, (method, path, said)
        assert is_answered or said.startswith("This app runs for this machine alone")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://localhost:PORT"}, {"Origin": "http://[evil"},
        {"Origin": "http://evil.example", "X_Forwarded_Host": "evil.example"},
        {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"},
    ],
)  # fmt: skip
def test_other_sites_get_nothing_of_the_api(port: int, headers: dict[str, str]) -> None:
    for method, path in (("GET", API), ("POST", JOIN), ("POST", "/"), ("OPTIONS", JOIN)):
        assert ask(port, method, path, **headers) == (
            403, "Pages of other sites may not use this app.",
        )  # fmt: skip
    assert ask(port, "POST", OPENED, **headers)[0] == 403
    assert ask(port, "GET", "/", **headers)[0] == 200  # a link from elsewhere leads here


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"Origin": "http://127.0.0.1:PORT", "Sec_Fetch_Site": "same-origin"},
        {"Sec_Fetch_Site": "none"},
        {"Host": "localhost:PORT", "Origin": "http://localhost:PORT"},
    ],
)  # fmt: skip
def test_the_page_itself_and_programs_are_answered(port: int, headers: dict[str, str]) -> None:
    assert ask(port, "GET", API, **headers)[0] == 200
    assert ask(port, "POST", JOIN, **headers)[0] != 403
    assert ask(port, "POST", OPENED, **headers)[0] == 404


def fault(method: str, headers: dict[str, str], **options: object) -> str:
    sent = [(name.lower().encode(), text.encode()) for name, text in headers.items()]
    scope = {"type": "http", "method": method, "path": JOIN, "headers": sent}
    return Asker(None, **options)._fault(scope)  # type: ignore[arg-type]


def test_elsewhere_any_name_is_answered_and_only_reading_is_for_all() -> None:
    space = {"Host": "ann-tiny.hf.space", "Sec-Fetch-Site": "same-origin"}
    own, evil = ({**space, "Origin": f"https://{name}"} for name in (space["Host"], "evil.example"))
    assert fault("POST", own, is_loopback=False) == fault("GET", evil, is_loopback=False) == ""
    assert fault("POST", evil, is_loopback=False) == fault("OPTIONS", evil, is_loopback=False) != ""
    behind = {**own, "Host": "10.0.0.1:7860", "X-Forwarded-Host": "ann-tiny.hf.space"}
    assert fault("POST", behind, is_loopback=False) == ""
    assert fault("POST", {**behind, "X-Forwarded-Host": ""}, is_loopback=False) != ""


def test_sites_can_be_allowed() -> None:
    headers = {
        "Host": "localhost:1",
        "Origin": "https://Good.example",
        "Sec-Fetch-Site": "cross-site",
    }
    assert fault("POST", headers, is_loopback=True) != ""
    assert fault("POST", headers, is_loopback=True, allowed_origins=["https://good.example"]) == ""
    other = {**headers, "Origin": "http://good.example"}
    assert fault("POST", other, is_loopback=True, allowed_origins=["https://good.example"]) != ""


@pytest.mark.parametrize(
    ("variables", "is_loopback"),
    [
        ({}, True), ({"GRADIO_SERVER_NAME": "0.0.0.0"}, False), ({"SYSTEM": "spaces"}, False),
        ({"GRADIO_SERVER_NAME": "localhost"}, True),
    ],
)  # fmt: skip
def test_a_space_is_no_loopback(
    variables: dict[str, str], is_loopback: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GRADIO_SERVER_NAME", "SYSTEM"):
        monkeypatch.delenv(name, raising=False)
    for name, text in variables.items():
        monkeypatch.setenv(name, text)
    layers = hosted.settings()["app_kwargs"]["middleware"]
    assert (Asker, (), {"is_loopback": is_loopback}) in layers


def test_what_is_shared_is_no_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    class Demo:
        def launch(self, **options: object) -> object:
            return options["app_kwargs"]

        def __hash__(self) -> int:
            return 1

    monkeypatch.setattr(ui_app, "queued", lambda demo: demo)
    for options, is_loopback in (
        ({}, True),
        ({"share": True}, False),
        ({"host": "0.0.0.0"}, False),
    ):
        kept = ui_app.launch(Demo(), **options)  # type: ignore[arg-type]
        assert (Asker, (), {"is_loopback": is_loopback}) in kept["middleware"]  # type: ignore[call-overload]
