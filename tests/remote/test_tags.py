from __future__ import annotations

import pytest

from hub.errors import ParamError
from hub.remote import tags

BAD = [
    "", " ", "v 1", "-v", ".v", "v1.", "v1/", "a//b", "a/.b", "a..b", "a.lock", "a.lock/b", "v~1",
    "v^", "a:b", "v?", "v*", "v[", "a\\b", "a@{1}", "@", "é", "v\n", "main", "HEAD", "FETCH_HEAD",
    "refs/heads/x", "refs", "abc1234", "deadbeef", "ABCDEF0", "0123456", "a" * 40, "x" * 201,
]  # fmt: skip


@pytest.mark.parametrize("tag", BAD)
def test_names_that_would_not_be_found_again(tag: str) -> None:
    with pytest.raises(ParamError, match="tag") as caught:
        tags.check(tag)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("tag", ["v1", "v1.2", "1", "2026-11-21", "20261121", "a/b", "abc", "cafe"])
def test_names_that_will_be(tag: str) -> None:
    tags.check(tag)
