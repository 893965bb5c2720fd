"""A small forge's storage: bare repositories over smart HTTP, one user per repository.

`python -m c8s.local.git_server --root DIR --port N --credentials FILE` serves `DIR/<owner>/<name>.git`.
The credentials file is JSON, `{"<owner>/<name>": {"username": "…", "password": "…"}}`, read again whenever
it has changed. With an empty user name the password is a token, and any user name does.
https://git-scm.com/docs/git-http-backend
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hmac
import json
import logging
import os
import re
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any, BinaryIO

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
MAX_UPLOAD_BYTES = 512 * 1024 * 1024
MAX_CHUNK_HEADER_BYTES = 1024
BLOCK_BYTES = 64 * 1024
IDLE_SECONDS = 60
BACKEND_END_SECONDS = 10
ANY_USER = ""

_PART = r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?"
_NAME = re.compile(rf"({_PART})/({_PART})")
_ROUTE = re.compile(rf"/({_PART}/{_PART})(?:\.git)?/(info/refs|git-upload-pack|git-receive-pack)")
_PROTOCOL = re.compile(r"[a-z0-9=:]{1,100}")
_REPOSITORY_SETTINGS = {
    "http.receivepack": "true",
    "uploadpack.allowFilter": "true",
    "uploadpack.allowAnySHA1InWant": "true",
    "uploadpack.allowReachableSHA1InWant": "true",
}


class GitServerError(Exception):
    """A name that can't be a repository's, or a repository git could not make."""


class Refusal(Exception):
    """An HTTP answer that is not what was asked for."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def check_repository_name(name: str) -> str:
    """`owner/name` of letters, digits, `.`, `_` and `-`. Raises GitServerError."""
    match = _NAME.fullmatch(name)
    if match is None or name.endswith((".git", ".lock")) or ".." in name:
        raise GitServerError(f"{name!r} is not a repository's name: it must be like owner/name")
    return name


def repository_path(root: Path, name: str) -> Path:
    return root / f"{check_repository_name(name)}.git"


def create_repository(root: Path, name: str) -> Path:
    """An empty bare repository whose default branch is `main`; the one that is there, if there is one."""
    path = repository_path(root, name)
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".new-") as draft:
        made = Path(draft, "made")
        _run_git("init", "--quiet", "--bare", "--initial-branch=main", str(made))
        for key, value in _REPOSITORY_SETTINGS.items():
            _run_git("-C", str(made), "config", key, value)
        made.rename(path)
    return path


def add_credentials(file: Path, name: str, username: str, password: str) -> None:
    """Lets this user read and write the repository; replaces what was there."""
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    known[check_repository_name(name)] = {"username": username, "password": password}
    descriptor, draft = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(known, stream)
    Path(draft).rename(file)


def _run_git(*arguments: str) -> None:
    done = subprocess.run(["git", *arguments], env=_git_environment(), capture_output=True, check=False)
    if done.returncode != 0:
        raise GitServerError(f"git {arguments[0]} failed: {done.stderr.decode(errors='replace').strip()}")


