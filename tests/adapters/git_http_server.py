"""A git server on loopback for tests: `git http-backend` behind HTTP, with switches for bad manners."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

AUTHOR = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z",
    "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}


def git(folder: Path, *arguments: str) -> str:
    """Runs git in a folder of the test and gives its output without the line break at the end."""
    return subprocess.run(
        ["git", "-c", "init.defaultBranch=main", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **AUTHOR},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.rstrip("\n")


@dataclass
class GitServer:
    """Serves the bare repositories below `root` as `<url>/<name>.git` and remembers what it was asked."""

    root: Path
    port: int = 0
    password: str = ""
    redirect_to: str = ""
    failures_left: int = 0
    speaks_version_2: bool = True
    shown_passwords: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, name: str) -> str:
        return f"http://{self.host}/{name}.git"

    def create(self, name: str, files: dict[str, str], **config: str) -> str:
        """A new repository with one commit on `main`; gives the commit's number."""
        work = self.root / f"{name}.work"
        work.mkdir()
        git(work, "init", "--quiet")
        git(self.root, "init", "--quiet", "--bare", f"{name}.git")
        for key, value in {"uploadpack.allowFilter": "true", **config}.items():
            git(self.root / f"{name}.git", "config", key, value)
        return self.commit(name, files)

    def commit(self, name: str, files: dict[str, str], branch: str = "main") -> str:
        """One more commit with these files on the branch; gives its number."""
        work = self.root / f"{name}.work"
        for path, text in files.items():
            (work / path).parent.mkdir(parents=True, exist_ok=True)
            (work / path).write_text(text)
        git(work, "add", "--all")
        git(work, "commit", "--quiet", "--allow-empty", "--message", "change")
        self.push(name, f"HEAD:refs/heads/{branch}")
        return git(work, "rev-parse", "HEAD")

    def push(self, name: str, *refspecs: str) -> None:
        git(self.root / f"{name}.work", "push", "--quiet", "--force", f"../{name}.git", *refspecs)


class _Handler(BaseHTTPRequestHandler):
    server: _HttpServer

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        """Keeps the test's output quiet."""

    def _answer(self) -> None:
        state = self.server.state
        state.asked.append(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        authorization = self.headers.get("Authorization", "")
        if authorization:
            state.shown_passwords.append(base64.b64decode(authorization.removeprefix("Basic ")).decode())
        if state.failures_left:
            state.failures_left -= 1
            self.send_error(503)
        elif state.redirect_to:
            self.send_response(302)
            self.send_header("Location", state.redirect_to + self.path)
            self.end_headers()
        elif state.password and not authorization.endswith(
            base64.b64encode(state.password.encode()).decode()
        ):
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()
        else:
            self._run_backend(body)

    def _run_backend(self, body: bytes) -> None:
        parts = urlsplit(self.path)
        protocol = self.headers.get("Git-Protocol", "") if self.server.state.speaks_version_2 else ""
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.server.state.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": protocol,
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
        }
        answer = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True)
        head, _, content = answer.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


class _HttpServer(ThreadingHTTPServer):
    state: GitServer
    daemon_threads = True


@contextmanager
def serve_git(root: Path) -> Iterator[GitServer]:
    """A running server whose repositories lie below `root`."""
    root.mkdir(parents=True, exist_ok=True)
    server = _HttpServer(("127.0.0.1", 0), _Handler)
    server.state = GitServer(root, port=server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
