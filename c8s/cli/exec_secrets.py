"""The secrets of `c8s exec`: read from a file, checked against the pipeline before anything starts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from c8s.adapters.cluster import SECRETS, Cluster
from c8s.cli.errors import UsageError
from c8s.pipeline.model import Pipeline

MAX_FILE_BYTES = 1024 * 1024
FORM = "it should say {secret name: {key: value}}"

SecretValues = Mapping[str, Mapping[str, str]]
"""Secret name → key → value."""


def read_secrets(file: Path | None) -> SecretValues:
    """Raises `UsageError`, with no value in its words."""
    if file is None:
        return {}
    try:
        with file.open("rb") as stream:
            text = stream.read(MAX_FILE_BYTES + 1)
        document = yaml.safe_load(text) if len(text) <= MAX_FILE_BYTES else None
    except (OSError, yaml.YAMLError):
        raise UsageError(f"{file} can't be read", FORM) from None
    if not isinstance(document, dict) or not all(isinstance(keys, dict) for keys in document.values()):
        raise UsageError(f"{file} does not have the form of secrets", FORM)
    return {str(name): {str(key): str(keys[key]) for key in keys} for name, keys in document.items()}


def check_secrets(pipeline: Pipeline, secrets: SecretValues) -> None:
    """Say at once which secrets are missing, rather than let a pod wait for them. Raises `UsageError`."""
    wanted = {(secret.secret_ref, secret.key) for step in pipeline.steps for secret in step.secrets}
    missing = sorted(f"{name}/{key}" for name, key in wanted if key not in secrets.get(name, {}))
    if missing:
        raise UsageError(
            f"the pipeline needs secrets that are not given: {', '.join(missing)}",
            "write them to a file outside the repository, {secret name: {key: value}}; add --secrets FILE",
        )


def store_secrets(cluster: Cluster, namespace: str, secrets: SecretValues, labels: Mapping[str, str]) -> None:
    for name, values in secrets.items():
        metadata = {"name": name, "namespace": namespace, "labels": dict(labels)}
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": dict(values)}
        cluster.create(SECRETS, body, namespace)
