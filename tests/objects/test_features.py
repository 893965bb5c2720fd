"""Pods with everything a step may ask for, in every combination."""

from __future__ import annotations

from itertools import chain, combinations
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from c8s.objects.workspace_claim import (
    build_kept_claim,
    build_workspace_claim,
    name_workspace_claim,
)
from c8s.pipeline.model import Workspace
from c8s.runner.arguments import build_parser
from tests.objects.feature_pods import RUN_FEATURES, STEP_FEATURES, build_feature_job
from tests.objects.samples import make_run
from tests.security.pod_standard import find_breaches

Object = dict[str, Any]

GOLDEN = Path(__file__).parent / "golden"
FEATURES = (*STEP_FEATURES, *RUN_FEATURES)
ALL_BUT_ROOT = [name for name in FEATURES if name not in ("root", "no_checkout")]
SUBSETS = [
    *chain.from_iterable(combinations(FEATURES, size) for size in (0, 1, 2, 3)),
    *(tuple(one for one in FEATURES if one != left_out) for left_out in FEATURES),
]
POD_FIELDS = {
    "restartPolicy",
    "activeDeadlineSeconds",
    "terminationGracePeriodSeconds",
    "automountServiceAccountToken",
    "enableServiceLinks",
    "securityContext",
    "priorityClassName",
    "affinity",
    "initContainers",
    "containers",
    "volumes",
}
CONTAINER_FIELDS = {
    "name",
    "image",
    "command",
    "args",
    "workingDir",
    "env",
    "resources",
    "volumeMounts",
    "securityContext",
    "restartPolicy",
    "startupProbe",
}
VOLUME_KINDS = {"name", "emptyDir", "secret", "projected", "persistentVolumeClaim"}


def pod_of(job: Object) -> Object:
    return job["spec"]["template"]["spec"]


def containers_of(job: Object) -> dict[str, Object]:
    pod = pod_of(job)
    return {one["name"]: one for one in [*pod.get("initContainers", []), *pod["containers"]]}


def env_of(container: Object) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container.get("env", [])}


def mounts_of(container: Object) -> dict[str, bool]:
    """Mount path → whether it may be written to."""
    return {one["mountPath"]: not one.get("readOnly") for one in container["volumeMounts"]}


@pytest.mark.parametrize("name", ["everything", "finally", "shared_workspace"])
def test_job_is_the_golden_one(name: str, pytestconfig: pytest.Config) -> None:
    features = {
        "everything": ["artifacts", "cache", "outputs", "services", "restore", "resources", "full_checkout"],
        "finally": ["final", "no_checkout", "second_attempt", "queue"],
        "shared_workspace": ["shared_workspace"],
    }
    job = build_feature_job(features[name])
    path = GOLDEN / f"{name}.yaml"
    if pytestconfig.getoption("--rewrite"):
        path.write_text(yaml.safe_dump(job, sort_keys=False, width=110))
    assert yaml.safe_load(path.read_text()) == job


@pytest.mark.parametrize("features", SUBSETS, ids="+".join)
def test_every_combination_is_restricted(features: tuple[str, ...]) -> None:
    pod = pod_of(build_feature_job(features))
    root = ["step: runAsNonRoot", "step: runAsUser", "step: capabilities are not dropped"]
    assert find_breaches(pod) == (root if "root" in features else [])
    assert pod.keys() <= POD_FIELDS
    assert {key for volume in pod["volumes"] for key in volume} <= VOLUME_KINDS
    for container in [*pod.get("initContainers", []), *pod["containers"]]:
        assert container.keys() <= CONTAINER_FIELDS
    names = [volume["name"] for volume in pod["volumes"]]
    assert len(names) == len(set(names))
    mounted = {mount["name"] for one in containers_of_pod(pod) for mount in one["volumeMounts"]}
    assert mounted == set(names)


def containers_of_pod(pod: Object) -> list[Object]:
    return [*pod.get("initContainers", []), *pod["containers"]]


@pytest.mark.parametrize("features", [(), *((one,) for one in FEATURES), FEATURES], ids="+".join)
@pytest.mark.parametrize("version", ["1.29", "1.36"])
def test_every_feature_fits_the_schema_of_kubernetes(features: tuple[str, ...], version: str) -> None:
    kubernetes_validate.validate(build_feature_job(features), version, strict=True)


def test_only_our_own_containers_hold_the_token() -> None:
    containers = containers_of(build_feature_job(ALL_BUT_ROOT))
    holders = [name for name, one in containers.items() if "/c8s/api-token" in mounts_of(one)]
    assert holders == ["restore", "save"]
    credentials = [name for name, one in containers.items() if "/c8s/credentials" in mounts_of(one)]
    assert credentials == ["checkout"]


def test_token_is_for_our_api_alone() -> None:
    volumes = {one["name"]: one for one in pod_of(build_feature_job(["artifacts"]))["volumes"]}
    assert volumes["api-token"]["projected"]["sources"] == [
        {"serviceAccountToken": {"audience": "c8s", "expirationSeconds": 3600, "path": "token"}}
    ]


def test_user_environment_stays_with_the_step() -> None:
    containers = containers_of(build_feature_job(ALL_BUT_ROOT))
    assert "evil" in str(containers.pop("step"))
    assert "evil" not in str(containers)
    assert (
        env_of(containers["restore"]) == env_of(containers["save"]) == {"C8S_API_URL": "http://api.c8s.svc"}
    )


def test_save_can_change_nothing() -> None:
    containers = containers_of(build_feature_job(["artifacts", "cache"]))
    assert not any(mounts_of(containers["save"]).values())
    assert mounts_of(containers["step"])["/c8s/exchange"]


