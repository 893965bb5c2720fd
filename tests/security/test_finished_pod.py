"""Whatever a pipeline file that passes the checks says, the pod that comes of it is restricted."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from c8s.objects.job import build_step_job
from c8s.pipeline.parse import parse_document
from c8s.run.started import StartedStep
from tests.objects.samples import SETTINGS, STEP, make_run
from tests.security.pod_standard import find_breaches

SECURITY_FIELDS = (
    "securityContext",
    "privileged",
    "hostNetwork",
    "volumes",
    "volumeMounts",
    "serviceAccountName",
    "nodeName",
    "podTemplate",
    "patch",
    "ports",
    "envFrom",
)
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)
STEPS = st.fixed_dictionaries(
    {},
    optional={
        "commands": st.lists(TEXTS.filter(str.strip), min_size=1, max_size=3),
        "env": st.dictionaries(st.sampled_from(["LD_PRELOAD", "PATH", "GIT_DIR", "X"]), TEXTS),
        "checkout": st.sampled_from([False, {}, {"depth": 3}]),
        "secrets": st.just([{"secretRef": "s", "key": "k", "file": "a.pem"}]),
        "timeout": st.sampled_from(["1s", "2h"]),
        "resources": st.sampled_from([{"cpu": "1", "memory": "1Gi"}, {"storage": "1Gi"}]),
    },
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(step=STEPS)
def test_every_pod_is_restricted(step: dict[str, object]) -> None:
    run, frozen = make_run(step=step, source={"authSecretRef": {"name": "git"}})
    pod = build_step_job(run, frozen, StartedStep(frozen.instances[0]), SETTINGS)["spec"]["template"]["spec"]

    assert find_breaches(pod) == []
    assert pod["automountServiceAccountToken"] is False
    assert "serviceAccountToken" not in str(pod["volumes"])


def test_root_breaks_nothing_but_root() -> None:
    run, frozen = make_run(step={"runAs": "root"}, allow_root=True)
    pod = build_step_job(run, frozen, StartedStep(frozen.instances[0]), SETTINGS)["spec"]["template"]["spec"]

    assert find_breaches(pod) == [
        "step: runAsNonRoot",
        "step: runAsUser",
        "step: capabilities are not dropped",
    ]


@pytest.mark.parametrize("field", SECURITY_FIELDS)
def test_pod_fields_are_no_part_of_the_language(field: str) -> None:
    document = {"version": "v1alpha1", "name": "app", "steps": [{**STEP, field: {}}]}

    result = parse_document(document, "test")

    assert result.pipeline is None
    assert any(field in problem.message for problem in result.problems)


@pytest.mark.parametrize(
    ("pod", "breach"),
    [
        ({"hostPID": True}, "pod: hostPID"),
        ({"volumes": [{"name": "a", "hostPath": {"path": "/"}}]}, "volume a: hostPath"),
        ({"containers": [{"name": "a", "ports": [{"hostPort": 1}]}]}, "a: hostPort"),
        ({"containers": [{"name": "a", "securityContext": {"privileged": True}}]}, "a: privileged"),
    ],
)
def test_breach_is_noticed(pod: dict[str, object], breach: str) -> None:
    assert breach in find_breaches(pod)
