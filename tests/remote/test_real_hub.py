"""Publish, tag, meet a conflict, fetch, delete: one walk, on the local hub and on the real one.

The real Hub is asked only when $SCOREHUB_REAL_HUB_TOKEN holds a token that may write. The walk
makes one private repository with a random name there, and deletes it whatever happens.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd

from hub.errors import ConflictError, NotFoundError
from hub.handle import ModelHandle
from hub.remote import client, fetch, publish
from tests.hub_server import point_client_at
from tests.tiny_models import write_model

REAL_TOKEN = os.environ.get("SCOREHUB_REAL_HUB_TOKEN", "")
WEIGHTS = bytes(range(256)) * 64


def walk(folder: Path) -> None:
    """What a researcher does, below the name of whose token this is."""
    api = client.api()
    owner, name = api.whoami()["name"], f"scorehub-test-{secrets.token_hex(6)}"
    handle = ModelHandle(owner=owner, name=name)
    model = write_model(folder / "tiny")
    (model / "model.safetensors").write_bytes(WEIGHTS)
    try:
        _publish_and_fetch(model, handle)
        _meet_a_conflict(model, handle)
    finally:
        api.delete_repo(handle.repo_id, missing_ok=True)
    with pytest.raises(NotFoundError), client.translated(handle.repo_id):
        client.api().model_info(handle.repo_id)


def _publish_and_fetch(model: Path, handle: ModelHandle) -> None:
    done = publish.publish(publish.plan(model, handle.repo_id, private=True, tag="v1"))
    assert not publish.plan(model, handle.repo_id, private=True, tag="v1").is_needed
    snapshot = fetch.fetch(handle.at("v1"))
    assert snapshot.commit == done.commit
    assert (snapshot.folder / "model.safetensors").read_bytes() == WEIGHTS
    assert (snapshot.folder / "model.py").read_bytes() == (model / "model.py").read_bytes()
    with client.translated(handle.repo_id):
        info = client.api().model_info(handle.repo_id)
    assert info.private and info.sha == done.commit
    assert {"scorehub", "music-inpainting"} <= set(info.tags or ())


def _meet_a_conflict(model: Path, handle: ModelHandle) -> None:
    _commit(handle, b"by somebody else", "A note")
    (model / "model.safetensors").write_bytes(WEIGHTS[1:])
    with pytest.raises(ConflictError, match="A note"):
        publish.plan(model, handle.repo_id)
    overtaken = client.api().list_repo_commits(handle.repo_id)[1].commit_id
    with pytest.raises(ConflictError), client.translated(handle.repo_id):
        _commit(handle, b"by somebody slow", "Too late", parent_commit=overtaken)


def _commit(handle: ModelHandle, note: bytes, title: str, **more: Any) -> None:
    operations = [CommitOperationAdd("note.txt", note)]
    client.api().create_commit(handle.repo_id, operations, commit_message=title, **more)


def test_the_walk_on_the_local_hub(hub_server: Any, tmp_path: Path) -> None:
    walk(tmp_path)
    assert hub_server.unknown == [] and hub_server.store.repositories("model") == []


def test_the_walk_on_the_local_hub_by_xet(hub_server_xet: Any, tmp_path: Path) -> None:
    walk(tmp_path)
    assert hub_server_xet.unknown == []
    assert [path for path in hub_server_xet.paths() if "xet-read-token" in path]


@pytest.mark.skipif(not REAL_TOKEN, reason="set SCOREHUB_REAL_HUB_TOKEN to a token that may write")
def test_the_walk_on_the_real_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point_client_at(client.PUBLIC_HUB, tmp_path / "home", monkeypatch, has_xet=True)
    monkeypatch.setenv("HF_TOKEN", REAL_TOKEN)
    walk(tmp_path)
