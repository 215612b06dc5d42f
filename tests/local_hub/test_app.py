"""The local hub against everybody who is not its client: raw requests over real HTTP."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import logging
import socket
from typing import Any

import pytest

from hub.local_hub import http as local_http
from tests.hub_server import OTHER_TOKEN, TOKEN, HubServer, wait_for

NAME = "alice/tune"
ONE = f"/api/models/{NAME}"


def ask(
    server: HubServer, method: str, path: str, body: Any = None, *, token: str = TOKEN,
    **headers: str,
) -> tuple[int, dict[str, str], bytes]:  # fmt: skip
    """Status, headers (in lower case) and body; `path` is sent exactly as it is written."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    given = {"Authorization": f"Bearer {token}"} if token else {}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request(method, path, data, given)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def commit(*lines: dict[str, Any], header: Any = None) -> bytes:
    first = {"key": "header", "value": {"summary": "m"} if header is None else header}
    return b"\n".join(json.dumps(line).encode() for line in (first, *lines))


def a_file(path: Any, data: bytes = b"x", **more: Any) -> dict[str, Any]:
    content = base64.b64encode(data).decode()
    value = {"path": path, "content": content, "encoding": "base64", **more}
    return {"key": "file", "value": value}


@pytest.fixture
def tune(hub_server: HubServer) -> HubServer:
    hub_server.commit(NAME, {"page.html": "<script>alert(1)</script>", "w.bin": b"\0\1"})
    return hub_server


# --- what it does not know ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/datasets"),
        ("GET", "/api/models/alice/tune/discussions"),
        ("POST", "/api/models/alice/tune/super-squash/main"),
        ("POST", "/api/models"),
        ("POST", "/alice/tune"),
        ("GET", "/alice/tune/"),
        ("GET", "/etc/passwd/x"),
        ("GET", "/favicon.ico"),
        ("GET", "//"),
        ("BREW", "/"),
        ("OPTIONS", "/api/models"),
        ("GET", "/api/spaces/alice/tune/%2e%2e/x"),
    ],
)
def test_what_is_not_offered_is_said_and_noted(tune: HubServer, method: str, path: str) -> None:
    status, headers, body = ask(tune, method, path)
    assert status == 404 and len(tune.unknown) == 1
    assert json.loads(body)["error"].startswith("This hub does not know ")
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize("name", ["..", ".", "%2e%2e", "a%2Fb", "a%00b", "a%0ab", "x" * 500, "é"])
def test_names_that_are_none_are_not_found(tune: HubServer, name: str) -> None:
    from urllib.parse import quote

    status, _, _ = ask(tune, "GET", f"/api/models/alice/{quote(name, safe='%')}")
    assert status == 404


def test_the_front_page_says_how_to_use_it(tune: HubServer) -> None:
    tune.create("alice/secret", is_private=True)
    status, headers, body = ask(tune, "GET", "/", token="")
    assert status == 200 and headers["content-type"].startswith("text/plain")
    assert f"HF_ENDPOINT={tune.url}\n" in body.decode() and NAME in body.decode()
    assert "alice/secret" not in body.decode()


def test_a_printed_address_can_be_opened(tune: HubServer) -> None:
    tune.commit(NAME, {"README.md": "# A <b>card</b>"})
    tune.commit("alice/demo", {"app.py": "x"}, repo_type="space")
    status, headers, body = ask(tune, "GET", f"/{NAME}", token="")
    assert status == 200 and headers["content-type"].startswith("text/plain")
    assert headers["x-content-type-options"] == "nosniff"
    assert f"scorehub load {NAME}@{tune.head(NAME)}\n" in body.decode()
    assert "# A <b>card</b>" in body.decode()
    assert ask(tune, "GET", "/spaces/alice/demo")[0] == 200
    assert ask(tune, "GET", "/etc/passwd")[0] == ask(tune, "GET", "/spaces/alice/x")[0] == 404
    tune.set(NAME, is_private=True)
    assert ask(tune, "GET", f"/{NAME}", token=OTHER_TOKEN)[0] == 404
    tune.set(NAME, is_private=False, gated="auto")
    assert ask(tune, "GET", f"/{NAME}", token=OTHER_TOKEN)[0] == 403


# --- browsers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Host": "evil.example"},
    ],
)
def test_pages_of_other_sites_are_refused(tune: HubServer, headers: dict[str, str]) -> None:
    before = tune.head(NAME)
    for method, path, body in (
        ("GET", "/api/models", None),
        ("GET", f"/{NAME}/resolve/main/page.html", None),
        ("POST", f"{ONE}/commit/main", commit(a_file("x"))),
        ("DELETE", "/api/repos/delete", {"name": "tune", "organization": "alice"}),
    ):
        status, _, answer = ask(tune, method, path, body, **headers)
        assert status == 403 and b"script" not in answer
    assert tune.head(NAME) == before


