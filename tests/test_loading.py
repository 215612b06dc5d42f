"""From a handle to a model, over real HTTP, and the one rule: code runs only if it was trusted."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

import hub
from hub import architectures, folder, loading, sandbox, trust
from hub.errors import LoadError, TrustError
from hub.handle import ModelHandle
from hub.remote.fetch import Snapshot, fetch
from tests.tiny_models import GOOD_CODE, write_model

CANARY = """
import os
open(os.environ.get("SCOREHUB_TEST_CANARY", "{path}"), "w").write("ran")
"""


def files_of(model: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in model.iterdir() if path.is_file()}


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A file that exists once the stranger's code has run with the user's rights."""
    return tmp_path / "canary.txt"


@pytest.fixture
def published(tmp_path: Path, hub_server: Any, canary: Path) -> str:
    """A repository whose model.py leaves a trace wherever it is imported; its commit hash."""
    code = CANARY.format(path=canary) + GOOD_CODE
    return str(hub_server.commit("ann/tiny", files_of(write_model(tmp_path / "tiny", code=code))))


@pytest.fixture
def registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(architectures, "_registered", {})
    architectures.register("tiny", write_model(tmp_path / "installed"))


def publish_data(hub_server: Any, tmp_path: Path, **card: Any) -> str:
    model = write_model(tmp_path / "data", **{"entry": "tiny", **card})
    return str(hub_server.commit("ann/data", files_of(model)))


def give_trust(commit: str) -> Snapshot:
    snapshot = fetch(ModelHandle(owner="ann", name="tiny", revision=commit))
    trust.trust(trust.review(snapshot.handle, snapshot.folder, snapshot.host))
    return snapshot


# --- data ---------------------------------------------------------------------------------------


def test_data_of_a_registered_architecture_loads_freely(
    tmp_path: Path, hub_server: Any, registered: None
) -> None:
    publish_data(hub_server, tmp_path)
    model = hub.load("ann/data")
    assert model.card.name == "data"
    score = hub.open_score((model.folder or Path()) / "tune.mid")
    takes = hub.inpaint(model, score, hub.Region.measures(score, "3", parts=["P1"]), seed=3)
    assert len(takes[0].notes) == 4


@pytest.mark.parametrize(
    "setup", ["bytearray(size << 30)", "os.abort()", "os._exit(3)", "sys.exit()"]
)
def test_data_is_tried_in_a_process_that_may_die(
    setup: str, tmp_path: Path, hub_server: Any, registered: None
) -> None:
    bomb = GOOD_CODE + f"\n    def setup(self, size):\n        import os, sys\n        {setup}\n"
    architectures.register("tiny", write_model(tmp_path / "with a setup", code=bomb))
    publish_data(hub_server, tmp_path, init={"size": 1_000_000})
    with pytest.raises(LoadError, match="data"):
        hub.load("ann/data")


def test_data_needs_its_architecture(tmp_path: Path, hub_server: Any) -> None:
    publish_data(hub_server, tmp_path, entry="unheard_of")
    with pytest.raises(LoadError, match='architecture "unheard_of".*not installed'):
        hub.load("ann/data")


# --- code ---------------------------------------------------------------------------------------


def test_code_does_not_run_unasked(published: str, canary: Path) -> None:
    for source in ("ann/tiny", f"ann/tiny@{published}"):
        with pytest.raises(TrustError, match=f"scorehub trust ann/tiny@{published}"):
            hub.load(source)
    assert not canary.exists()


def test_code_does_not_run_by_the_folder_it_was_downloaded_to(published: str, canary: Path) -> None:
    snapshot = fetch(ModelHandle(owner="ann", name="tiny"))
    with pytest.raises(TrustError, match="stranger's program"):
        hub.load(snapshot.folder)
    from hub.check import check_folder

    assert not check_folder(snapshot.folder).is_ok
    assert not canary.exists()


def test_code_does_not_run_from_the_clients_own_cache(tmp_path: Path, canary: Path) -> None:
    cached = tmp_path / "models--ann--tiny" / "snapshots" / ("1" * 40)
    write_model(cached, code=CANARY.format(path=canary) + GOOD_CODE)
    (tmp_path / "link").symlink_to(cached)
    for path in (cached, tmp_path / "link"):
        with pytest.raises(TrustError):
            hub.load(path)
    assert not canary.exists()


def test_a_linked_model_py_does_not_run(tmp_path: Path, canary: Path) -> None:
    cached = tmp_path / "models--ann--tiny" / "snapshots" / ("1" * 40)
    write_model(cached, code=CANARY.format(path=canary) + GOOD_CODE)
    own = write_model(tmp_path / "own")
    (own / "model.py").unlink()
    (own / "model.py").symlink_to(cached / "model.py")
    with pytest.raises(TrustError):
        hub.load(own)
    assert not canary.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"entry": "model.py:os.system"},
        {"entry": "../../evil.py:Tiny"},
        {"entry": "os:system"},
        {"entry": "model.py:Tiny\nimport os"},
        {"entry": ["model.py:Tiny"]},
        {"init": {"network": "os.system", "__class__": "x"}},
        {"params": [{"name": "__import__('os')", "type": "number"}]},
        {"params": [{"name": "x", "type": "model.py:Tiny"}]},
        {"examples": ["model.py"]},
        {"examples": ["../../../etc/passwd"]},
        {"modules": ["model.py"]},
        {"trust_code": True},
    ],
)
def test_no_field_of_a_card_makes_code_run(
    fields: dict[str, Any], tmp_path: Path, hub_server: Any, canary: Path
) -> None:
    model = write_model(tmp_path / "tiny", code=CANARY.format(path=canary) + GOOD_CODE, **fields)
    hub_server.commit("ann/tiny", files_of(model))
    with pytest.raises(hub.ScorehubError):
        hub.load("ann/tiny")
    assert not canary.exists()


