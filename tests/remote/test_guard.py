"""The guard of a call, over real HTTP: where it goes, what it carries, how much comes back."""

from __future__ import annotations

import httpx
import pytest

from hub.remote.guard import Guard, Refused, Stopped
from tests.remote.hostile_app import HostileApp, Reply, endless


def get(app: HostileApp, guard: Guard, **options: object) -> bytes:
    return httpx.get(app.url + "/config", **options, **guard.options()).content  # type: ignore[arg-type]


def test_secrets_are_stripped(app: HostileApp) -> None:
    headers = {
        "authorization": "Bearer hf_x", "x-hf-authorization": "Bearer hf_x", "x-ip-token": "x",
        "user-agent": "me",
    }  # fmt: skip
    get(app, Guard(app.url), headers=headers)
    assert app.asked[-1].headers["user-agent"] == "me"
    assert not {"authorization", "x-hf-authorization", "x-ip-token"} & set(app.asked[-1].headers)


def test_another_origin_is_not_asked(app: HostileApp) -> None:
    for address in (app.url.replace("http:", "https:"), "http://127.0.0.1:9", "http://localhost"):
        with pytest.raises(Refused, match="another place"):
            get(app, Guard(address))
    assert app.asked == []


def test_a_redirect_is_not_followed_wherever_it_leads(app: HostileApp) -> None:
    app.override["/config"] = Reply(status=302, headers={"location": app.url + "/other"})
    with pytest.raises(Refused, match="another place"):
        get(app, Guard(app.url), headers={})
    assert app.paths() == ["/config"]


def test_a_reply_may_be_as_long_as_the_bound_and_no_longer(app: HostileApp) -> None:
    app.override["/config"] = Reply(body=b"x" * 1000)
    assert len(get(app, Guard(app.url, 1000))) == 1000
    with pytest.raises(Refused, match="longer than 999 bytes"):
        get(app, Guard(app.url, 999))


def test_a_reply_without_an_end_is_not_kept(app: HostileApp) -> None:
    app.override["/config"] = Reply(body=endless())
    with pytest.raises(Refused, match="longer than 100,000 bytes"):
        Guard(app.url).get(app.url + "/config", 100_000)


def test_nothing_goes_out_once_it_is_closed(app: HostileApp) -> None:
    guard = Guard(app.url)
    guard.close()
    with pytest.raises(Stopped):
        get(app, guard)
    assert app.asked == []


def test_nothing_is_asked_for_in_a_packed_form(app: HostileApp) -> None:
    get(app, Guard(app.url))
    assert app.asked[-1].headers["accept-encoding"] == "identity"
