"""What the infrastructure breaks is tried again, told apart from the user's failures, and never run twice."""

from __future__ import annotations

from typing import Any

from c8s.adapters.cluster import JOBS, PODS, Resource
from tests.cluster.surroundings import Surroundings


def step_of(run: dict[str, Any], name: str) -> dict[str, Any]:
    return next((one for one in run.get("status", {}).get("steps", ()) if one["name"] == name), {})


def evict(surroundings: Surroundings, run: dict[str, Any], step: str) -> None:
    """Evict the one pod of a running step, as `kubectl drain` does."""
    namespace = surroundings.state.namespace
    selector = f"c8s.dev/run-uid={run['uid']},c8s.dev/step={step}"
    (pod,) = surroundings.kubernetes.list(PODS, namespace, label_selector=selector).items
    name = pod["metadata"]["name"]
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    surroundings.kubernetes.create(Resource("", "v1", f"pods/{name}/eviction", "Eviction"), body, namespace)


def test_evicted_pod_is_replaced_without_counting(surroundings: Surroundings) -> None:
    name = surroundings.start_steps(
        {"name": "long", "image": "busybox", "commands": ["sleep 3"], "retry": {"max": 1}}
    )
    run = surroundings.wait_for_run(name, lambda run: step_of(run, "long").get("phase") == "Running")
    evict(surroundings, run, "long")
    run = surroundings.wait_for_end(name)
    step = step_of(run, "long")
    assert (run["status"]["phase"], step["phase"]) == ("Succeeded", "Succeeded")
    assert step["infraRestarts"] == 1
    assert "attempts" not in step


def test_step_that_is_not_idempotent_is_never_started_again(surroundings: Surroundings) -> None:
    name = surroundings.start_steps(
        {"name": "deploy", "image": "busybox", "commands": ["echo deploying", "sleep 5"], "idempotent": False}
    )
    run = surroundings.wait_for_run(name, lambda run: step_of(run, "deploy").get("phase") == "Running")
    evict(surroundings, run, "deploy")
    run = surroundings.wait_for_end(name)
    assert (run["status"]["phase"], run["status"]["reason"]) == ("Failed", "InfrastructureFailed")
    assert step_of(run, "deploy")["infrastructure"] is True
    assert surroundings.archived_text(run, "deploy").count("deploying") == 1


def test_lost_pod_gets_a_new_job(surroundings: Surroundings) -> None:
    """The pod is deleted by hand, without any condition: its Job fails, and the planner makes another."""
    name = surroundings.start_steps({"name": "long", "image": "busybox", "commands": ["sleep 3"]})
    run = surroundings.wait_for_run(name, lambda run: step_of(run, "long").get("phase") == "Running")
    selector = f"c8s.dev/run-uid={run['uid']}"
    (pod,) = surroundings.kubernetes.list(PODS, surroundings.state.namespace, label_selector=selector).items
    surroundings.kubernetes.delete(PODS, pod["metadata"]["name"], surroundings.state.namespace)
    run = surroundings.wait_for_end(name)
    step = step_of(run, "long")
    assert (run["status"]["phase"], step["log"], step["infraRestarts"]) == ("Succeeded", "long.2", 1)
    surroundings.wait_for_archive(run)
    surroundings.wait_until_gone(run)
    assert (
        surroundings.kubernetes.list(JOBS, surroundings.state.namespace, label_selector=selector).items == []
    )
