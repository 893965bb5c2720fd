"""The RepositoryConnections a delivery belongs to: same repository, and a secret its sender knows."""

from __future__ import annotations

import base64
import binascii
import logging
import re
from collections.abc import Collection, Iterator
from urllib.parse import urlsplit

from werkzeug.datastructures import Headers

from c8s.adapters.cluster import REPOSITORY_CONNECTIONS, SECRETS, Cluster, Forbidden, NotFound, Object
from c8s.web.logs import log_event
from webhook.delivery import Delivery, Forge

log = logging.getLogger("c8s.webhook")

SECRET_KEY = "webhook-secret"  # noqa: S105 - the key's name
# A shorter one can be guessed offline from a single delivery.
MIN_SECRET_BYTES = 16

_SCP_FORM = re.compile(r"(?:[^@/:]+@)?(?P<host>[^@/:]+):(?P<path>(?!//).+)")
_DEFAULT_PORTS = {"https": 443, "http": 80, "ssh": 22, "git": 9418}


def find_connections(
    cluster: Cluster, forge: Forge, delivery: Delivery, headers: Headers, body: bytes
) -> list[Object]:
    """The connections of the delivery's repository whose secret signed it. Raises `ClusterError`."""
    found = []
    for connection in _connections_of(cluster, forge.provider, delivery.repositories):
        secret = _fetch_secret(cluster, connection)
        if secret and forge.is_signed_with(secret, headers, body):
            found.append(connection)
    return found


def normalise_repository(address: str) -> str:
    """`host[:port]/path` in lower case, the same for the https, ssh and `git@host:path` forms; "" for none.

    Forges take paths in any case. Where one doesn't, the secret still decides.
    """
    text = address.strip()
    if "://" not in text:
        match = _SCP_FORM.fullmatch(text)
        text = f"ssh://{match['host']}/{match['path'].lstrip('/')}" if match else ""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return ""
    path = parts.path.strip("/").removesuffix(".git").rstrip("/")
    if not parts.hostname or not path:
        return ""
    place = parts.hostname if port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f"{parts.hostname}:{port}"
    return f"{place}/{path}".lower()


def _connections_of(cluster: Cluster, provider: str, repositories: Collection[str]) -> Iterator[Object]:
    wanted = {normalise_repository(address) for address in repositories} - {""}
    for connection in cluster.list(REPOSITORY_CONNECTIONS).items:
        spec = connection.get("spec") or {}
        is_provider = spec.get("provider", provider) == provider
        if is_provider and normalise_repository(str(spec.get("repository", ""))) in wanted:
            yield connection


def _fetch_secret(cluster: Cluster, connection: Object) -> bytes:
    """The webhook's secret, b"" when there is none that can be used: then nothing verifies."""
    metadata = connection["metadata"]
    name = (connection["spec"].get("webhookSecretRef") or {}).get("name", "")
    if not name:
        return _unusable(metadata, "spec.webhookSecretRef is not set")
    try:
        data = cluster.get(SECRETS, name, metadata["namespace"]).get("data") or {}
        secret = base64.b64decode(data.get(SECRET_KEY, ""), validate=True).strip(b"\r\n")
    except NotFound:
        return _unusable(metadata, "the Secret of spec.webhookSecretRef does not exist")
    except Forbidden:
        return _unusable(metadata, "the Secret of spec.webhookSecretRef may not be read by the webhook")
    except binascii.Error:
        return _unusable(metadata, f"the key {SECRET_KEY} is not base64")
    if len(secret) < MIN_SECRET_BYTES:
        return _unusable(metadata, f"the key {SECRET_KEY} has less than {MIN_SECRET_BYTES} bytes")
    return secret


def _unusable(metadata: Object, message: str) -> bytes:
    log_event(
        log,
        "connection has no usable webhook secret",
        level=logging.WARNING,
        namespace=metadata.get("namespace", ""),
        connection=metadata.get("name", ""),
        message=message,
    )
    return b""
