"""Functions for tests/test_child.py to run in a child process."""

import json
import os
import subprocess
import sys
import time

from hub.errors import BadFileError
from hub.wire import write_frame


def echo(data: bytes, *, suffix: str = "") -> bytes:
    return data + suffix.encode()


def slow_echo(data: bytes, *, seconds: float) -> bytes:
    time.sleep(seconds)
    return data


def pid(data: bytes) -> bytes:
    return str(os.getpid()).encode()


def environment(data: bytes) -> bytes:
    return json.dumps(dict(os.environ)).encode()


def refuse(data: bytes) -> bytes:
    raise BadFileError("This file is not music.")


def fail(data: bytes) -> bytes:
    raise RuntimeError("first line\nsecond line with a traceback")


def abort(data: bytes) -> bytes:
    os.abort()


def segfault(data: bytes) -> bytes:
    os.kill(os.getpid(), 11)
    return b""


def allocate(data: bytes, *, megabytes: int) -> bytes:
    return bytes(len(bytearray(megabytes << 20)) % 7)


def shout(data: bytes) -> bytes:
    print("a library prints " * 1000, flush=True)
    os.write(1, b"raw noise\n" * 1000)
    subprocess.run([sys.executable, "-c", "print('from a grandchild')"], check=True)
    return data


def spin(data: bytes) -> bytes:
    while True:
        pass


def grandchild(data: bytes) -> bytes:
    subprocess.run(["sleep", data.decode()], check=False)
    return b""


def text(data: bytes) -> str:
    return "not bytes"


def forge(data: bytes) -> bytes:
    """Put a frame on the wire that nobody asked for."""
    for name in os.listdir("/proc/self/fd"):
        try:
            if int(name) > 2 and os.readlink(f"/proc/self/fd/{name}").startswith("pipe:"):
                with os.fdopen(os.dup(int(name)), "wb") as wire:
                    write_frame(wire, {"ok": True}, b"forged")
        except OSError:
            continue
    return b"honest"
