"""The Job of one step instance."""

from __future__ import annotations

from typing import Any

from c8s.objects.containers import build_checkout_container, build_step_container
from c8s.objects.security import build_pod_security
from c8s.objects.services import build_service_container
from c8s.objects.settings import PodSettings
from c8s.objects.start import has_something_to_restore, has_something_to_save
from c8s.objects.transfers import build_restore_container, build_save_container
from c8s.objects.volumes import build_volumes
from c8s.objects.workspace_claim import build_workspace_affinity
from c8s.pipeline.expressions import expression_values
from c8s.run.frozen import FrozenPipeline, build_run_facts
from c8s.run.labels import (
    ATTEMPT_LABEL,
    EXPECTS_OUTPUTS,
    LOG_FINALIZER,
    MANAGED_BY_LABEL,
    QUEUE_LABEL,
    RUN_LABEL,
    RUN_UID_LABEL,
    STEP_LABEL,
)
from c8s.run.limits import step_timeout_seconds
from c8s.run.names import name_job
from c8s.run.observed_run import ObservedRun
from c8s.run.started import StartedStep

Fields = dict[str, Any]

TERMINATION_GRACE_SECONDS = 30


def build_step_job(
    run: ObservedRun, frozen: FrozenPipeline, started: StartedStep, settings: PodSettings
) -> Fields:
    """Return the whole Job, for a step that has none yet.

    One failure ends it, except for a pod that the cluster itself took away, which the Job controller replaces
    without counting. Not so of a step that is not idempotent: whether that is tried again is decided by whether it
    had begun. No TTL: a Job that vanished by itself would be created and run again.
    """
    labels = build_labels(run, started)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name_job(run.name, run.uid, started.instance.name, started.attempt),
            "namespace": run.namespace,
            "labels": labels | _build_queue_label(frozen),
            **_build_annotations(started),
        },
        "spec": {
            "backoffLimit": 0,
            "podFailurePolicy": {
                "rules": [
                    {
                        "action": "Ignore" if started.instance.step.idempotent else "FailJob",
                        "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
                    }
                ]
            },
            "template": {
                "metadata": {"labels": dict(labels), "finalizers": [LOG_FINALIZER]},
                "spec": build_pod(run, frozen, started, settings),
            },
        },
    }


def build_kept_job(namespace: str, name: str) -> Fields:
    """Return the bare identity of a Job that exists and stays.

    Metacontroller leaves an existing Job alone whatever the answer says of it (method OnDelete), and out of
    this it could not make a new one by any mistake: the API refuses a Job without a template.
    """
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "namespace": namespace}}


def build_pod(
    run: ObservedRun, frozen: FrozenPipeline, started: StartedStep, settings: PodSettings
) -> Fields:
    """Return the pod's spec.

    The time limit stands on the pod and not on the Job, which would delete the pod and its log with it. It
    counts from the pod's start, checkout included.
    """
    pod: Fields = {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": step_timeout_seconds(started.instance.step, started.instance.is_final),
        "terminationGracePeriodSeconds": TERMINATION_GRACE_SECONDS,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": build_pod_security(),
        **_build_scheduling(run, frozen, settings),
    }
    first, last = _build_containers(run, frozen, started, settings)
    if first:
        pod["initContainers"] = first
    pod["containers"] = last
    pod["volumes"] = build_volumes(run, frozen, started)
    return pod


def _build_containers(
    run: ObservedRun, frozen: FrozenPipeline, started: StartedStep, settings: PodSettings
) -> tuple[list[Fields], list[Fields]]:
    """Return the init containers in their order, and those that run after them."""
    step = started.instance.step
    facts = build_run_facts(run, frozen)
    values = expression_values(facts, started.instance.combination) | dict(started.outputs)
    first: list[Fields] = []
    last = [build_step_container(run, frozen, started, settings)]
    if step.checkout is not None:
        first.append(build_checkout_container(frozen, step, step.checkout, settings))
    if has_something_to_restore(started):
        first.append(build_restore_container(frozen, started, values, settings))
    first += [build_service_container(one, number, values) for number, one in enumerate(step.services)]
    if has_something_to_save(step):
        last.append(build_save_container(step, values, settings))
    return first, last


def _build_scheduling(run: ObservedRun, frozen: FrozenPipeline, settings: PodSettings) -> Fields:
    fields: Fields = {}
    if settings.priority_classes:
        low, normal, high = settings.priority_classes
        fields["priorityClassName"] = low if run.priority < 0 else high if run.priority > 0 else normal
    if frozen.pipeline.workspace is not None:
        fields["affinity"] = build_workspace_affinity(run)
    return fields


def _build_queue_label(frozen: FrozenPipeline) -> dict[str, str]:
    """Kueue suspends and admits a Job that bears it; c8s never writes `suspend`."""
    return {QUEUE_LABEL: frozen.pipeline.queue} if frozen.pipeline.queue else {}


def _build_annotations(started: StartedStep) -> Fields:
    """The log buffer brings the outputs of such a Job onto it."""
    return {"annotations": {EXPECTS_OUTPUTS: "true"}} if started.instance.step.outputs else {}


def build_labels(run: ObservedRun, started: StartedStep) -> dict[str, str]:
    """Return the labels by which Job and pod are found; the attempt is told from the second on."""
    attempt = {ATTEMPT_LABEL: str(started.attempt)} if started.attempt > 1 else {}
    return {
        MANAGED_BY_LABEL: "c8s",
        RUN_LABEL: run.name,
        RUN_UID_LABEL: run.uid,
        STEP_LABEL: started.log_name,
        **attempt,
    }
