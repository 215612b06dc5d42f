"""The real client against the local hub, over real HTTP, by plain LFS.

After every test: the client asked for nothing that the hub does not know.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationCopy,
    CommitOperationDelete,
    HfApi,
    errors,
)

from hub.remote import client
from tests.hub_server import OTHER_TOKEN, TOKEN, HubServer

NAME = "alice/tune"
CARD = b"---\nlicense: mit\ntags:\n- music-inpainting\nlibrary_name: scorehub\n---\nProse.\n"
WEIGHTS = bytes(range(256)) * 40
FILES = {"README.md": CARD, "model.safetensors": WEIGHTS, "examples/a.mid": b"MThd"}


@pytest.fixture(autouse=True)
def _asks_for_what_is_there(hub_server: HubServer) -> Iterator[None]:
    yield
    assert hub_server.unknown == []


@pytest.fixture
def api(hub_server: HubServer) -> HfApi:
    return client.api()


def publish(api: HfApi, files: dict[str, bytes] = FILES, **more: Any) -> str:
    api.create_repo(NAME, exist_ok=True)
    operations = [CommitOperationAdd(path, data) for path, data in files.items()]
    return api.create_commit(NAME, operations, commit_message="m", **more).oid


def status_of(caught: pytest.ExceptionInfo[Any]) -> int:
    return int(caught.value.response.status_code)


# --- uploads ------------------------------------------------------------------------------------


def test_what_is_uploaded_can_be_downloaded(hub_server: HubServer, api: HfApi) -> None:
    commit = publish(api)
    info = api.model_info(NAME, files_metadata=True)
    folder = Path(api.snapshot_download(NAME))
    assert info.sha == commit == folder.name
    assert {s.rfilename for s in info.siblings or ()} == {".gitattributes", *FILES}
    assert {path: (folder / path).read_bytes() for path in FILES} == FILES
    assert {path: hub_server.files(NAME)[path] for path in FILES} == FILES
    assert api.verify_repo_checksums(NAME).mismatches == []


def test_large_files_go_by_lfs_and_small_ones_do_not(hub_server: HubServer, api: HfApi) -> None:
    publish(api, {**FILES, "noise": b"\0\1\2"})
    sent = [r for r in hub_server.requests if r.method == "PUT"]
    assert {r.body for r in sent} == {WEIGHTS, b"\0\1\2"}
    assert all("authorization" not in r.headers for r in sent)
    listed = {s.rfilename: s for s in api.model_info(NAME, files_metadata=True).siblings or ()}
    lfs = listed["model.safetensors"].lfs
    assert lfs is not None and lfs.size == listed["model.safetensors"].size == len(WEIGHTS)
    assert listed["README.md"].lfs is None


def test_nothing_new_makes_no_commit(hub_server: HubServer, api: HfApi) -> None:
    first = publish(api)
    assert publish(api) == first
    assert hub_server.history(NAME) == ["m", "initial commit"]
    assert len([r for r in hub_server.requests if r.method == "PUT"]) == 1


def test_the_same_contents_are_not_sent_twice(hub_server: HubServer, api: HfApi) -> None:
    publish(api)
    publish(api, {"copy.safetensors": WEIGHTS})
    assert len([r for r in hub_server.requests if r.method == "PUT"]) == 1
    assert hub_server.files(NAME)["copy.safetensors"] == WEIGHTS


def test_delete_and_copy(hub_server: HubServer, api: HfApi) -> None:
    publish(api)
    operations = [
        CommitOperationCopy("model.safetensors", "old/model.safetensors"),
        CommitOperationCopy("README.md", "old/README.md"),
        CommitOperationDelete("examples/", is_folder=True),
    ]
    api.create_commit(NAME, operations, commit_message="Move")
    files = hub_server.files(NAME)
    assert files["old/model.safetensors"] == WEIGHTS and files["old/README.md"] == CARD
    assert "examples/a.mid" not in files
    with pytest.raises(errors.EntryNotFoundError):
        api.delete_file("examples/a.mid", NAME)


def test_a_moved_branch_is_a_conflict(hub_server: HubServer, api: HfApi) -> None:
    first = publish(api)
    hub_server.commit(NAME, {"NOTES.md": "by hand"})
    with pytest.raises(errors.HfHubHTTPError) as caught:
        publish(api, {"x.txt": b"x"}, parent_commit=first)
    assert status_of(caught) == 412
    assert "x.txt" not in hub_server.files(NAME)


def test_a_branch_that_moves_between_two_requests(hub_server: HubServer, api: HfApi) -> None:
    first = publish(api)
    hub_server.fail("/commit/", before=lambda: hub_server.commit(NAME, {"NOTES.md": "first"}))
    with pytest.raises(errors.HfHubHTTPError) as caught:
        publish(api, {"x.txt": b"x"}, parent_commit=first)
    assert status_of(caught) == 412
    assert hub_server.history(NAME)[0] == "Committed by a test"


def test_an_upload_that_breaks_leaves_the_old_version(hub_server: HubServer, api: HfApi) -> None:
    first = publish(api)
    fault = hub_server.fail("/lfs/", method="PUT", status=403, times=None)
    with pytest.raises(RuntimeError, match=r"new\.safetensors"):
        publish(api, {"new.safetensors": WEIGHTS[1:], "README.md": CARD + b"more"})
    assert hub_server.head(NAME) == first
    hub_server.faults.remove(fault)
    publish(api, {"new.safetensors": WEIGHTS[1:]})
    assert hub_server.files(NAME)["new.safetensors"] == WEIGHTS[1:]


@pytest.mark.parametrize("path", ["a\x1b[31mb", "a\nb", "C:/x", "a\\..\\b", "x" * 1100])
def test_hostile_paths_are_refused(hub_server: HubServer, api: HfApi, path: str) -> None:
    api.create_repo(NAME)
    with pytest.raises(errors.BadRequestError):
        publish(api, {path: b"x"})
    assert hub_server.history(NAME) == ["initial commit"]


def test_a_file_cannot_be_a_folder(api: HfApi) -> None:
    with pytest.raises(errors.BadRequestError, match="a file and a folder"):
        publish(api, {"a": b"x", "a/b": b"y"})


def test_a_card_with_a_fault_is_refused(hub_server: HubServer, api: HfApi) -> None:
    with pytest.raises(ValueError, match="Invalid metadata"):
        publish(api, {"README.md": b"---\nlicense: [1]\n---\n"})
    with pytest.raises(ValueError, match="Invalid metadata"):
        publish(api, {"README.md": b"---\na: {\n---\n"})


# --- repositories -------------------------------------------------------------------------------


def test_create_twice(api: HfApi) -> None:
    url = api.create_repo(NAME)
    assert url.repo_id == NAME
    assert api.create_repo(NAME, exist_ok=True) == url
    with pytest.raises(errors.HfHubHTTPError) as caught:
        api.create_repo(NAME)
    assert status_of(caught) == 409


def test_delete(api: HfApi) -> None:
    publish(api)
    api.delete_repo(NAME)
    assert not api.repo_exists(NAME)
    with pytest.raises(errors.RepositoryNotFoundError):
        api.delete_repo(NAME)
    api.delete_repo(NAME, missing_ok=True)


def test_whoami(api: HfApi) -> None:
    assert api.whoami()["name"] == "alice"
    assert HfApi(endpoint=api.endpoint, token=OTHER_TOKEN).whoami()["name"] == "bob"
    with pytest.raises(errors.HfHubHTTPError) as caught:
        HfApi(endpoint=api.endpoint, token="hf_wrong_wrong_wrong").whoami()
    assert status_of(caught) == 401


def test_nobody_writes_below_anothers_name(hub_server: HubServer, api: HfApi) -> None:
    publish(api)
    other = HfApi(endpoint=api.endpoint, token=OTHER_TOKEN)
    nobody = HfApi(endpoint=api.endpoint, token=False)
    before = hub_server.files(NAME)
    for asker, expected in ((other, 403), (nobody, 401)):
        for ask in (
            lambda a: a.create_repo("alice/new"),
            lambda a: a.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id=NAME),
            lambda a: a.create_tag(NAME, tag="v1"),
            lambda a: a.delete_repo(NAME),
            lambda a: a.update_repo_settings(NAME, private=True),
        ):
            with pytest.raises(errors.HfHubHTTPError) as caught:
                ask(asker)
            assert status_of(caught) == expected
    assert hub_server.files(NAME) == before


def test_private(api: HfApi) -> None:
    publish(api)
    api.update_repo_settings(NAME, private=True)
    assert api.model_info(NAME).private
    for token, expected in ((OTHER_TOKEN, 404), (False, 401)):
        asker = HfApi(endpoint=api.endpoint, token=token)
        with pytest.raises(errors.RepositoryNotFoundError) as caught:
            asker.model_info(NAME)
        assert status_of(caught) == expected
        with pytest.raises(errors.RepositoryNotFoundError):
            asker.hf_hub_download(NAME, "README.md")
        assert list(asker.list_models()) == []
        assert not asker.repo_exists(NAME)
    assert [m.id for m in api.list_models()] == [NAME]


def test_gated(api: HfApi) -> None:
    publish(api)
    api.update_repo_settings(NAME, gated="manual")
    asker = HfApi(endpoint=api.endpoint, token=OTHER_TOKEN)
    assert asker.model_info(NAME).gated == "manual"
    with pytest.raises(errors.GatedRepoError):
        asker.hf_hub_download(NAME, "README.md")
    assert Path(api.hf_hub_download(NAME, "README.md")).read_bytes() == CARD


def test_branches_and_tags(hub_server: HubServer, api: HfApi) -> None:
    first = publish(api)
    api.create_tag(NAME, tag="v1")
    api.create_branch(NAME, branch="next")
    publish(api, {"x.txt": b"x"}, revision="next")
    refs = api.list_repo_refs(NAME)
    assert {tag.name: tag.target_commit for tag in refs.tags} == {"v1": first}
    assert {branch.name for branch in refs.branches} == {"main", "next"}
    assert api.model_info(NAME, revision="v1").sha == api.model_info(NAME).sha == first
    assert "x.txt" in api.list_repo_files(NAME, revision="next")
    with pytest.raises(errors.HfHubHTTPError) as caught:
        api.create_tag(NAME, tag="v1")
    assert status_of(caught) == 409
    api.create_tag(NAME, tag="v1", exist_ok=True)
    api.delete_tag(NAME, tag="v1")
    api.delete_branch(NAME, branch="next")
    with pytest.raises(errors.RevisionNotFoundError):
        api.model_info(NAME, revision="v1")
    with pytest.raises(errors.BadRequestError):
        api.create_tag(NAME, tag="a..b")


def test_history_in_pages(hub_server: HubServer, api: HfApi) -> None:
    for number in range(60):
        hub_server.commit(NAME, {"n.txt": str(number)}, title=f"number {number}")
    commits = api.list_repo_commits(NAME)
    assert [c.title for c in commits] == [*(f"number {n}" for n in range(59, -1, -1)),
                                          "initial commit"]  # fmt: skip
    assert commits[0].commit_id == hub_server.head(NAME)
    assert len({c.commit_id for c in commits}) == 61


# --- files --------------------------------------------------------------------------------------


def test_tree(api: HfApi) -> None:
    publish(api, {**FILES, "deep/er/x.txt": b"x"})
    flat = {entry.path: type(entry).__name__ for entry in api.list_repo_tree(NAME)}
    assert flat["examples"] == flat["deep"] == "RepoFolder"
    assert not {"examples/a.mid", "deep/er", "deep/er/x.txt"} & set(flat)
    deep = {entry.path for entry in api.list_repo_tree(NAME, recursive=True)}
    assert deep == {".gitattributes", "examples", "deep", "deep/er", "deep/er/x.txt", *FILES}
    assert [e.path for e in api.list_repo_tree(NAME, "examples")] == ["examples/a.mid"]
    with pytest.raises(errors.EntryNotFoundError):
        list(api.list_repo_tree(NAME, "missing"))
    paths = api.get_paths_info(NAME, ["README.md", "examples", "missing"])
    assert [entry.path for entry in paths] == ["README.md", "examples"]


def test_tree_in_pages(hub_server: HubServer, api: HfApi) -> None:
    hub_server.commit(NAME, {f"many/{n:04}.txt": b"same" for n in range(1500)})
    entries = list(api.list_repo_tree(NAME, "many"))
    assert [e.path for e in entries] == [f"many/{n:04}.txt" for n in range(1500)]
    assert len(hub_server.paths("GET")) == 2


def test_a_range_of_a_file(api: HfApi) -> None:
    from huggingface_hub.utils import get_session

    publish(api)
    url = f"{api.endpoint}/{NAME}/resolve/main/model.safetensors"
    part = get_session().get(url, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, WEIGHTS[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(WEIGHTS)}"
    beyond = get_session().get(url, headers={"Range": "bytes=999999-"})
    assert beyond.status_code == 416
    head = get_session().head(url)
    assert (head.headers["Content-Length"], head.content) == (str(len(WEIGHTS)), b"")


def test_names_beyond_ascii(hub_server: HubServer, api: HfApi) -> None:
    publish(api, {"Übung 1/π & more?.txt": b"x", "a%2Fb#c.txt": b"y"})
    assert Path(api.hf_hub_download(NAME, "Übung 1/π & more?.txt")).read_bytes() == b"x"
    assert Path(api.hf_hub_download(NAME, "a%2Fb#c.txt")).read_bytes() == b"y"


# --- listing ------------------------------------------------------------------------------------


def test_listing_filters_and_sorts(hub_server: HubServer, api: HfApi) -> None:
    publish(api)
    hub_server.commit("bob/other", {"README.md": "---\ntags: [scorehub]\n---\n"})
    hub_server.commit("bob/bare", {"README.md": "no front matter"})
    hub_server.commit("bob/spoilt", {"README.md": "---\n*x\n---\n"})
    hub_server.set("bob/other", downloads=5)

    def ids(**query: Any) -> list[str]:
        return [model.id for model in api.list_models(**query)]

    assert ids() == ["bob/spoilt", "bob/bare", "bob/other", NAME]
    assert ids(filter="music-inpainting") == ids(filter=["license:mit", "scorehub"]) == [NAME]
    assert ids(search="OTH") == ["bob/other"]
    assert ids(author="bob", filter="scorehub") == ["bob/other"]
    assert ids(sort="downloads", limit=1) == ["bob/other"]
    full = next(iter(api.list_models(search="tune", full=True, cardData=True)))
    assert full.card_data is not None and full.card_data["license"] == "mit"
    assert full.sha == hub_server.head(NAME) and full.library_name == "scorehub"
    with pytest.raises(errors.BadRequestError, match="num_parameters"):
        ids(num_parameters="min:1")
    with pytest.raises(errors.BadRequestError, match="sorts by"):
        ids(sort="beauty")


def test_listing_in_pages_while_others_publish(hub_server: HubServer, api: HfApi) -> None:
    from huggingface_hub.utils import get_session

    for number in range(7):
        hub_server.create(f"alice/m{number}")
    url, seen = f"{api.endpoint}/api/models?limit=3&sort=createdAt", []
    while url:
        page = get_session().get(url)
        seen += [item["id"] for item in page.json()]
        url = page.links.get("next", {}).get("url", "")
        hub_server.create(f"bob/new{len(seen)}")
    assert seen == [f"alice/m{number}" for number in range(6, -1, -1)]


# --- Spaces -------------------------------------------------------------------------------------


def test_a_space(hub_server: HubServer, api: HfApi) -> None:
    api.create_repo(
        "alice/demo", repo_type="space", space_sdk="gradio",
        space_secrets=[{"key": "S", "value": "secret-canary"}],
        space_variables=[{"key": "V", "value": "1"}],
    )  # fmt: skip
    api.add_space_secret("alice/demo", "T", "secret-canary")
    api.delete_space_secret("alice/demo", "S")
    api.add_space_variable("alice/demo", "W", "2")
    api.delete_space_variable("alice/demo", "V")
    assert {k: v.value for k, v in api.get_space_variables("alice/demo").items()} == {"W": "2"}
    assert list(api.get_space_secrets("alice/demo")) == ["T"]
    assert api.request_space_hardware("alice/demo", "zero-a10g").requested_hardware == "zero-a10g"
    assert api.get_space_runtime("alice/demo").stage == "STOPPED"
    card = b"---\ntitle: Demo\nsdk: gradio\n---\n"
    operations = [CommitOperationAdd("README.md", card), CommitOperationAdd("app.py", b"x")]
    api.create_commit("alice/demo", operations, commit_message="m", repo_type="space")
    api.upload_file(
        path_or_fileobj=WEIGHTS, path_in_repo="m.safetensors", repo_id="alice/demo",
        repo_type="space",
    )  # fmt: skip
    info = api.space_info("alice/demo")
    assert info.sdk == "gradio" and info.subdomain == "alice-demo" and info.host is None
    hub_server.space_runs("alice/demo", "http://127.0.0.1:7860", "SLEEPING")
    info = api.space_info("alice/demo")
    assert info.host == "http://127.0.0.1:7860" and info.runtime is not None
    assert info.runtime.stage == "SLEEPING"
    assert [space.id for space in api.list_spaces(author="alice")] == ["alice/demo"]
    got = api.hf_hub_download("alice/demo", "m.safetensors", repo_type="space")
    assert Path(got).read_bytes() == WEIGHTS
    kept = b"".join(p.read_bytes() for p in hub_server.folder.rglob("*") if p.is_file())
    assert b"secret-canary" not in kept


def test_a_space_needs_an_sdk_in_its_card(api: HfApi) -> None:
    api.create_repo("alice/demo", repo_type="space", space_sdk="gradio")
    operations = [CommitOperationAdd("README.md", b"---\ntitle: Demo\ncolorFrom: puce\n---\n")]
    with pytest.raises(ValueError, match=r"(?s)sdk.*colorFrom"):
        api.create_commit("alice/demo", operations, commit_message="m", repo_type="space")


# --- faults and restarts ------------------------------------------------------------------------


def test_a_restart_keeps_everything(hub_server: HubServer, api: HfApi) -> None:
    commit = publish(api)
    api.create_tag(NAME, tag="v1")
    hub_server.stop()
    hub_server.start()
    assert api.model_info(NAME, revision="v1").sha == commit
    assert Path(api.hf_hub_download(NAME, "model.safetensors")).read_bytes() == WEIGHTS
    publish(api, {"x.txt": b"x"})
    assert hub_server.history(NAME) == ["m", "m", "initial commit"]


def test_flipped_and_short_answers_are_delivered_as_such(hub_server: HubServer, api: HfApi) -> None:
    from huggingface_hub.utils import get_session

    publish(api)
    url = f"{api.endpoint}/{NAME}/resolve/main/examples/a.mid"
    hub_server.fail("/resolve/", flip=1)
    assert get_session().get(url).content == b"M\xabhd"
    hub_server.fail("/resolve/", shorten=2)
    assert get_session().get(url).content == b"MT"
    assert get_session().get(url).content == b"MThd"


def test_tokens_and_signatures_stay_out_of_the_log_and_the_folder(
    hub_server: HubServer, api: HfApi, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="scorehub.local_hub")
    publish(api)
    lines = [r.getMessage() for r in caplog.records if r.name == "scorehub.local_hub"]
    assert any(re.fullmatch(r"PUT /api/models/alice/tune/lfs/\w+ 200", line) for line in lines)
    assert TOKEN not in caplog.text and "signature" not in " ".join(lines)
    kept = b"".join(p.read_bytes() for p in hub_server.folder.rglob("*") if p.is_file())
    assert TOKEN.encode() not in kept
