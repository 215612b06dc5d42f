"""Xet for the local hub, in tests only: its storage is a folder that client and server share.

Beside the Hub, Xet wants a storage service (CAS). hf_xet brings one along for its own tests, which
is a folder (address local://DIR) and so works on one machine only. Everything before it is as with
the real Hub: the client asks for an address and a token, cuts files into chunks, stores them and a
shard that describes them, commits by SHA-256, and downloads by the hash that the Hub gives for it.

The server's part is to find the Xet hash of a SHA-256. It stands in the shards (MDB files): a
header of 48 bytes, then entries of 48 bytes for each file (its hash, flags and number of segments;
the segments; as many verifications if a flag is set; a last entry with the SHA-256 if another one
is), up to one whose hash has all bits set.
"""

from __future__ import annotations

import asyncio
import json
import re
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ENTRY = 48
HAS_VERIFICATION, HAS_SHA256 = 1 << 31, 1 << 30
END = b"\xff" * 32
TOKEN = "xet-canary-never-to-be-seen"

_TOKEN_PATH = re.compile(r"/api/(models|spaces)/([^/]+)/([^/]+)/xet-(read|write)-token/[^/]+")
_COMMIT_PATH = re.compile(r"/api/(models|spaces)/([^/]+)/([^/]+)/commit/[^/]+")
_RESOLVE_PATH = re.compile(r"(?:/(spaces|models))?/([^/]+)/([^/]+)/resolve/([^/]+)/.+")


class Xet:
    """The local hub's application, with the addresses of Xet and its headers."""

    def __init__(self, app: Any, store: Any, cas: Path) -> None:
        self.app = app
        self.store = store
        self.cas = cas

    @property
    def address(self) -> str:
        return f"local://{self.cas}"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        if found := _TOKEN_PATH.fullmatch(path):
            await self._give_token(scope, receive, send, found)
        elif found := _COMMIT_PATH.fullmatch(path):
            await self.app(scope, await self._with_blobs(found, receive), send)
        elif found := _RESOLVE_PATH.fullmatch(path):
            await self.app(scope, receive, self._with_headers(scope, found, send))
        else:
            await self.app(scope, receive, send)

    async def _give_token(self, scope: Any, receive: Any, send: Any, found: re.Match[str]) -> None:
        """To whom may see the repository (read) or change it (write)."""
        from starlette.requests import Request
        from starlette.responses import JSONResponse

        from hub.local_hub.http import Refusal, visible, writable

        names = dict(zip(("segment", "owner", "name"), found.groups(), strict=False))
        request = Request({**scope, "app": self.app, "path_params": names})
        try:
            (writable if found[4] == "write" else visible)(request)
        except Refusal as refusal:
            return await refusal.response()(scope, receive, send)
        until = int(time.time()) + 3600
        answer = JSONResponse(
            {"casUrl": self.address, "accessToken": TOKEN, "exp": until},
            headers={
                "X-Xet-Cas-Url": self.address,
                "X-Xet-Access-Token": TOKEN,
                "X-Xet-Token-Expiration": str(until),
            },
        )
        await answer(scope, receive, send)

    async def _with_blobs(self, found: re.Match[str], receive: Any) -> Any:
        """The request again, after what it commits has been fetched from the storage."""
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        repository = self.store.get(found[1].removesuffix("s"), found[2], found[3])
        for line in map(json.loads, body.splitlines()):
            if line["key"] == "lfsFile":
                await asyncio.to_thread(self._fetch, repository, line["value"]["oid"])
        sent = False

        async def again() -> Any:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        return again

    def _fetch(self, repository: Any, sha256: str) -> None:
        import hf_xet

        blob = self.store.blob(repository, sha256)
        if blob.exists() or (known := self.known().get(sha256)) is None:
            return
        session = hf_xet.XetSession()
        with session.new_file_download_group(
            endpoint=self.address, token=TOKEN, token_expiry_unix_secs=int(time.time()) + 3600
        ) as group:
            group.start_download_file(hf_xet.XetFileInfo(*known), str(blob))

    def _with_headers(self, scope: Any, found: re.Match[str], send: Any) -> Any:
        async def more(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = dict(message["headers"])
                sha256 = headers.get(b"x-linked-etag", b"").decode().strip('"')
                if known := self.known().get(sha256):
                    host = dict(scope["headers"])[b"host"].decode()
                    kind, owner, name = found[1] or "models", found[2], found[3]
                    start = f"http://{host}/api/{kind}/{owner}/{name}"
                    link = f'<{start}/xet-read-token/{found[4]}>; rel="xet-auth"'
                    extra = [(b"x-xet-hash", known[0].encode()), (b"link", link.encode())]
                    message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        return more

    def known(self) -> dict[str, tuple[str, int]]:
        """SHA-256 → Xet hash and size, for everything in the storage."""
        return {
            sha256: (xet_hash, size)
            for path in self.cas.rglob("shards/*.mdb")
            for sha256, xet_hash, size in _files_in(path.read_bytes())
        }


def _files_in(shard: bytes) -> Iterator[tuple[str, str, int]]:
    """SHA-256, Xet hash and size of each file in a shard; those without a SHA-256 are left out."""
    at = ENTRY
    while (name := shard[at : at + 32]) != END:
        flags, segments = struct.unpack_from("<II", shard, at + 32)
        at += ENTRY
        sizes = [struct.unpack_from("<I", shard, at + ENTRY * i + 36)[0] for i in range(segments)]
        at += ENTRY * segments * (2 if flags & HAS_VERIFICATION else 1)
        if flags & HAS_SHA256:
            yield _hex(shard[at : at + 32]), _hex(name), sum(sizes)
            at += ENTRY


def _hex(digest: bytes) -> str:
    """As Xet writes a hash: four numbers of eight bytes, each of them lowest byte first."""
    return b"".join(digest[at : at + 8][::-1] for at in range(0, 32, 8)).hex()