def _git_environment() -> dict[str, str]:
    """None of the user's settings: no templates, no hooks path, no credential helpers."""
    path = os.environ.get("PATH", os.defpath)
    return {"PATH": path, "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}


@dataclass(slots=True)
class Credentials:
    """The credentials file, and what it said when it was read last."""

    file: Path
    _read_at: int = -1
    _known: Mapping[str, Any] = field(default_factory=dict)

    def allow(self, name: str, authorization: str) -> bool:
        """Whether the header is right for the repository; the time taken does not tell how wrong it is."""
        wanted = self._load().get(name)
        username, password = parse_basic_authorization(authorization)
        if wanted is None:
            return False
        is_user = wanted["username"] == ANY_USER or hmac.compare_digest(
            username.encode(), wanted["username"].encode()
        )
        return hmac.compare_digest(password.encode(), wanted["password"].encode()) and is_user

    def _load(self) -> Mapping[str, Any]:
        try:
            changed_at = self.file.stat().st_mtime_ns
            if changed_at != self._read_at:
                self._known = json.loads(self.file.read_text(encoding="utf-8"))
                self._read_at = changed_at
        except FileNotFoundError:
            return {}
        return self._known


def parse_basic_authorization(header: str) -> tuple[str, str]:
    """User name and password; two empty ones for a header that holds none."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        username, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return username, password


class GitServer(ThreadingHTTPServer):
    """Serves until `shutdown`; a thread per connection."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, root: Path, port: int, credentials: Path) -> None:
        self.root = root
        self.credentials = Credentials(credentials)
        super().__init__((LOOPBACK, port), GitRequestHandler)


class GitRequestHandler(BaseHTTPRequestHandler):
    """Checks who asks, and hands the rest to `git http-backend`."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    server: GitServer

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: what a stranger asks for does not belong in a log."""

    def _answer(self) -> None:
        try:
            path, query = self._route()
            with tempfile.TemporaryFile() as body:
                self._read_body(body)
                self._run_backend(path, query, body)
        except Refusal as refusal:
            self._refuse(refusal)

    def _route(self) -> tuple[str, str]:
        """The backend's path and query. 401 also for what isn't there: who may not read learns nothing."""
        target, _, query = self.path.partition("?")
        if target == "/healthz":
            raise Refusal(200, "ok")
        match = _ROUTE.fullmatch(target)
        if match is None:
            raise Refusal(404, "no such path")
        name, service = match[1].removesuffix(".git"), match[2]
        if not self.server.credentials.allow(name, self.headers.get("Authorization", "")):
            raise Refusal(401, "user name and password or token needed")
        if not repository_path(self.server.root, name).is_dir():
            raise Refusal(404, "no such repository")
        return f"/{name}.git/{service}", query

    def _read_body(self, body: BinaryIO | IO[bytes]) -> None:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            self._read_chunks(body)
        else:
            length = self.headers.get("Content-Length", "0")
            if not length.isdecimal():
                raise Refusal(400, "unreadable Content-Length")
            self._copy(int(length), body, MAX_UPLOAD_BYTES)
        body.seek(0)

    def _read_chunks(self, body: BinaryIO | IO[bytes]) -> None:
        left_bytes = MAX_UPLOAD_BYTES
        while True:
            header = self.rfile.readline(MAX_CHUNK_HEADER_BYTES).partition(b";")[0].strip()
            try:
                size = int(header, 16)
            except ValueError as error:
                raise Refusal(400, "unreadable chunk") from error
            if size == 0:
                self.rfile.readline(MAX_CHUNK_HEADER_BYTES)
                return
            self._copy(size, body, left_bytes)
            left_bytes -= size
            self.rfile.readline(MAX_CHUNK_HEADER_BYTES)

    def _copy(self, size: int, body: BinaryIO | IO[bytes], left_bytes: int) -> None:
        if size < 0 or size > left_bytes:
            raise Refusal(413, f"more than {MAX_UPLOAD_BYTES} bytes")
        while size > 0:
            block = self.rfile.read(min(BLOCK_BYTES, size))
            if not block:
                raise Refusal(400, "the body ended early")
            body.write(block)
            size -= len(block)

    def _run_backend(self, path: str, query: str, body: IO[bytes]) -> None:
        with subprocess.Popen(
            ["git", "http-backend"],
            stdin=body,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self._backend_environment(path, query, body),
        ) as backend:
            if backend.stdout is None:
                raise Refusal(500, "git http-backend has no output")
            try:
                self._relay(backend.stdout)
            except OSError:
                backend.kill()
                self.close_connection = True

    def _backend_environment(self, path: str, query: str, body: IO[bytes]) -> dict[str, str]:
        environment = _git_environment() | {
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(os.fstat(body.fileno()).st_size),
            "REMOTE_USER": "c8s",
            "REMOTE_ADDR": LOOPBACK,
        }
        if self.headers.get("Content-Encoding") in ("gzip", "x-gzip"):
            environment["HTTP_CONTENT_ENCODING"] = "gzip"
        protocol = self.headers.get("Git-Protocol", "")
        if _PROTOCOL.fullmatch(protocol):
            environment["GIT_PROTOCOL"] = protocol
        return environment

    def _relay(self, answer: IO[bytes]) -> None:
        """CGI's headers as HTTP's; the body in chunks as it comes."""
        headers: list[tuple[str, str]] = []
        while line := answer.readline(BLOCK_BYTES).strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers.append((name.strip(), value.strip()))
        status = next(
            (value for name, value in headers if name.lower() == "status"), "200 OK" if headers else "500"
        )
        self.send_response(int(status.split()[0]))
        for name, value in headers:
            if name.lower() not in ("status", "content-length"):
                self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while block := answer.read1(BLOCK_BYTES):  # type: ignore[attr-defined]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(block), block))
        self.wfile.write(b"0\r\n\r\n")

    def _refuse(self, refusal: Refusal) -> None:
        text = f"{refusal}\n".encode()
        self.close_connection = True
        self.send_response(refusal.status)
        if refusal.status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="c8s"')
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(text)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m c8s.local.git_server")
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--credentials", type=Path, required=True)
    options = parser.parse_args()
    options.root.mkdir(parents=True, exist_ok=True)
    server = GitServer(options.root.resolve(), options.port, options.credentials)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown, daemon=True).start())
    server.serve_forever()


if __name__ == "__main__":
    main()
