"""The Job of a step, as a whole and in its parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from c8s.objects.job import build_kept_job, build_step_job
from c8s.run.started import StartedStep
from tests.objects.samples import SETTINGS, make_run

Object = dict[str, Any]

GOLDEN = Path(__file__).parent / "golden"

FULL_STEP = {
    "image": "python:${{ matrix.python }}",
    "resources": {"cpu": "500m", "memory": "1Gi", "storage": "2Gi"},
    "timeout": "30m",
    "env": {"MODE": "ci"},
    "secrets": [
        {"secretRef": "database", "key": "PASSWORD", "envVar": "DB_PASSWORD"},
        {"secretRef": "signing", "key": "key.pem", "file": "key.pem"},
    ],
}
SAMPLES: dict[str, Object] = {
    "plain": {},
    "full": {
        "step": FULL_STEP,
        "pipeline": {"env": {"PIP_NO_CACHE_DIR": "1"}, "matrix": {"dimensions": {"python": ["3.12"]}}},
        "source": {"authSecretRef": {"name": "git-token"}, "allowedHosts": ["git.internal:8443"]},
        "spec": {"event": "pullRequest", "pullRequest": {"number": 7, "base": "main"}},
    },
    "root_without_checkout": {"step": {"runAs": "root", "checkout": False}, "allow_root": True},
}


def build(**sample: Any) -> Object:
    run, frozen = make_run(**sample)
    return build_step_job(run, frozen, StartedStep(frozen.instances[0]), SETTINGS)


def pod_of(job: Object) -> Object:
    return job["spec"]["template"]["spec"]


def step_of(job: Object) -> Object:
    return pod_of(job)["containers"][0]


def env_of(job: Object) -> dict[str, str]:
    return {one["name"]: one.get("value", "from a Secret") for one in step_of(job)["env"]}


@pytest.mark.parametrize("name", SAMPLES)
def test_job_is_the_golden_one(name: str, pytestconfig: pytest.Config) -> None:
    job = build(**SAMPLES[name])
    path = GOLDEN / f"{name}.yaml"
    if pytestconfig.getoption("--rewrite"):
        path.write_text(yaml.safe_dump(job, sort_keys=False, width=110))
    assert yaml.safe_load(path.read_text()) == job


@pytest.mark.parametrize("version", ["1.29", "1.36"])
@pytest.mark.parametrize("name", SAMPLES)
def test_job_fits_the_schema_of_kubernetes(name: str, version: str) -> None:
    kubernetes_validate.validate(build(**SAMPLES[name]), version, strict=True)


@pytest.mark.parametrize(("is_idempotent", "action"), [(True, "Ignore"), (False, "FailJob")])
def test_evicted_pod_is_replaced_where_that_is_allowed(is_idempotent: bool, action: str) -> None:
    (rule,) = build(step={"idempotent": is_idempotent})["spec"]["podFailurePolicy"]["rules"]
    assert rule["action"] == action


@pytest.mark.parametrize("name", ["plain", "full"])
def test_every_container_is_restricted(name: str) -> None:
    """The rules of https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted."""
    pod = pod_of(build(**SAMPLES[name]))
    assert {"hostNetwork", "hostPID", "hostIPC", "hostUsers"}.isdisjoint(pod)
    assert {kind for volume in pod["volumes"] for kind in volume} <= {
        "name",
        "emptyDir",
        "secret",
        "projected",
    }
    for container in [*pod["initContainers"], *pod["containers"]]:
        security = container["securityContext"]
        assert security["runAsNonRoot"] is True
        assert security["runAsUser"] == 1000
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert {"privileged", "procMount"}.isdisjoint(security)


def test_root_is_for_the_step_alone() -> None:
    pod = pod_of(build(step={"runAs": "root"}, allow_root=True))
    assert pod["initContainers"][0]["securityContext"]["runAsUser"] == 1000
    assert pod["containers"][0]["securityContext"]["runAsUser"] == 0


def test_requests_equal_limits() -> None:
    resources = step_of(build(step=FULL_STEP | {"image": "x"}))["resources"]
    assert resources["requests"] == resources["limits"]
    assert resources["limits"] == {"cpu": "500m", "memory": "1Gi", "ephemeral-storage": "2Gi"}


def test_git_credentials_stay_with_the_checkout() -> None:
    pod = pod_of(build(**SAMPLES["full"]))
    assert "/c8s/credentials" in str(pod["initContainers"])
    assert "/c8s/credentials" not in str(pod["containers"])


def test_user_environment_stays_with_the_step() -> None:
    job = build(step={"env": {"LD_PRELOAD": "/evil.so", "GIT_SSH_COMMAND": "evil", "PATH": "/evil"}})
    assert "evil" not in str(pod_of(job)["initContainers"])
    assert env_of(job)["LD_PRELOAD"] == "/evil.so"


def test_no_checkout_means_no_init_container() -> None:
    job = build(step={"checkout": False}, source={"authSecretRef": {"name": "git-token"}})
    assert "initContainers" not in pod_of(job)
    assert "git-token" not in str(job)


def test_untrusted_run_gets_no_secret() -> None:
    job = build(step=FULL_STEP | {"image": "x"}, trusted=False)
    assert "database" not in str(job)
    assert "signing" not in str(job)


def test_stranger_text_is_not_expanded() -> None:
    """A branch may be called `$(DB_PASSWORD)`; Kubernetes would put the password in."""
    job = build(spec={"branch": "$(DB_PASSWORD)"}, step={"env": {"COPY": "${{ branch }}"}})
    assert env_of(job)["BRANCH"] == "$$(DB_PASSWORD)"
    assert env_of(job)["COPY"] == "$$(DB_PASSWORD)"


def test_pull_request_is_in_the_environment() -> None:
    facts = {"event": "pullRequest", "branch": "topic", "pullRequest": {"number": 7, "base": "main"}}
    environment = env_of(build(spec=facts))
    assert environment["PULL_REQUEST_NUMBER"] == "7"
    assert environment["PULL_REQUEST_BASE"] == "main"
    assert environment["C8S_RUN_URL"] == "https://c8s.example.com/namespaces/team/runs/app-1"


def test_kept_job_is_nothing_but_its_identity() -> None:
    """Without a template nobody can make a Job out of it."""
    assert build_kept_job("team", "a") == {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "a", "namespace": "team"},
    }
