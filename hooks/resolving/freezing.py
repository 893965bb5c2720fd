"""A pipeline that was found, checked and turned into the text a run is frozen with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from c8s.pipeline.canonical import to_document
from c8s.pipeline.globs import BadGlobError, matches_any
from c8s.pipeline.model import EventFacts, Pipeline
from c8s.pipeline.parse import ParseResult
from c8s.pipeline.problems import Problem, render_text
from c8s.pipeline.triggers import matches_event
from c8s.run.frozen import FORMAT_VERSION
from c8s.run.instances import expand_instances
from c8s.run.observed_run import ObservedRun
from c8s.run.reading import read_flag, read_mapping, read_text
from c8s.run.reasons import IMAGE_NOT_ALLOWED, INVALID_PIPELINE, NOT_TRIGGERED
from c8s.run.rendering import UnrenderableStep, render_step
from hooks.resolving.facts import Found, build_run_facts, name_group
from hooks.resolving.outcome import Unresolved
from hooks.resolving.request import Origin, ResolveRequest
from hooks.resolving.rerun import OldRun, fit_reused

FROZEN_LIMIT_BYTES = 200 * 1024
MESSAGE_LIMIT_CHARACTERS = 8000


def require_pipeline(result: ParseResult) -> Pipeline:
    """The pipeline without problems. Raises `Unresolved` with as many of its problems as fit."""
    if result.pipeline is None:
        raise Unresolved(INVALID_PIPELINE, list_problems(result.problems))
    return result.pipeline


def list_problems(problems: Iterable[Problem]) -> str:
    """The problems as people read them, cut at a problem's end, with the number of those left out."""
    texts = [render_text([problem]) for problem in problems]
    listed = ""
    for number, text in enumerate(texts):
        if len(listed) + len(text) > MESSAGE_LIMIT_CHARACTERS:
            return f"{listed}and {len(texts) - number} more"
        listed += text
    return listed.rstrip("\n")


def check_triggers(
    pipeline: Pipeline,
    run: ObservedRun,
    branches: Sequence[str] | None,
    changed_paths: Sequence[str] | None = None,
) -> None:
    """Raises `Unresolved`, reason `NotTriggered`, when the run's event does not start this pipeline."""
    if run.event == "schedule":
        return
    base = run.pull_request.base if run.pull_request else None
    decision = matches_event(
        pipeline.triggers, run.event, run.branch or None, run.tag or None, base, changed_paths
    )
    if not decision.holds:
        raise Unresolved(decision.reason, decision.message)
    branch = {"push": run.branch, "pullRequest": base}.get(run.event)
    if branch and branches is not None and not _fits_any(branches, branch, "branches"):
        raise Unresolved(NOT_TRIGGERED, f'branch "{branch}" is not among those of the PipelineConfig')


def check_images(request: ResolveRequest, pipeline: Pipeline, facts: EventFacts) -> None:
    """Raises `Unresolved` for an image that the administrators don't allow for the repository.

    A step that can't be rendered yet, for want of an output, is looked at again by the planner.
    """
    globs = request.code.allowed_images
    if globs is None:
        return
    for instance in expand_instances(pipeline):
        with suppress(UnrenderableStep):
            for image in render_step(pipeline, instance, facts).images:
                if not _fits_any(globs, image, "allow.images"):
                    raise Unresolved(
                        IMAGE_NOT_ALLOWED,
                        f'step "{instance.name}" uses the image "{image}", which spec.allow.images of the '
                        "RepositoryConnection does not allow",
                    )


def _fits_any(globs: Sequence[str], text: str, field: str) -> bool:
    """Whether the text fits one of the globs; a lone `*` is any text, also one with slashes."""
    try:
        return "*" in globs or matches_any(globs, text)
    except BadGlobError as error:
        raise Unresolved("InvalidGlob", f"a glob in {field} can't be used: {error}") from error


