"""Secrets and ConfigMaps a pod names, read once per start of a container."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field

from c8s.adapters.cluster import (
    CONFIG_MAPS,
    PERSISTENT_VOLUME_CLAIMS,
    SECRETS,
    Cluster,
    NotFound,
    Object,
)


class NodeError(Exception):
    """What keeps the node from running a pod.

    NodeError
    ├── ConfigError         the pod names something that isn't there (retried)
    ├── VolumeError         a volume can't be made (retried)
    └── ImageUnavailable    the image can't be had (retried)
    """


class ConfigError(NodeError): ...


class VolumeError(NodeError): ...


class ImageUnavailable(NodeError): ...


@dataclass(slots=True)
class References:
    """The data of a namespace's Secrets and ConfigMaps, by name; each is fetched once."""

    cluster: Cluster
    namespace: str
    _found: dict[tuple[str, str], dict[str, bytes] | None] = field(default_factory=dict)

    def secret(self, name: str) -> dict[str, bytes] | None:
        """The decoded data; None when there is no such Secret."""
        return self._get("secret", name)

    def config_map(self, name: str) -> dict[str, bytes] | None:
        return self._get("configmap", name)

    def claimed_volume(self, name: str) -> str:
        """The name of the PersistentVolume a claim is bound to. Raises ConfigError."""
        try:
            claim = self.cluster.get(PERSISTENT_VOLUME_CLAIMS, name, self.namespace)
        except NotFound as error:
            raise ConfigError(f'persistentvolumeclaim "{name}" not found') from error
        volume = claim["spec"].get("volumeName")
        if not volume:
            raise ConfigError(f'persistentvolumeclaim "{name}" is not bound')
        return str(volume)

    def _get(self, kind: str, name: str) -> dict[str, bytes] | None:
        key = (kind, name)
        if key not in self._found:
            resource = SECRETS if kind == "secret" else CONFIG_MAPS
            try:
                found = self.cluster.get(resource, name, self.namespace)
            except NotFound:
                self._found[key] = None
            else:
                self._found[key] = _secret_data(found) if kind == "secret" else _config_map_data(found)
        return self._found[key]


def _secret_data(secret: Object) -> dict[str, bytes]:
    try:
        return {key: base64.b64decode(text) for key, text in (secret.get("data") or {}).items()}
    except binascii.Error as error:
        raise ConfigError(f'secret "{secret["metadata"]["name"]}" is not base64') from error


def _config_map_data(config_map: Object) -> dict[str, bytes]:
    binary = {key: base64.b64decode(text) for key, text in (config_map.get("binaryData") or {}).items()}
    return {key: text.encode() for key, text in (config_map.get("data") or {}).items()} | binary
