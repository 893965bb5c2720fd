"""The environment of a git process: settings, pinned addresses, credentials.

No configuration of the machine or the user counts, no prompt appears, no hook runs, no redirect is
followed, and a connection goes to the addresses that were checked. Secrets reach git by files in a
private folder: never by arguments, never by the repository's configuration. Needs git 2.37
(`http.curloptResolve`).
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from c8s.adapters.git_credentials import Credentials
from c8s.adapters.git_errors import BadCredentials
from c8s.adapters.git_urls import RepositoryUrl

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
