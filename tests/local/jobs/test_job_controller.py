import orjson
import pytest

from c8s.adapters.cluster import JOBS, PODS
from c8s.local.jobs.simulated_node import PodScript
from c8s.local.reconciling.hazards import ALL_HAZARDS
from c8s.run.labels import ARCHIVED, LOG_FINALIZER, RESULT
from tests.local.jobs.job_world import JobWorld

SUCCEEDS = PodScript(run_seconds=5)
FAILS = PodScript(run_seconds=5, exit_codes={"step": 3})
EVICTED = PodScript(run_seconds=5, disruption="EvictionByEvictionAPI")
ENDLESS = PodScript(run_seconds=None)


def test_pod_comes_from_template():
    world = JobWorld(ENDLESS)
    job = world.make_job()
    world.run_for(0)
    (pod,) = world.pods()
    uid = job["metadata"]["uid"]
    assert pod["metadata"]["name"].startswith("job-")
    assert len(pod["metadata"]["name"]) == len("job-") + 5
    assert pod["metadata"]["labels"] == {
        "c8s.dev/step": "unit",
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": "job",
        "controller-uid": uid,
        "job-name": "job",
    }
    assert pod["metadata"]["finalizers"] == [LOG_FINALIZER, "batch.kubernetes.io/job-tracking"]
    assert pod["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "name": "job",
            "uid": uid,
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    assert pod["spec"]["containers"][0]["image"] == "alpine"


def test_status_of_running_job():
    world = JobWorld(ENDLESS)
    world.make_job()
    world.run_for(2)
    assert world.status() == {
        "active": 1,
        "ready": 1,
        "terminating": 0,
        "startTime": "2026-01-01T00:00:00Z",
        "uncountedTerminatedPods": {},
    }


def test_status_of_completed_job():
    world = JobWorld(SUCCEEDS)
    world.make_job()
    world.run_for(10)
    time = "2026-01-01T00:00:05Z"
    condition = {
        "status": "True",
        "reason": "CompletionsReached",
        "message": "Reached expected number of succeeded pods",
        "lastProbeTime": time,
        "lastTransitionTime": time,
    }
    assert world.status() == {
        "ready": 0,
        "terminating": 0,
        "succeeded": 1,
        "startTime": "2026-01-01T00:00:00Z",
        "completionTime": time,
        "conditions": [{"type": "SuccessCriteriaMet"} | condition, {"type": "Complete"} | condition],
        "uncountedTerminatedPods": {},
    }


def test_finished_pod_loses_its_finalizers():
    world = JobWorld(SUCCEEDS)
    world.make_job()
    world.run_for(10)
    (pod,) = world.pods()
    assert not pod["metadata"].get("finalizers")


def test_one_step_costs_few_writes():
    world = JobWorld(PodScript())
    world.make_job()
    world.run_for(10)
    assert world.simulated.jobs.cluster.writes == {
        "create pods": 1,
        "patch pods": 1,
        "replace jobs/status": 2,
    }


def test_failure_beyond_the_limit_fails_the_job():
    world = JobWorld(FAILS)
    world.make_job()
    world.run_for(3600)
    assert world.outcome() == [("FailureTarget", "BackoffLimitExceeded"), ("Failed", "BackoffLimitExceeded")]
    assert (world.status()["failed"], len(world.pods())) == (1, 1)


def test_failures_are_tried_again_with_growing_pauses():
    world = JobWorld(FAILS, FAILS, SUCCEEDS)
    world.make_job(backoffLimit=2)
    world.run_for(5 + 9)
    assert (len(world.pods()), world.status()["failed"]) == (1, 1)
    world.run_for(1 + 5 + 19)
    assert len(world.pods()) == 2
    world.run_for(1 + 5)
    assert (world.status()["failed"], world.status()["succeeded"]) == (2, 1)
    assert world.most_active == 1


def test_disruption_is_replaced_and_not_counted():
    world = JobWorld(EVICTED, EVICTED, SUCCEEDS)
    world.make_job()
    world.run_until(lambda: world.status().get("succeeded") == 1)
    assert ("failed" in world.status(), len(world.pods())) == (False, 3)


def test_fatal_exit_code_fails_the_job():
    rule = {"action": "FailJob", "onExitCodes": {"containerName": "step", "operator": "In", "values": [3]}}
    world = JobWorld(FAILS)
    world.make_job(backoffLimit=5, podFailurePolicy={"rules": [rule]})
    world.run_for(100)
    assert world.outcome()[-1] == ("Failed", "PodFailurePolicy")
    name = world.pods()[0]["metadata"]["name"]
    assert world.status()["conditions"][-1]["message"] == (
        f"Container step for pod default/{name} failed with exit code 3 matching FailJob rule at index 0"
    )


def test_deadline_ends_pods_and_job():
    world = JobWorld(ENDLESS)
    world.make_job(activeDeadlineSeconds=60)
    world.run_for(59)
    assert world.status()["active"] == 1
    world.run_for(2)
    assert world.outcome() == [("FailureTarget", "DeadlineExceeded"), ("Failed", "DeadlineExceeded")]
    assert (world.pods(), world.status()["failed"]) == ([], 1)


def test_suspended_job_has_no_pods():
    world = JobWorld(ENDLESS)
    world.make_job(suspend=True)
    world.run_for(10)
    assert (world.pods(), world.outcome(), "startTime" in world.status()) == (
        [],
        [("Suspended", "JobSuspended")],
        False,
    )
    world.cluster.patch(JOBS, "job", {"spec": {"suspend": False}}, "default")
    world.run_for(10)
    assert (len(world.pods()), world.outcome()) == (1, [("Suspended", "JobResumed")])


def test_many_completions_in_parallel():
    world = JobWorld(SUCCEEDS)
    world.make_job(completions=5, parallelism=2)
    world.run_until(lambda: world.status().get("succeeded") == 5)
    assert (len(world.pods()), world.most_active) == (5, 2)


def test_deleted_pod_is_replaced_after_its_end():
    world = JobWorld(ENDLESS)
    world.make_job(backoffLimit=3)
    world.run_for(1)
    world.cluster.delete(PODS, world.pods()[0]["metadata"]["name"], "default")
    world.run_for(30)
    assert (len(world.created), world.most_active, world.status()["failed"]) == (2, 1, 1)


def test_deleted_job_takes_its_pods_along():
    world = JobWorld(ENDLESS)
    world.make_job()
    world.run_for(1)
    world.cluster.delete(JOBS, "job", "default")
    world.run_for(60)
    assert world.pods() == []


def test_log_buffer_marks_the_job():
    world = JobWorld(FAILS)
    world.make_job()
    world.run_for(10)
    annotations = world.job()["metadata"]["annotations"]
    assert annotations[ARCHIVED] == "true"
    assert orjson.loads(annotations[RESULT]) == {
        "exitCode": 3,
        "reason": "Error",
        "container": "step",
        "startedAt": "2026-01-01T00:00:00Z",
        "finishedAt": "2026-01-01T00:00:05Z",
        "infraRestarts": 0,
    }


@pytest.mark.parametrize("seed", range(12))
def test_no_hazard_makes_a_second_pod(seed: int):
    world = JobWorld(SUCCEEDS, hazards=ALL_HAZARDS, seed=seed)
    for number in range(4):
        world.make_job(f"job-{number}")
    world.run_until(lambda: all("completionTime" in world.status(f"job-{number}") for number in range(4)))
    world.run_for(60)
    assert (len(world.created), len(world.pods())) == (4, 4)
    assert all(not pod["metadata"].get("finalizers") for pod in world.pods())


@pytest.mark.parametrize("seed", range(12))
def test_no_hazard_miscounts_failures(seed: int):
    world = JobWorld(FAILS, EVICTED, FAILS, SUCCEEDS, hazards=ALL_HAZARDS, seed=seed)
    world.make_job(backoffLimit=2)
    world.run_until(lambda: "completionTime" in world.status())
    assert (world.status()["failed"], world.status()["succeeded"], len(world.created)) == (2, 1, 4)
    assert world.most_active == 1
