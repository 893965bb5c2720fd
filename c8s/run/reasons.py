"""The words under `reason` in a run's status, each with its meaning."""

from __future__ import annotations

# Of a step that has not ended.
COLLECTING = "Collecting"
"""The Job has failed; the log buffer has not said yet how."""
JOB_MISSING = "JobMissing"
"""The step ran and its Job is not there; it may be a view that is behind."""
MALFORMED_JOB = "MalformedJob"
"""The Job can't be read."""

# Of a step that failed; the log buffer's words, and ours.
ERROR = "Error"
OUT_OF_MEMORY = "OOMKilled"
TIMED_OUT = "TimedOut"
CHECKOUT_FAILED = "CheckoutFailed"
RESTORE_FAILED = "RestoreFailed"
SERVICE_FAILED = "ServiceFailed"
SAVE_FAILED = "SaveFailed"
CANNOT_START = "CannotStart"
EVICTED = "Evicted"
NODE_LOST = "NodeLost"
DELETED = "Deleted"
UNREADABLE_RESULT = "UnreadableResult"
"""The annotation c8s.dev/result can't be read."""
JOB_DELETED = "JobDeleted"
"""The Job was gone before it had ended; it is never started again."""
ROOT_NOT_ALLOWED = "RootNotAllowed"
"""`runAs: root`, where the administrator does not allow it."""
INVALID_STEP = "InvalidStep"
"""With this run's values put in, the step can't be started."""

# Of a step that was skipped or cancelled. `ConditionFalse` and `DependencyFailed` are the language's words.
RUN_CANCELLED = "RunCancelled"
RUN_TIMED_OUT = "RunTimedOut"

# Of a run.
RESOLVING = "Resolving"
"""Pending: the pipeline is being looked up."""
ARCHIVING = "Archiving"
"""Running: all steps have ended, logs are still being written to S3."""
NOT_TRIGGERED = "NotTriggered"
"""Cancelled, and nobody's fault: the pipeline's `on` does not want this event."""
STEPS_FAILED = "StepsFailed"
LOG_ARCHIVE_FAILED = "LogArchiveFailed"
FROZEN_PIPELINE_UNTRUSTED = "FrozenPipelineUntrusted"
INVALID_PIPELINE = "InvalidPipeline"
INVALID_RUN = "InvalidRun"
