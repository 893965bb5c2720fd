"""c8s as people see it through kubectl, with real runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from c8s.adapters.cluster import PIPELINE_RUNS, PODS
from tests.cluster.kubectl import Kubectl
from tests.cluster.surroundings import Surroundings

HELLO = Path(__file__).resolve().parents[2] / "examples" / "hello"
SUCCEEDED = "--for=jsonpath={.status.phase}=Succeeded"
WAIT = "--timeout=60s"


def start_long(surroundings: Surroundings) -> str:
    """A run whose one step has written `begun` and goes on until it is stopped."""
    name = surroundings.start_steps(
        {"name": "long", "image": "busybox", "commands": ["echo begun; sleep 600 & wait"]}
    )
    surroundings.wait_for_run(name, lambda run: step_phases(run) == {"long": "Running"})
    return name


def step_phases(run: dict[str, Any]) -> dict[str, str]:
    return {step["name"]: step["phase"] for step in run.get("status", {}).get("steps", [])}


def pipeline_config(config_name: str, **step: Any) -> dict[str, Any]:
    steps = [{"name": "a", "image": "busybox", "commands": ["true"], "checkout": False, **step}]
    return {
        "apiVersion": "c8s.dev/v1alpha1",
        "kind": "PipelineConfig",
        "metadata": {"name": config_name},
        "spec": {"repository": "https://git.example.com/a.git", "steps": steps},
    }


def columns(table: str) -> list[list[str]]:
    return [line.split() for line in table.splitlines()]


def test_example_runs_to_its_end(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", str(HELLO))
    kubectl("wait", SUCCEEDED, WAIT, "pr/hello")
    listed = kubectl("get", "pc,pr,jobs,pods")
    assert "pipelineconfig.c8s.dev/hello" in listed
    assert "pipelinerun.c8s.dev/hello" in listed
    assert columns(kubectl("get", "pr", "hello"))[1][:4] == ["hello", "hello", "Succeeded", "3/3"]
    assert "STARTED" in columns(kubectl("get", "pr", "hello", "-o", "wide"))[0]
    described = kubectl("describe", "pr", "hello")
    assert "the run ended Succeeded" in described
    kubectl("delete", "-f", str(HELLO))


def test_watch_shows_phases_in_order(surroundings: Surroundings, kubectl: Kubectl) -> None:
    step = {"name": "a", "image": "busybox", "commands": ["true"]}
    surroundings.start_steps(step)
    watching = kubectl.begin("get", "pr", "-w", "-o", 'jsonpath={.metadata.name} {.status.phase}{"\\n"}')
    assert watching.stdout
    assert watching.stdout.readline()  # it has begun: from now on it misses nothing
    name = surroundings.start_steps(step)
    seen: list[str] = []
    while seen[-1:] != ["Succeeded"]:
        run, _, phase = watching.stdout.readline().strip().partition(" ")
        if run == name and phase and phase not in seen[-1:]:
            seen.append(phase)
    watching.terminate()
    watching.wait()
    assert seen == ["Pending", "Running", "Succeeded"]


def test_logs_of_job_are_followed(surroundings: Surroundings, kubectl: Kubectl) -> None:
    name = surroundings.start_steps(
        {
            "name": "count",
            "image": "busybox",
            "commands": ["for i in 1 2 3 4 5; do echo line $i; sleep 0.5; done"],
        }
    )
    run = surroundings.wait_for_run(name, lambda run: step_phases(run) == {"count": "Running"})
    job = run["status"]["steps"][0]["jobName"]
    lines = kubectl("logs", "-f", f"job/{job}").splitlines()
    assert lines[-5:] == [f"line {number}" for number in range(1, 6)]


def test_logs_of_finished_pod_stay_readable(surroundings: Surroundings, kubectl: Kubectl) -> None:
    name = surroundings.start_steps(
        {"name": "short", "image": "busybox", "commands": ["echo said"]},
        {"name": "long", "image": "busybox", "commands": ["sleep 600 & wait"]},
    )
    surroundings.wait_for_run(name, lambda run: step_phases(run).get("short") == "Succeeded")
    selector = f"c8s.dev/run={name},c8s.dev/step=short"
    pod = kubectl("get", "pods", "-l", selector, "-o", "jsonpath={.items[*].metadata.name}")
    assert kubectl("logs", pod).splitlines() == ["$ echo said", "said"]
    kubectl("delete", "pr", name)


def test_deleted_run_leaves_nothing(surroundings: Surroundings, kubectl: Kubectl) -> None:
    name = start_long(surroundings)
    run = surroundings.run(name)
    kubectl("delete", "pr", name, WAIT)
    assert "NotFound" in kubectl.refusal("get", "pr", name)
    surroundings.wait_until_gone(run)


def test_merge_patch_cancels_run_for_good(surroundings: Surroundings, kubectl: Kubectl) -> None:
    name = start_long(surroundings)
    kubectl("patch", "pr", name, "--type", "merge", "-p", '{"spec":{"cancel":true}}')
    revived = kubectl.refusal("patch", "pr", name, "--type", "merge", "-p", '{"spec":{"cancel":false}}')
    assert "a cancelled run stays cancelled" in revived
    assert kubectl("get", "pr", name, "-o", "jsonpath={.spec.cancel}") == "true"
    kubectl("delete", "pr", name)


def test_changed_spec_is_refused_readably(surroundings: Surroundings, kubectl: Kubectl) -> None:
    name = start_long(surroundings)
    refused = kubectl.refusal("patch", "pr", name, "--type", "merge", "-p", '{"spec":{"branch":"other"}}')
    assert refused.startswith(f'The PipelineRun "{name}" is invalid: spec.branch')
    assert refused.strip().endswith("branch can't be changed")
    kubectl("delete", "pr", name)


def test_explain_tells_fields(kubectl: Kubectl) -> None:
    run = kubectl("explain", "pr.spec")
    steps = kubectl("explain", "pc.spec.steps")
    assert "Set to true to cancel the run." in run
    assert "commands" in steps
    assert "-required-" in steps


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"comands": ["make"]}, 'unknown field "spec.steps[0].comands"'),
        ({"image": None}, "give image and commands, or approval"),
        ({"name": "Not A Name"}, "spec.steps[0].name"),
        ({"commands": "make"}, "spec.steps[0].commands"),
    ],
)
def test_broken_config_is_refused_with_its_place(kubectl: Kubectl, step: dict[str, Any], said: str) -> None:
    refused = kubectl.refusal("create", "-f", "-", stdin=json.dumps(pipeline_config("broken", **step)))
    assert said in refused


def test_list_is_applied_item_by_item(kubectl: Kubectl) -> None:
    items = [pipeline_config("listed-a"), pipeline_config("listed-b")]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    names = ["pipelineconfig.c8s.dev/listed-a", "pipelineconfig.c8s.dev/listed-b"]
    assert kubectl("apply", "-f", "-", stdin=text).splitlines() == [f"{name} created" for name in names]
    assert kubectl("apply", "-f", "-", stdin=text).splitlines() == [f"{name} unchanged" for name in names]
    broken = text.replace('"commands"', '"comands"')
    assert 'unknown field "spec.steps[0].comands"' in kubectl.refusal("apply", "-f", "-", stdin=broken)
    kubectl("delete", "pc", "listed-a", "listed-b")


def test_events_tell_why_pod_waits(surroundings: Surroundings, kubectl: Kubectl) -> None:
    secret = {"secretRef": "not-there", "key": "token", "envVar": "TOKEN"}
    name = surroundings.start_steps(
        {"name": "wants", "image": "busybox", "commands": ["true"], "secrets": [secret]}
    )
    run = surroundings.wait_for_end(name)
    assert run["status"]["phase"] == "Failed"
    assert 'secret "not-there" not found' in kubectl("get", "events")


def test_rights_of_service_accounts_are_told(kubectl: Kubectl) -> None:
    webhook = ("--as", "system:serviceaccount:c8s-system:webhook")
    assert kubectl("auth", "can-i", "create", "pipelineruns").strip() == "yes"
    assert kubectl("auth", "can-i", "create", "pipelineruns", *webhook).strip() == "yes"
    assert kubectl.run("auth", "can-i", "list", "pods", *webhook).stdout.strip() == "no"


def test_no_kubectl_write_is_needed_after_end(surroundings: Surroundings, kubectl: Kubectl) -> None:
    """Deleting a run that has ended and is archived takes nothing but the one call."""
    name = surroundings.start_steps({"name": "a", "image": "busybox", "commands": ["true"]})
    surroundings.wait_for_archive(surroundings.wait_for_end(name))
    kubectl("delete", "pr", name, "--wait=false")
    surroundings.wait_until(
        lambda: all(
            name not in item["metadata"]["name"]
            for resource in (PIPELINE_RUNS, PODS)
            for item in surroundings.kubernetes.list(resource, surroundings.state.namespace).items
        ),
        f"{name} or its pods are left",
    )
