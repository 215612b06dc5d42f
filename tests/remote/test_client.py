"""The Hub's failures in our own words: each of them made by the real client over real HTTP.

Every message must name what was asked for or who was asked, and none a token or a signed address.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, constants, hf_hub_download

from hub.errors import (
    AccessError,
    BusyError,
    ConflictError,
    IntegrityError,
    NotFoundError,
    OfflineError,
    QuotaError,
    RemoteError,
    UnavailableError,
)
from hub.remote import client
from tests.hub_server import OTHER_TOKEN, TOKEN, HubServer

NAME = "alice/tune"
WEIGHTS = bytes(range(256)) * 8


def failure(ask: Callable[[], Any], kind: type[RemoteError], what: str = NAME) -> str:
    """The message of the RemoteError that `ask` ends with, proven to be of the right kind."""
    with pytest.raises(RemoteError) as caught, client.translated(what):
        ask()
    assert type(caught.value) is kind, f"{type(caught.value).__name__}: {caught.value}"
    message = str(caught.value)
    assert what in message or client.host() in message
    for secret in (TOKEN, OTHER_TOKEN, "signature", "size="):
        assert secret not in message
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert message.endswith((".", "?")) and "\n" not in message
    return message


def info() -> Any:
    return client.api().model_info(NAME)


def upload(path: str = "model.safetensors", data: bytes = WEIGHTS, **more: Any) -> Any:
    operations = [CommitOperationAdd(path, data)]
    return client.api().create_commit(NAME, operations, commit_message="m", **more)


def download(name: str = "model.safetensors") -> Any:
    return hf_hub_download(NAME, name, endpoint=client.endpoint(), etag_timeout=2)


@pytest.fixture
def tune(hub_server: HubServer) -> HubServer:
    hub_server.commit(NAME, {"README.md": "---\nlicense: mit\n---\n", "model.safetensors": WEIGHTS})
    return hub_server


def as_other(patch: pytest.MonkeyPatch) -> None:
    patch.setenv("HF_TOKEN", OTHER_TOKEN)


def as_nobody(patch: pytest.MonkeyPatch) -> None:
    patch.delenv("HF_TOKEN")


# --- it works -----------------------------------------------------------------------------------


def test_what_works_passes_through(tune: HubServer) -> None:
    with client.translated(NAME):
        assert info().sha == tune.head(NAME)
        download()


def test_errors_of_ours_pass_through(tune: HubServer) -> None:
    with pytest.raises(BusyError, match="mine"), client.translated(NAME):
        raise BusyError("mine")
    with pytest.raises(KeyboardInterrupt), client.translated(NAME):
        raise KeyboardInterrupt


def test_without_a_token_nobody_is_told(tune: HubServer) -> None:
    client.api(with_token=False).model_info(NAME)
    client.api().model_info(NAME)
    without, given = (dict(r.headers) for r in tune.requests if r.path.endswith(NAME))
    assert "authorization" not in without
    assert given["authorization"] == f"Bearer {TOKEN}"
    assert "scorehub/" in given["user-agent"]


def test_the_address_is_looked_up_at_every_call(
    tune: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.endpoint() == tune.url
    assert client.host() == f"127.0.0.1:{tune.port}"
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9/")
    assert client.api().endpoint == client.endpoint() == "http://127.0.0.1:9"
    monkeypatch.delenv("HF_ENDPOINT")
    assert client.api().endpoint == client.PUBLIC_HUB


def test_xet_is_for_the_public_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    monkeypatch.delenv("HF_HUB_DISABLE_XET", raising=False)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    client.api()
    assert constants.HF_HUB_DISABLE_XET
    monkeypatch.delenv("HF_ENDPOINT")
    client.api()
    assert not constants.HF_HUB_DISABLE_XET
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    client.api()
    assert constants.HF_HUB_DISABLE_XET


# --- who is asking ------------------------------------------------------------------------------


def test_a_wrong_token(tune: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_nobodys_token_at_all")
    message = failure(info, AccessError)
    assert "hf auth login" in message and "nobodys" not in message


def test_no_token_for_a_private_repository(
    tune: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    tune.set(NAME, is_private=True)
    as_nobody(monkeypatch)
    assert "private" in failure(info, AccessError)


def test_another_user_is_not_told_that_it_is_private(
    tune: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    tune.set(NAME, is_private=True)
    as_other(monkeypatch)
    message = failure(info, NotFoundError)
    assert message == failure(lambda: client.api().model_info(NAME), NotFoundError)


def test_no_token_where_one_is_needed(tune: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    as_nobody(monkeypatch)
    with pytest.raises(AccessError, match="hf auth login"), client.translated(NAME):
        client.api().whoami()


def test_writing_to_another_users_repository(
    tune: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_other(monkeypatch)
    assert "write access" in failure(upload, AccessError)


def test_a_gated_repository(tune: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    tune.set(NAME, gated="manual")
    as_other(monkeypatch)
    assert "gated" in failure(download, AccessError)
    as_nobody(monkeypatch)
    assert "gated" in failure(download, AccessError)


# --- what is asked for --------------------------------------------------------------------------


def test_a_repository_that_is_not_there(hub_server: HubServer) -> None:
    assert NAME in failure(info, NotFoundError)


def test_a_revision_that_is_not_there(tune: HubServer) -> None:
    message = failure(lambda: client.api().model_info(NAME, revision="v9"), NotFoundError)
    assert "branch, tag or commit" in message


def test_a_file_that_is_not_there(tune: HubServer) -> None:
    assert "file" in failure(lambda: download("missing.txt"), NotFoundError)


def test_a_name_that_is_none(tune: HubServer) -> None:
    message = failure(lambda: client.api().model_info("a b/../c"), NotFoundError, "a b/../c")
    assert "user/name" in message


def test_a_disabled_repository(tune: HubServer) -> None:
    tune.fail("/api/models/", status=403, message="Access to this resource is disabled.")
    assert "disabled" in failure(info, NotFoundError)


def test_a_branch_that_has_moved(tune: HubServer) -> None:
    first = tune.head(NAME)
    tune.commit(NAME, {"note.txt": "by somebody else"})
    message = failure(lambda: upload("x.txt", b"x", parent_commit=first), ConflictError)
    assert "Nothing was overwritten" in message


# --- the server ---------------------------------------------------------------------------------


def test_too_many_requests_for_a_moment(tune: HubServer) -> None:
    tune.fail("/preupload/", status=429, headers={"Retry-After": "7"}, times=2)
    with client.translated(NAME):
        upload("x.txt", b"x")
    assert tune.naps == [8, 8]


def test_too_many_requests(tune: HubServer) -> None:
    tune.fail("/api/models/", status=429, headers={"Retry-After": "70"}, times=None)
    assert "in 70 seconds" in failure(info, QuotaError)
    tune.fail("/api/models/", status=429, headers={"Retry-After": "<b>"}, times=None)
    assert "later" in failure(info, QuotaError)


def test_a_paid_account_is_wanted(tune: HubServer) -> None:
    tune.fail("/api/models/", status=402)
    assert "quota" in failure(info, QuotaError)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_broken_server(tune: HubServer, status: int) -> None:
    tune.fail("/api/models/", status=status, times=None)
    assert str(status) in failure(info, UnavailableError)


def test_an_unexpected_status(tune: HubServer) -> None:
    tune.fail("/api/models/", status=418)
    assert "418" in failure(info, RemoteError)


def test_a_bad_request(tune: HubServer) -> None:
    tune.fail("/commit/", status=400, message=f"echo {TOKEN}")
    assert "400" in failure(lambda: upload("x.txt", b"x"), RemoteError)


def test_an_answer_that_makes_no_sense(tune: HubServer) -> None:
    tune.fail("/api/models/", replace=b"<html>Welcome to our Wi-Fi")
    assert "makes no sense" in failure(info, IntegrityError)


def test_an_answer_that_is_cut_off(tune: HubServer) -> None:
    tune.fail("/api/models/", cut=20)
    assert "broke off" in failure(info, UnavailableError)


def test_a_server_that_takes_too_long(tune: HubServer) -> None:
    tune.fail("/api/models/", delay_seconds=1.5)
    ask = lambda: client.api().model_info(NAME, timeout=0.2)  # noqa: E731
    assert "too long" in failure(ask, UnavailableError)


def test_nobody_answers(tune: HubServer) -> None:
    tune.stop()
    assert "Check the network" in failure(info, OfflineError)
    assert "Check the network" in failure(download, OfflineError)


def test_told_to_stay_offline(tune: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    before = len(tune.requests)
    assert "HF_HUB_OFFLINE" in failure(info, OfflineError)
    assert len(tune.requests) == before


# --- large files --------------------------------------------------------------------------------


def test_an_upload_that_is_refused_does_not_show_its_address(tune: HubServer) -> None:
    tune.fail("/lfs/", method="PUT", status=403, message="SignatureDoesNotMatch")
    failure(lambda: upload("new.safetensors", WEIGHTS[1:]), AccessError)


def test_an_upload_to_a_broken_storage(tune: HubServer) -> None:
    tune.fail("/lfs/", method="PUT", status=503, times=None)
    failure(lambda: upload("new.safetensors", WEIGHTS[1:]), UnavailableError)
    assert "new.safetensors" not in tune.files(NAME)


def test_an_upload_that_fails_once_is_sent_again(tune: HubServer) -> None:
    tune.fail("/lfs/", method="PUT", status=500)
    with client.translated(NAME):
        upload("new.safetensors", WEIGHTS[1:])
    assert tune.files(NAME)["new.safetensors"] == WEIGHTS[1:]


def test_a_download_that_is_short(tune: HubServer) -> None:
    tune.fail("/resolve/", method="GET", shorten=100, times=None)
    assert "not whole" in failure(download, IntegrityError)


def test_a_download_that_is_cut_off_is_asked_for_again(tune: HubServer) -> None:
    tune.fail("/resolve/", method="GET", cut=1000)
    with client.translated(NAME), open(download(), "rb") as stream:
        assert stream.read() == WEIGHTS
    assert len([r for r in tune.requests if r.method == "GET"]) == 2


def test_a_download_that_is_always_cut_off(tune: HubServer) -> None:
    tune.fail("/resolve/", method="GET", cut=1000, times=None)
    assert "broke off" in failure(download, UnavailableError)


def test_what_the_client_logs_has_no_signed_address(
    tune: HubServer, caplog: pytest.LogCaptureFixture
) -> None:
    tune.fail("/lfs/", method="PUT", status=503)
    upload("new.safetensors", WEIGHTS[1:])
    assert [r for r in tune.requests if r.method == "PUT" and "signature=" in r.query]
    for secret in ("signature", TOKEN):
        assert secret not in caplog.text


def test_a_hub_without_xet_that_is_asked_for_it(
    tune: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    failure(lambda: upload("new.safetensors", WEIGHTS[1:]), UnavailableError)


def test_a_flipped_byte_is_not_noticed_by_the_client(tune: HubServer) -> None:
    """Which is why downloads are compared with the Hub's hashes (see hub.remote.fetch)."""
    tune.fail("/resolve/", method="GET", flip=5)
    with client.translated(NAME), open(download(), "rb") as stream:
        got = stream.read()
    assert got != WEIGHTS and len(got) == len(WEIGHTS)
