"""Who is asking, may they do it, and may a browser's page ask on their behalf?

A token is known by its SHA-256 only, and no message here repeats one.
"""

from __future__ import annotations

import hashlib
import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from hub.errors import LoadError
from hub.local_hub.names import fault_of_owner
from hub.local_hub.store import Repository

ANYBODY = "anybody"
MIN_TOKEN_LENGTH = 8


class WrongTokenError(Exception):
    """A token was given, and it is nobody's."""


@dataclass(frozen=True, kw_only=True)
class Access:
    """`users`: SHA-256 of a token → its owner's name. None: no tokens, everybody may do all."""

    users: Mapping[str, str] | None = None

    @property
    def is_open(self) -> bool:
        return self.users is None

    def who(self, authorization: str) -> str | None:
        """The name of who asks, from the request's header; None without a token."""
        if self.users is None:
            return ANYBODY
        scheme, _, token = authorization.partition(" ")
        if not authorization:
            return None
        name = self.users.get(digest(token.strip()))
        if scheme.lower() != "bearer" or name is None:
            raise WrongTokenError
        return name

    def may_write(self, who: str | None, owner: str) -> bool:
        return self.is_open or who == owner

    def may_see(self, who: str | None, repository: Repository) -> bool:
        return not repository.is_private or self.may_write(who, repository.owner)

    def may_download(self, who: str | None, repository: Repository) -> bool:
        return not repository.gated or self.may_write(who, repository.owner)


def digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def read_tokens(path: Path) -> Access:
    """Access by a file of lines "user token"; empty lines and lines with # do not count.

    Raises LoadError, which names the line and never what is in it.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise LoadError(f'The token file "{path}" cannot be read.') from error
    users: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        words = line.split("#", 1)[0].split()
        if not words:
            continue
        if len(words) != 2 or fault_of_owner(words[0]) or len(words[1]) < MIN_TOKEN_LENGTH:
            raise LoadError(
                f'Line {number} of the token file "{path}" is not "user token", with a token of at '
                f"least {MIN_TOKEN_LENGTH} characters."
            )
        users[digest(words[1])] = words[0]
    if not users:
        raise LoadError(f'The token file "{path}" has no line "user token" in it.')
    return Access(users=users)


def is_loopback(host: str) -> bool:
    """Does this address reach no further than this machine?"""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def fault_of_asker(headers: Mapping[str, str], served_as: str) -> str:
    """Why these headers come from a page that has no business here; "" if they do not.

    A page of another site can make a browser send requests to addresses that only this machine or
    this network reaches. Browsers say where a page is from (Origin, Sec-Fetch-Site); a page that
    has its own name point here (DNS rebinding) is told by the Host header.
    """
    host = headers.get("host", "")
    if not _is_ours(host, served_as):
        return f'This hub is not called "{_printable(host)}".'
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
        return "Pages of other sites may not use this hub."
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return "Pages of other sites may not use this hub."
    return ""


def _is_ours(host: str, served_as: str) -> bool:
    """An address in numbers cannot be a foreign site's name; a name must be one of this machine."""
    name = urlsplit(f"//{host}").hostname or ""
    try:
        ipaddress.ip_address(name)
        return is_loopback(name) or not is_loopback(served_as)
    except ValueError:
        return name in {"localhost", served_as.lower()} or (
            not is_loopback(served_as) and name == socket.gethostname().lower()
        )


def _printable(text: str) -> str:
    return text[:80].encode("ascii", "backslashreplace").decode()