def test_no_answer_allows_other_origins(tune: HubServer) -> None:
    _, headers, _ = ask(tune, "GET", "/api/models", Origin=tune.url)
    assert not [name for name in headers if name.startswith("access-control")]


def test_a_strangers_page_is_inert(tune: HubServer) -> None:
    status, headers, body = ask(tune, "GET", f"/{NAME}/resolve/main/page.html")
    assert status == 200 and body.startswith(b"<script>")
    assert headers["content-type"] == "application/octet-stream"
    assert headers["content-disposition"] == 'attachment; filename="page.html"'
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"]


# --- commits by hand ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["../x", "a/../../x", "/etc/passwd", "a//b", "./a", "a\x00b", "a\nb", ".git/config", "a\\..\\b",
     "C:\\x", "", ".", "..", "a\ud800", "x" * 1025],
)  # fmt: skip
@pytest.mark.parametrize("key", ["file", "lfsFile", "deletedFile"])
def test_hostile_paths(tune: HubServer, key: str, path: str) -> None:
    line = {**a_file(path, oid="0" * 64), "key": key}
    status, _, _ = ask(tune, "POST", f"{ONE}/commit/main", commit(line))
    assert status == 400
    assert tune.history(NAME)[0] == "Committed by a test"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"\n", b"[]", b"{", b"null", b"\xff\xfe", b"[" * 100_000,
        commit(header=[]), commit(header={}), commit(header={"summary": 7}),
        commit({"key": "file"}), commit({"key": "file", "value": {}}),
        commit({"key": "symlink", "value": {"path": "a"}}), commit({"key": 3, "value": {}}),
        commit(a_file("a", encoding="utf-8")), commit(a_file("a", content="!!")),
        commit(a_file("a", content=7)), commit(a_file(["a"])), commit(a_file("w.bin/x")),
        commit(a_file("a.safetensors", b"by the wrong way")),
        commit({"key": "lfsFile", "value": {"path": "a", "oid": "0" * 64}}),
        commit({"key": "lfsFile", "value": {"path": "a", "oid": "../../repository.json"}}),
        commit({"key": "lfsFile", "value": {"path": "a"}}),
        commit(header={"summary": "m", "parentCommit": 7}),
        json.dumps(a_file("x")).encode(),
    ],
)  # fmt: skip
def test_commits_that_are_none(tune: HubServer, body: bytes) -> None:
    status, _, answer = ask(tune, "POST", f"{ONE}/commit/main", body)
    assert status == 400 and json.loads(answer)["error"]
    assert tune.history(NAME)[0] == "Committed by a test"


def test_a_commit_to_what_is_no_branch(tune: HubServer) -> None:
    status, _, _ = ask(tune, "POST", f"{ONE}/commit/{tune.head(NAME)}", commit(a_file("x")))
    assert status == 400
    status, _, _ = ask(tune, "POST", f"{ONE}/commit/nowhere", commit(a_file("x")))
    assert status == 404
    status, _, _ = ask(tune, "POST", f"{ONE}/commit/main?create_pr=1", commit(a_file("x")))
    assert status == 400


@pytest.mark.parametrize(
    "body",
    [
        {"name": "../x", "organization": "alice"},
        {"name": "x", "organization": "alice", "type": "dataset"},
        {"name": "x", "organization": "alice", "type": "space"},
        {"name": "x", "organization": "alice", "visibility": "protected"},
        {"name": "x", "organization": "alice", "template": "y"},
        {"name": "x", "organization": "alice", "type": "space", "sdk": "gradio", "secrets": [1]},
        {"name": ["x"]},
        {},
        [],
    ],
)
def test_repositories_that_cannot_be(tune: HubServer, body: Any) -> None:
    assert ask(tune, "POST", "/api/repos/create", body)[0] == 400


# --- uploads by hand ----------------------------------------------------------------------------


def address_for(tune: HubServer, data: bytes) -> str:
    oid = hashlib.sha256(data).hexdigest()
    body = {"operation": "upload", "objects": [{"oid": oid, "size": len(data)}]}
    path = f"/{NAME}.git/info/lfs/objects/batch"
    status, _, answer = ask(tune, "POST", path, body)
    assert status == 200
    href: str = json.loads(answer)["objects"][0]["actions"]["upload"]["href"]
    return href.removeprefix(tune.url)


def test_an_upload_is_what_was_announced(tune: HubServer) -> None:
    address = address_for(tune, b"contents")
    for wrong in (b"", b"content", b"contents!", b"CONTENTS"):
        assert ask(tune, "PUT", address, wrong, token="")[0] == 400
    assert ask(tune, "PUT", address, b"contents", token="")[0] == 200
    assert not list((tune.folder / "partial").iterdir())


