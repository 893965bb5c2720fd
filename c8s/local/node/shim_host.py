"""Starts shims by forking: a millisecond each, where a new interpreter would take thirty.

`python -m c8s.local.node.shim_host` reads requests from its standard input and ends with it. Its shims go on.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import BinaryIO

from c8s.local.node.shim import run_shim
from c8s.local.node.shim_request import ShimRequest, decode_request


def serve(requests: BinaryIO) -> None:
    """Forks one shim per request until the agent closes the pipe."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while (request := read_request(requests)) is not None:
        if os.fork() == 0:
            _become_shim(request)


def read_request(requests: BinaryIO) -> ShimRequest | None:
    """The next request; None at the end, also in the middle of a request the agent died over."""
    length = requests.read(4)
    if len(length) < 4:
        return None
    body = requests.read(int.from_bytes(length, "big"))
    return decode_request(body) if len(body) == int.from_bytes(length, "big") else None


def _become_shim(request: ShimRequest) -> None:
    exit_code = 1
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        run_shim(request)
        exit_code = 0
    except BaseException as error:  # noqa: BLE001 - the fork must never go on as a second host
        print(f"shim {request.files.name}: {error!r}", file=sys.stderr, flush=True)
    finally:
        os._exit(exit_code)


if __name__ == "__main__":
    serve(sys.stdin.buffer)
