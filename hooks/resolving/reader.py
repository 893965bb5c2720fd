"""Reads the pipeline of one run, its commit and what changed, by git where need be."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from c8s.adapters.git import (
    Change,
    Credentials,
    FetchedFile,
    GitError,
    Revision,
    parse_repository_url,
    parse_secret,
)
from c8s.pipeline.model import Pipeline
from c8s.pipeline.parse import parse_document, parse_pipeline
from c8s.run.frozen import is_full_commit
from hooks.resolving.facts import asks_for_paths
from hooks.resolving.freezing import require_pipeline
from hooks.resolving.outcome import Unresolved
from hooks.resolving.request import Related, ResolveRequest, find_secret


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

    def find_changed_paths(
        self,
        repository: str,
        change: Change,
        *,
        credentials: Credentials | None,
        allowed_hosts: Collection[str],
    ) -> tuple[str, ...] | None: ...


class Reader:
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

    def find_changed_paths(self, pipeline: Pipeline, commit: str, before: str) -> tuple[str, ...] | None:
        """What the event changed, where the pipeline asks for it; None where nobody can tell."""
        is_asked_for = self.run.event in ("push", "pullRequest") and asks_for_paths(pipeline)
        if not is_asked_for or not self.code.repository or not is_full_commit(commit):
            return None
        change = Change(commit, before.lower(), since_fork=self.run.event == "pullRequest")
        try:
            return self.git.find_changed_paths(
                self.code.repository,
                change,
                credentials=self._credentials(),
                allowed_hosts=self.allowed_hosts,
            )
        except GitError:
            return None

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
