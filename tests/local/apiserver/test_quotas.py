"""ResourceQuota, LimitRange and PriorityClass, in the words of Kubernetes' admission plugins."""

from __future__ import annotations

from typing import Any

import pytest

from c8s.adapters.cluster import CONFIG_MAPS, PODS, Forbidden, Invalid, Object, Resource
from c8s.local.apiserver.in_process import InProcessCluster
from c8s.local.quantities import read_quantity

QUOTAS = Resource("", "v1", "resourcequotas", "ResourceQuota")
LIMIT_RANGES = Resource("", "v1", "limitranges", "LimitRange")
PRIORITY_CLASSES = Resource("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass")


def make_quota(cluster: InProcessCluster, **hard: str) -> None:
    named = {name.replace("_", "."): amount for name, amount in hard.items()}
    cluster.create(QUOTAS, {"metadata": {"name": "team"}, "spec": {"hard": named}}, "default")


def make_limits(cluster: InProcessCluster, kind: str = "Container", **limits: Any) -> None:
    spec = {"limits": [{"type": kind, **limits}]}
    cluster.create(LIMIT_RANGES, {"metadata": {"name": "bounds"}, "spec": spec}, "default")


def make_pod(
    cluster: InProcessCluster, name: str = "p", *, spec: Object | None = None, **resources: Any
) -> Object:
    container = {"name": "step", "image": "alpine", "resources": resources}
    body = {"metadata": {"name": name}, "spec": {"containers": [container], **(spec or {})}}
    return cluster.create(PODS, body, "default")


def refusal(cluster: InProcessCluster, **fields: Any) -> str:
    with pytest.raises(Forbidden) as refused:
        make_pod(cluster, **fields)
    return str(refused.value)


def status(cluster: InProcessCluster) -> Object:
    return cluster.get(QUOTAS, "team", "default")["status"]


def test_pod_over_the_quota_is_refused(cluster: InProcessCluster) -> None:
    make_quota(cluster, requests_cpu="4")
    make_pod(cluster, "first", requests={"cpu": "3"})
    assert refusal(cluster, requests={"cpu": "2"}) == (
        'pods "p" is forbidden: exceeded quota: team, requested: requests.cpu=2, '
        "used: requests.cpu=3, limited: requests.cpu=4"
    )
    make_pod(cluster, "fits", requests={"cpu": "1000m"})


def test_everything_that_is_too_much_is_named(cluster: InProcessCluster) -> None:
    make_quota(cluster, pods="1", limits_memory="1Gi", requests_cpu="9")
    make_pod(cluster, "first", requests={"cpu": "1"}, limits={"memory": "512Mi"})
    assert refusal(cluster, requests={"cpu": "1"}, limits={"memory": "1Gi"}) == (
        'pods "p" is forbidden: exceeded quota: team, requested: limits.memory=1Gi,pods=1, '
        "used: limits.memory=512Mi,pods=1, limited: limits.memory=1Gi,pods=1"
    )


def test_silent_container_is_refused(cluster: InProcessCluster) -> None:
    make_quota(cluster, requests_cpu="4", limits_memory="1Gi")
    assert refusal(cluster) == (
        'pods "p" is forbidden: failed quota: team: must specify '
        "limits.memory for: step; requests.cpu for: step"
    )


def test_name_to_be_generated_is_shown_as_it_was_asked(cluster: InProcessCluster) -> None:
    make_quota(cluster, pods="0")
    body = {"metadata": {"generateName": "x-"}, "spec": {"containers": [{"name": "step", "image": "a"}]}}
    with pytest.raises(Forbidden, match=r'^pods "x-" is forbidden: exceeded quota: team, requested: pods=1'):
        cluster.create(PODS, body, "default")


def test_status_counts_what_has_not_ended(cluster: InProcessCluster) -> None:
    make_pod(cluster, "before", requests={"cpu": "500m", "memory": "64Mi"})
    make_quota(cluster, requests_cpu="4", memory="1Gi", pods="5")
    hard = {"requests.cpu": "4", "memory": "1Gi", "pods": "5"}
    assert status(cluster) == {
        "hard": hard,
        "used": {"memory": "64Mi", "pods": "1", "requests.cpu": "500m"},
    }
    cluster.patch(PODS, "before", {"status": {"phase": "Succeeded"}}, "default", subresource="status")
    assert status(cluster) == {"hard": hard, "used": {"memory": "0", "pods": "0", "requests.cpu": "0"}}
    make_pod(cluster, "after", requests={"cpu": "1500m", "memory": "1Gi"})
    assert status(cluster)["used"] == {"memory": "1Gi", "pods": "1", "requests.cpu": "1500m"}
    cluster.delete(PODS, "after", "default")
    assert status(cluster)["used"]["pods"] == "0"


