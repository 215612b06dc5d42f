from __future__ import annotations

import pytest

from hub.secrets import secret_in

LONG = "a1B2c3D4e5F6g7H8i9J0" * 3


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"token = 'hf_{LONG}'", "a Hugging Face token"),
        ("-----BEGIN RSA PRIVATE KEY-----", "a private key"),
        ("-----BEGIN PRIVATE KEY-----", "a private key"),
        (f"ghp_{LONG}", "a GitHub token"),
        ("AKIA" + "A1" * 8, "an AWS key"),
        (f"sk-{LONG}", "an API key"),
        (f"pypi-{LONG}", "a PyPI token"),
    ],
)
def test_a_secret_is_told_by_its_shape_and_line(text: str, kind: str) -> None:
    assert secret_in(f"one\ntwo\n{text}\n".encode()) == (kind, 3)


@pytest.mark.parametrize(
    "text", ["", "hf_hub_download(repo)", "hf_short", "risk-averse", "the private key is C major"]
)
def test_prose_is_no_secret(text: str) -> None:
    assert secret_in(text.encode()) is None


@pytest.mark.parametrize("variable", ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"])
def test_the_users_own_token_is_found_whatever_its_shape(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "lab-canary\n")
    assert secret_in(b"x = 1\ny = 'lab-canary'\n") == (f"the value of {variable}", 2)
    monkeypatch.setenv(variable, "a")
    assert secret_in(b"a tune") is None
