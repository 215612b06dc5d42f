"""The real client and real Xet against the local hub with a storage folder beside it."""

from __future__ import annotations

import os
from pathlib import Path

from huggingface_hub import CommitOperationAdd

from hub.remote import client
from tests.hub_server import HubServer


def test_large_files_go_and_come_by_xet(hub_server_xet: HubServer, tmp_path: Path) -> None:
    weights = os.urandom(200_000) * 2
    (tmp_path / "w.safetensors").write_bytes(weights)
    api = client.api()
    api.create_repo("alice/tune")
    api.create_commit(
        "alice/tune",
        [
            CommitOperationAdd("model.safetensors", str(tmp_path / "w.safetensors")),
            CommitOperationAdd("other.safetensors", b"in memory" * 1000),
        ],
        commit_message="By Xet",
    )
    asked = hub_server_xet.paths()
    assert "/api/models/alice/tune/xet-write-token/main" in asked
    assert not [path for path in asked if "lfs" in path]
    folder = Path(api.snapshot_download("alice/tune"))
    assert (folder / "model.safetensors").read_bytes() == weights
    assert (folder / "other.safetensors").read_bytes() == b"in memory" * 1000
    downloaded = [r.path for r in hub_server_xet.requests if r.method == "GET"]
    assert not [path for path in downloaded if path.endswith(".safetensors")]
    assert any("xet-read-token" in path for path in hub_server_xet.paths())
    assert hub_server_xet.unknown == []
