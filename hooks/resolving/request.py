"""What a PipelineRun and the objects it names say about its pipeline and its code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from c8s.run.observed_run import ObservedRun
from c8s.run.reading import Json, read_flag, read_list, read_mapping, read_text
from hooks.resolving.outcome import NotYet

CONNECTIONS = "RepositoryConnection.c8s.dev/v1alpha1"
CONFIGS = "PipelineConfig.c8s.dev/v1alpha1"
SECRETS = "Secret.v1"

DEFAULT_PATH = ".c8s.yaml"

_NOT_LANGUAGE = frozenset({"repository", "branches", "source", "path", "authSecretRef", "history"})
"""Fields of a PipelineConfig that are not part of the pipeline's document."""

Related = Mapping[str, Mapping[str, Any]]
"""Metacontroller's related objects: `Kind.group/version` → `namespace/name` → object."""


@dataclass(frozen=True, slots=True)
class Code:
    """Where the code of a run lies, and what its administrators allow there."""

    repository: str = ""
    auth_secret: str = ""
    connection: str = ""
    allow_root: bool = False
    allowed_images: tuple[str, ...] | None = None
    """Globs; None: any image."""
    allowed_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a run's pipeline is written: in a file at `path`, or in `document`."""

    kind: Literal["file", "config", "inline"]
    name: str
    document: Json | None = None
    branches: tuple[str, ...] | None = None
    """Globs of the branches that a PipelineConfig is for; None: all of them."""


@dataclass(frozen=True, slots=True)
class ResolveRequest:
    run: ObservedRun
    origin: Origin
    code: Code


def observe_request(run: ObservedRun, spec: Json, related: Related) -> ResolveRequest:
    """Read what the run names in its `spec`. Raises `Unresolved`, or `MalformedObject` for a wrong shape."""
    config = _find_named(related, CONFIGS, "PipelineConfig", run, spec, "pipelineConfigRef")
    connection = _find_named(
        related, CONNECTIONS, "RepositoryConnection", run, spec, "repositoryConnectionRef"
    )
    return ResolveRequest(run, _observe_origin(spec, config), _observe_code(spec, config, connection))


def find_secret(related: Related, namespace: str, name: str) -> Json:
    """The Secret with git credentials, if the hook may see it. Raises `NotYet`."""
    secret: Json | None = related.get(SECRETS, {}).get(f"{namespace}/{name}")
    if secret is None:
        raise NotYet(
            "SecretNotFound",
            f'namespace "{namespace}" has no Secret "{name}" with the label c8s.dev/git-credentials=true',
        )
    return secret


def name_of(spec: Json, reference: str) -> str:
    """The name that `spec` has under a field such as `pipelineConfigRef`, or nothing."""
    return read_text(read_mapping(spec, reference), "name")


def _find_named(
    related: Related, group: str, kind: str, run: ObservedRun, spec: Json, reference: str
) -> Json | None:
    """The spec of the object that the run names. Raises `NotYet` where it is not there."""
    name = name_of(spec, reference)
    if not name:
        return None
    found = related.get(group, {}).get(f"{run.namespace}/{name}")
    if found is None:
        raise NotYet(f"{kind}NotFound", f'namespace "{run.namespace}" has no {kind} "{name}"')
    return read_mapping(found, "spec")


def _observe_origin(spec: Json, config: Json | None) -> Origin:
    inline = read_mapping(spec, "pipelineSpec")
    if inline:
        return Origin("inline", read_text(inline, "name") or "inline", inline)
    if config is None:
        return Origin("file", read_text(spec, "path") or DEFAULT_PATH)
    branches = read_list(config, "branches")
    if read_text(config, "source") == "repository":
        return Origin("file", read_text(config, "path") or DEFAULT_PATH, branches=branches)
    name = name_of(spec, "pipelineConfigRef")
    return Origin("config", name, read_language(config, name), branches)


def read_language(config: Json, name: str) -> dict[str, Any]:
    """The pipeline's document in the spec of the PipelineConfig `name`."""
    return {"name": name} | {key: value for key, value in config.items() if key not in _NOT_LANGUAGE}


def _observe_code(spec: Json, config: Json | None, connection: Json | None) -> Code:
    """The connection's repository counts first, then the run's own `source`, then the PipelineConfig's."""
    if connection is not None:
        allow = read_mapping(connection, "allow")
        return Code(
            read_text(connection, "repository"),
            name_of(connection, "authSecretRef"),
            name_of(spec, "repositoryConnectionRef"),
            allow_root=read_flag(allow, "root"),
            allowed_images=read_list(allow, "images"),
            allowed_hosts=read_list(allow, "hosts") or (),
        )
    source = read_mapping(spec, "source")
    if source:
        return Code(read_text(source, "repository"), name_of(source, "authSecretRef"))
    if config is not None:
        return Code(read_text(config, "repository"), name_of(config, "authSecretRef"))
    return Code()
