"""Labels and annotations by which the rooms of c8s talk to each other (docs/reference/data.md)."""

from __future__ import annotations

MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
RUN_LABEL = "c8s.dev/run"
RUN_UID_LABEL = "c8s.dev/run-uid"
STEP_LABEL = "c8s.dev/step"

ARCHIVED = "c8s.dev/archived"
"""A label on a PipelineRun, an annotation on a Job; the value is `true`."""

FROZEN = "c8s.dev/frozen"
FROZEN_SIGNATURE = "c8s.dev/frozen-signature"
RESOLVE_PROBLEM = "c8s.dev/resolve-problem"

WAITING = "c8s.dev/waiting"
RESULT = "c8s.dev/result"
ARCHIVE_PROBLEM = "c8s.dev/archive-problem"
EXPECTS_OUTPUTS = "c8s.dev/expects-outputs"
OUTPUTS = "c8s.dev/outputs"

LOG_FINALIZER = "c8s.dev/log-archive"
"""On pods: they stay until their logs are archived, whoever deletes the Job."""
