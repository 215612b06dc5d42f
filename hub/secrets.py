"""What must never leave a machine: the shapes of keys and tokens, as people leave them in files."""

from __future__ import annotations

import os
import re

SECRETS = {
    "a Hugging Face token": re.compile(rb"\bhf_(?:oauth_|jwt_)?[A-Za-z0-9]{20,}"),
    "a private key": re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    "a GitHub token": re.compile(rb"\b(?:gh[oprsu]_[A-Za-z0-9]{30,}|github_pat_\w{30,})"),
    "an AWS key": re.compile(rb"\bAKIA[0-9A-Z]{16}\b"),
    "an API key": re.compile(rb"\bsk-[A-Za-z0-9_-]{32,}"),
    "a PyPI token": re.compile(rb"\bpypi-[A-Za-z0-9_-]{32,}"),
}
# A token may have any shape on a hub of one's own, so its value is looked for as well.
TOKEN_VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
SHORTEST_TOKEN = 8


def secret_in(data: bytes) -> tuple[str, int] | None:
    """What kind of secret these bytes hold and in which line, counted from 1; never the secret."""
    for kind, pattern in SECRETS.items():
        if match := pattern.search(data):
            return kind, _line(data, match.start())
    for variable in TOKEN_VARIABLES:
        token = os.fsencode(os.environ.get(variable, "").strip())
        if len(token) >= SHORTEST_TOKEN and token in data:
            return f"the value of {variable}", _line(data, data.index(token))
    return None


def _line(data: bytes, at: int) -> int:
    return data.count(b"\n", 0, at) + 1
