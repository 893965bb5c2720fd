"""The pipeline that a run was frozen with, and the signature that makes it trustworthy.

The text stands in an annotation that anyone who may edit the run may write, and it says whether root is
allowed and which Secret holds the git credentials. So c8s signs what it froze and believes nothing else.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from c8s.pipeline.model import EventFacts, Pipeline
from c8s.pipeline.parse import ParseResult, parse_document
from c8s.run.errors import MalformedObject, UnusablePipeline
from c8s.run.instances import StepInstance, expand_instances, sort_instances
from c8s.run.observed_run import ObservedRun, build_facts
from c8s.run.reading import (
    Json,
    parse_object,
    read_flag,
    read_list,
    read_mapping,
    read_text,
    read_texts,
    read_time,
)
from c8s.run.reasons import FROZEN_PIPELINE_UNTRUSTED, INVALID_PIPELINE

FORMAT_VERSION = 1
CACHED_PIPELINES = 256
LISTED_PROBLEMS = 5

_SIGNATURE_PREFIX = "v1="


@dataclass(frozen=True, slots=True)
class ReusedStep:
    """A step that succeeded in the run `run`; log and files lie where it really ran, at `uid` and `log`."""

    run: str
    uid: str
    log: str
    outputs: Mapping[str, str]
    has_artifacts: bool
    start_time: str
    completion_time: str


@dataclass(frozen=True, slots=True)
class FrozenPipeline:
    """Everything that decides what a run does; it never changes while the run lives."""

    pipeline: Pipeline
    instances: tuple[StepInstance, ...]
    order: tuple[StepInstance, ...]
    repository: str = ""
    commit: str = ""
    auth_secret: str = ""
    allowed_hosts: tuple[str, ...] = ()
    allow_root: bool = False
    allowed_images: tuple[str, ...] | None = None
    """Globs of the images that the administrators allow; None: any."""
    is_trusted: bool = False
    """False for a fork's pull request: it gets no secret and no root."""
    params: Mapping[str, str] = field(default_factory=dict)
    changed_paths: tuple[str, ...] | None = None
    group: str = ""
    """The concurrency group that the run belongs to; empty without one."""
    reused: Mapping[str, ReusedStep] = field(default_factory=dict)
    """What is taken over from an earlier run, by step instance."""


def sign_frozen(key: str, namespace: str, name: str, uid: str, text: str) -> str:
    """Return the signature of the frozen `text` of one run: `v1=` and hex HMAC-SHA256."""
    message = f"{namespace}/{name}/{uid}\n{text}".encode()
    return _SIGNATURE_PREFIX + hmac.new(key.encode(), message, hashlib.sha256).hexdigest()


def is_frozen_signed(
    keys: Sequence[str], namespace: str, name: str, uid: str, text: str, signature: str
) -> bool:
    """Say whether any of `keys` made `signature`; the time taken does not tell how much of it was right."""
    given = signature.encode()
    return any(
        hmac.compare_digest(sign_frozen(key, namespace, name, uid, text).encode(), given) for key in keys
    )


def find_pipeline(
    run: ObservedRun, keys: Sequence[str], allowed_hosts: tuple[str, ...]
) -> FrozenPipeline | None:
    """Return the run's pipeline, or None while it is not known yet.

    Raises UnusablePipeline where it can't be had, is not signed by one of `keys`, or has problems.
    `allowed_hosts` are the settings' and count for an inline pipeline; a frozen one brings its own.
    """
    if run.frozen_text:
        if not is_frozen_signed(
            keys, run.namespace, run.name, run.uid, run.frozen_text, run.frozen_signature
        ):
            raise UnusablePipeline(
                FROZEN_PIPELINE_UNTRUSTED,
                "the frozen pipeline of this run is not signed by c8s; was it edited? start a new run",
            )
        return _parse_frozen(run.frozen_text)
    if run.inline is not None and is_full_commit(run.commit):
        inline = run.inline
        text = json.dumps(inline.document, separators=(",", ":"))
        is_trusted = not run.from_fork
        return _parse_inline(
            text, inline.repository, run.commit, inline.auth_secret, allowed_hosts, is_trusted
        )
    if run.resolve_problem is not None:
        raise UnusablePipeline(run.resolve_problem.reason, run.resolve_problem.message)
    return None


