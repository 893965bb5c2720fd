"""A pipeline that has been checked. Times are whole seconds, CPU is millicores, memory is bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

Event = Literal["push", "tag", "pullRequest", "manual", "api"]
Combination = Mapping[str, str]
"""One value for each dimension of a matrix, in the order of the dimensions."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What a step may use; its request equals its limit. None: not said."""

    cpu_millicores: int | None = None
    memory_bytes: int | None = None
    storage_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class SecretReference:
    """One key of a Secret, as either the variable `env_var` or a `file` under /c8s/secrets."""

    secret_ref: str
    key: str
    env_var: str | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Conditional:
    """When a step runs: on branches matching the glob `branch`; after success only, or whatever happened."""

    branch: str | None = None
    on_success: bool = True


@dataclass(frozen=True, slots=True)
class Checkout:
    """How the commit gets into the workspace; `depth` 0 is the whole history."""

    depth: int = 1


@dataclass(frozen=True, slots=True)
class Step:
    """One step before the matrix is expanded. `image`, `commands` and `env` may hold expressions."""

    name: str
    image: str
    commands: tuple[str, ...]
    depends_on: tuple[str, ...] = ()
    resources: Resources = Resources()
    timeout_seconds: int | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[SecretReference, ...] = ()
    conditional: Conditional = Conditional()
    checkout: Checkout | None = Checkout()
    run_as_root: bool = False


@dataclass(frozen=True, slots=True)
class Matrix:
    """The dimensions in the order of the file, what is taken away, what is added."""

    dimensions: Mapping[str, tuple[str, ...]]
    exclude: tuple[Combination, ...] = ()
    include: tuple[Combination, ...] = ()


@dataclass(frozen=True, slots=True)
class PushTrigger:
    """Globs of branches and tags. Both None: every push; one given: pushes of the other kind don't count."""

    branches: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class PullRequestTrigger:
    """Globs of the branch that a pull request would change; None: any."""

    branches: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Triggers:
    """What starts a run; None: never. The default holds without `on`. `manual` covers the API as well."""

    push: PushTrigger | None = PushTrigger()
    pull_request: PullRequestTrigger | None = PullRequestTrigger()
    manual: bool = True


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A whole pipeline; `steps` in the order of the file, which means nothing to the planner."""

    name: str
    steps: tuple[Step, ...]
    triggers: Triggers = Triggers()
    env: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: int | None = None
    matrix: Matrix | None = None


@dataclass(frozen=True, slots=True)
class EventFacts:
    """What a run was started by and for. `base` is the branch that a pull request would change."""

    event: Event
    commit: str = ""
    branch: str | None = None
    tag: str | None = None
    base: str | None = None
    repository: str = ""
    from_fork: bool = False


class StepOutcome(StrEnum):
    """How a step that others depend on has ended, all its instances together."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"
    SKIPPED = "Skipped"
    SKIPPED_AFTER_FAILURE = "SkippedAfterFailure"


@dataclass(frozen=True, slots=True)
class Decision:
    """A yes or no, with one word for programs and a sentence for people."""

    holds: bool
    reason: str
    message: str