def test_sidecars_count_beside_the_step(cluster: InProcessCluster) -> None:
    make_quota(cluster, pods="5", requests_cpu="9")
    ask = {"image": "a", "resources": {"requests": {"cpu": "1"}}}
    initial = [{"name": "db", "restartPolicy": "Always", **ask}, {"name": "checkout", **ask}]
    make_pod(cluster, spec={"initContainers": initial}, requests={"cpu": "2"})
    assert status(cluster)["used"]["requests.cpu"] == "3"


def test_objects_are_counted_by_kind(cluster: InProcessCluster) -> None:
    cluster.create(
        QUOTAS, {"metadata": {"name": "team"}, "spec": {"hard": {"count/configmaps": "1"}}}, "default"
    )
    cluster.create(CONFIG_MAPS, {"metadata": {"name": "one"}}, "default")
    with pytest.raises(
        Forbidden, match=r'configmaps "two" is forbidden: exceeded quota: team, requested: count/'
    ):
        cluster.create(CONFIG_MAPS, {"metadata": {"name": "two"}}, "default")


def test_scopes_are_refused(cluster: InProcessCluster) -> None:
    spec = {"hard": {"pods": "1"}, "scopes": ["BestEffort"]}
    with pytest.raises(Invalid, match=r"spec.scopes: Unsupported value: scopes are not supported"):
        cluster.create(QUOTAS, {"metadata": {"name": "team"}, "spec": spec}, "default")


def test_limit_range_fills_in_what_is_missing(cluster: InProcessCluster) -> None:
    make_limits(cluster, default={"cpu": "1"}, defaultRequest={"cpu": "250m"}, max={"memory": "1Gi"})
    pod = make_pod(cluster, requests={"cpu": "500m"})
    assert pod["spec"]["containers"][0]["resources"] == {
        "requests": {"cpu": "500m", "memory": "1Gi"},
        "limits": {"cpu": "1", "memory": "1Gi"},
    }
    assert pod["metadata"]["annotations"] == {
        "kubernetes.io/limit-ranger": (
            "LimitRanger plugin set: memory request for container step; cpu, memory limit for container step"
        )
    }
    assert pod["status"]["qosClass"] == "Burstable"


def test_limit_range_feeds_the_quota(cluster: InProcessCluster) -> None:
    make_quota(cluster, requests_cpu="4")
    make_limits(cluster, defaultRequest={"cpu": "250m"})
    make_pod(cluster)
    assert status(cluster)["used"] == {"requests.cpu": "250m"}


@pytest.mark.parametrize(
    ("limits", "resources", "problem"),
    [
        (
            {"max": {"cpu": "2"}},
            {"limits": {"cpu": "4"}},
            "maximum cpu usage per Container is 2, but limit is 4",
        ),
        (
            {"min": {"memory": "64Mi"}},
            {"requests": {"memory": "32Mi"}},
            "minimum memory usage per Container is 64Mi, but request is 32Mi",
        ),
    ],
)
def test_what_is_out_of_bounds_is_refused(
    cluster: InProcessCluster, limits: Any, resources: Any, problem: str
) -> None:
    make_limits(cluster, **limits)
    assert refusal(cluster, **resources) == f'pods "p" is forbidden: {problem}'


def test_pod_without_a_limit_is_refused_by_a_bound_for_pods(cluster: InProcessCluster) -> None:
    make_limits(cluster, "Pod", max={"cpu": "2"})
    expected = 'pods "p" is forbidden: maximum cpu usage per Pod is 2.  No limit is specified'
    assert refusal(cluster) == expected


def test_priority_comes_from_the_class(cluster: InProcessCluster) -> None:
    cluster.create(
        PRIORITY_CLASSES, {"metadata": {"name": "high"}, "value": 1000, "preemptionPolicy": "Never"}
    )
    spec = make_pod(cluster, "first", spec={"priorityClassName": "high"})["spec"]
    assert (spec["priority"], spec["preemptionPolicy"]) == (1000, "Never")
    assert make_pod(cluster, "plain")["spec"]["priority"] == 0
    expected = 'pods "p" is forbidden: no PriorityClass with name huge was found'
    assert refusal(cluster, spec={"priorityClassName": "huge"}) == expected


def test_global_default_class_is_everybodys(cluster: InProcessCluster) -> None:
    cluster.create(PRIORITY_CLASSES, {"metadata": {"name": "usual"}, "value": 10, "globalDefault": True})
    spec = make_pod(cluster)["spec"]
    assert (spec["priority"], spec["priorityClassName"]) == (10, "usual")


@pytest.mark.parametrize(
    ("first", "second", "total"),
    [
        ("500m", "1", "1500m"),
        ("500m", "500m", "1"),
        ("1Gi", "512Mi", "1536Mi"),
        ("0", "2Gi", "2Gi"),
        ("1000000", "0", "1M"),
        ("512", "512", "1024"),
        ("1Ki", "1", "1025"),
    ],
)
def test_sums_are_written_as_kubernetes_does(first: str, second: str, total: str) -> None:
    assert str(read_quantity(first) + read_quantity(second)) == total