def test_a_python_tag_in_the_front_matter_makes_nothing_run(
    tmp_path: Path, hub_server: Any, canary: Path
) -> None:
    model = write_model(tmp_path / "tiny")
    text = (model / "README.md").read_text()
    tag = f"!!python/object/apply:os.system ['touch {canary}']"
    (model / "README.md").write_text(text.replace("---\n", f"---\nx: {tag}\n", 1))
    hub_server.commit("ann/tiny", files_of(model))
    with pytest.raises(hub.ScorehubError, match="cannot be read"):
        hub.load("ann/tiny")
    assert not canary.exists()


def test_trusted_code_runs_in_the_sandbox_only(published: str, canary: Path) -> None:
    give_trust(published)
    with pytest.raises(LoadError, match="Read-only|Permission|not permitted"):
        hub.load(f"ann/tiny@{published}")  # it may not write where the canary is
    assert not canary.exists()


def test_honest_code_gives_the_notes_it_gives_at_home(tmp_path: Path, hub_server: Any) -> None:
    home = write_model(tmp_path / "tiny")
    commit = hub_server.commit("ann/tiny", files_of(home))
    give_trust(commit)
    score = hub.open_score(home / "tune.mid")
    region = hub.Region.measures(score, "3-4", parts=["P1"])
    here = hub.inpaint(hub.load(home), score, region, n=2, seed=5)
    there = hub.inpaint(hub.load("ann/tiny", revision=commit), score, region, n=2, seed=5)
    assert [t.data for t in here] == [t.data for t in there]


def test_the_branch_moves_and_trust_does_not_move_with_it(
    tmp_path: Path, hub_server: Any, canary: Path
) -> None:
    first = hub_server.commit("ann/tiny", files_of(write_model(tmp_path / "tiny")))
    give_trust(first)
    hub.load("ann/tiny")  # main is what was trusted
    code = CANARY.format(path=canary) + GOOD_CODE
    second = hub_server.commit("ann/tiny", files_of(write_model(tmp_path / "tiny", code=code)))
    with pytest.raises(TrustError, match=second):
        hub.load("ann/tiny")
    assert hub.load("ann/tiny", revision=first).card.name == "tiny"
    assert not canary.exists()


def test_code_changed_on_the_disk_is_fetched_anew_and_not_run(
    tmp_path: Path, hub_server: Any, canary: Path
) -> None:
    commit = hub_server.commit("ann/tiny", files_of(write_model(tmp_path / "tiny")))
    snapshot = give_trust(commit)
    (snapshot.folder / "model.py").write_text(CANARY.format(path=canary) + GOOD_CODE)
    hub.load(f"ann/tiny@{commit}")
    assert "canary" not in (snapshot.folder / "model.py").read_text()
    assert not canary.exists()


def test_trust_code_needs_the_commit_to_be_named(published: str, canary: Path) -> None:
    for source in ("ann/tiny", "ann/tiny@main", f"ann/tiny@{published[:12]}"):
        with pytest.raises(hub.ScorehubError):
            hub.load(source, trust_code=True)
    assert not canary.exists()


def test_trust_code_with_the_commit_says_what_will_run(tmp_path: Path, hub_server: Any) -> None:
    commit = hub_server.commit("ann/tiny", files_of(write_model(tmp_path / "tiny")))
    with pytest.warns(loading.CodeNotice, match=r"model\.py: \d+ lines"):
        model = hub.load("ann/tiny", revision=commit, trust_code=True)
    assert model.card.name == "tiny"
    with pytest.raises(TrustError), warnings.catch_warnings():
        hub.load("ann/tiny", revision=commit)  # once is once


def test_without_a_sandbox_nothing_runs_by_default(
    tmp_path: Path, hub_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = hub_server.commit("ann/tiny", files_of(write_model(tmp_path / "tiny")))
    give_trust(commit)
    monkeypatch.setattr(sandbox, "available", lambda: sandbox.Mechanism.NONE)
    with pytest.raises(TrustError, match="your rights"):
        hub.load(f"ann/tiny@{commit}")


# --- handles ------------------------------------------------------------------------------------


def test_a_revision_is_for_repositories(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="has none"):
        hub.load(write_model(tmp_path / "tiny"), revision="main")


def test_two_revisions_contradict(hub_server: Any) -> None:
    with pytest.raises(LoadError, match="names one revision"):
        hub.load("ann/tiny@v1", revision="v2")


def test_the_import_site_allows_downloads_only_in_a_sandboxed_child() -> None:
    assert folder._may_import_downloaded is False


def test_trying_is_remembered(tmp_path: Path, hub_server: Any, registered: None) -> None:
    commit = publish_data(hub_server, tmp_path)
    hub.load("ann/data")
    snapshot = fetch(ModelHandle(owner="ann", name="data", revision=commit))
    assert snapshot.folder.with_name(f"{commit}.fine").exists()


def test_what_names_no_model(tmp_path: Path) -> None:
    for source in (None, "", " ", 3):
        with pytest.raises(LoadError, match="Name a model"):
            hub.load(source)  # type: ignore[arg-type]
    with pytest.raises(LoadError, match="is an address"):
        hub.load("https://huggingface.co/user/name")


def test_a_branch_as_it_was_last_seen_is_said_to_be(
    tmp_path: Path, hub_server: Any, registered: None
) -> None:
    publish_data(hub_server, tmp_path)
    said: list[str] = []
    hub.load("ann/data", report=said.append)
    assert any("Downloading" in words for words in said)
    hub_server.stop()
    with pytest.warns(loading.StaleNotice, match="as it was last seen"):
        hub.load("ann/data")
