"""What a Hub lists, over real HTTP; and what cards may try in such a list."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.errors import AccessError, OfflineError, QuotaError, RemoteError, UnavailableError
from hub.handle import ModelHandle
from hub.remote.search import Listing, check_public, clean, pages, search

CARD = """---
license: mit
datasets: [folk, more]
tags: [scorehub]
scorehub: {version: 1, title: Reels, summary: Writes reels., entry: inpaintnet}
---
"""


def publish(hub_server: Any, name: str, **settings: Any) -> None:
    hub_server.commit(name, {"README.md": CARD})
    hub_server.set(name, **settings)


def asked(hub_server: Any) -> list[Any]:
    return [request for request in hub_server.requests if request.path == "/api/models"]


def test_a_listing_is_what_the_card_and_the_hub_say(hub_server: Any) -> None:
    publish(hub_server, "alice/reels", downloads=12, likes=3)
    (found,) = search().results
    assert (found.repo_id, found.title, found.summary) == ("alice/reels", "Reels", "Writes reels.")
    assert (found.license, found.datasets) == ("mit", ("folk", "more"))
    assert (found.downloads, found.likes, found.problem) == (12, 3, "")
    assert (found.architecture, found.runs_own_code) == ("inpaintnet", False)
    assert "Length of a region: at least 1 measures." in found.limits
    assert found.last_modified is not None
    assert abs((datetime.now(UTC) - found.last_modified).total_seconds()) < 600


def test_only_what_has_the_tag_the_most_downloaded_first(hub_server: Any) -> None:
    for number, name in enumerate(["alice/a", "bob/b", "alice/c"]):
        publish(hub_server, name, downloads=number)
    hub_server.commit("alice/other", {"README.md": CARD.replace("[scorehub]", "[other]")})
    assert [found.repo_id for found in search().results] == ["alice/c", "bob/b", "alice/a"]


def test_search_looks_at_names_and_sends_no_odd_characters(hub_server: Any) -> None:
    publish(hub_server, "alice/reels")
    publish(hub_server, "alice/jigs")
    assert [found.repo_id for found in search(" reel\x00\n ").results] == ["alice/reels"]
    assert "search=reel&" in asked(hub_server)[-1].query + "&"


def test_pages_follow_the_cursor(hub_server: Any) -> None:
    for number in range(5):
        publish(hub_server, f"alice/m{number}", downloads=number)
    first = search(page_size=2)
    second = search(page_size=2, cursor=first.next_cursor)
    assert [f.repo_id[-1] for f in (*first.results, *second.results)] == ["4", "3", "2", "1"]
    assert [len(page.results) for page in pages(page_size=2)] == [2, 2, 1]


def test_the_link_is_only_read_never_followed(
    hub_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Hub that names another server as the next page gets no request and no token sent there."""
    publish(hub_server, "alice/reels")
    hub_server.fail(
        "/api/models", status=200, times=None, replace=b"[]",
        headers={"Link": '<http://elsewhere.example/api/models?cursor=abc>; rel="next"'},
    )  # fmt: skip
    monkeypatch.setattr("hub.remote.search._read", lambda response: response.read() and b"[]")
    assert search().next_cursor == "abc"
    search(cursor="abc")
    assert "cursor=abc" in asked(hub_server)[-1].query


@pytest.mark.parametrize("cursor", ["a b", "x&sort=likes", "ü", "a" * 601, "\r\nX: y"])
def test_a_cursor_of_a_visitor_is_checked(hub_server: Any, cursor: str) -> None:
    with pytest.raises(RemoteError, match="no such page"):
        search(cursor=cursor)
    assert asked(hub_server) == []


def test_without_a_token_only_what_anybody_may_see(hub_server: Any) -> None:
    publish(hub_server, "alice/secret", is_private=True)
    publish(hub_server, "alice/gated", gated="manual")
    publish(hub_server, "alice/open")
    assert {f.repo_id: (f.private, f.gated) for f in search().results} == {
        "alice/secret": (True, False), "alice/gated": (False, True), "alice/open": (False, False),
    }  # fmt: skip
    assert "alice/secret" not in {f.repo_id for f in search(with_token=False).results}
    assert "authorization" not in asked(hub_server)[-1].headers


def test_check_public(hub_server: Any) -> None:
    publish(hub_server, "alice/secret", is_private=True)
    publish(hub_server, "alice/gated", gated="manual")
    publish(hub_server, "alice/open")
    check_public(ModelHandle(owner="alice", name="open"))
    for name in ("secret", "gated", "missing"):
        with pytest.raises(RemoteError):
            check_public(ModelHandle(owner="alice", name=name))
    assert {r.headers.get("authorization") for r in hub_server.requests} == {None}


def test_a_gated_model_is_called_so(hub_server: Any) -> None:
    publish(hub_server, "alice/gated", gated="manual")
    with pytest.raises(AccessError, match="not open to everybody"):
        check_public(ModelHandle(owner="alice", name="gated"))


# --- states -------------------------------------------------------------------------------------


