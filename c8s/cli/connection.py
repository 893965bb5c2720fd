"""Which c8s the verbs talk to: the command line says it, the environment, or a local cluster nearby."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from c8s.adapters.api_client import ApiClient
from c8s.cli.errors import UsageError
from c8s.local.state import NoLocalCluster, find_state, read_local_state


@dataclass(frozen=True, slots=True)
class Connection:
    """An API, the token for it, and the namespace meant where none is named."""

    url: str
    token: str
    namespace: str

    def client(self) -> ApiClient:
        return ApiClient(self.url, self.token)


def add_connection_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("connection")
    group.add_argument(
        "-n",
        "--namespace",
        help="namespace (default: $C8S_NAMESPACE, else the local cluster's, else default)",
    )
    group.add_argument(
        "--api-url", help="address of the API (default: $C8S_API_URL, else the local cluster's)"
    )
    group.add_argument(
        "--token-file",
        type=Path,
        help="file with the bearer token (default: $C8S_TOKEN, else the local cluster's)",
    )


def find_connection(
    arguments: argparse.Namespace, environment: Mapping[str, str], folder: Path
) -> Connection:
    """Raises `UsageError` when no c8s is named and none runs here."""
    local = _local_connection(folder)
    url = arguments.api_url or environment.get("C8S_API_URL") or (local.url if local else "")
    if not url:
        raise UsageError(
            "no c8s to talk to",
            "start one here with `c8s local up`, or name one with --api-url or C8S_API_URL",
        )
    token = _token(arguments, environment) or (local.token if local and local.url == url else "")
    if not token:
        raise UsageError(
            f"no token for {url}", "give one with --token-file or C8S_TOKEN; `kubectl create token` makes one"
        )
    namespace = (
        arguments.namespace or environment.get("C8S_NAMESPACE") or (local.namespace if local else "default")
    )
    return Connection(url, token, namespace)


def _token(arguments: argparse.Namespace, environment: Mapping[str, str]) -> str:
    if not arguments.token_file:
        return environment.get("C8S_TOKEN", "").strip()
    try:
        token: str = arguments.token_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the token can't be read from {arguments.token_file}: {error}") from error
    return token


def _local_connection(folder: Path) -> Connection | None:
    paths = find_state(folder)
    if paths is None:
        return None
    try:
        state = read_local_state(paths)
    except NoLocalCluster:
        return None
    return Connection(state.api_url, state.token, state.namespace)
