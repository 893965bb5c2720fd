"""Finds the pipeline of a new PipelineRun and freezes it on the run, once. A DecoratorController's hook.

The pipeline is read from the repository's file by git, from the PipelineConfig, or from the run itself. Where
it can't be had, the annotation `c8s.dev/resolve-problem` says why, and `pipelinerun` fails the run with it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Protocol

from c8s.adapters.git import GitError, RepositoryUnreachable
from c8s.run.errors import MalformedObject
from c8s.run.frozen import is_full_commit, sign_frozen
from c8s.run.labels import (
    CONCURRENCY,
    CONFIG_LABEL,
    FROZEN,
    FROZEN_SIGNATURE,
    GIT_CREDENTIALS_LABEL,
    RESOLVE_PROBLEM,
)
from c8s.run.observed_run import ObservedRun, observe_run
from c8s.run.reading import Json, read_mapping, read_text, read_texts
from c8s.run.reasons import INVALID_RUN
from c8s.run.times import seconds_until
from hooks.resolving.facts import Found, build_run_facts
from hooks.resolving.freezing import (
    add_reused,
    build_frozen,
    check_images,
    check_triggers,
    render_frozen,
    repeat_frozen,
)
from hooks.resolving.outcome import NotYet, Unresolved
from hooks.resolving.params import choose_params
from hooks.resolving.reader import Git, Reader
from hooks.resolving.request import Related, ResolveRequest, name_of, observe_request
from hooks.resolving.rerun import find_old_run, find_reused, name_old_run

RETRY_SECONDS = 5
LOST_WRITE_SECONDS = 2
GIVE_UP_SECONDS = 60
"""Counted from the run's creation: how long a server or an object may be missing."""

Response = dict[str, Any]


class ResolveSettings(Protocol):
    """What is needed of the hooks' settings."""

    @property
    def allowed_hosts(self) -> Sequence[str]: ...

    @property
    def freeze_keys(self) -> Sequence[str]: ...


def customize_resolve(request: Json) -> Response:
    """Ask for the objects that the run names in its spec, and for the git credentials of its namespace."""
    parent = read_mapping(request, "parent")
    namespace = read_text(read_mapping(parent, "metadata"), "namespace")
    spec = read_mapping(parent, "spec")
    rules: list[Response] = [
        {
            "apiVersion": "v1",
            "resource": "secrets",
            "namespace": namespace,
            "labelSelector": {"matchLabels": {GIT_CREDENTIALS_LABEL: "true"}},
        }
    ]
    for reference, resource in _REFERENCES.items():
        if name_of(spec, reference):
            rules.append(_build_rule(resource, namespace, name_of(spec, reference)))
    if name_old_run(spec):
        rules.append(_build_rule("pipelineruns", namespace, name_old_run(spec)))
    return {"relatedResources": rules}


_REFERENCES = {"repositoryConnectionRef": "repositoryconnections", "pipelineConfigRef": "pipelineconfigs"}


def _build_rule(resource: str, namespace: str, name: str) -> Response:
    return {"apiVersion": "c8s.dev/v1alpha1", "resource": resource, "namespace": namespace, "names": [name]}


def sync_resolve(request: Json, *, git: Git, settings: ResolveSettings, now: datetime) -> Response:
    """Answer with the annotations that freeze the run or say why it can't be. A frozen run stays as it is.

    Trouble that may pass leaves the run as it is for up to `GIVE_UP_SECONDS` after its creation.
    """
    document = read_mapping(request, "object")
    try:
        run = observe_run(document)
        if _is_settled(run):
            return _annotate({})
        frozen = _freeze(run, document, read_mapping(request, "related"), git, settings)
        return _once_more(_sign(run, frozen, settings) | {"labels": _label(document, frozen)})
    except NotYet as trouble:
        if _is_young(document, now):
            return _annotate({}) | {"resyncAfterSeconds": RETRY_SECONDS}
        return _report_problem(document, trouble)
    except Unresolved as trouble:
        return _report_problem(document, trouble)
    except MalformedObject as error:
        return _report_problem(document, Unresolved(INVALID_RUN, str(error)))


