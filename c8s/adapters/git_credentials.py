"""Credentials of one git server, from a Kubernetes Secret or a folder in which one is mounted.

Keys: `username` and `password`, or `token` (with an optional `username`), or `ssh-key` with
`known_hosts`. Secrets of the type `kubernetes.io/ssh-auth` call the key `ssh-privatekey`; that counts
as well.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from c8s.adapters.git_errors import BadCredentials

VALUE_LIMIT_BYTES = 64 * 1024
KEYS = ("username", "password", "token", "ssh-key", "ssh-privatekey", "known_hosts")

_TOKEN_USERS = {"bitbucket.org": "x-token-auth"}
"""User names that a server wants beside a token; the others take any."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Either `password` (a token is one as well) or `ssh_key` is set; the values never show in a `repr`."""

    username: str = ""
    password: str = field(default="", repr=False)
    ssh_key: str = field(default="", repr=False)
    known_hosts: str = field(default="", repr=False)

    def user_for(self, host: str) -> str:
        """The name to send with the password: the Secret's own, else one that goes with any token."""
        return self.username or _TOKEN_USERS.get(host, "x-access-token")

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every form in which the password may come back in a message."""
        if not self.password:
            return ()
        pairs = {f"{user}:{self.password}" for user in (self.username, "x-access-token", "x-token-auth")}
        encoded = tuple(base64.b64encode(pair.encode()).decode() for pair in sorted(pairs))
        return (*encoded, self.password)


def parse_secret(secret: Mapping[str, object]) -> Credentials:
    """Credentials of a Secret object as the Kubernetes API gives it. Raises `BadCredentials`."""
    data = secret.get("data")
    encoded = data if isinstance(data, Mapping) else {}
    try:
        values = {key: base64.b64decode(str(encoded[key]), validate=True) for key in KEYS if key in encoded}
    except binascii.Error as error:
        raise BadCredentials("the Secret holds a value that is not base64") from error
    return _build_credentials(values)


def read_credentials(folder: Path) -> Credentials:
    """Credentials of the folder in which a Secret is mounted, one file per key. Raises `BadCredentials`."""
    try:
        values = {key: _read_bounded(folder / key) for key in KEYS if (folder / key).is_file()}
    except OSError as error:
        raise BadCredentials(f"the credentials can't be read: {error.strerror}") from error
    return _build_credentials(values)


def _read_bounded(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(VALUE_LIMIT_BYTES + 1)


def _build_credentials(values: Mapping[str, bytes]) -> Credentials:
    texts = {key: _decode(key, value) for key, value in values.items()}
    ssh_key = texts.get("ssh-key") or texts.get("ssh-privatekey", "")
    if ssh_key:
        return Credentials(ssh_key=ssh_key.strip() + "\n", known_hosts=texts.get("known_hosts", ""))
    username, password = (
        _one_line("username", texts),
        _one_line("token", texts) or _one_line("password", texts),
    )
    if not password:
        raise BadCredentials("the Secret has none of the keys token, password (with username) and ssh-key")
    return Credentials(username=username, password=password)


def _decode(key: str, value: bytes) -> str:
    if len(value) > VALUE_LIMIT_BYTES:
        raise BadCredentials(f"the Secret's {key} is longer than {VALUE_LIMIT_BYTES} bytes")
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise BadCredentials(f"the Secret's {key} is not UTF-8 text") from error


def _one_line(key: str, texts: Mapping[str, str]) -> str:
    """A value without line breaks at its end; one inside would break git's credential record."""
    text = texts.get(key, "").rstrip("\r\n")
    if any(character in text for character in "\r\n\x00"):
        raise BadCredentials(f"the Secret's {key} is more than one line")
    return text
