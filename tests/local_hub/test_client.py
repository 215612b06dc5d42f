"""The real client against the local hub, over real HTTP, by plain LFS."""

from __future__ import annotations

import pytest
from huggingface_hub import CommitOperationAdd, errors

from hub.remote import client
from tests.hub_server import HubServer

CARD = b"---\nlicense: mit\ntags:\n- music-inpainting\nlibrary_name: scorehub\n---\nProse.\n"
WEIGHTS = bytes(range(256)) * 40


def publish(repo_id: str = "alice/tune", **more: bytes) -> str:
    api = client.api()
    api.create_repo(repo_id, exist_ok=True)
    files = {"README.md": CARD, "model.safetensors": WEIGHTS, "examples/a.mid": b"MThd", **more}
    return api.create_commit(
        repo_id,
        [CommitOperationAdd(path, data) for path, data in files.items()],
        commit_message="First",
    ).oid


def test_what_is_uploaded_can_be_downloaded(hub_server: HubServer) -> None:
    commit = publish()
    api = client.api()
    folder = api.snapshot_download("alice/tune")
    info = api.model_info("alice/tune", files_metadata=True)
    assert info.sha == commit
    assert {s.rfilename for s in info.siblings} == {
        ".gitattributes", "README.md", "model.safetensors", "examples/a.mid",
    }  # fmt: skip
    with open(f"{folder}/model.safetensors", "rb") as stream:
        assert stream.read() == WEIGHTS
    assert hub_server.unknown == []


def test_a_moved_branch_is_a_conflict(hub_server: HubServer) -> None:
    first = publish()
    hub_server.commit("alice/tune", {"NOTES.md": "by hand"})
    with pytest.raises(errors.HfHubHTTPError) as caught:
        client.api().create_commit(
            "alice/tune", [CommitOperationAdd("x.txt", b"x")], commit_message="m",
            parent_commit=first,
        )  # fmt: skip
    assert caught.value.response.status_code == 412
