"""A pipeline that has been checked. Times are whole seconds, CPU is millicores, memory is bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

Event = Literal["push", "tag", "pullRequest", "manual", "api", "schedule"]
ArtifactsWhen = Literal["success", "failure", "always"]
OnNew = Literal["queue", "cancelPending", "cancelRunning"]
ParameterType = Literal["string", "number", "boolean", "choice"]
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
    """When a step runs: all that is said must hold.

    `branch`, `tag` and `paths` are globs, `events` the events it is for, `expression` is CEL (`if`). After
    success of what it depends on only, or whatever happened.
    """

    branch: str | None = None
    on_success: bool = True
    tag: str | None = None
    events: tuple[Event, ...] | None = None
    paths: tuple[str, ...] | None = None
    expression: str | None = None


@dataclass(frozen=True, slots=True)
class Checkout:
    """How the commit gets into the workspace; `depth` 0 is the whole history."""

    depth: int = 1
    submodules: bool = False
    lfs: bool = False


@dataclass(frozen=True, slots=True)
class Artifacts:
    """Files that are kept after the step: globs in the workspace. `junit` are globs of reports among them."""

    paths: tuple[str, ...]
    when: ArtifactsWhen = "success"
    expire_seconds: int | None = None
    junit: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cache:
    """Folders kept between runs under `key`, which may hold expressions and `checksum('file')`.

    `fallback_keys` are beginnings of keys, tried in their order. A path may begin with `~/`.
    """

    key: str
    paths: tuple[str, ...]
    fallback_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """A container beside the step, reached on localhost; the step starts once `ready_tcp` is open."""

    name: str
    image: str
    env: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    ready_tcp: int | None = None
    ready_timeout_seconds: int | None = None
    resources: Resources = Resources()


@dataclass(frozen=True, slots=True)
class Retry:
    """The user's own tries: up to `max` more after the first. `exit_codes`: of these only; empty: of any."""

    max: int
    exit_codes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Approval:
    """Who lets a run go on: names of users, and of groups as `group:NAME`; how many; within which time."""

    approvers: tuple[str, ...]
    required: int = 1
    timeout_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Matrix:
    """The dimensions in the order of the file, what is taken away, what is added.

    `fail_fast`: the first failure stops the other combinations. `max_parallel`: so many at once; None: all.
    """

    dimensions: Mapping[str, tuple[str, ...]]
    exclude: tuple[Combination, ...] = ()
    include: tuple[Combination, ...] = ()
    fail_fast: bool = False
    max_parallel: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step before the matrix is expanded. `image`, `commands` and `env` may hold expressions.

    A step with an `approval` has neither image nor commands. `parallelism` is the number of shards. `matrix`
    is the step's own, beside the pipeline's. `idempotent` False: never started again once it has started.
    """

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
    matrix: Matrix | None = None
    parallelism: int = 1
    artifacts: Artifacts | None = None
    cache: tuple[Cache, ...] = ()
    services: tuple[Service, ...] = ()
    outputs: tuple[str, ...] = ()
    retry: Retry | None = None
    idempotent: bool = True
    allow_failure: bool = False
    approval: Approval | None = None


@dataclass(frozen=True, slots=True)
class PushTrigger:
    """Globs of branches and tags. Both None: every push; one given: pushes of the other kind don't count.

    `paths`: one of the changed files fits one of these; `paths_ignore`: one of them fits none of these.
    """

    branches: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None
    paths: tuple[str, ...] | None = None
    paths_ignore: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class PullRequestTrigger:
    """Globs of the branch that a pull request would change; None: any. Paths as in `PushTrigger`."""

    branches: tuple[str, ...] | None = None
    paths: tuple[str, ...] | None = None
    paths_ignore: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """A time at which runs start: five fields of cron in an IANA zone; `branch` None: the main one."""

    cron: str
    timezone: str = "UTC"
    branch: str | None = None


@dataclass(frozen=True, slots=True)
class Triggers:
    """What starts a run; None: never. The default holds without `on`. `manual` covers the API as well."""

    push: PushTrigger | None = PushTrigger()
    pull_request: PullRequestTrigger | None = PullRequestTrigger()
    manual: bool = True
    schedule: tuple[Schedule, ...] = ()


@dataclass(frozen=True, slots=True)
class Parameter:
    """An input of runs started by hand or by the API. Values are text; without a default one is needed."""

    name: str
    type: ParameterType = "string"
    options: tuple[str, ...] = ()
    default: str | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Concurrency:
    """How many runs of one `group`, which may hold expressions, go on at once, and what a new one does."""

    group: str
    max: int = 1
    on_new: OnNew = "queue"


@dataclass(frozen=True, slots=True)
class Workspace:
    """One volume for all steps of a run, in place of one for each."""

    size_bytes: int
    storage_class: str | None = None


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A whole pipeline; `steps` in the order of the file, which means nothing to the planner.

    `final_steps` (`finally`) run when all others have ended, whatever became of them, once for the run.
    `queue` is the Kueue LocalQueue that its Jobs are given to.
    """

    name: str
    steps: tuple[Step, ...]
    triggers: Triggers = Triggers()
    env: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: int | None = None
    matrix: Matrix | None = None
    parameters: tuple[Parameter, ...] = ()
    concurrency: Concurrency | None = None
    final_steps: tuple[Step, ...] = ()
    workspace: Workspace | None = None
    queue: str | None = None


@dataclass(frozen=True, slots=True)
class EventFacts:
    """What a run was started by and for. `base` is the branch that a pull request would change.

    `changed_paths` are the files that differ from what was there before; None: not known, as for a run
    started by hand, and then every condition on paths holds.
    """

    event: Event
    commit: str = ""
    branch: str | None = None
    tag: str | None = None
    base: str | None = None
    repository: str = ""
    from_fork: bool = False
    changed_paths: tuple[str, ...] | None = None
    params: Mapping[str, str] = field(default_factory=dict)


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
