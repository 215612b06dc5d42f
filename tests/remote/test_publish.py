"""Publishing over real HTTP: one commit, nothing twice, nobody's work overwritten."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from hub import bundle, hub_card, places
from hub.errors import (
    AccessError,
    CardError,
    ConflictError,
    FileError,
    LoadError,
    ParamError,
    QuotaError,
    ScorehubError,
)
from hub.handle import ModelHandle
from hub.remote.changes import CHANGED, DELETED, NEW, UNCHANGED
from hub.remote.fetch import fetch
from hub.remote.publish import plan, publish
from tests.tiny_models import write_model

REPO = "alice/tiny"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = write_model(tmp_path / "tiny")
    (folder / "model.safetensors").write_bytes(bytes(range(256)) * 64)
    (folder / "notes.txt").write_text("not to be published")
    return folder


def whats(planned: Any) -> dict[str, str]:
    return {change.name: change.what for change in planned.model.changes}


def writing(hub_server: Any) -> list[str]:
    calls = [r for r in hub_server.requests if r.method not in ("GET", "HEAD")]
    return [r.path for r in calls if "validate-yaml" not in r.path]


def test_a_plan_says_everything_and_changes_nothing(hub_server: Any, model: Path) -> None:
    planned = plan(model, REPO, tag="v1")
    assert set(whats(planned).values()) == {NEW} and planned.left_out == ("notes.txt",)
    assert planned.calls() == [
        f"create the public model repository {REPO}",
        f"commit 4 new files to model {REPO}",
        f"tag the commit of {REPO} as v1",
    ]
    assert writing(hub_server) == []


def test_one_commit_holds_exactly_the_model(hub_server: Any, model: Path) -> None:
    done = publish(plan(model, REPO, tag="v1"))
    there = hub_server.files(REPO)
    assert set(there) - {".gitattributes"} == {
        "README.md", "model.py", "model.safetensors", "tune.mid",
    }  # fmt: skip
    for name in ("model.py", "model.safetensors", "tune.mid"):
        assert there[name] == (model / name).read_bytes()
    assert b"library_name: scorehub" in there["README.md"]
    assert hub_server.history(REPO)[0] == "Publish tiny v1" and len(hub_server.history(REPO)) == 2
    assert done.commit == hub_server.head(REPO) == hub_server.head(REPO, revision="v1")
    assert hub_server.unknown == []


def test_the_card_on_the_disk_stays_as_it_is(hub_server: Any, model: Path) -> None:
    before = (model / "README.md").read_bytes()
    publish(plan(model, REPO))
    assert (model / "README.md").read_bytes() == before


def test_publishing_again_makes_no_commit(hub_server: Any, model: Path) -> None:
    first = publish(plan(model, REPO, tag="v1"))
    hub_server.requests.clear()
    planned = plan(model, REPO, tag="v1")
    assert not planned.is_needed and set(whats(planned).values()) == {UNCHANGED}
    again = publish(planned)
    assert again.commit == first.commit and again.did == ()
    assert writing(hub_server) == []


def test_only_what_changed_goes_and_what_is_gone_is_deleted(hub_server: Any, model: Path) -> None:
    (model / "helper.py").write_text("x = 1\n")
    publish(plan(model, REPO))
    hub_server.commit(REPO, {"photo.png": b"theirs"}, title="A picture", author="alice")
    (model / "helper.py").unlink()
    (model / "model.py").write_text((model / "model.py").read_text() + "# new\n")
    planned = plan(model, REPO, over=[hub_server.head(REPO)])
    assert planned.model.others == ("photo.png",)
    assert whats(planned) == {
        "README.md": UNCHANGED, "helper.py": DELETED, "model.py": CHANGED,
        "model.safetensors": UNCHANGED, "tune.mid": UNCHANGED,
    }  # fmt: skip
    publish(planned)
    there = hub_server.files(REPO)
    assert there["photo.png"] == b"theirs" and "helper.py" not in there
    assert there["model.py"].endswith(b"# new\n")


def test_somebody_elses_commit_is_shown_and_not_overwritten(hub_server: Any, model: Path) -> None:
    publish(plan(model, REPO))
    foreign = hub_server.commit(REPO, {"model.py": b"# theirs\n"}, title="Mend it", author="bob")
    (model / "model.py").write_text("# mine\n")
    said = f'"Mend it" by bob, .*; they changed model.py\\. .*--over {foreign}'
    with pytest.raises(ConflictError, match=said) as caught:
        plan(model, REPO)
    assert "Publish tiny" not in str(caught.value)  # our own earlier one is no news
    assert hub_server.files(REPO)["model.py"] == b"# theirs\n"
    publish(plan(model, REPO, over=[foreign]))
    assert hub_server.files(REPO)["model.py"] == b"# mine\n"


def test_whoever_has_the_same_files_may_go_on(hub_server: Any, model: Path) -> None:
    publish(plan(model, REPO))
    places.published().unlink()  # another machine, or an answer that never came
    publish(plan(model, REPO))
    (model / "model.py").write_text("# mine\n")
    publish(plan(model, REPO))
    assert hub_server.files(REPO)["model.py"] == b"# mine\n"


def test_looking_at_another_commit_is_not_enough(hub_server: Any, model: Path) -> None:
    publish(plan(model, REPO))
    seen = hub_server.commit(REPO, {"a.txt": b"1"}, author="bob")
    hub_server.commit(REPO, {"a.txt": b"2"}, author="bob")
    (model / "model.py").write_text("# mine\n")
    with pytest.raises(ConflictError):
        plan(model, REPO, over=[seen])


def test_a_repository_of_unknown_origin_is_not_overwritten(hub_server: Any, model: Path) -> None:
    hub_server.commit(REPO, {"README.md": b"---\nlicense: mit\n---\n", "weights.bin": b"x"})
    with pytest.raises(ConflictError, match=r"not published.*it holds README.md, weights.bin\."):
        plan(model, REPO)


def test_a_strangers_words_cannot_steer_a_terminal(hub_server: Any, model: Path) -> None:
    publish(plan(model, REPO))
    title = "Mend\x1b]0;owned\x07 \u202ereversed\nscorehub: all is well"
    hub_server.commit(REPO, {"model.py": b"# theirs\n"}, title=title, author="bob")
    with pytest.raises(ConflictError) as caught:
        plan(model, REPO)
    assert str(caught.value).isprintable()


def test_an_empty_repository_made_by_hand_is_taken(hub_server: Any, model: Path) -> None:
    hub_server.create(REPO)
    publish(plan(model, REPO))
    assert "model.py" in hub_server.files(REPO)


def test_a_commit_between_plan_and_publication_is_a_conflict(hub_server: Any, model: Path) -> None:
    publish(plan(model, REPO))
    (model / "model.py").write_text("# mine\n")
    planned = plan(model, REPO)
    hub_server.commit(REPO, {"model.py": b"# theirs\n"}, author="bob")
    with pytest.raises(ConflictError, match="changed by somebody else"):
        publish(planned)
    assert hub_server.files(REPO)["model.py"] == b"# theirs\n"


def test_an_interrupted_upload_leaves_the_old_version_whole(hub_server: Any, model: Path) -> None:
    old = publish(plan(model, REPO)).commit
    before = hub_server.files(REPO)
    (model / "model.safetensors").write_bytes(b"new" * 5000)
    (model / "model.py").write_text("# new\n")
    fault = hub_server.fail(path="/lfs/", method="PUT", status=500, times=None)
    with pytest.raises(ScorehubError):
        publish(plan(model, REPO))
    assert fault.hits and hub_server.head(REPO) == old and hub_server.files(REPO) == before
    hub_server.faults.clear()
    publish(plan(model, REPO))
    assert hub_server.files(REPO)["model.safetensors"] == b"new" * 5000


@pytest.mark.parametrize("path", ["/info/lfs/objects/batch", "/preupload/", "/commit/"])
def test_a_cut_connection_leaves_all_or_nothing(hub_server: Any, model: Path, path: str) -> None:
    publish(plan(model, REPO))
    before = hub_server.files(REPO)
    (model / "model.safetensors").write_bytes(b"new" * 5000)
    hub_server.fail(path=path, method="POST", cut=5, times=None)
    with pytest.raises(ScorehubError):
        publish(plan(model, REPO))
    hub_server.faults.clear()
    there = hub_server.files(REPO)
    assert there == before or there["model.safetensors"] == b"new" * 5000
    publish(plan(model, REPO, over=[hub_server.head(REPO)]))
    assert hub_server.files(REPO)["model.safetensors"] == b"new" * 5000
    assert hub_server.history(REPO).count("Publish tiny") == 2


def test_weights_that_change_meanwhile_are_not_published(hub_server: Any, model: Path) -> None:
    planned = plan(model, REPO)
    (model / "model.safetensors").write_bytes(b"still being written")
    with pytest.raises(FileError, match='"model.safetensors" has changed since'):
        publish(planned)
    assert hub_server.history(REPO) == ["initial commit"]


def test_a_publication_that_ended_after_creating_goes_on(hub_server: Any, model: Path) -> None:
    hub_server.fail(path="/commit/", method="POST", status=500, times=None)
    with pytest.raises(ScorehubError):
        publish(plan(model, REPO, tag="v1"))
    hub_server.faults.clear()
    done = publish(plan(model, REPO, tag="v1"))
    assert hub_server.head(REPO, revision="v1") == done.commit


def test_private_is_private(hub_server: Any, model: Path) -> None:
    publish(plan(model, REPO, private=True))
    assert hub_server.repository(REPO).is_private


SPACE_FILES = {"README.md": b"---\nsdk: gradio\n---\n", "app.py": b"demo.launch()\n"}


def test_the_space_of_a_private_model_is_private(hub_server: Any, model: Path) -> None:
    publish(plan(model, REPO, private=True))
    planned = plan(model, REPO, space=SPACE_FILES)
    assert planned.model.is_private and planned.space is not None and planned.space.is_private
    assert planned.calls()[0] == f"create the private space repository {REPO}"
    publish(planned)
    assert hub_server.repository(REPO, "space").is_private
    both = "alice/both"
    publish(plan(model, both, private=True, space=SPACE_FILES))
    assert all(hub_server.repository(both, kind).is_private for kind in ("model", "space"))


@pytest.mark.parametrize("private", [True, False])
def test_a_public_space_shows_no_private_model(hub_server: Any, model: Path, private: bool) -> None:
    hub_server.create(REPO, "space")
    publish(plan(model, REPO, private=True))
    with pytest.raises(ConflictError, match="Space .* is public.*make the Space private"):
        plan(model, REPO, private=private, space=SPACE_FILES)
    assert "app.py" not in hub_server.files(REPO, "space")


def test_the_space_of_a_gated_model_is_private(hub_server: Any, model: Path) -> None:
    publish(plan(model, REPO))
    hub_server.set(REPO, gated="manual")
    publish(plan(model, REPO, space=SPACE_FILES))
    assert hub_server.repository(REPO, "space").is_private


def test_the_space_of_a_public_model_is_public(hub_server: Any, model: Path) -> None:
    publish(plan(model, REPO, space=SPACE_FILES))
    assert not hub_server.repository(REPO, "space").is_private


def test_a_commit_that_cannot_be_noted_is_published(hub_server: Any, model: Path) -> None:
    places.home().parent.mkdir(parents=True, exist_ok=True)
    places.home().write_text("a file where the folder would be")
    done = publish(plan(model, REPO, tag="v1", space=SPACE_FILES))
    assert done.commit == hub_server.head(REPO, revision="v1") and done.space_commit
    assert len(done.warnings) == 2 and "SCOREHUB_HOME" in done.warnings[0]
    places.home().unlink()
    assert publish(plan(model, REPO)).warnings == ()


@pytest.mark.parametrize(("path", "what"), [("/tag/", "v1"), ("/spaces/.*/commit/", "Space")])
def test_a_later_step_that_fails_says_what_is_published(
    hub_server: Any, model: Path, path: str, what: str
) -> None:
    hub_server.fail(path=path, method="POST", status=403, times=None)
    with pytest.raises(AccessError) as caught:
        publish(plan(model, REPO, tag="v1", space=SPACE_FILES))
    commit = hub_server.head(REPO)
    assert f"was published before that, as commit {commit}" in str(caught.value)
    assert what in str(caught.value) and "same command again" in str(caught.value)
    hub_server.faults.clear()
    publish(plan(model, REPO, tag="v1", space=SPACE_FILES))
    assert hub_server.head(REPO, revision="v1") == commit
    assert "app.py" in hub_server.files(REPO, "space")


def test_a_tag_that_cannot_be_is_refused_before_anything(hub_server: Any, model: Path) -> None:
    with pytest.raises(ParamError, match="cannot be a tag"):
        plan(model, REPO, tag="v 1")
    assert hub_server.requests == []


def test_a_tag_is_no_branch(hub_server: Any, model: Path) -> None:
    publish(plan(model, REPO))
    beta = {"name": "beta", "ref": "refs/heads/beta", "targetCommit": hub_server.head(REPO)}
    refs = {"branches": [beta], "converts": [], "tags": []}
    hub_server.fail(path="/refs", replace=json.dumps(refs).encode())
    with pytest.raises(ConflictError, match="has a branch beta"):
        plan(model, REPO, tag="beta")


def test_what_a_colleague_put_there_stays(hub_server: Any, model: Path) -> None:
    (model / "helper.py").write_text("x = 1\n")
    publish(plan(model, REPO))
    theirs = {"demo.py": b"# theirs\n", "samples/take.mid": b"theirs"}
    head = hub_server.commit(REPO, theirs, title="A demo", author="bob")
    (model / "helper.py").unlink()
    (model / "model.py").write_text("# new\n")
    (model / "LICENSE").write_text("free\n")
    planned = plan(model, REPO, over=[head[:12]])
    assert planned.calls() == [
        f"commit 1 changed, 1 deleted, 1 new files to model {REPO} on top of {head}"
    ]
    assert planned.model.others == ("demo.py", "samples/take.mid")
    publish(planned)
    (model / "model.py").write_text("# newer\n")
    publish(plan(model, REPO))  # our last commit holds their files, and they are still theirs
    there = hub_server.files(REPO)
    assert theirs.items() <= there.items() and "helper.py" not in there


def test_without_a_record_nothing_is_deleted(hub_server: Any, model: Path) -> None:
    head = hub_server.commit(REPO, {"model.py": b"# old\n", "old.py": b"x = 1\n"})
    planned = plan(model, REPO, over=[head])
    assert whats(planned)["model.py"] == CHANGED and planned.model.others == ("old.py",)


@pytest.mark.parametrize("over", ["", "abc", "main", "0123456789a", "g" * 40, "a" * 41])
def test_what_to_publish_over_is_a_commit(hub_server: Any, model: Path, over: str) -> None:
    with pytest.raises(ParamError, match="--over wants the hash"):
        plan(model, REPO, over=[over])


def test_a_card_that_its_author_has_not_finished(hub_server: Any, model: Path) -> None:
    card = model / "README.md"
    card.write_text(card.read_text() + "\nCHANGE ME: what it does\n")
    with pytest.raises(CardError, match=r"still says CHANGE ME \(line \d+\)"):
        plan(model, REPO)
    assert hub_server.requests == []


def test_whatever_is_published_can_be_fetched(hub_server: Any, tmp_path: Path) -> None:
    examples = ["examples/a b #1 & ö%20.mid", "Ünïcode.MID", "x/y/z/tune.mid", "tune.mid"]
    folder = write_model(tmp_path / "tiny", examples=examples)
    for name in examples[:3]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((folder / "tune.mid").read_bytes() + name.encode())
    for number in range(bundle.MAX_CODE_FILES - 1):
        (folder / f"helper_{number}.py").write_text(f"x = {number}\n")
    (folder / "helper_0.py").write_bytes(b"")
    (folder / "LICENSE.txt").write_bytes(b"free\r\n")
    (folder / "model.safetensors").write_bytes(bytes(range(256)) * 64)
    commit = publish(plan(folder, REPO)).commit
    snapshot = fetch(ModelHandle(owner="alice", name="tiny", revision=commit))
    fetched = {
        path.relative_to(snapshot.folder).as_posix(): path.read_bytes()
        for path in snapshot.folder.rglob("*") if path.is_file()
    }  # fmt: skip
    wanted = {name: path.read_bytes() for name, path in bundle.files(folder).items()}
    text = wanted["README.md"].decode()
    assert fetched == {**wanted, "README.md": hub_card.published_card(text, "tiny").encode()}


def test_what_is_public_is_not_taken_for_private(hub_server: Any, model: Path) -> None:
    publish(plan(model, REPO))
    (model / "model.py").write_text("# secret work\n")
    with pytest.raises(ConflictError, match="public already"):
        plan(model, REPO, private=True)
    hub_server.set(REPO, is_private=True)
    publish(plan(model, REPO, private=True))
    assert hub_server.files(REPO)["model.py"] == b"# secret work\n"


def test_a_tag_is_never_moved(hub_server: Any, model: Path) -> None:
    first = publish(plan(model, REPO, tag="v1")).commit
    (model / "model.py").write_text("# new\n")
    with pytest.raises(ConflictError, match="has a tag v1 already"):
        plan(model, REPO, tag="v1")
    assert hub_server.head(REPO, revision="v1") == first


def test_a_tag_alone(hub_server: Any, model: Path) -> None:
    commit = publish(plan(model, REPO)).commit
    planned = plan(model, REPO, tag="v1")
    assert planned.calls() == [f"tag the commit of {REPO} as v1"]
    publish(planned)
    assert hub_server.head(REPO, revision="v1") == commit and len(hub_server.history(REPO)) == 2


def test_the_space_goes_beside_the_model(hub_server: Any, model: Path) -> None:
    card = b"---\ntitle: Tiny\nsdk: gradio\n---\n"
    files = {"README.md": card, "app.py": b"demo.launch()\n", "hub/a.py": b"1", "hub/b.py": b"2"}
    done = publish(plan(model, REPO, space=files))
    there = hub_server.files(REPO, "space")
    assert {name: there[name] for name in files} == files
    assert done.space_commit == hub_server.head(REPO, "space")
    assert hub_server.repository(REPO, "space").sdk == "gradio"
    assert not plan(model, REPO, space=files).is_needed
    fewer = {name: data for name, data in files.items() if name != "hub/b.py"}
    planned = plan(model, REPO, space=fewer)
    assert not planned.model.is_needed
    publish(planned)
    assert "hub/b.py" not in hub_server.files(REPO, "space")


def test_hardware_is_asked_for_once(hub_server: Any, model: Path) -> None:
    files = {"README.md": b"---\nsdk: gradio\n---\n"}
    publish(plan(model, REPO, space=files))
    planned = plan(model, REPO, space=files, hardware="zero-a10g")
    assert planned.calls() == [f"ask for zero-a10g for the space {REPO}"]
    publish(planned)
    assert hub_server.repository(REPO, "space").runtime["hardware"] == "zero-a10g"
    assert not plan(model, REPO, space=files, hardware="zero-a10g").is_needed
    publish(plan(model, "alice/other", space=files, hardware="zero-a10g"))
    assert hub_server.repository("alice/other", "space").runtime["hardware"] == "zero-a10g"


def test_an_incomplete_card_is_not_published(hub_server: Any, tmp_path: Path) -> None:
    with pytest.raises(CardError, match="license"):
        plan(write_model(tmp_path / "tiny", license=None), REPO)
    assert hub_server.requests == []


def test_the_hubs_complaint_about_the_card_is_a_sentence(hub_server: Any, model: Path) -> None:
    card = model / "README.md"
    card.write_text(card.read_text().replace("---\n", "---\nlanguage: 3\n", 1))
    with pytest.raises(CardError, match='does not accept.*"language" must be a text'):
        publish(plan(model, REPO))
    assert hub_server.history(REPO) == ["initial commit"]


@pytest.mark.parametrize(
    ("status", "error"), [(401, AccessError), (403, AccessError), (429, QuotaError)]
)
def test_states_a_person_can_act_on(
    hub_server: Any, model: Path, status: int, error: type[ScorehubError]
) -> None:
    hub_server.fail(path="/api/repos/create", status=status, times=None)
    with pytest.raises(error):
        publish(plan(model, REPO))


@pytest.mark.parametrize("repo_id", ["tiny", "alice/tiny@v1", "space:alice/tiny", "a/b/c", ""])
def test_where_to_publish_is_a_repository(hub_server: Any, model: Path, repo_id: str) -> None:
    with pytest.raises(LoadError, match="Publish to USER/NAME"):
        plan(model, repo_id)


def test_another_persons_repository_is_refused(hub_server: Any, model: Path) -> None:
    with pytest.raises(AccessError, match="may not"):
        publish(plan(model, "bob/tiny"))


def test_the_token_is_nowhere_but_in_the_header(
    hub_server: Any, model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    token = hub_server.token
    with caplog.at_level(logging.DEBUG):
        publish(plan(model, REPO, tag="v1", space={"README.md": b"---\nsdk: gradio\n---\n"}))
        hub_server.fail(path="/commit/", method="POST", status=403, times=None)
        (model / "model.py").write_text("# new\n")
        with pytest.raises(ScorehubError) as caught:
            publish(plan(model, REPO))
    assert token not in caplog.text and token not in str(caught.value)
    for request in hub_server.requests:
        assert token not in request.path + request.query and token.encode() not in request.body
        others = [v for k, v in request.headers.items() if k.lower() != "authorization"]
        assert not any(token in value for value in others)
    assert any(r.headers.get("authorization") == f"Bearer {token}" for r in hub_server.requests)
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert places.published() in kept
    assert not [path for path in kept if token.encode() in path.read_bytes()]


def test_by_xet_as_well(hub_server_xet: Any, model: Path) -> None:
    commit = publish(plan(model, REPO)).commit
    snapshot = fetch(ModelHandle(owner="alice", name="tiny", revision=commit))
    for name in ("model.safetensors", "model.py", "tune.mid"):
        assert (snapshot.folder / name).read_bytes() == (model / name).read_bytes()
    assert not plan(model, REPO).is_needed
