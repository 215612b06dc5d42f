"""A small server for the notation view alone: scores, their pages, the browser's modules."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from hub.errors import ScorehubError
from hub.score import Score
from hub.ui.compact import compact
from hub.ui.headers import HEADERS
from hub.ui.score_pages import PageBook

TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".html": "text/html"}
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Notation</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{margin:0} main{height:100vh}</style></head><body><main><h1 hidden>Notation</h1></main>
<script type="module">
import { Notation } from "/src/notation/notation.js";
import { Score } from "/src/score.js";
import { Selection } from "/src/selection.js";
const name = new URLSearchParams(location.search).get("score");
const json = async (address, options) => {
  const answer = await fetch(address, options);
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.sentence);
  return said;
};
const loads = [];
const loadPage = (first, count, { plain, revision, signal }) => {
  loads.push({ first, count, plain, revision });
  const query = new URLSearchParams({ score: name, first, count, plain: +plain, revision });
  return json(`/page?${query}`, { signal });
};
const host = document.querySelector("main");
const notation = new Notation(host, { loadPage, workerUrl: "/built/notation-worker.js" });
const chosen = [], seeks = [], errors = [];
notation.addEventListener("selection", ({ detail }) => chosen.push(detail.selection));
notation.addEventListener("seek", ({ detail }) => seeks.push(detail.tick));
notation.addEventListener("error", ({ detail }) => errors.push(detail.message));
const load = async () => notation.setScore(Score.from(await json(`/score?score=${name}`)));
Object.assign(window, { notation, loads, chosen, seeks, errors, Selection, load });
await load();
window.isReady = true;
</script></body></html>"""


class Scores:
    """Scores by name, each with its revision and its pages; `replace` is an edit."""

    def __init__(self, scores: dict[str, Score]) -> None:
        self.scores = scores
        self.revisions = dict.fromkeys(scores, 0)
        self.books = {name: PageBook() for name in scores}
        self.spoil: dict[str, tuple[str, str]] = {}  # name → what to replace in its own engraving

    def replace(self, name: str, score: Score) -> None:
        self.scores[name] = score
        self.revisions[name] += 1

    def score(self, score: str) -> dict[str, Any]:
        return compact(self.scores[score], self.revisions[score])

    def page(self, score: str, first: str, count: str, plain: str, revision: str) -> dict[str, Any]:
        page = self.books[score].page(
            self.scores[score], int(revision), int(first), int(count), own=plain == "0"
        )
        answer = page.to_json()
        if plain == "0" and score in self.spoil:
            answer["musicxml"] = answer["musicxml"].replace(*self.spoil[score])
        return answer


@contextmanager
def served(scores: Scores, folders: dict[str, Path]) -> Iterator[str]:
    """`folders`: first part of an address → the folder its files are in."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            _, top, *rest = address.path.split("/")
            if top in folders:
                path = folders[top].joinpath(*rest)
                if not path.is_file():
                    return self.reply(b"", "text/plain", 404)
                return self.reply(path.read_bytes(), TYPES.get(path.suffix, "text/plain"))
            if top in ("score", "page"):
                return self.answer(getattr(scores, top), dict(parse_qsl(address.query)))
            self.reply(PAGE.encode(), "text/html")

        def answer(self, call: Any, query: dict[str, str]) -> None:
            try:
                said, status = call(**query), 200
            except ScorehubError as error:
                said, status = {"sentence": str(error)}, 400
            self.reply(json.dumps(said).encode(), "application/json", status)

        def reply(self, body: bytes, kind: str, status: int = 200) -> None:
            self.send_response(status)
            for key, value in HEADERS:
                self.send_header(key.decode(), value.decode())
            self.send_header("content-type", f"{kind}; charset=utf-8")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            with suppress(ConnectionError):  # the view has scrolled on
                self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
