"""Pods the API server refuses: told on the Job, and made when there is room."""

from __future__ import annotations

from c8s.adapters.cluster import EVENTS, PODS, Object, Resource
from c8s.local.jobs.simulated_node import PodScript
from tests.local.jobs.job_world import JobWorld

QUOTAS = Resource("", "v1", "resourcequotas", "ResourceQuota")
CONTAINER = {"name": "step", "image": "alpine", "resources": {"requests": {"cpu": "2"}}}
TEMPLATE = {"spec": {"restartPolicy": "Never", "containers": [CONTAINER]}}
MESSAGE = (
    'Error creating: pods "job-" is forbidden: exceeded quota: team, requested: requests.cpu=2, '
    "used: requests.cpu=3, limited: requests.cpu=4"
)


def make_full_world(*scripts: PodScript) -> JobWorld:
    """Four cores, three of them used by another pod; the Job's pod wants two."""
    world = JobWorld(*scripts)
    spec = {"hard": {"requests.cpu": "4"}}
    world.cluster.create(QUOTAS, {"metadata": {"name": "team"}, "spec": spec}, "default")
    other = {"name": "x", "image": "a", "resources": {"requests": {"cpu": "3"}}}
    world.cluster.create(PODS, {"metadata": {"name": "other"}, "spec": {"containers": [other]}}, "default")
    world.run_for(0)
    world.make_job(template=TEMPLATE)
    return world


def events(world: JobWorld) -> list[Object]:
    return world.cluster.list(EVENTS, "default").items


def test_refused_pod_is_told_on_the_job() -> None:
    world = make_full_world(PodScript(run_seconds=None))
    world.run_for(0.5)
    (event,) = events(world)
    assert (event["type"], event["reason"], event["message"]) == ("Warning", "FailedCreate", MESSAGE)
    assert (event["involvedObject"]["kind"], event["involvedObject"]["name"]) == ("Job", "job")
    assert world.outcome() == []


def test_tries_come_later_and_later() -> None:
    world = make_full_world(PodScript(run_seconds=None))
    counts = []
    for seconds in (0.5, 1, 2, 4, 8, 16, 32):
        world.run_for(seconds)
        counts.append(events(world)[0]["count"])
    assert counts == [1, 2, 3, 4, 5, 6, 7]
    world.run_for(600)
    assert events(world)[0]["count"] == 17


def test_pod_is_made_as_soon_as_another_ends() -> None:
    world = make_full_world(PodScript(run_seconds=100), PodScript(run_seconds=None))
    world.run_for(101)
    assert len(world.pods()) == 2
    assert world.status()["active"] == 1


def test_missing_priority_class_is_told_as_well() -> None:
    world = JobWorld()
    spec = {"restartPolicy": "Never", "containers": [CONTAINER], "priorityClassName": "none"}
    world.make_job(template={"spec": spec})
    world.run_for(1)
    assert [event["message"] for event in events(world)] == [
        'Error creating: pods "job-" is forbidden: no PriorityClass with name none was found'
    ]