def test_nothing_to_save_leaves_the_step_alone() -> None:
    containers = containers_of(build_feature_job(["restore"]))
    assert list(containers) == ["checkout", "restore", "step"]
    assert containers["step"]["command"][:2] == ["/bin/sh", "-ec"]
    assert mounts_of(containers["step"]) == {
        "/c8s/workspace": True,
        "/c8s/home": True,
        "/c8s/outputs": False,
    }
    assert "/c8s/home" not in mounts_of(containers["restore"])


def test_containers_stand_in_order() -> None:
    pod = pod_of(build_feature_job(["artifacts", "services", "restore"]))
    first = [one["name"] for one in pod["initContainers"]]
    assert first == ["checkout", "restore", "service-db", "service-web"]
    assert [one["name"] for one in pod["containers"]] == ["step", "save"]


def test_service_is_ready_before_the_step() -> None:
    database = containers_of(build_feature_job(["services"]))["service-db"]
    assert database["restartPolicy"] == "Always"
    assert database["startupProbe"] == {
        "tcpSocket": {"port": 5432},
        "periodSeconds": 1,
        "timeoutSeconds": 1,
        "failureThreshold": 90,
    }
    assert env_of(database) == {"HOME": "/c8s/home", "POSTGRES_PASSWORD": "x", "BRANCH": "main"}
    assert database["args"] == ["-c", "$$(HOSTNAME)"]
    assert mounts_of(database) == {"/c8s/home": True, "/tmp": True}


def test_arguments_are_those_the_runner_reads() -> None:
    containers = containers_of(build_feature_job(ALL_BUT_ROOT))
    read = {name: build_parser().parse_args(containers[name]["command"][1:]) for name in ("restore", "save")}
    assert read["restore"].sources == ["11111111-1111-1111-1111-111111111111/build.2"]
    assert read["restore"].limit_bytes == 1024**3
    (cache,) = read["restore"].caches
    assert cache.key == "pip-main-$${{ checksum('requirements.txt') }}".replace("$$", "$")
    assert (cache.paths, cache.fallback_keys) == (("~/.cache/pip",), ("pip-",))
    assert read["save"].caches == [cache]
    assert read["save"].artifact == ["dist/**", "-x"]
    assert (read["save"].junit, read["save"].when) == (["report.xml"], "always")
    assert (read["save"].expire_seconds, read["save"].output) == (3600, ["version"])
    assert read["save"].start_limit_seconds == 660
    checkout = build_parser().parse_args(containers["checkout"]["command"][1:])
    assert (checkout.depth, checkout.submodules, checkout.lfs, checkout.keep) == (0, True, True, True)


def test_memory_is_enough_for_our_own_containers() -> None:
    containers = containers_of(build_feature_job(["resources", "artifacts", "restore"]))
    assert containers["restore"]["resources"]["limits"]["memory"] == "256Mi"
    assert containers["save"]["resources"] == {
        "requests": {"cpu": "50m", "memory": "256Mi"},
        "limits": {"cpu": "1", "memory": "256Mi"},
    }
    assert containers["step"]["resources"]["limits"]["memory"] == "64Mi"


def test_job_tells_attempt_outputs_and_queue() -> None:
    job = build_feature_job(["second_attempt", "outputs", "queue"])
    labels = job["metadata"]["labels"]
    assert (labels["c8s.dev/step"], labels["c8s.dev/attempt"]) == ("unit.2", "2")
    assert labels["kueue.x-k8s.io/queue-name"] == "team-queue"
    assert job["metadata"]["annotations"] == {"c8s.dev/expects-outputs": "true"}
    assert job["spec"]["template"]["metadata"]["labels"]["c8s.dev/step"] == "unit.2"
    assert "suspend" not in job["spec"]
    plain = build_feature_job([])
    assert "annotations" not in plain["metadata"]
    assert plain["metadata"]["name"] != job["metadata"]["name"]


@pytest.mark.parametrize(
    ("features", "seen"),
    [
        ([], {}),
        (["retry"], {"C8S_ATTEMPT": "1"}),
        (["second_attempt"], {"C8S_ATTEMPT": "2"}),
        (["final"], {"C8S_RUN_STATUS": "Failed"}),
    ],
)
def test_environment_tells_of_the_run(features: list[str], seen: dict[str, str]) -> None:
    environment = env_of(containers_of(build_feature_job(features))["step"])
    told = {"C8S_ATTEMPT", "C8S_RUN_STATUS"}
    assert {name: environment[name] for name in told & environment.keys()} == seen


@pytest.mark.parametrize(("priority", "name"), [(-5, "c8s-low"), (0, "c8s-normal"), (1, "c8s-high")])
def test_priority_becomes_a_class(priority: int, name: str) -> None:
    assert pod_of(build_feature_job([], spec={"priority": priority}))["priorityClassName"] == name


def test_shared_workspace_is_a_claim_on_one_node() -> None:
    run, _ = make_run()
    claim = build_workspace_claim(run, Workspace(1024**3, "fast"))
    kubernetes_validate.validate(claim, "1.29", strict=True)
    assert claim["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "fast",
        "resources": {"requests": {"storage": "1Gi"}},
    }
    pod = pod_of(build_feature_job(["shared_workspace"]))
    name = claim["metadata"]["name"]
    assert {"name": "workspace", "persistentVolumeClaim": {"claimName": name}} in pod["volumes"]
    (term,) = pod["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["labelSelector"] == {"matchLabels": {"c8s.dev/run-uid": run.uid}}
    assert build_kept_claim("team", name)["metadata"] == {"name": name, "namespace": "team"}


def test_name_of_a_claim_fits_and_follows_from_the_run() -> None:
    name = name_workspace_claim("a" * 63, "uid")
    assert len(name) <= 63
    assert name.startswith("a" * 40 + "-workspace-")
    assert name != name_workspace_claim("a" * 63, "another uid")
