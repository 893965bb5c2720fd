"""PipelineRuns as the webhook and the API make them: names, labels, bounded text."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from c8s.adapters.cluster import PIPELINE_RUNS, Object
from c8s.run.labels import CONFIG_LABEL, CONNECTION_LABEL
from c8s.run.labels import PIPELINE_LABEL as PIPELINE_LABEL
from c8s.run.names import name_pipeline_label

DEFAULT_PATH = ".c8s.yaml"
LABEL_CHARACTERS = 63
MESSAGE_CHARACTERS = 200


def name_pipeline(spec: Mapping[str, Any]) -> str:
    """A DNS-safe name of at most 40 characters: the PipelineConfig's, the document's, or the file's."""
    name = (spec.get("pipelineConfigRef") or {}).get("name") or (spec.get("pipelineSpec") or {}).get("name")
    if not name and "pipelineSpec" not in spec:
        connection = str((spec.get("repositoryConnectionRef") or {}).get("name") or "")
        name = _name_file(connection, str(spec.get("path") or DEFAULT_PATH))
    return name_pipeline_label(str(name or "")) or "pipeline"


def _name_file(connection: str, path: str) -> str:
    """The connection's name for its default file, with the file's stem for another."""
    if connection and path == DEFAULT_PATH:
        return connection
    stem = PurePosixPath(path).name.lstrip(".").partition(".")[0]
    return f"{connection}-{stem}"


def name_delivered_run(pipeline: str, connection_uid: str, delivery: str, path: str) -> str:
    """The name that makes a delivery's run exist once, however often it is delivered."""
    digest = hashlib.sha256("\n".join((connection_uid, delivery, path)).encode()).hexdigest()
    return f"{pipeline}-{digest[:10]}"


def build_run(name: str, namespace: str, spec: Mapping[str, Any]) -> Object:
    """The PipelineRun to create, labelled with its pipeline, and its connection and PipelineConfig if any."""
    labels = {PIPELINE_LABEL: name_pipeline(spec)}
    connection = str((spec.get("repositoryConnectionRef") or {}).get("name") or "")
    config = str((spec.get("pipelineConfigRef") or {}).get("name") or "")
    for label, value in ((CONNECTION_LABEL, connection), (CONFIG_LABEL, config)):
        if value and len(value) <= LABEL_CHARACTERS:
            labels[label] = value
    return {
        "apiVersion": PIPELINE_RUNS.api_version,
        "kind": PIPELINE_RUNS.kind,
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": dict(spec),
    }


def shorten_message(text: str, characters: int = MESSAGE_CHARACTERS) -> str:
    """The first line of `text` without control and direction characters, cut to so many characters."""
    line = next(iter(text.splitlines()), "")
    # Cc: control; Cf: direction overrides and other invisible marks that make a text look like another.
    visible = "".join(char for char in line if unicodedata.category(char) not in ("Cc", "Cf", "Cs"))
    return visible if len(visible) <= characters else visible[: characters - 1] + "…"
