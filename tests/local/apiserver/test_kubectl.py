"""kubectl against a running server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest

from tests.local.apiserver.conftest import Kubectl, RunningServer, wait_for
from tests.local.apiserver.definitions import job, pod, widget, widget_definition


@pytest.fixture(scope="module", autouse=True)
def _definition(kubectl: Kubectl) -> Iterator[None]:
    kubectl("apply", "-f", "-", stdin=json.dumps(widget_definition()))
    yield
    kubectl("delete", "crd", "widgets.example.dev")


def apply(kubectl: Kubectl, item: dict, *options: str) -> str:
    return kubectl("apply", *options, "-f", "-", stdin=json.dumps(item)).stdout.strip()


def test_apply_creates_then_changes_then_rests(kubectl: Kubectl) -> None:
    answers = [
        apply(kubectl, item) for item in (widget("a"), widget("a", code="abc"), widget("a", code="abc"))
    ]
    assert answers == [
        "widget.example.dev/a created",
        "widget.example.dev/a configured",
        "widget.example.dev/a unchanged",
    ]


def test_apply_of_built_in_kinds_merges(kubectl: Kubectl) -> None:
    item = job("applied")
    labelled = {**item, "metadata": {**item["metadata"], "labels": {"a": "b"}}}
    assert apply(kubectl, item) == "job.batch/applied created"
    assert apply(kubectl, labelled) == "job.batch/applied configured"
    assert kubectl("get", "job", "applied", "-o", "jsonpath={.metadata.labels.a}").stdout == "b"


def test_server_side_apply(kubectl: Kubectl) -> None:
    assert apply(kubectl, widget("ssa"), "--server-side") == "widget.example.dev/ssa serverside-applied"
    other = json.dumps(widget("ssa", color="blue"))
    apply(kubectl, widget("ssa", color="red"), "--server-side")
    refused = kubectl(
        "apply", "--server-side", "--field-manager=other", "-f", "-", stdin=other, succeeds=False
    )
    assert 'conflict with "kubectl"' in refused.stderr


def test_unknown_field_is_refused(kubectl: Kubectl) -> None:
    refused = kubectl("create", "-f", "-", stdin=json.dumps(widget("bad", wheels=4)), succeeds=False)
    assert 'unknown field "spec.wheels"' in refused.stderr
    misspelt = {**pod("bad"), "spec": {"container": []}}
    refused = kubectl("create", "-f", "-", stdin=json.dumps(misspelt), succeeds=False)
    assert 'unknown field "spec.container"' in refused.stderr


def test_get_prints_the_definitions_columns(kubectl: Kubectl) -> None:
    apply(kubectl, widget("printed", size=3))
    kubectl(
        "patch", "wd", "printed", "--subresource=status", "--type=merge", "-p", '{"status":{"phase":"Done"}}'
    )
    lines = kubectl("get", "wd", "printed").stdout.splitlines()
    assert [line.split() for line in lines] == [["NAME", "PHASE", "SIZE"], ["printed", "Done", "3"]]


def test_get_prints_jobs_and_pods(kubectl: Kubectl) -> None:
    kubectl("create", "job", "printed", "--image=busybox:1", "--", "true")
    kubectl("create", "-f", "-", stdin=json.dumps(pod("printed")))
    jobs = kubectl("get", "job", "printed").stdout.splitlines()
    pods = kubectl("get", "pod", "printed", "-o", "wide").stdout.splitlines()
    assert jobs[0].split() == ["NAME", "STATUS", "COMPLETIONS", "DURATION", "AGE"]
    assert jobs[1].split()[:3] == ["printed", "Running", "0/1"]
    assert pods[1].split()[:4] == ["printed", "0/1", "Pending", "0"]


def test_explain_shows_descriptions(kubectl: Kubectl) -> None:
    text = kubectl("explain", "wd.spec").stdout
    assert "What the widget is like." in text
    assert "How large it is." in text
    assert "-required-" in text
    assert "restartPolicy" in kubectl("explain", "job.spec.template.spec").stdout


def test_describe_and_events(kubectl: Kubectl) -> None:
    apply(kubectl, widget("described"))
    uid = kubectl("get", "wd", "described", "-o", "jsonpath={.metadata.uid}").stdout
    target = {"kind": "Widget", "name": "described", "namespace": "default", "uid": uid}
    now = "2026-01-02T03:04:05Z"
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": "described.", "namespace": "default"},
        "involvedObject": target,
        "reason": "Turned",
        "message": "round and round",
        "type": "Normal",
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }
    kubectl("create", "-f", "-", stdin=json.dumps(event))
    assert "round and round" in kubectl("describe", "wd", "described").stdout
    assert "widget/described" in kubectl("get", "events").stdout


def test_wait_returns_when_the_status_comes(kubectl: Kubectl, server: RunningServer) -> None:
    apply(kubectl, widget("awaited"))
    arguments = ["kubectl", "wait", "--for=jsonpath={.status.phase}=Done", "wd/awaited", "--timeout=20s"]
    arguments += ["--kubeconfig", server.connection["kubeconfig"]]
    waiting = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    kubectl(
        "patch", "wd", "awaited", "--subresource=status", "--type=merge", "-p", '{"status":{"phase":"Done"}}'
    )
    assert waiting.communicate(timeout=20)[0].strip() == "widget.example.dev/awaited condition met"


def test_get_watch_follows_changes(kubectl: Kubectl, server: RunningServer, tmp_path) -> None:
    output = tmp_path / "watched"
    arguments = ["kubectl", "--kubeconfig", server.connection["kubeconfig"], "get", "wd", "-w", "-o", "name"]
    with output.open("w") as stream:
        watching = subprocess.Popen(arguments, stdout=stream)
    apply(kubectl, widget("watched"))
    wait_for(lambda: "widget.example.dev/watched" in output.read_text())
    kubectl("label", "wd", "watched", "a=b")
    wait_for(lambda: output.read_text().count("widget.example.dev/watched") == 2)
    watching.terminate()
    watching.wait()


def test_protobuf_only_commands(kubectl: Kubectl) -> None:
    kubectl("create", "namespace", "proto")
    kubectl("create", "secret", "generic", "s", "-n", "proto", "--from-literal=key=value")
    kubectl("create", "configmap", "c", "-n", "proto", "--from-literal=key=value")
    kubectl("create", "role", "r", "-n", "proto", "--verb=get,list", "--resource=pods")
    kubectl("create", "rolebinding", "b", "-n", "proto", "--role=r", "--serviceaccount=proto:default")
    kubectl("create", "quota", "q", "-n", "proto", "--hard=pods=5")
    assert kubectl("get", "secret", "s", "-n", "proto", "-o", "jsonpath={.data.key}").stdout == "dmFsdWU="
    assert kubectl("auth", "can-i", "list", "pods", "-n", "proto").stdout.strip() == "yes"
    assert "kubernetes-admin" in kubectl("auth", "whoami").stdout
    token = kubectl("create", "token", "default", "-n", "proto").stdout.strip()
    as_account = ("-n", "proto", "--token", token)
    assert kubectl("auth", "can-i", "list", "pods", *as_account).stdout.strip() == "yes"
    assert kubectl("auth", "can-i", "delete", "pods", *as_account, succeeds=False).stdout.strip() == "no"
    kubectl("delete", "namespace", "proto")


def test_impersonation_has_the_others_rights(kubectl: Kubectl) -> None:
    refused = kubectl("get", "secrets", "--as", "nobody", succeeds=False)
    assert 'User "nobody" cannot list resource "secrets"' in refused.stderr
    token = kubectl("create", "token", "default").stdout.strip()
    refused = kubectl("get", "secrets", "--as", "kubernetes-admin", "--token", token, succeeds=False)
    assert 'cannot impersonate resource "users"' in refused.stderr


def test_edit_and_label_and_delete(kubectl: Kubectl) -> None:
    apply(kubectl, widget("edited"))
    kubectl("patch", "wd", "edited", "--type=json", "-p", '[{"op":"add","path":"/spec/code","value":"abc"}]')
    kubectl("annotate", "wd", "edited", "note=x")
    assert kubectl("get", "wd", "edited", "-o", "jsonpath={.spec.code}").stdout == "abc"
    assert kubectl("delete", "wd", "edited").stdout.strip() == 'widget.example.dev "edited" deleted'
    gone = kubectl("get", "wd", "edited", succeeds=False)
    assert gone.stderr.strip() == 'Error from server (NotFound): widgets.example.dev "edited" not found'


def test_logs_of_waiting_pod_explain(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=json.dumps(pod("silent")))
    refused = kubectl("logs", "silent", succeeds=False)
    assert "does not have a host assigned" in refused.stderr


def test_bounds_of_a_namespace_are_shown(kubectl: Kubectl) -> None:
    kubectl("create", "namespace", "bounded")
    kubectl("create", "quota", "team", "--hard=pods=2,limits.cpu=4", "-n", "bounded")
    limits = {"type": "Container", "default": {"cpu": "1"}, "max": {"memory": "1Gi"}}
    limit_range = {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "bounds", "namespace": "bounded"},
        "spec": {"limits": [limits]},
    }
    kubectl("apply", "-f", "-", stdin=json.dumps(limit_range))
    kubectl("run", "p", "--image=alpine", "-n", "bounded")
    shown = kubectl("get", "quota", "-n", "bounded").stdout.split("\n")
    assert shown[0].split() == ["NAME", "REQUEST", "LIMIT", "AGE"]
    assert shown[1].split()[:5] == ["team", "pods:", "1/2", "limits.cpu:", "1/4"]
    described = kubectl("describe", "quota", "team", "-n", "bounded").stdout
    assert ["limits.cpu", "1", "4"] in [line.split() for line in described.splitlines()]
    assert "bounds" in kubectl("get", "limits", "-n", "bounded").stdout
    described = kubectl("describe", "limits", "bounds", "-n", "bounded").stdout
    assert ["Container", "memory", "-", "1Gi", "1Gi", "1Gi", "-"] in [
        line.split() for line in described.splitlines()
    ]


def test_priority_classes_are_shown(kubectl: Kubectl) -> None:
    kubectl("create", "priorityclass", "high", "--value=1000", "--preemption-policy=Never")
    shown = kubectl("get", "priorityclass", "high", "--no-headers").stdout.split()
    assert [*shown[:3], shown[4]] == ["high", "1000", "false", "Never"]
    assert "Value:" in kubectl("describe", "priorityclass", "high").stdout


def test_claims_and_classes_are_shown(kubectl: Kubectl) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "work"}, "spec": spec}
    kubectl("apply", "-f", "-", stdin=json.dumps(claim))
    shown = kubectl("get", "pvc", "work", "--no-headers").stdout.split()
    assert shown[:4] == ["work", "Pending", "local", "<unset>"]
    assert "Finalizers:    [kubernetes.io/pvc-protection]" in kubectl("describe", "pvc", "work").stdout
    shown = kubectl("get", "storageclass", "--no-headers").stdout.split()
    assert shown[:5] == ["local", "(default)", "local.c8s.dev/directory", "Delete", "Immediate"]
