"""The Job of one step instance."""

from __future__ import annotations

from typing import Any

from c8s.objects.containers import build_checkout_container, build_step_container
from c8s.objects.security import build_pod_security
from c8s.objects.settings import PodSettings
from c8s.objects.volumes import build_volumes
from c8s.run.frozen import FrozenPipeline
from c8s.run.instances import StepInstance
from c8s.run.labels import LOG_FINALIZER, MANAGED_BY_LABEL, RUN_LABEL, RUN_UID_LABEL, STEP_LABEL
from c8s.run.limits import step_timeout_seconds
from c8s.run.names import name_job
from c8s.run.observed_run import ObservedRun

Fields = dict[str, Any]

TERMINATION_GRACE_SECONDS = 30


def build_step_job(
    run: ObservedRun, frozen: FrozenPipeline, instance: StepInstance, settings: PodSettings
) -> Fields:
    """Return the whole Job, for a step that has none yet.

    One failure ends it, except for a pod that the cluster itself took away, which the Job controller replaces
    without counting. No TTL: a Job that vanished by itself would be created and run again.
    """
    labels = build_labels(run, instance.name)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name_job(run.name, run.uid, instance.name),
            "namespace": run.namespace,
            "labels": labels,
        },
        "spec": {
            "backoffLimit": 0,
            "podFailurePolicy": {
                "rules": [
                    {
                        "action": "Ignore",
                        "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
                    }
                ]
            },
            "template": {
                "metadata": {"labels": dict(labels), "finalizers": [LOG_FINALIZER]},
                "spec": build_pod(run, frozen, instance, settings),
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
    run: ObservedRun, frozen: FrozenPipeline, instance: StepInstance, settings: PodSettings
) -> Fields:
    """Return the pod's spec.

    The time limit stands on the pod and not on the Job, which would delete the pod and its log with it. It
    counts from the pod's start, checkout included.
    """
    step = instance.step
    pod: Fields = {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": step_timeout_seconds(step),
        "terminationGracePeriodSeconds": TERMINATION_GRACE_SECONDS,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": build_pod_security(),
    }
    if step.checkout is not None:
        pod["initContainers"] = [build_checkout_container(frozen, step, step.checkout, settings)]
    pod["containers"] = [build_step_container(run, frozen, instance, settings)]
    pod["volumes"] = build_volumes(frozen, step)
    return pod


def build_labels(run: ObservedRun, step: str) -> dict[str, str]:
    """Return the labels by which Job and pod are found."""
    return {
        MANAGED_BY_LABEL: "c8s",
        RUN_LABEL: run.name,
        RUN_UID_LABEL: run.uid,
        STEP_LABEL: step,
    }
