"""A server that speaks as a Gradio app does, and says whatever a test wants it to say.

The fixture `app` records every request. By default it is a Scorehub app that sends the file back
that it was sent.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ECHO = Path(__file__).resolve().parents[1] / "data" / "models" / "echo"
HOLD = object()  # in `events`: nothing more is said until the app is told to cancel
FILE = "/tmp/gradio/0123/tune.mid"


@dataclass(frozen=True, kw_only=True)
class Asked:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(kw_only=True)
class Reply:
    """An answer: `body` may be an endless iterator of chunks."""

    body: bytes | Iterator[bytes] = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class HostileApp:
    """What is said, by path; every attribute may be replaced by a test."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.config: Any = config()
        self.card: str = (ECHO / "README.md").read_text("utf-8")
        self.sent: bytes = b""  # the last file that came
        self.arguments: list[Any] = []
        self.files: Callable[[], list[Any]] = lambda: [
            {"path": FILE, "orig_name": "tune.mid", "meta": {"_type": "gradio.FileData"}}
            for _ in range(self.arguments[6])
        ]
        self.receipts: Any = [{}]
        self.events: Callable[[str], Iterator[Any]] = self.completes
        self.answer: Callable[[str], Reply] = lambda path: Reply(body=self.sent)
        self.override: dict[str, Reply] = {}  # by the beginning of the path
        self.cancelled = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.cancelled.set()
        self._server.shutdown()
        self._server.server_close()

    def paths(self) -> list[str]:
        return [asked.path.partition("?")[0] for asked in self.asked]

    # --- what is said ---------------------------------------------------------------------------

    def completes(self, event_id: str) -> Iterator[Any]:
        yield {"msg": "estimation", "event_id": event_id, "rank": 2, "queue_size": 3}
        yield {"msg": "process_starts", "event_id": event_id}
        unit = {"progress": 0.5, "desc": "Echoing", "index": None, "length": None, "unit": "steps"}
        yield {"msg": "progress", "event_id": event_id, "progress_data": [unit]}
        yield self.completed(event_id)

    def completed(self, event_id: str) -> dict[str, Any]:
        data = [self.files(), self.receipts]
        return {
            "msg": "process_completed", "event_id": event_id, "success": True,
            "output": {"data": data},
        }  # fmt: skip

    def fails_with(self, text: str | None) -> None:
        def events(event_id: str) -> Iterator[Any]:
            output = {"error": text, "title": "<b>x</b>", "visible": True}
            yield {
                "msg": "process_completed", "event_id": event_id, "success": False,
                "output": output,
            }  # fmt: skip

        self.events = events

    def hangs(self) -> None:
        def events(event_id: str) -> Iterator[Any]:
            yield {"msg": "estimation", "event_id": event_id, "rank": 7, "queue_size": 9}
            yield HOLD

        self.events = events


def config(**changes: Any) -> dict[str, Any]:
    rows = [
        {"id": 3, "api_name": "inpaint", "inputs": list(range(8)), "outputs": [8, 9]},
        {"id": 4, "api_name": "card", "inputs": [10], "outputs": [11]},
    ]
    front = {"version": "6.31.0", "protocol": "sse_v3", "api_prefix": "/gradio_api"}
    return {**front, "dependencies": rows, "components": [], **changes}


def _handler(app: HostileApp) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            self._handle(b"")

        def do_POST(self) -> None:
            self._handle(self.rfile.read(int(self.headers.get("content-length", 0))))

        def _handle(self, body: bytes) -> None:
            headers = {k.lower(): v for k, v in self.headers.items()}
            app.asked.append(Asked(method=self.command, path=self.path, headers=headers, body=body))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._say(self._reply(body))

        def _reply(self, body: bytes) -> Reply:
            for start, reply in app.override.items():
                if self.path.startswith(start):
                    return reply
            path = self.path.removeprefix("/gradio_api")
            if path == "/config":
                return _json(app.config)
            if path == "/upload":
                app.sent = _uploaded(self.headers["content-type"], body)
                return _json(["/tmp/gradio/uploaded/score.mid"])
            if path == "/queue/join":
                asked = json.loads(body)
                app.arguments = asked["data"]
                self.server.asked_card = asked["fn_index"] == 4  # type: ignore[attr-defined]
                return _json({"event_id": "event"})
            if path.startswith("/queue/data"):
                return Reply(body=self._stream(), headers={"content-type": "text/event-stream"})
            if path == "/cancel":
                app.cancelled.set()
                return _json({"success": True})
            if path.startswith("/file="):
                return app.answer(path)
            return Reply(status=404, body=b"not here")

        def _stream(self) -> Iterator[bytes]:
            if self.server.asked_card:  # type: ignore[attr-defined]
                done = {"data": [app.card]}
                yield _event({
                    "msg": "process_completed", "event_id": "event", "success": True,
                    "output": done,
                })  # fmt: skip
                return
            for event in app.events("event"):
                if event is HOLD:
                    app.cancelled.wait(30)
                else:
                    yield event if isinstance(event, bytes) else _event(event)

        def _say(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if isinstance(reply.body, bytes):
                self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            for chunk in [reply.body] if isinstance(reply.body, bytes) else reply.body:
                self.wfile.write(chunk)

    return Handler


def _json(value: Any) -> Reply:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Reply(body=body, headers={"content-type": "application/json"})


def _event(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def _uploaded(content_type: str, body: bytes) -> bytes:
    message = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    match = re.search(rb"\r\n\r\n(.*)\r\n--[^\r\n]*--\r\n$", body, re.S)
    assert message.is_multipart() and match
    return match[1]


def endless(chunk: bytes = b"x" * 65_536) -> Iterator[bytes]:
    while True:
        yield chunk


def drip(chunk: bytes = b" ", seconds: float = 0.05) -> Iterator[bytes]:
    while True:
        time.sleep(seconds)
        yield chunk