def test_an_upload_that_breaks_off_leaves_nothing(
    tune: HubServer, caplog: pytest.LogCaptureFixture
) -> None:
    address = address_for(tune, b"contents")
    with socket.create_connection(("127.0.0.1", tune.port)) as connection:
        start = f"PUT {address} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 8\r\n\r\ncont"
        connection.sendall(start.encode())
        wait_for(lambda: any((tune.folder / "partial").iterdir()))
    wait_for(lambda: not any((tune.folder / "partial").iterdir()))
    wait_for(lambda: "PUT" in {r.method for r in tune.requests})
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_an_address_for_uploads_is_good_for_one_thing(
    tune: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    tune.create("alice/other")
    address = address_for(tune, b"contents")
    oid, _, query = address.rpartition("/")[2].partition("?")
    last = "0" if address[-1] != "0" else "1"
    for wrong in (
        address.replace("alice/tune", "alice/other"),
        address.replace("alice/tune", "alice/missing"),
        address.replace("/models/", "/spaces/"),
        address.replace(oid, "0" * 64),
        address.replace(oid, "..%2F..%2Frepository.json"),
        address.replace("size=8", "size=9"),
        address.replace("size=8", "size=-8"),
        address.replace("until=", "until=9"),
        address[:-1] + last,
        address.partition("?")[0],
    ):
        assert ask(tune, "PUT", wrong, b"contents")[0] in (403, 404), wrong
    monkeypatch.setattr("hub.local_hub.routes.uploads.time.time", lambda: 1e11)
    assert ask(tune, "PUT", address, b"contents")[0] == 403
    assert query.startswith("size=8&until=")


def test_only_who_may_write_gets_an_address(tune: HubServer) -> None:
    body = {"operation": "upload", "objects": [{"oid": "0" * 64, "size": 1}]}
    path = f"/{NAME}.git/info/lfs/objects/batch"
    assert ask(tune, "POST", path, body, token=OTHER_TOKEN)[0] == 403
    assert ask(tune, "POST", path, body, token="")[0] == 401
    assert ask(tune, "POST", path, {"operation": "download", "objects": []})[0] == 400


def test_sizes_are_bounded(tune: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.local_hub.routes.commits.MAX_COMMIT_BYTES", 1000)
    status, _, _ = ask(tune, "POST", f"{ONE}/commit/main", commit(a_file("x", b"x" * 1000)))
    assert status == 413
    huge = b'{"a": "' + b"x" * local_http.MAX_JSON_BYTES + b'"}'
    assert ask(tune, "POST", "/api/repos/create", huge)[0] == 413
    monkeypatch.setattr("hub.local_hub.routes.commits.MAX_FILES", 3)
    lines = [a_file(f"{n}") for n in range(3)]
    assert ask(tune, "POST", f"{ONE}/commit/main", commit(*lines))[0] == 413
    too_large = {"oid": "0" * 64, "size": local_http.MAX_LFS_BYTES + 1}
    body = {"operation": "upload", "objects": [too_large]}
    _, _, answer = ask(tune, "POST", f"/{NAME}.git/info/lfs/objects/batch", body)
    assert json.loads(answer)["objects"][0]["error"]["code"] == 422


@pytest.mark.parametrize("cursor", ["x", "%00", "W10=", "WzEsMV0=", "bnVsbA==", "é"])
def test_cursors_that_are_none(tune: HubServer, cursor: str) -> None:
    from urllib.parse import quote

    status, _, _ = ask(tune, "GET", f"/api/models?cursor={quote(cursor, safe='%=')}")
    assert status == 400


# --- when it fails ------------------------------------------------------------------------------


def test_a_full_disk(tune: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device", "/somewhere/private")

    monkeypatch.setattr("hub.local_hub.store.os.fsync", full)
    status, _, answer = ask(tune, "POST", f"{ONE}/commit/main", commit(a_file("x", b"new")))
    assert status == 507 and b"/somewhere" not in answer
    monkeypatch.undo()
    assert tune.history(NAME)[0] == "Committed by a test"


def test_a_fault_of_its_own_shows_no_traceback(
    tune: HubServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("hub.local_hub.shapes.refs", lambda found: 1 / 0)
    with caplog.at_level(logging.CRITICAL, logger="uvicorn.error"):
        status, _, answer = ask(tune, "GET", f"{ONE}/refs")
    assert status == 500 and b"Traceback" not in answer and b"division" not in answer


def test_what_was_sent_cannot_write_headers(tune: HubServer) -> None:
    body = {"name": "x", "organization": "x\r\nSet-Cookie: a=b"}
    status, headers, answer = ask(tune, "POST", "/api/repos/create", body)
    assert status == 400 and "set-cookie" not in headers
    assert json.loads(answer)["error"].startswith("A name has letters")
    reply = local_http.Refusal(403, 'Not below "x\r\nSet-Cookie: a=b\x00é\u2028".').response()
    assert reply.headers["x-error-message"] == 'Not below "x  Set-Cookie: a=b \\xe9 ".'
