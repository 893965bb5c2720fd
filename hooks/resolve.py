"""Finds the pipeline of a new PipelineRun and freezes it on the run, once. A DecoratorController's hook.

The pipeline is read from the repository's file by git, from the PipelineConfig, or from the run itself. Where
it can't be had, the annotation `c8s.dev/resolve-problem` says why, and `pipelinerun` fails the run with it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Protocol

from c8s.adapters.git import (
    Credentials,
    FetchedFile,
    GitError,
    RepositoryUnreachable,
    Revision,
    parse_repository_url,
    parse_secret,
)
from c8s.pipeline.model import Pipeline
from c8s.pipeline.parse import parse_document, parse_pipeline
from c8s.run.errors import MalformedObject
from c8s.run.frozen import is_full_commit, sign_frozen
from c8s.run.labels import FROZEN, FROZEN_SIGNATURE, RESOLVE_PROBLEM
from c8s.run.observed_run import ObservedRun, observe_run
from c8s.run.reading import Json, read_mapping, read_text
from c8s.run.reasons import INVALID_RUN
from c8s.run.times import seconds_until
from hooks.resolving.freezing import build_frozen, check_images, check_triggers, require_pipeline
from hooks.resolving.outcome import NotYet, Unresolved
from hooks.resolving.request import Related, ResolveRequest, find_secret, name_of, observe_request

RETRY_SECONDS = 5
LOST_WRITE_SECONDS = 2
GIVE_UP_SECONDS = 60
"""Counted from the run's creation: how long a server or an object may be missing."""

Response = dict[str, Any]


class Git(Protocol):
    """What is needed of `c8s.adapters.git`."""

    def fetch_file(
        self,
        repository: str,
        path: str,
        revision: Revision,
        *,
        credentials: Credentials | None,
        allowed_hosts: Collection[str],
    ) -> FetchedFile: ...

    def resolve_commit(
        self,
        repository: str,
        revision: Revision,
        *,
        credentials: Credentials | None,
        allowed_hosts: Collection[str],
    ) -> str: ...


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
            "labelSelector": {"matchLabels": {"c8s.dev/git-credentials": "true"}},
        }
    ]
    for reference, resource in _REFERENCES.items():
        if name_of(spec, reference):
            rules.append(_build_rule(resource, namespace, name_of(spec, reference)))
    return {"relatedResources": rules}


_REFERENCES = {"repositoryConnectionRef": "repositoryconnections", "pipelineConfigRef": "pipelineconfigs"}


def _build_rule(resource: str, namespace: str, name: str) -> Response:
    return {"apiVersion": "c8s.dev/v1alpha1", "resource": resource, "namespace": namespace, "names": [name]}


def sync_resolve(request: Json, *, git: Git, settings: ResolveSettings, now: datetime) -> Response:
    """Answer with the annotations that freeze the run or say why it can't be. A frozen run stays as it is.

    Trouble that may pass leaves the run as it is for up to `GIVE_UP_SECONDS` after its creation.
    """
    document = read_mapping(request, "object")
    related = read_mapping(request, "related")
    try:
        run = observe_run(document)
        if _is_settled(run):
            return _annotate({})
        wanted = observe_request(run, read_mapping(document, "spec"), related)
        return _once_more(_annotate(_freeze(wanted, related, git, settings)))
    except NotYet as trouble:
        if _is_young(document, now):
            return _annotate({}) | {"resyncAfterSeconds": RETRY_SECONDS}
        return _report_problem(trouble)
    except Unresolved as trouble:
        return _report_problem(trouble)
    except MalformedObject as error:
        return _report_problem(Unresolved(INVALID_RUN, str(error)))


def _annotate(annotations: dict[str, str]) -> Response:
    return {"labels": {}, "annotations": annotations, "attachments": []}


def _once_more(answer: Response) -> Response:
    """Ask to be called again, which does not happen once the annotations are there.

    Metacontroller writes them with the run as its cache has it, and drops them without a word where that is
    out of date (decorator/controller.go, "ignoring update due to outdated resourceVersion").
    """
    return answer | {"resyncAfterSeconds": LOST_WRITE_SECONDS}


def _report_problem(trouble: Unresolved) -> Response:
    problem = {"reason": trouble.reason, "message": trouble.message}
    return _once_more(_annotate({RESOLVE_PROBLEM: json.dumps(problem, ensure_ascii=False)}))


