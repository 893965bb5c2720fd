"""Bearer tokens of users, in a file of the state folder, and the kubeconfig that carries one."""

from __future__ import annotations

import base64
import fcntl
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import yaml

from c8s.local.apiserver.private_files import write_private

Object = dict[str, Any]

TOKENS_FILE = "tokens.json"
ADMIN_USER = "kubernetes-admin"
MASTERS = "system:masters"
AUTHENTICATED = "system:authenticated"
ACCOUNT_PREFIX = "system:serviceaccount:"


@dataclass(frozen=True, slots=True)
class User:
    """Who asks: a name and all groups, the ones everybody has included.

    `extra` is what TokenReview tells besides, such as the pod a token is bound to.
    """

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: tuple[tuple[str, str], ...] = ()


def with_implied_groups(name: str, groups: Sequence[str], uid: str = "") -> User:
    """A user with the groups that follow from its name: service accounts have two, everybody has one."""
    implied = [AUTHENTICATED]
    if name.startswith(ACCOUNT_PREFIX) and name.count(":") == 3:
        namespace = name.split(":")[2]
        implied = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED]
    return User(name, tuple(dict.fromkeys([*groups, *implied])), uid)


def add_user_token(state_dir: Path, user: str, groups: Sequence[str] = ()) -> str:
    """The user's token, made on the first call; a later call with other groups changes those.

    It counts at once, whether the server of this state folder runs or not.
    """
    with _locked(state_dir):
        known = read_tokens(state_dir)
        token = next(
            (token for token, entry in known.items() if entry["user"] == user), secrets.token_hex(32)
        )
        entry = {"user": user, "groups": list(groups)}
        if known.get(token) != entry:
            content = orjson.dumps({**known, token: entry}, option=orjson.OPT_INDENT_2)
            write_private(state_dir / TOKENS_FILE, content)
        return token


def read_tokens(state_dir: Path) -> dict[str, Object]:
    """Token → `{"user", "groups"}`."""
    file = state_dir / TOKENS_FILE
    if not file.exists():
        return {}
    known: dict[str, Object] = orjson.loads(file.read_bytes())
    return known


def write_kubeconfig(path: Path, url: str, ca: str, token: str, namespace: str = "default") -> None:
    """A kubeconfig (mode 600) with one context `c8s-local`.

    `ca` is the authority's certificate as PEM text.
    """
    authority = base64.b64encode(ca.encode()).decode()
    context = {"cluster": "c8s-local", "user": "c8s-local", "namespace": namespace}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c8s-local",
        "clusters": [
            {"name": "c8s-local", "cluster": {"server": url, "certificate-authority-data": authority}}
        ],
        "users": [{"name": "c8s-local", "user": {"token": token}}],
        "contexts": [{"name": "c8s-local", "context": context}],
    }
    write_private(path, yaml.safe_dump(config, sort_keys=False).encode())


@contextmanager
def _locked(state_dir: Path) -> Iterator[None]:
    with (state_dir / ".tokens.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class TokenFile:
    """The tokens as the file holds them now: read again when it has changed."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._known: dict[str, User] = {}
        self._read_at: tuple[int, int] | None = None

    def find(self, token: str) -> User | None:
        """The token's user, None for an unknown token."""
        found = self._known.get(token)
        if found is not None and self._stamp() == self._read_at:
            return found
        self._read_at = self._stamp()
        entries = read_tokens(self._state_dir)
        self._known = {
            key: with_implied_groups(entry["user"], entry["groups"]) for key, entry in entries.items()
        }
        return self._known.get(token)

    def _stamp(self) -> tuple[int, int] | None:
        file = self._state_dir / TOKENS_FILE
        if not file.exists():
            return None
        found = file.stat()
        return found.st_mtime_ns, found.st_ino
