"""What a script makes of a pod."""

from __future__ import annotations

from typing import Any

from c8s.adapters.cluster import JOBS, Object, Resource
from c8s.local.jobs.simulated_node import PodScript
from tests.local.jobs.job_world import JobWorld, build_job

ENDLESS = PodScript(run_seconds=None)
SUCCEEDS = PodScript(run_seconds=5)


def make_world(*scripts: PodScript) -> JobWorld:
    """A Job whose pod has an init container, a sidecar and two main containers."""
    world = JobWorld(*scripts)
    job = build_job("job")
    spec = job["spec"]["template"]["spec"]
    spec["initContainers"] = [
        {"name": "checkout", "image": "alpine"},
        {"name": "service-db", "image": "db", "restartPolicy": "Always"},
    ]
    spec["containers"].append({"name": "save", "image": "alpine"})
    world.cluster.create(JOBS, job, "default")
    return world


def states(pod: Object) -> dict[str, Any]:
    """Container → its waiting reason, `running`, or (reason, exit code)."""
    status = pod["status"]
    entries = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
    return {entry["name"]: _short(entry["state"]) for entry in entries}


def _short(state: Object) -> Any:
    if "waiting" in state:
        return state["waiting"]["reason"]
    ended = state.get("terminated")
    return (ended["reason"], ended["exitCode"]) if ended else "running"


def test_sidecar_runs_beside_the_step() -> None:
    world = make_world(ENDLESS)
    world.run_for(1)
    (pod,) = world.pods()
    done = ("Completed", 0)
    expected = {"checkout": done, "service-db": "running", "step": "running", "save": "running"}
    assert states(pod) == expected


def test_sidecars_exit_code_decides_nothing() -> None:
    world = make_world(PodScript(run_seconds=1, exit_codes={"service-db": 143}))
    world.run_for(5)
    assert world.pods()[0]["status"]["phase"] == "Succeeded"


def test_failed_init_container_ends_the_pod() -> None:
    world = make_world(PodScript(exit_codes={"checkout": 2}))
    world.run_for(1)
    (pod,) = world.pods()
    assert pod["status"]["phase"] == "Failed"
    assert (states(pod)["checkout"], states(pod)["step"]) == (("Error", 2), "PodInitializing")


def test_image_can_be_out_of_reach_for_a_while() -> None:
    script = PodScript(
        start_seconds=60, run_seconds=5, waiting_reason="ImagePullBackOff", waiting_container="step"
    )
    world = make_world(script)
    world.run_for(30)
    (pod,) = world.pods()
    assert (states(pod)["checkout"], states(pod)["step"]) == (("Completed", 0), "ImagePullBackOff")
    world.run_for(60)
    assert world.outcome()[-1] == ("Complete", "CompletionsReached")


def test_kernel_kills_a_container() -> None:
    world = make_world(PodScript(run_seconds=5, oom_killed="step"))
    world.run_for(10)
    (pod,) = world.pods()
    assert (states(pod)["step"], states(pod)["save"]) == (("OOMKilled", 137), ("Completed", 0))
    assert pod["status"]["phase"] == "Failed"


def test_lost_pod_is_replaced_and_not_counted() -> None:
    lost = PodScript(run_seconds=5, disruption="DeletionByPodGC", pod_reason="NodeLost")
    world = make_world(lost, SUCCEEDS)
    world.run_until(lambda: world.outcome()[-1:] == [("Complete", "CompletionsReached")])
    assert "NodeLost" in [pod["status"].get("reason") for pod in world.pods()]


def test_pod_that_outgrew_its_storage_counts() -> None:
    world = make_world(PodScript(run_seconds=5, pod_reason="Evicted"))
    world.run_until(lambda: world.outcome()[-1:] == [("Failed", "BackoffLimitExceeded")])


def test_evicted_pod_is_replaced() -> None:
    world = make_world(ENDLESS, SUCCEEDS)
    world.run_for(2)
    name = world.pods()[0]["metadata"]["name"]
    world.cluster.create(Resource("", "v1", f"pods/{name}/eviction", "Eviction"), {}, "default")
    world.run_until(lambda: world.outcome()[-1:] == [("Complete", "CompletionsReached")])
    assert len(world.created) == 2