def _is_settled(run: ObservedRun) -> bool:
    """Whether nothing is left to resolve, as for an inline pipeline with its source and commit."""
    complete = run.inline is not None and is_full_commit(run.commit)
    ended = run.is_terminal or run.is_archived or run.is_deleting or run.is_cancelled
    return ended or complete or bool(run.frozen_text) or run.resolve_problem is not None


def _is_young(document: Json, now: datetime) -> bool:
    created_at = read_text(read_mapping(document, "metadata"), "creationTimestamp")
    return not created_at or seconds_until(created_at, now) > -GIVE_UP_SECONDS


def _freeze(wanted: ResolveRequest, related: Related, git: Git, settings: ResolveSettings) -> dict[str, str]:
    allowed_hosts = (*settings.allowed_hosts, *wanted.code.allowed_hosts)
    try:
        pipeline, commit = _Reader(wanted, related, git, allowed_hosts).read()
    except RepositoryUnreachable as error:
        raise NotYet(error.reason, str(error)) from error
    except GitError as error:
        raise Unresolved(error.reason, str(error)) from error
    check_triggers(pipeline, wanted.run, wanted.origin.branches)
    check_images(wanted, pipeline, commit)
    text = build_frozen(wanted, pipeline, commit, allowed_hosts)
    run = wanted.run
    signature = sign_frozen(settings.freeze_keys[0], run.namespace, run.name, run.uid, text)
    return {FROZEN: text, FROZEN_SIGNATURE: signature}


class _Reader:
    """Reads the pipeline and the commit of one run."""

    def __init__(
        self, wanted: ResolveRequest, related: Related, git: Git, allowed_hosts: Sequence[str]
    ) -> None:
        self.run = wanted.run
        self.origin = wanted.origin
        self.code = wanted.code
        self.related = related
        self.git = git
        self.allowed_hosts = allowed_hosts

    def read(self) -> tuple[Pipeline, str]:
        """The checked pipeline and the full commit. Raises `Unresolved` or a `GitError`."""
        if self.code.repository:
            parse_repository_url(self.code.repository, self.allowed_hosts)
        if self.origin.document is None:
            return self._read_file()
        result = parse_document(dict(self.origin.document), f"{self.origin.kind} {self.origin.name}")
        pipeline = require_pipeline(result)
        return pipeline, self._find_commit(pipeline)

    def _read_file(self) -> tuple[Pipeline, str]:
        """The file at the run's commit; of a fork's pull request the file of the branch it would change."""
        if not self.code.repository:
            raise Unresolved("NoRepository", "name a RepositoryConnection, or a repository in spec.source")
        from_fork = self.run.from_fork
        revision = Revision(branch=self._base()) if from_fork else self._revision()
        fetched = self.git.fetch_file(
            self.code.repository,
            self.origin.name,
            revision,
            credentials=self._credentials(),
            allowed_hosts=self.allowed_hosts,
        )
        pipeline = require_pipeline(parse_pipeline(fetched.content, self.origin.name))
        return pipeline, self._require_full_commit() if from_fork else fetched.commit

    def _find_commit(self, pipeline: Pipeline) -> str:
        if is_full_commit(self._commit()):
            return self._commit()
        if self.run.from_fork:
            return self._require_full_commit()
        if self.code.repository:
            return self.git.resolve_commit(
                self.code.repository,
                self._revision(),
                credentials=self._credentials(),
                allowed_hosts=self.allowed_hosts,
            )
        if any(step.checkout for step in pipeline.steps):
            raise Unresolved(
                "NoRepository",
                "name a RepositoryConnection or a spec.source, or give every step checkout: false",
            )
        return ""

    def _require_full_commit(self) -> str:
        """A fork's commit lies on no branch of ours, so a shortened one can't be completed."""
        if not is_full_commit(self._commit()):
            raise Unresolved("BadRef", "a run for a fork's pull request needs all 40 digits of its commit")
        return self._commit()

    def _commit(self) -> str:
        return self.run.commit.lower()

    def _revision(self) -> Revision:
        return Revision(commit=self._commit(), branch=self.run.branch, tag=self.run.tag)

    def _base(self) -> str:
        return self.run.pull_request.base if self.run.pull_request else ""

    def _credentials(self) -> Credentials | None:
        if not self.code.auth_secret:
            return None
        return parse_secret(find_secret(self.related, self.run.namespace, self.code.auth_secret))
