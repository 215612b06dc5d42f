"""`/inpaint` over real HTTP, through gradio_client."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

import hub
from hub import ui
from hub.ui import api

pytestmark = [pytest.mark.filterwarnings("ignore")]  # Gradio's own

ECHO = Path(__file__).resolve().parent.parent / "data" / "models" / "echo"
TUNE = ECHO / "examples" / "tune.mid"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    demo = ui.build([ECHO])
    _, url, _ = ui.launch(demo, prevent_thread_lock=True, quiet=True)
    try:
        yield Client(url, verbose=False, download_files=str(tmp_path_factory.mktemp("takes")))
    finally:
        demo.close()


def test_two_endpoints_are_documented(client: Client) -> None:
    described = client.view_api(return_format="dict")
    assert list(described["named_endpoints"]) == ["/inpaint", "/card"]
    assert not described["unnamed_endpoints"]
    names = [p["parameter_name"] for p in described["named_endpoints"]["/inpaint"]["parameters"]]
    assert names == ["score", "model", "measures", "parts", "region", "params", "n", "seed"]


def test_the_card_is_the_models_readme(client: Client) -> None:
    for name in ("", "echo"):
        assert client.predict(name, api_name="/card") == (ECHO / "README.md").read_text("utf-8")
    with pytest.raises(AppError, match='no model "ecko" here. Did you mean "echo"?'):
        client.predict("ecko", api_name="/card")


def test_a_running_request_says_how_far_it_is_and_ends_when_it_is_cancelled(
    client: Client,
) -> None:
    params = {"delay": 5}
    job = client.submit(
        score=handle_file(str(TUNE)), measures="3", parts="P1", params=params, api_name="/inpaint"
    )
    seen = set()
    for _ in range(100):
        units = job.status().progress_data or []
        seen |= {unit.desc for unit in units}
        if "Echoing" in seen:
            break
        time.sleep(0.05)
    assert "Echoing" in seen
    job.cancel()
    end = time.monotonic() + 3
    while time.monotonic() < end and working():
        time.sleep(0.05)
    assert not working()


def test_a_request_cancelled_while_its_model_loads_leaves_no_job(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    called_off = threading.Event()

    class Job:
        cancel = staticmethod(called_off.set)

    def slow(*_: object) -> tuple[str, Job]:
        time.sleep(0.3)
        return "echo", Job()

    async def leave_early() -> None:
        task = asyncio.ensure_future(api._answer(None, None, None, ()))  # type: ignore[arg-type]
        await asyncio.sleep(0.1)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert not called_off.is_set()
        await asyncio.sleep(0.5)

    monkeypatch.setattr(api, "_submit", slow)
    thread = threading.Thread(target=asyncio.run, args=(leave_early(),))
    thread.start()
    thread.join(10)
    assert called_off.is_set()


def working() -> list[threading.Thread]:
    """The engine's threads that are at it."""
    return [t for t in threading.enumerate() if t.name == "scorehub-job"]


def test_takes_come_as_files_with_receipts(client: Client) -> None:
    files, receipts = client.predict(
        score=handle_file(str(TUNE)), measures="3-4", parts="P1", params={"fast": True},
        n=2, seed=7, api_name="/inpaint",
    )  # fmt: skip
    assert [Path(f).name for f in files] == [f"tune.m3-4.echo.seed{s}.mid" for s in (7, 8)]
    assert [r["seed"] for r in receipts] == [7, 8]
    assert all(r["receipt"]["verified"] for r in receipts)
    score = hub.open_score(TUNE)
    region = hub.Region.measures(score, "3-4", ["P1"])
    here = hub.inpaint(hub.load(ECHO), score, region, {"fast": True}, n=2, seed=7)
    assert [Path(f).read_bytes() for f in files] == [take.data for take in here]


def test_a_region_in_json_is_taken_instead_of_measures(client: Client) -> None:
    region = {"boxes": [{"start": 2, "end": 4, "part": "P2"}]}
    _, receipts = client.predict(
        score=handle_file(str(TUNE)), region=region, seed=1, api_name="/inpaint"
    )
    assert receipts[0]["measures"] == "3-4"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"measures": "99"}, "There is no measure 99 in this score; it has 1 to 16."),
        ({"measures": "3", "params": {"fastt": 1}}, 'Did you mean "fast"?'),
        ({"measures": "3", "params": [1]}, "The controls are an object such as"),
        ({"measures": "3", "n": 17}, "Takes (n) must be a number from 1 to 16; got 17."),
        ({"measures": "3", "model": "ecko"}, 'There is no model "ecko" here. Did you mean "echo"?'),
        ({"measures": "1-9", "parts": "P1"}, "at most 8"),
        ({}, "Say which measures to rewrite"),
        ({"region": {"boxs": []}}, 'A region has no "boxs". Did you mean "boxes"?'),
    ],
)
def test_errors_are_the_hubs_own_sentences(
    client: Client, arguments: dict[str, object], sentence: str
) -> None:
    with pytest.raises(AppError) as caught:
        client.predict(score=handle_file(str(TUNE)), api_name="/inpaint", **arguments)
    assert sentence in str(caught.value)


def test_a_file_that_is_no_score_is_refused(client: Client, tmp_path: Path) -> None:
    bad = tmp_path / "bad.mid"
    bad.write_bytes(b"no score")
    with pytest.raises(AppError, match="does not begin like it"):
        client.predict(score=handle_file(str(bad)), measures="1", api_name="/inpaint")


def test_a_file_of_the_server_is_not_read(client: Client, tmp_path: Path) -> None:
    secret = tmp_path / "secret.mid"
    secret.write_bytes(TUNE.read_bytes())
    sent = {"path": str(secret), "meta": {"_type": "gradio.FileData"}}
    reply = httpx.post(
        f"{client.src}gradio_api/call/inpaint",
        json={"data": [sent, "", "1", "P1", None, None, 1, 1]},
    )
    event = reply.json()["event_id"]
    answer = httpx.get(f"{client.src}gradio_api/call/inpaint/{event}", timeout=30).text
    assert "event: error" in answer and "secret.m1" not in answer
