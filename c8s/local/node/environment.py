"""The environment variables of a container."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from c8s.adapters.cluster import Object
from c8s.local.node.expansion import expand
from c8s.local.node.references import ConfigError, References

_KEYED_FIELD = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")


def build_environment(container: Mapping[str, Any], pod: Object, references: References) -> dict[str, str]:
    """`envFrom`, then `env` in its order, each seeing those before it.

    Raises ConfigError, worded as the kubelet does.
    """
    values: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        values |= _read_all_keys(source, references)
    for variable in container.get("env") or []:
        if source := variable.get("valueFrom"):
            value = _read_source(source, pod, references)
        else:
            value = expand(variable.get("value") or "", values)
        if value is not None:
            values[variable["name"]] = value
    return values


def _read_all_keys(source: Mapping[str, Any], references: References) -> dict[str, str]:
    kind = "secret" if "secretRef" in source else "configmap"
    reference = source.get("secretRef") or source.get("configMapRef") or {}
    data = read_object(kind, reference, references)
    prefix = source.get("prefix") or ""
    return {prefix + key: value.decode(errors="replace") for key, value in (data or {}).items()}


def _read_source(source: Mapping[str, Any], pod: Object, references: References) -> str | None:
    """The value; None where an optional one is missing and the variable is left out."""
    if "fieldRef" in source:
        return read_field(pod, source["fieldRef"]["fieldPath"])
    for kind, name in (("secret", "secretKeyRef"), ("configmap", "configMapKeyRef")):
        if name in source:
            return _read_key(kind, source[name], references)
    raise ConfigError(f"unsupported valueFrom: {', '.join(sorted(source))}")


def _read_key(kind: str, reference: Mapping[str, Any], references: References) -> str | None:
    data = read_object(kind, reference, references)
    if data is None or reference["key"] not in data:
        if reference.get("optional"):
            return None
        title = "Secret" if kind == "secret" else "ConfigMap"
        raise ConfigError(
            f"couldn't find key {reference['key']} in {title} {references.namespace}/{reference['name']}"
        )
    return data[reference["key"]].decode(errors="replace")


def read_object(kind: str, reference: Mapping[str, Any], references: References) -> dict[str, bytes] | None:
    """All data of a Secret or ConfigMap; None where it is optional and missing."""
    name = reference.get("name") or reference.get("secretName") or ""
    data = references.secret(name) if kind == "secret" else references.config_map(name)
    if data is None and not reference.get("optional"):
        raise ConfigError(f'{kind} "{name}" not found')
    return data


def read_field(pod: Object, path: str) -> str:
    """A field of the pod as the downward API gives it. Raises ConfigError."""
    if match := _KEYED_FIELD.fullmatch(path):
        return str((pod["metadata"].get(match[1]) or {}).get(match[2], ""))
    if path in ("metadata.labels", "metadata.annotations"):
        entries = pod["metadata"].get(path.removeprefix("metadata.")) or {}
        return "\n".join(f'{key}="{value}"' for key, value in sorted(entries.items()))
    values = {
        "metadata.name": pod["metadata"]["name"],
        "metadata.namespace": pod["metadata"].get("namespace", ""),
        "metadata.uid": pod["metadata"]["uid"],
        "spec.nodeName": pod["spec"].get("nodeName", ""),
        "spec.serviceAccountName": pod["spec"].get("serviceAccountName", "default"),
        "status.hostIP": "127.0.0.1",
        "status.podIP": "127.0.0.1",
    }
    if path not in values:
        raise ConfigError(f"unsupported fieldPath: {path}")
    return str(values[path])