def build_run_facts(run: ObservedRun, frozen: FrozenPipeline) -> EventFacts:
    """Return what the language may know of a run whose pipeline is frozen."""
    return build_facts(run, frozen.commit, frozen.repository, frozen.params, frozen.changed_paths)


def is_full_commit(commit: str) -> bool:
    """Say whether `commit` is a whole SHA: 40 hex digits."""
    return len(commit) == 40 and all(digit in "0123456789abcdef" for digit in commit)


@lru_cache(maxsize=CACHED_PIPELINES)
def _parse_frozen(text: str) -> FrozenPipeline:
    try:
        document = parse_object(text, "the frozen pipeline")
        if document.get("version") != FORMAT_VERSION:
            raise MalformedObject("the frozen pipeline has a version that this c8s does not know")
        return _read_frozen(document)
    except MalformedObject as error:
        raise UnusablePipeline(INVALID_PIPELINE, str(error)) from error


@lru_cache(maxsize=CACHED_PIPELINES)
def _parse_inline(
    text: str,
    repository: str,
    commit: str,
    auth_secret: str,
    allowed_hosts: tuple[str, ...],
    is_trusted: bool,
) -> FrozenPipeline:
    frozen = _freeze(json.loads(text), "spec.pipelineSpec")
    return replace(
        frozen,
        repository=repository,
        commit=commit,
        auth_secret=auth_secret,
        allowed_hosts=allowed_hosts,
        is_trusted=is_trusted,
    )


def _read_frozen(document: Json) -> FrozenPipeline:
    source = read_mapping(document, "source")
    is_trusted = read_flag(document, "trusted")
    return replace(
        _freeze(read_mapping(document, "pipeline"), "the frozen pipeline"),
        repository=read_text(source, "repository"),
        commit=read_text(source, "commit"),
        auth_secret=read_text(read_mapping(source, "authSecretRef"), "name"),
        allowed_hosts=_read_hosts(source),
        allow_root=is_trusted and read_flag(read_mapping(document, "allow"), "root"),
        allowed_images=read_list(read_mapping(document, "allow"), "images"),
        is_trusted=is_trusted,
        params=read_texts(document, "params"),
        changed_paths=read_list(document, "changedPaths"),
        group=read_text(read_mapping(document, "concurrency"), "group"),
        reused={name: _read_reused(one) for name, one in read_mapping(document, "reuse").items()},
    )


def _read_reused(entry: object) -> ReusedStep:
    if not isinstance(entry, dict):
        raise MalformedObject("a reused step is not an object")
    return ReusedStep(
        run=read_text(entry, "run"),
        uid=read_text(entry, "uid"),
        log=read_text(entry, "log"),
        outputs=read_texts(entry, "outputs"),
        has_artifacts=read_flag(entry, "artifacts"),
        start_time=read_time(entry, "startTime"),
        completion_time=read_time(entry, "completionTime"),
    )


def _freeze(document: Json, origin: str) -> FrozenPipeline:
    """Check `document` and expand its matrix. Raises UnusablePipeline listing its problems."""
    result = parse_document(dict(document), origin)
    if result.pipeline is None:
        raise UnusablePipeline(INVALID_PIPELINE, _list_problems(result))
    instances = expand_instances(result.pipeline)
    return FrozenPipeline(result.pipeline, instances, sort_instances(instances))


def _read_hosts(source: Json) -> tuple[str, ...]:
    hosts = source.get("allowedHosts") or []
    if not isinstance(hosts, list) or not all(isinstance(host, str) for host in hosts):
        raise MalformedObject("allowedHosts is not a list of texts")
    return tuple(hosts)


def _list_problems(result: ParseResult) -> str:
    errors = [f"{one.path}: {one.message}" for one in result.problems if one.severity == "error"]
    more = len(errors) - LISTED_PROBLEMS
    listed = "; ".join(errors[:LISTED_PROBLEMS])
    return f"the pipeline has problems: {listed}" + (f"; and {more} more" if more > 0 else "")
