"""ZeroGPU as the package `spaces` sees it: four HTTP calls. There is no GPU behind them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

GRANT = '{"idle": false, "nvidiaIndex": 0, "nvidiaUUID": "gpu", "allowToken": "allowed"}'
REFUSAL = '{"left": 3, "wait": 3600}'


@dataclass
class ZeroGpu:
    """What has been asked for: (path, its query). With `is_used_up` the quota is at an end."""

    url: str = ""
    is_used_up: bool = False
    calls: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def answer(self, path: str) -> tuple[int, str]:
        if path != "/schedule":
            return 200, "{}"
        return (429, REFUSAL) if self.is_used_up else (200, GRANT)

    def named(self, path: str) -> list[dict[str, str]]:
        return [query for called, query in self.calls if called == path]


@contextmanager
def zero_gpu_server() -> Iterator[ZeroGpu]:
    zero_gpu = ZeroGpu()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            where = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(where.query).items()}
            zero_gpu.calls.append((where.path, query))
            status, text = zero_gpu.answer(where.path)
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    zero_gpu.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield zero_gpu
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