def _annotate(annotations: dict[str, str]) -> Response:
    return {"labels": {}, "annotations": annotations, "attachments": []}


def _once_more(answer: Response) -> Response:
    """Ask to be called again, which does not happen once the annotations are there.

    Metacontroller writes them with the run as its cache has it, and drops them without a word where that is
    out of date (decorator/controller.go, "ignoring update due to outdated resourceVersion").
    """
    return answer | {"resyncAfterSeconds": LOST_WRITE_SECONDS}


def _report_problem(document: Json, trouble: Unresolved) -> Response:
    problem = {"reason": trouble.reason, "message": trouble.message}
    answer = _annotate({RESOLVE_PROBLEM: json.dumps(problem, ensure_ascii=False)})
    return _once_more(answer | {"labels": _label(document, {})})


def _label(document: Json, frozen: Json) -> dict[str, str]:
    """Return the labels by which the other hooks find the run, as far as it does not bear them."""
    with suppress(MalformedObject):
        present = read_mapping(read_mapping(document, "metadata"), "labels")
        wanted = {
            CONFIG_LABEL: name_of(read_mapping(document, "spec"), "pipelineConfigRef"),
            CONCURRENCY: read_text(read_mapping(frozen, "concurrency"), "key"),
        }
        return {name: value for name, value in wanted.items() if value and present.get(name) != value}
    return {}


def _sign(run: ObservedRun, frozen: Json, settings: ResolveSettings) -> Response:
    text = render_frozen(frozen)
    signature = sign_frozen(settings.freeze_keys[0], run.namespace, run.name, run.uid, text)
    return _annotate({FROZEN: text, FROZEN_SIGNATURE: signature})


def _is_settled(run: ObservedRun) -> bool:
    """Whether nothing is left to resolve, as for an inline pipeline with its source and commit."""
    complete = run.inline is not None and is_full_commit(run.commit)
    ended = run.is_terminal or run.is_archived or run.is_deleting or run.is_cancelled
    return ended or complete or bool(run.frozen_text) or run.resolve_problem is not None


def _is_young(document: Json, now: datetime) -> bool:
    created_at = read_text(read_mapping(document, "metadata"), "creationTimestamp")
    return not created_at or seconds_until(created_at, now) > -GIVE_UP_SECONDS


def _freeze(
    run: ObservedRun, document: Json, related: Related, git: Git, settings: ResolveSettings
) -> dict[str, Any]:
    """Return what the run is frozen with. Raises `Unresolved`, or `MalformedObject`."""
    spec = read_mapping(document, "spec")
    wanted = observe_request(run, spec, related)
    allowed_hosts = (*settings.allowed_hosts, *wanted.code.allowed_hosts)
    old = find_old_run(run, spec, related, settings.freeze_keys) if name_old_run(spec) else None
    if old is not None and old.frozen:
        params = read_mapping(old.frozen, "params")
        check_images(wanted, old.pipeline, build_run_facts(wanted, Found(old.commit, params)))
        return add_reused(repeat_frozen(wanted, old, allowed_hosts), find_reused(old, spec), old.pipeline)
    frozen = _freeze_anew(wanted, spec, related, git, allowed_hosts)
    return add_reused(frozen, find_reused(old, spec), old.pipeline) if old else frozen


def _freeze_anew(
    wanted: ResolveRequest, spec: Json, related: Related, git: Git, allowed_hosts: Sequence[str]
) -> dict[str, Any]:
    reader = Reader(wanted, related, git, allowed_hosts)
    try:
        pipeline, commit = reader.read()
    except RepositoryUnreachable as error:
        raise NotYet(error.reason, str(error)) from error
    except GitError as error:
        raise Unresolved(error.reason, str(error)) from error
    params = choose_params(pipeline.parameters, read_texts(spec, "params"), wanted.run.event)
    found = Found(commit, params, reader.find_changed_paths(pipeline, commit, read_text(spec, "before")))
    check_triggers(pipeline, wanted.run, wanted.origin.branches, found.changed_paths)
    check_images(wanted, pipeline, build_run_facts(wanted, found))
    return build_frozen(wanted, pipeline, found, allowed_hosts)
