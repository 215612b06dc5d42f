"""The local hub at an address, until it is stopped."""

from __future__ import annotations

import contextlib
import logging
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hub.errors import BusyError, LoadError, ParamError
from hub.local_hub.access import Access, is_loopback, read_tokens


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to serve, and where. `port` 0: any free one."""

    folder: Path
    host: str = "127.0.0.1"
    port: int = 7870
    tokens: Path | None = None


def serve(order: Order) -> None:
    """Serve until Ctrl-C or SIGTERM. Raises ScorehubError where it cannot begin."""
    access = read_tokens(order.tokens) if order.tokens else Access()
    if access.is_open and not is_loopback(order.host):
        raise ParamError(
            f"Anybody who reaches {order.host} could change everything. Say who may write with "
            "--tokens FILE (lines of a name and a token), or stay at 127.0.0.1."
        )
    with _listening(order) as listener:
        _run(order, access, listener)


def _run(order: Order, access: Access, listener: socket.socket) -> None:
    import uvicorn

    from hub.local_hub.app import build
    from hub.local_hub.store import Store

    with contextlib.closing(Store(order.folder)) as store, _log_to_stderr():
        port = listener.getsockname()[1]
        print(_greeting(order, access, port), flush=True)
        app = build(store, access, served_as=order.host)
        config = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, lifespan="off",
            proxy_headers=False, limit_concurrency=200, timeout_keep_alive=30,
            timeout_graceful_shutdown=5,
        )  # fmt: skip
        uvicorn.Server(config).run(sockets=[listener])


@contextlib.contextmanager
def _listening(order: Order) -> Iterator[socket.socket]:
    if not 0 <= order.port < 1 << 16:
        raise ParamError(f"A port is a number below 65536; got {order.port}.")
    try:
        family = socket.getaddrinfo(order.host, order.port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((order.host, order.port), family=family)
    except socket.gaierror as error:
        raise LoadError(f'"{order.host}" is no address of this machine.') from error
    except OSError as error:
        raise BusyError(
            f"{order.host}:{order.port} cannot be listened at ({error.strerror}); choose another "
            "with --port."
        ) from error
    with listener:
        yield listener


def _greeting(order: Order, access: Access, port: int) -> str:
    name = f"[{order.host}]" if ":" in order.host else order.host
    if name in ("0.0.0.0", "[::]"):
        name = socket.gethostname()
    who = (
        "Anybody who reaches this address may read, write and delete everything."
        if access.is_open
        else "Who has a token of the file may write below their own name (export HF_TOKEN=…)."
    )
    return f"""Serving the models in "{order.folder}". {who}
To use it, in another terminal:

    export HF_ENDPOINT=http://{name}:{port}
    scorehub publish FOLDER --to NAME/MODEL
    scorehub list --hub

With the Hub's own client or command (hf) also: export HF_HUB_DISABLE_XET=1
Ctrl-C stops it."""


@contextlib.contextmanager
def _log_to_stderr() -> Iterator[None]:
    """For as long as it is served, and no longer: the stream may end before the process does."""
    log = logging.getLogger("scorehub.local_hub")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    before = log.level
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)
