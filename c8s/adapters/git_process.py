"""Running `git` so that nothing but what is written here decides what it does.

No configuration of the machine or the user counts, no prompt appears, no hook runs, no redirect is
followed, and a connection goes to the addresses that were checked. Secrets reach git by files in a
private folder that goes away with the session: never by arguments, never by the repository's
configuration. Needs git 2.37 (`http.curloptResolve`).
"""

from __future__ import annotations

import os
import selectors
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from c8s.adapters.git_credentials import Credentials
from c8s.adapters.git_errors import (
    BadCredentials,
    FileTooLarge,
    GitError,
    RepositoryUnreachable,
    explain_failure,
)
from c8s.adapters.git_urls import Lookup, RepositoryUrl, check_addresses, look_up, parse_repository_url

OUTPUT_LIMIT_BYTES = 64 * 1024
STDERR_LIMIT_BYTES = 16 * 1024
CONNECT_SECONDS = 15

# Old, harmless faults that well-known repositories carry in their history; any other fault is refused.
_TOLERATED_FAULTS = (
    "badTimezone",
    "missingSpaceBeforeDate",
    "missingSpaceBeforeEmail",
    "zeroPaddedDate",
    "zeroPaddedFilemode",
)

_SETTINGS = (
    ("advice.detachedHead", "false"),
    ("core.bigFileThreshold", "16m"),  # larger files are streamed, not held in memory
    ("core.fsmonitor", "false"),
    ("core.hooksPath", "/dev/null"),
    ("credential.helper", ""),
    ("fetch.fsckObjects", "true"),
    *((f"fetch.fsck.{fault}", "ignore") for fault in _TOLERATED_FAULTS),
    ("fetch.recurseSubmodules", "false"),
    ("gc.auto", "0"),
    ("http.followRedirects", "false"),
    ("http.lowSpeedLimit", "1000"),
    ("http.lowSpeedTime", "30"),
    ("init.defaultBranch", "main"),
    ("init.templateDir", ""),
    ("maintenance.auto", "false"),
    ("protocol.ext.allow", "never"),
    ("protocol.file.allow", "never"),
    ("protocol.version", "2"),
    ("safe.directory", "*"),
    ("submodule.recurse", "false"),
)


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


def build_environment(
    url: RepositoryUrl, addresses: Sequence[str], credentials: Credentials | None, scratch: Path
) -> dict[str, str]:
    """The whole environment of a git process; of our own one only `PATH` is taken over."""
    settings = [*_SETTINGS, *_pin_addresses(url, addresses), *_serve_credentials(url, credentials, scratch)]
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "LC_ALL": "C",
        "GIT_ALLOW_PROTOCOL": url.scheme,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": str(len(settings)),
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_SSH_COMMAND": _build_ssh_command(url, addresses, credentials, scratch),
        "GIT_SSH_VARIANT": "ssh",
        "GIT_TERMINAL_PROMPT": "0",
    }
    for number, (key, value) in enumerate(settings):
        environment[f"GIT_CONFIG_KEY_{number}"] = key
        environment[f"GIT_CONFIG_VALUE_{number}"] = value
    return environment


def _pin_addresses(url: RepositoryUrl, addresses: Sequence[str]) -> list[tuple[str, str]]:
    """Makes libcurl use the checked addresses (CURLOPT_RESOLVE), whatever the name resolves to by then."""
    if not addresses or url.scheme == "ssh" or ":" in url.host:  # an IPv6 address needs no pin
        return []
    targets = ",".join(f"[{address}]" if ":" in address else address for address in addresses)
    return [("http.curloptResolve", f"{url.host}:{url.port}:{targets}")]


def _serve_credentials(
    url: RepositoryUrl, credentials: Credentials | None, scratch: Path
) -> list[tuple[str, str]]:
    """A credential helper for this scheme, host and port alone; git asks it when the server answers 401."""
    if credentials is None or not credentials.password or url.scheme == "ssh":
        return []
    record = f"username={credentials.user_for(url.host)}\npassword={credentials.password}\n"
    path = _write_private(scratch / "credential", record)
    key = f"credential.{url.scheme}://{url.bracketed_host}:{url.port}.helper"
    return [(key, f'!f() {{ test "$1" = get && cat {shlex.quote(str(path))}; }}; f')]


def _build_ssh_command(
    url: RepositoryUrl, addresses: Sequence[str], credentials: Credentials | None, scratch: Path
) -> str:
    """A shell command: `ssh` with the given key and host keys alone, to the checked address."""
    if url.scheme != "ssh":
        return "false"
    if credentials is None or not credentials.ssh_key:
        raise BadCredentials(f"{url} needs a Secret with the key ssh-key, named in authSecretRef")
    if not credentials.known_hosts.strip():
        raise BadCredentials(
            f"the Secret needs the key known_hosts (the output of ssh-keyscan {url.host}) beside ssh-key"
        )
    key = _write_private(scratch / "ssh-key", credentials.ssh_key)
    known_hosts = _write_private(scratch / "known_hosts", credentials.known_hosts)
    alias = url.host if url.port == 22 else f"[{url.host}]:{url.port}"
    options = {
        "BatchMode": "yes",
        "ClearAllForwardings": "yes",
        "ConnectTimeout": str(CONNECT_SECONDS),
        "GlobalKnownHostsFile": "/dev/null",
        "HostKeyAlias": alias,
        "HostName": addresses[0] if addresses else url.host,
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": str(known_hosts),
    }
    command = ["ssh", "-F", "/dev/null", "-i", str(key)]
    for name, value in options.items():
        command += ["-o", f"{name}={value}"]
    return shlex.join(command)


def _write_private(path: Path, text: str) -> Path:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return path


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