def build_frozen(
    request: ResolveRequest, pipeline: Pipeline, found: Found, allowed_hosts: Sequence[str]
) -> dict[str, Any]:
    """What a run is frozen with, by docs/reference/data.md. Raises `Unresolved`.

    A run from a fork is not trusted: it gets no secret of any step and no root.
    """
    trusted = not request.run.from_fork
    document = {
        "version": FORMAT_VERSION,
        "pipeline": to_document(pipeline if trusted else _without_secrets(pipeline)),
        "source": _build_source(request, found.commit, allowed_hosts),
        "allow": _build_allow(request, request.code.allow_root and trusted),
        "trusted": trusted,
        "origin": _build_origin(request.origin),
    }
    if request.code.connection:
        document["connection"] = request.code.connection
    if found.params:
        document["params"] = dict(found.params)
    if found.changed_paths is not None:
        document["changedPaths"] = list(found.changed_paths)
    if pipeline.concurrency is not None:
        facts = build_run_facts(request, found)
        document["concurrency"] = name_group(pipeline.concurrency, facts, request.run.namespace)
    return document


def repeat_frozen(request: ResolveRequest, old: OldRun, allowed_hosts: Sequence[str]) -> dict[str, Any]:
    """What a rerun is frozen with: as the old run was, but for what is not allowed any more.

    Raises `Unresolved`, reason `RerunUntrusted`, where the code lies in another repository now.
    """
    document = {key: value for key, value in old.frozen.items() if key != "reuse"}
    was_root = read_flag(read_mapping(old.frozen, "allow"), "root")
    return {
        **document,
        "source": _repeat_source(request, old, allowed_hosts),
        "allow": _build_allow(request, was_root and request.code.allow_root),
    }


def _repeat_source(request: ResolveRequest, old: OldRun, allowed_hosts: Sequence[str]) -> dict[str, Any]:
    """The old run's source with today's credentials, and of its hosts those that are still allowed."""
    source = dict(read_mapping(old.frozen, "source"))
    if read_text(source, "repository") != request.code.repository:
        raise Unresolved(
            "RerunUntrusted",
            f'PipelineRun "{old.run.name}" had its code from another repository; start a new run',
        )
    if "allowedHosts" in source:
        source["allowedHosts"] = [host for host in source["allowedHosts"] if host in allowed_hosts]
    if source.pop("authSecretRef", None) and request.code.auth_secret:
        source["authSecretRef"] = {"name": request.code.auth_secret}
    return source


def _build_allow(request: ResolveRequest, root: bool) -> dict[str, Any]:
    images = request.code.allowed_images
    return {"root": root} if images is None else {"root": root, "images": list(images)}


def add_reused(document: dict[str, Any], reused: Mapping[str, Any], pipeline: Pipeline) -> dict[str, Any]:
    """`document` with what is taken over from the old run, as far as there is room for it."""
    room = FROZEN_LIMIT_BYTES - len(render_frozen(document).encode()) - len(',"reuse":{}')
    fitting = fit_reused(reused, pipeline, room)
    return {**document, "reuse": fitting} if fitting else document


def render_frozen(document: Mapping[str, Any]) -> str:
    """The text to be signed. Raises `Unresolved` when it is too large for an annotation."""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    if len(text.encode()) > FROZEN_LIMIT_BYTES:
        raise Unresolved(
            "PipelineTooLarge",
            f"the pipeline has more than {FROZEN_LIMIT_BYTES // 1024} KiB; move long commands into scripts",
        )
    return text


def _without_secrets(pipeline: Pipeline) -> Pipeline:
    ordinary = tuple(replace(step, secrets=()) for step in pipeline.steps)
    final = tuple(replace(step, secrets=()) for step in pipeline.final_steps)
    return replace(pipeline, steps=ordinary, final_steps=final)


def _build_source(request: ResolveRequest, commit: str, allowed_hosts: Sequence[str]) -> dict[str, object]:
    source: dict[str, object] = {"commit": commit, "allowedHosts": list(allowed_hosts)}
    if request.code.repository:
        source["repository"] = request.code.repository
    if request.code.auth_secret:
        source["authSecretRef"] = {"name": request.code.auth_secret}
    return source


def _build_origin(origin: Origin) -> dict[str, str]:
    return {"kind": origin.kind, "name": origin.name}
