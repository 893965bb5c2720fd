"""The official Python client against a running server."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from kubernetes import client, watch
from kubernetes.client.exceptions import ApiException

from c8s.local.apiserver.tokens import add_user_token
from tests.local.apiserver.conftest import RunningServer
from tests.local.apiserver.definitions import job, pod


@pytest.fixture
def namespace(server: RunningServer, request: pytest.FixtureRequest) -> Iterator[str]:
    core = client.CoreV1Api(server.api_client())
    name = "t" + request.node.name.replace("_", "-").split("[")[0][4:55]
    core.create_namespace({"metadata": {"name": name}})
    yield name
    core.delete_namespace(name)


def request_raw(
    server: RunningServer, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, str]:
    context = ssl.create_default_context(cafile=server.connection["ca"])
    connection = http.client.HTTPSConnection(
        "127.0.0.1", server.connection["port"], context=context, timeout=10
    )
    connection.request(method, path, body or None, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def test_health_is_open_and_the_rest_is_not(server: RunningServer) -> None:
    paths = ("/healthz", "/readyz", "/version", "/api", "/api/v1/pods", "/openapi/v3", "/nothing")
    assert [request_raw(server, "GET", path)[0] for path in paths] == [200, 200, 200, 401, 401, 401, 401]
    assert request_raw(server, "GET", "/api", Authorization="Bearer wrong")[0] == 401


def test_files_with_secrets_are_private(server: RunningServer) -> None:
    names = ("apiserver.json", "kubeconfig", "tokens.json", "tls.key", "account-token.key")
    assert {name: oct((server.state_dir / name).stat().st_mode & 0o777) for name in names} == dict.fromkeys(
        names, "0o600"
    )


def test_oversized_body_is_refused(server: RunningServer) -> None:
    authorization = f"Bearer {server.connection['adminToken']}"
    body = b'{"metadata":{"name":"' + b"a" * (3 * 1024 * 1024) + b'"}}'
    status, text = request_raw(server, "POST", "/api/v1/namespaces", body, Authorization=authorization)
    assert (status, "limit is 3145728" in text) == (413, True)


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"\x00", "application/vnd.kubernetes.protobuf", 400),
        (b"k8s\x00\xff\xff", "application/vnd.kubernetes.protobuf", 400),
        (b"a: &a [*a]", "application/yaml", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"x", "text/html", 415),
    ],
)
def test_broken_body_is_answered(server: RunningServer, body: bytes, content_type: str, status: int) -> None:
    headers = {"Authorization": f"Bearer {server.connection['adminToken']}", "Content-Type": content_type}
    assert request_raw(server, "POST", "/api/v1/namespaces", body, **headers)[0] == status


def test_client_writes_and_watches(server: RunningServer, namespace: str) -> None:
    batch = client.BatchV1Api(server.api_client())
    created = batch.create_namespaced_job(namespace, job())
    watcher = watch.Watch()
    stream = watcher.stream(
        batch.list_namespaced_job,
        namespace,
        resource_version=created.metadata.resource_version,
        timeout_seconds=10,
    )
    batch.patch_namespaced_job("build", namespace, {"metadata": {"labels": {"a": "b"}}})
    event = next(iter(stream))
    watcher.stop()
    assert (event["type"], event["object"].metadata.labels) == ("MODIFIED", {"a": "b"})


def test_watch_begins_with_initial_events(server: RunningServer, namespace: str) -> None:
    core = client.CoreV1Api(server.api_client())
    core.create_namespaced_config_map(namespace, {"metadata": {"name": "one"}})
    stream = watch.Watch().stream(
        core.list_namespaced_config_map,
        namespace,
        send_initial_events=True,
        resource_version_match="NotOlderThan",
        allow_watch_bookmarks=True,
        timeout_seconds=1,
    )
    found = [(event["type"], event["raw_object"]["metadata"].get("annotations")) for event in stream]
    assert found[:2] == [("ADDED", None), ("BOOKMARK", {"k8s.io/initial-events-end": "true"})]


def test_too_old_version_expires_the_watch(server: RunningServer) -> None:
    core = client.CoreV1Api(server.api_client())
    stream = watch.Watch().stream(core.list_namespace, resource_version="999999999", timeout_seconds=5)
    with pytest.raises(ApiException) as expired:
        list(stream)
    assert expired.value.status == 410


def test_dry_run_stores_nothing(server: RunningServer, namespace: str) -> None:
    core = client.CoreV1Api(server.api_client())
    created = core.create_namespaced_config_map(namespace, {"metadata": {"name": "one"}}, dry_run="All")
    assert created.metadata.name == "one"
    assert core.list_namespaced_config_map(namespace).items == []


def test_account_token_is_reviewed_and_bound_to_audience(server: RunningServer, namespace: str) -> None:
    api = server.api_client()
    core, authentication = client.CoreV1Api(api), client.AuthenticationV1Api(api)
    body = {"spec": {"audiences": ["c8s"], "expirationSeconds": 600}}
    token = core.create_namespaced_service_account_token("default", namespace, body).status.token

    def review(**spec: Any) -> tuple[bool | None, str | None]:
        status = authentication.create_token_review({"spec": {"token": token, **spec}}).status
        return status.authenticated, status.user.username

    account = f"system:serviceaccount:{namespace}:default"
    assert review(audiences=["c8s", "other"]) == (True, account)
    assert review() == (None, None)
    core.delete_namespaced_service_account("default", namespace)
    assert review(audiences=["c8s"]) == (None, None)


def test_token_of_a_pod_names_it_and_ends_with_it(server: RunningServer, namespace: str) -> None:
    api = server.api_client()
    core, authentication = client.CoreV1Api(api), client.AuthenticationV1Api(api)
    container = {"name": "step", "image": "alpine"}
    made = core.create_namespaced_pod(
        namespace, {"metadata": {"name": "p"}, "spec": {"containers": [container]}}
    )
    bound = {"kind": "Pod", "apiVersion": "v1", "name": "p", "uid": made.metadata.uid}
    body = {"spec": {"audiences": ["c8s"], "expirationSeconds": 600, "boundObjectRef": bound}}
    token = core.create_namespaced_service_account_token("default", namespace, body).status.token
    review = {"spec": {"token": token, "audiences": ["c8s"]}}
    status = authentication.create_token_review(review).status
    assert status.user.extra == {
        "authentication.kubernetes.io/pod-name": ["p"],
        "authentication.kubernetes.io/pod-uid": [made.metadata.uid],
    }
    assert status.audiences == ["c8s"]
    core.delete_namespaced_pod("p", namespace)
    assert authentication.create_token_review(review).status.authenticated is None
    core.create_namespaced_pod(namespace, {"metadata": {"name": "p"}, "spec": {"containers": [container]}})
    with pytest.raises(client.ApiException) as refused:
        core.create_namespaced_service_account_token("default", namespace, body)
    assert refused.value.status == 409


def test_rights_decide_and_uses_are_recorded(server: RunningServer, namespace: str) -> None:
    token = add_user_token(server.state_dir, f"system:serviceaccount:{namespace}:reader")
    admin, reader = server.api_client(), server.api_client(token)
    with pytest.raises(ApiException) as refused:
        client.CoreV1Api(reader).list_namespaced_secret(namespace)
    assert (refused.value.status, "cannot list resource" in refused.value.body) == (403, True)
    rules = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}]
    rbac = client.RbacAuthorizationV1Api(admin)
    rbac.create_namespaced_role(namespace, {"metadata": {"name": "reader"}, "rules": rules})
    subject = {"kind": "ServiceAccount", "name": "reader", "namespace": namespace}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"}
    binding = {"metadata": {"name": "reader"}, "roleRef": reference, "subjects": [subject]}
    rbac.create_namespaced_role_binding(namespace, binding)
    assert client.CoreV1Api(reader).list_namespaced_secret(namespace).items == []
    attributes = {"namespace": namespace, "verb": "list", "resource": "secrets"}
    review = {"spec": {"user": f"system:serviceaccount:{namespace}:reader", "resourceAttributes": attributes}}
    assert client.AuthorizationV1Api(admin).create_subject_access_review(review).status.allowed is True

    authorization = f"Bearer {server.connection['adminToken']}"
    used = json.loads(request_raw(server, "GET", "/debug/verbs-used", Authorization=authorization)[1])
    mine = [use for use in used if use["user"].endswith(":reader") and use["namespace"] == namespace]
    expected = {"verb": "list", "group": "", "resource": "secrets", "subresource": "", "namespace": namespace}
    user = {"user": f"system:serviceaccount:{namespace}:reader"}
    assert [use.pop("count") > 0 for use in mine] == [True, True]
    assert mine == [{**user, **expected, "allowed": False}, {**user, **expected, "allowed": True}]


def test_token_of_a_user_stays_the_same(server: RunningServer) -> None:
    first = add_user_token(server.state_dir, "alice", ["developers"])
    assert add_user_token(server.state_dir, "alice", ["admins"]) == first


class LogAgent(BaseHTTPRequestHandler):
    """A node's agent with one log."""

    def do_GET(self) -> None:
        found = self.path.startswith("/containerLogs/") and "/step?" in self.path
        self.send_response(200 if found else 400)
        self.end_headers()
        self.wfile.write(b"first\nsecond\n" if found else b"waiting to start: PodInitializing")

    def log_message(self, *_arguments: object) -> None:
        return


