"""A page with nothing but the piano roll, its modules as they stand in the sources."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from hub.score import Measure, Note, Notes, Part, Score
from hub.ui.compact import compact
from hub.ui.headers import HEADERS

WEB = Path(__file__).resolve().parents[2] / "hub" / "ui" / "web"
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Roll</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>html,body{margin:0;height:100%;background:Canvas;color-scheme:light dark}
main{height:100vh;padding:12px;box-sizing:border-box}</style>
</head><body><main><h1 hidden>Roll</h1></main><script type="module">
import { Roll } from "/src/roll/roll.js";
import { Score } from "/src/score.js";
import { Selection } from "/src/selection.js";
const tasks = [];
new PerformanceObserver((list) => tasks.push(...list.getEntries().map((entry) => entry.duration)))
  .observe({ type: "longtask" });
const query = new URLSearchParams(location.search);
const accepts = query.get("accepts") ? JSON.parse(query.get("accepts")) : null;
const roll = new Roll(document.querySelector("main"), { accepts });
const events = [];
for (const type of ["selection", "edit", "seek", "mute", "solo", "audition", "tool"]) {
  roll.addEventListener(type, ({ detail }) => {
    const { score, ...plain } = detail;
    events.push(JSON.parse(JSON.stringify({ type, ...plain })));
  });
}
const score = Score.from(await (await fetch("/score/" + query.get("score"))).json());
roll.setScore(score);
Object.assign(window, { roll, events, tasks, score, Score, Selection });
</script></body></html>"""
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"


def small() -> Score:
    """Four measures for two parts and drums: few notes, at known places."""
    melody = [(480 * i, 480, 60 + i, 40 + 20 * i, 0) for i in range(4)]
    bass = [(1920 * i, 1920, 43 + i, 90, 1) for i in range(4)]
    drums = [(960 * i, 120, 38, 100, 2) for i in range(8)]
    return _score([*melody, *bass, *drums], 4, ["Violin", "Cello", "Drums"])


def long() -> Score:
    """2,000 measures, 40,000 notes, four parts."""
    random = np.random.default_rng(4)
    rows = []
    for part, low in enumerate((67, 60, 52, 40)):
        steps = abs(np.cumsum(random.integers(-3, 4, 10_000)) % 36 - 18) + low - 6
        rows += [(384 * i, 360, int(p), 60 + 12 * part, part) for i, p in enumerate(steps)]
    return _score(rows, 2_000, ["Soprano", "Alto", "Tenor", "Bass"])


def song() -> Score:
    """Something to look at: sixteen measures of melody, chords, bass and drums."""
    random = np.random.default_rng(11)
    rows: list[tuple[int, ...]] = []
    roots = [0, 5, 7, 0, 9, 5, 2, 7]
    for measure in range(16):
        at, root = 1920 * measure, roots[measure % 8]
        chord = [root, root + 4, root + 7] if root in (0, 5, 7) else [root, root + 3, root + 7]
        tick = 0
        while tick < 1920:
            length = int(random.choice([240, 240, 480, 480, 720]))
            length = min(length, 1920 - tick)
            pitch = (
                72 + int(random.choice(chord)) - 12 * int(root > 7) + int(random.choice([0, 0, 2]))
            )
            rows.append((at + tick, length - 20, pitch, int(random.integers(50, 120)), 0))
            tick += length
        for beat in (0, 960):
            rows += [(at + beat, 900, 55 + tone, int(random.integers(45, 80)), 1) for tone in chord]
        rows += [(at + 480 * i, 440, 36 + root + (7 if i == 2 else 0), 95, 2) for i in range(4)]
        rows += [(at + 240 * i, 60, 42, 50 + 40 * (i % 2 == 0), 3) for i in range(8)]
        rows += [(at + 960 * i, 60, 36, 110, 3) for i in range(2)]
        rows += [(at + 480 + 960 * i, 60, 38, 100, 3) for i in range(2)]
    return _score(rows, 16, ["Alto Saxophone", "Piano", "Double Bass", "Drums"])


def _score(rows: list[tuple[int, ...]], measures: int, names: list[str]) -> Score:
    return Score(
        ticks_per_quarter=480,
        parts=tuple(
            Part(id=f"P{i + 1}", name=name, program=0, is_drums=name == "Drums", channel=i)
            for i, name in enumerate(names)
        ),
        measures=tuple(
            Measure(number=str(i + 1), start=1920 * i, length=1920) for i in range(measures)
        ),
        notes=Notes.of(Note(*row) for row in rows),
        title="Tune",
    )


SCORES = {"small": small, "long": long, "song": song}
TYPES = {".js": "text/javascript", ".html": "text/html", ".json": "application/json"}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/":
            return self._answer(PAGE.encode(), "text/html")
        if path.startswith("/score/"):
            score = SCORES[path.removeprefix("/score/")]()
            return self._answer(json.dumps(compact(score, 1)).encode(), "application/json")
        file = (WEB / path.lstrip("/")).resolve()
        if not (file.is_file() and file.is_relative_to(WEB / "src")):
            return self.send_error(404)
        return self._answer(file.read_bytes(), TYPES[file.suffix])

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("content-type", f"{kind}; charset=utf-8")
        for name, value in HEADERS:
            self.send_header(name.decode(), value.decode())
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def served() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
