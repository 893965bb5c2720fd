"""Labels and annotations by which the rooms of c8s talk to each other (docs/reference/data.md)."""

from __future__ import annotations

MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
RUN_LABEL = "c8s.dev/run"
RUN_UID_LABEL = "c8s.dev/run-uid"
STEP_LABEL = "c8s.dev/step"
ATTEMPT_LABEL = "c8s.dev/attempt"
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
"""Kueue's: https://kueue.sigs.k8s.io/docs/tasks/run/jobs/"""

ARCHIVED = "c8s.dev/archived"
"""A label on a PipelineRun, an annotation on a Job; the value is `true`."""

FROZEN = "c8s.dev/frozen"
FROZEN_SIGNATURE = "c8s.dev/frozen-signature"
RESOLVE_PROBLEM = "c8s.dev/resolve-problem"

CONNECTION_LABEL = "c8s.dev/connection"
"""On a PipelineRun: the RepositoryConnection that it came from."""
PIPELINE_LABEL = "c8s.dev/pipeline"
CONFIG_LABEL = "c8s.dev/pipelineconfig"
"""On a PipelineRun: the PipelineConfig whose run it is."""
CONCURRENCY = "c8s.dev/concurrency"
"""A label on a PipelineRun and on a Lease: the key of the group."""
ADMITTED = "c8s.dev/admitted"
"""An annotation on a PipelineRun of a group: the slot it has; without it nothing of the run starts."""
QUEUE = "c8s.dev/queue"
SUPERSEDED = "c8s.dev/superseded"

GIT_CREDENTIALS_LABEL = "c8s.dev/git-credentials"
"""On a Secret, with the value `true`: the `resolve` hook may see it."""
LAST_EVENT = "c8s.dev/last-event"
"""An annotation on a RepositoryConnection: its newest webhook."""
REMOVED_RUNS = "c8s.dev/removed-runs"
"""An annotation on a PipelineConfig: counts of its runs that history has removed."""

WAITING = "c8s.dev/waiting"
RESULT = "c8s.dev/result"
INFRA_RESTARTS = "c8s.dev/infra-restarts"
ARCHIVE_PROBLEM = "c8s.dev/archive-problem"
EXPECTS_OUTPUTS = "c8s.dev/expects-outputs"
OUTPUTS = "c8s.dev/outputs"
TOO_LARGE = "c8s.dev/too-large"
"""A key in `OUTPUTS`, no name of an output: the names of those that found no room."""

RUNNER = "c8s.dev/runner"
"""An annotation on a Node of the local cluster: how it isolates steps."""

LOG_FINALIZER = "c8s.dev/log-archive"
"""On pods: they stay until their logs are archived, whoever deletes the Job."""