def test_offline(hub_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hub_server.stop()
    with pytest.raises(OfflineError, match="cannot be reached"):
        search()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(OfflineError, match="HF_HUB_OFFLINE"):
        search()


def test_a_failing_hub_is_asked_again_and_then_reported(hub_server: Any) -> None:
    publish(hub_server, "alice/reels")
    hub_server.fail("/api/models", status=503, times=2)
    assert len(search().results) == 1
    hub_server.fail("/api/models", status=503, times=None)
    with pytest.raises(UnavailableError, match="failed to answer"):
        search()


def test_rate_limits_are_named(hub_server: Any) -> None:
    hub_server.fail("/api/models", status=429, times=None, headers={"Retry-After": "7"})
    with pytest.raises(QuotaError, match="too many requests"):
        search()


def test_what_is_no_list_is_a_failure_of_the_hub(hub_server: Any) -> None:
    for body in (b"<html>", b'{"error": 1}', b"[" * 100_000):
        hub_server.fail("/api/models", replace=body, times=2)
        with pytest.raises(RemoteError, match="list of models|answered"):
            search()


# --- hostile cards ------------------------------------------------------------------------------


def listed(hub_server: Any, *rows: Any) -> tuple[Listing, ...]:
    publish(hub_server, "alice/any")
    hub_server.fail("/api/models", replace=json.dumps(rows).encode(), times=None)
    return search().results


def front(**block: Any) -> dict[str, Any]:
    return {"scorehub": {"version": 1, "entry": "model.py:M", **block}}


def test_texts_are_cut_and_lose_what_is_not_seen(hub_server: Any) -> None:
    said = "\x1b[31m\u202eevil\u200b\nline " + "x" * 100_000
    card = front(title=said, summary=said, accepts={"meters": ["4/4"] * 50}) | {
        "license": said, "datasets": [said] * 20,
    }  # fmt: skip
    (found,) = listed(hub_server, {"id": "alice/a", "cardData": card})
    for text in (found.title, found.summary, found.license, *found.datasets, *found.limits):
        assert len(text) <= 300 and not {"\x1b", "\u202e", "\u200b", "\n"} & set(text)
    assert found.title.startswith("[31mevil line x") and len(found.datasets) <= 8


@pytest.mark.parametrize(
    "card",
    [
        None, [], "text", {}, {"scorehub": 1}, {"self": 1, "scorehub": {}},
        front(version=2), front(entry="os:system"), front(entry=["x"]), front(evil=1),
        front(accepts={"parts": "x"}), front(accepts={"meters": {"a": 1}}), front(params=[[]]),
        front(accepts={"pitch": [10**30, -(10**30)]}), front(init=["x"]), front(examples=7),
        front(params=[{"name": "a", "type": "number", "min": 1e308, "max": -1e308}] * 3),
        front(examples=["../../etc/passwd"]),
        front(init={"a": [0] * 10_000}),
        front(init=json.loads("[" * 50 + "]" * 50)),
    ],
)  # fmt: skip
def test_one_odd_card_spoils_nothing_but_itself(hub_server: Any, card: Any) -> None:
    rows = [{"id": "alice/odd", "cardData": card}, {"id": "alice/fine", "cardData": front()}]
    odd, fine = listed(hub_server, *rows)
    assert odd.title == "odd" and odd.problem and len(odd.problem) <= 300
    assert (fine.repo_id, fine.problem) == ("alice/fine", "")


@pytest.mark.parametrize("datasets", [5, {"a": 1}, "x", None, [[1], {}]])
def test_odd_data_sets_are_words_at_most(hub_server: Any, datasets: Any) -> None:
    (found,) = listed(hub_server, {"id": "a/b", "cardData": {**front(), "datasets": datasets}})
    assert all(isinstance(name, str) for name in found.datasets)


@pytest.mark.parametrize(
    "name",
    [
        None, 7, "", "one", "a/b/c", "../x", "a/../b", "a/b@main", "javascript:alert(1)/x",
        'a/b" onclick="x', "a/<b>", "space:a/b", "a/b\n", "-a/b",
    ],
)  # fmt: skip
def test_a_row_needs_a_name_that_can_be_opened(hub_server: Any, name: Any) -> None:
    assert listed(hub_server, {"id": name, "cardData": front()}, "row", 7, None) == ()


def test_figures_that_are_none_are_left_out(hub_server: Any) -> None:
    row = {
        "id": "a/b", "cardData": front(), "downloads": "many", "likes": -1,
        "lastModified": "yesterday", "spaces": "a/b", "private": "no",
    }  # fmt: skip
    (found,) = listed(hub_server, row)
    assert (found.downloads, found.likes, found.last_modified) == (None, None, None)
    assert not found.has_space and not found.private


def test_a_space_of_the_same_name_is_told(hub_server: Any) -> None:
    rows = [{"id": "a/b", "cardData": front(), "spaces": spaces} for spaces in (["a/b"], ["c/d"])]
    assert [found.has_space for found in listed(hub_server, *rows)] == [True, False]


def test_a_list_too_long_with_its_cards_is_asked_for_without(
    hub_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(hub_server, "alice/reels")
    monkeypatch.setattr("hub.remote.search.MAX_ANSWER_BYTES", 100)
    hub_server.fail("/api/models", replace=b'[{"id": "alice/reels"}]', times=1).hits = 0
    hub_server.fail("/api/models", replace=b"[" + b" " * 500 + b"]", times=1)
    (found,) = search().results
    assert (found.repo_id, found.problem) == ("alice/reels", "The Hub does not list its card.")
    assert ["expand" in request.query for request in asked(hub_server)] == [True, False]


def test_clean() -> None:
    assert clean("a\t b\n\u2028c", 10) == "a b c"
    assert clean("abcdef", 4) == "abc…"