@pytest.fixture
def node(server: RunningServer) -> Iterator[str]:
    agent = ThreadingHTTPServer(("127.0.0.1", 0), LogAgent)
    threading.Thread(target=agent.serve_forever, daemon=True).start()
    addresses = [{"type": "InternalIP", "address": "127.0.0.1"}]
    endpoints = {"kubeletEndpoint": {"Port": agent.server_address[1]}}
    status = {"addresses": addresses, "daemonEndpoints": endpoints}
    core = client.CoreV1Api(server.api_client())
    core.create_node({"metadata": {"name": "node"}, "status": status})
    yield "node"
    core.delete_node("node")
    agent.shutdown()
    agent.server_close()


def test_log_comes_from_the_nodes_agent(server: RunningServer, namespace: str, node: str) -> None:
    core = client.CoreV1Api(server.api_client())
    init = [{"name": "checkout", "image": "x:1"}]
    core.create_namespaced_pod(namespace, pod(nodeName=node, initContainers=init))
    assert core.read_namespaced_pod_log("pod", namespace, tail_lines=2) == "first\nsecond\n"
    with pytest.raises(ApiException) as waiting:
        core.read_namespaced_pod_log("pod", namespace, container="checkout")
    assert (waiting.value.status, "PodInitializing" in waiting.value.body) == (400, True)
    core.delete_namespaced_pod("pod", namespace, grace_period_seconds=0)


def test_log_of_unscheduled_pod_is_refused(server: RunningServer, namespace: str) -> None:
    core = client.CoreV1Api(server.api_client())
    core.create_namespaced_pod(namespace, pod())
    with pytest.raises(ApiException) as refused:
        core.read_namespaced_pod_log("pod", namespace)
    assert (refused.value.status, "does not have a host assigned" in refused.value.body) == (400, True)
