"""Running `git` with a time limit and bounded output, in an environment that is wholly c8s's own."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from c8s.adapters.git_credentials import Credentials
from c8s.adapters.git_environment import build_environment
from c8s.adapters.git_errors import FileTooLarge, GitError, RepositoryUnreachable, explain_failure
from c8s.adapters.git_urls import Lookup, RepositoryUrl, check_addresses, look_up, parse_repository_url

OUTPUT_LIMIT_BYTES = 64 * 1024
STDERR_LIMIT_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class GitSession:
    """Permission to speak to one repository for a limited time. Made by `open_session`."""

    url: RepositoryUrl
    environment: dict[str, str]
    scratch: Path
    secrets: tuple[str, ...]
    authenticated: bool
    deadline: float
    """In seconds of `time.monotonic`."""
    file_limit_bytes: int | None
    """How large a single file git may write, `None` for any size."""

    def run(self, *arguments: str, folder: Path, limit_bytes: int = OUTPUT_LIMIT_BYTES) -> bytes:
        """The output of `git <arguments>` in the folder.

        Raises the `GitError` that git's words stand for, `RepositoryUnreachable` after the time limit,
        `FileTooLarge` for an output over `limit_bytes`.
        """
        process = subprocess.Popen(
            [*self._file_limit(), "git", *arguments],
            cwd=folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            output, stderr = _read_until_end(process, limit_bytes, self.deadline, str(self.url))
        finally:
            _end(process)
        if process.returncode != 0:
            raise self._explain(process.returncode, stderr.decode("utf-8", "replace"))
        return output

    def _file_limit(self) -> list[str]:
        if self.file_limit_bytes is None:
            return []
        blocks = str(self.file_limit_bytes // 512)  # the unit of POSIX `ulimit -f`
        return ["/bin/sh", "-c", 'ulimit -f "$0" && exec "$@"', blocks]

    def _explain(self, exit_code: int, stderr: str) -> GitError:
        if -exit_code == signal.SIGXFSZ or exit_code == 128 + signal.SIGXFSZ:
            stderr += "\nFile too large"
        return explain_failure(stderr, str(self.url), authenticated=self.authenticated, secrets=self.secrets)


@contextmanager
def open_session(
    repository: str,
    *,
    credentials: Credentials | None,
    allowed_hosts: Collection[str],
    time_limit_seconds: float,
    file_limit_bytes: int | None = None,
    lookup: Lookup = look_up,
) -> Iterator[GitSession]:
    """A session for the address. Raises `BadUrl`, `BadCredentials` or `RepositoryUnreachable`."""
    deadline = time.monotonic() + time_limit_seconds
    url = parse_repository_url(repository, allowed_hosts)
    addresses = check_addresses(url, allowed_hosts, lookup)
    with tempfile.TemporaryDirectory(prefix="c8s-git-", ignore_cleanup_errors=True) as folder:
        scratch = Path(folder)
        yield GitSession(
            url=url,
            environment=build_environment(url, addresses, credentials, scratch),
            scratch=scratch,
            secrets=credentials.secrets if credentials else (),
            authenticated=credentials is not None,
            deadline=deadline,
            file_limit_bytes=file_limit_bytes,
        )


def _read_until_end(
    process: subprocess.Popen[bytes], limit_bytes: int, deadline: float, url: str
) -> tuple[bytes, bytes]:
    """Both outputs; of stderr only the end. Leaves the process running when it raises."""
    assert process.stdout is not None
    assert process.stderr is not None
    output, stderr = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ, output)
        selector.register(process.stderr, selectors.EVENT_READ, stderr)
        while selector.get_map():
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise RepositoryUnreachable(f"{url} did not answer within the time limit")
            for key, _ in ready:
                piece = os.read(key.fd, 65536)
                key.data.extend(piece)
                if not piece:
                    selector.unregister(key.fileobj)
            if len(output) > limit_bytes:
                raise FileTooLarge(f"larger than {limit_bytes} bytes")
            del stderr[:-STDERR_LIMIT_BYTES]
    return bytes(output), bytes(stderr)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Waits for a process that closed its outputs; whatever else still runs in its session is killed."""
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stderr.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=1)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
