"""Bodies are bounded where they really arrive: behind gunicorn, with and without a length."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from hooks.app import MAX_BODY_BYTES

ANSWER_LIMIT_SECONDS = 40
CHUNK = b"x" * (1024 * 1024)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The hooks behind gunicorn, which gets a socket that listens already."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = [sys.executable, "-m", "gunicorn", "hooks.app:create_from_environment()"]
        command += ["--bind", f"fd://{listener.fileno()}", "--worker-class", "gthread", "--no-control-socket"]
        keys = {"C8S_FREEZE_KEYS": "k" * 32, "C8S_APPROVAL_KEYS": "a" * 32}
        environment = {**os.environ, **keys, "C8S_RUNNER_IMAGE": "c8s:test"}
        server = subprocess.Popen(
            command, env=environment, stderr=subprocess.DEVNULL, pass_fds=[listener.fileno()]
        )
        yield int(listener.getsockname()[1])
        server.terminate()
        server.wait(timeout=20)


def send(port: int, header: str, pieces: Iterator[bytes]) -> str:
    """The status line that a body in these pieces is answered with."""
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_LIMIT_SECONDS) as connection:
        connection.sendall(f"POST /pipelinerun/sync HTTP/1.1\r\nHost: hooks\r\n{header}\r\n\r\n".encode())
        with contextlib.suppress(OSError):  # refused while more was to come
            for piece in pieces:
                connection.sendall(piece)
        return connection.recv(100).partition(b"\r\n")[0].decode()


def chunks(size_bytes: int) -> Iterator[bytes]:
    for _ in range(size_bytes // len(CHUNK)):
        yield b"%x\r\n%s\r\n" % (len(CHUNK), CHUNK)
    yield b"0\r\n\r\n"


def test_body_that_tells_its_length_is_refused_unread(port: int) -> None:
    header = f"Content-Length: {MAX_BODY_BYTES + 1}"

    assert send(port, header, iter(())) == "HTTP/1.1 413 REQUEST ENTITY TOO LARGE"


def test_body_in_chunks_is_refused_at_the_bound(port: int) -> None:
    answer = send(port, "Transfer-Encoding: chunked", chunks(MAX_BODY_BYTES + len(CHUNK)))

    assert answer == "HTTP/1.1 413 REQUEST ENTITY TOO LARGE"


def test_smaller_body_in_chunks_is_read(port: int) -> None:
    assert send(port, "Transfer-Encoding: chunked", chunks(len(CHUNK))) == "HTTP/1.1 400 BAD REQUEST"
