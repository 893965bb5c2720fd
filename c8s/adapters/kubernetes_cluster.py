"""`Cluster` over HTTP: the official client's connection and credentials, plain dicts in and out.

The generated classes of `kubernetes.client` are left aside: they drop fields they don't know and cost
more time than all else. What stays is the client's reading of kubeconfigs, its TLS, its proxies and its
renewal of tokens.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
from kubernetes import config
from kubernetes.client import ApiClient, Configuration
from urllib3 import BaseHTTPResponse, Retry, Timeout
from urllib3.exceptions import HTTPError

from c8s.adapters.cluster import (
    MERGE_PATCH,
    Expired,
    Object,
    ObjectList,
    Propagation,
    Resource,
    Unavailable,
    WatchEvent,
)
from c8s.adapters.kubernetes_answers import parse_watch_event, read_error, read_pieces, split_lines
from c8s.adapters.kubernetes_paths import build_path, path_segment

# Every follower and every live page may hold a connection of its own; an idle one costs little.
POOL_SIZE = 256
PAGE_SIZE = 500
CONNECT_TIMEOUT_SECONDS = 5.0
READ_TIMEOUT_SECONDS = 30.0
# A watch ends by itself after its timeout; a little later the connection must be dead.
WATCH_GRACE_SECONDS = 30.0
# A step may be silent for long; TCP keep-alive finds a peer that is gone.
LOG_SILENCE_SECONDS = 24 * 3600.0
USER_AGENT = "c8s"

# Only what certainly changed nothing is sent again: a connection that was never made, or a GET.
_RETRIES = Retry(total=2, connect=2, read=2, redirect=0, status=0, other=0, allowed_methods=["GET"])


class NoCluster(Exception):
    """There is no kubeconfig that can be read, and this is no pod with an account."""


class KubernetesCluster:
    """The Kubernetes API at the other end of an `ApiClient`. Threads may share one; it sets no rate limit."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client
        self._host = client.configuration.host.rstrip("/")

    @classmethod
    def from_kubeconfig(cls, path: Path | str, *, context: str | None = None) -> KubernetesCluster:
        """The cluster of a kubeconfig file's current context (or of `context`). Raises `NoCluster`."""
        configuration = _new_configuration()
        try:
            config.load_kube_config(str(path), context, configuration, persist_config=False)
        except (config.ConfigException, OSError) as error:
            raise NoCluster(f"{path} can't be used as a kubeconfig: {error}") from error
        return cls(ApiClient(configuration))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> KubernetesCluster:
        """The cluster of `KUBECONFIG`, otherwise of the pod's own ServiceAccount. Raises `NoCluster`."""
        path = (os.environ if environment is None else environment).get("KUBECONFIG", "")
        if path:
            return cls.from_kubeconfig(path)
        configuration = _new_configuration()
        try:
            config.load_incluster_config(configuration)
        except config.ConfigException as error:
            raise NoCluster(
                "no cluster: set KUBECONFIG, or run in a pod with a ServiceAccount token"
            ) from error
        return cls(ApiClient(configuration))

    def get(self, resource: Resource, name: str, namespace: str = "") -> Object:
        return self._request_object("GET", build_path(resource, namespace, name))

    def list(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
    ) -> ObjectList:
        selectors = {"labelSelector": label_selector, "fieldSelector": field_selector}
        path = build_path(resource, namespace)
        try:
            return self._list_pages(resource, path, {**selectors, "limit": PAGE_SIZE})
        except Expired:
            # The pages' snapshot was compacted away between two of them: take all in one piece.
            return self._list_pages(resource, path, selectors)

    def watch(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        resource_version: str,
        label_selector: str = "",
        field_selector: str = "",
        timeout_seconds: int = 300,
    ) -> Iterator[WatchEvent]:
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": timeout_seconds,
            "labelSelector": label_selector,
            "fieldSelector": field_selector,
        }
        silence_seconds = timeout_seconds + WATCH_GRACE_SECONDS
        pieces = self._stream(build_path(resource, namespace), query, silence_seconds)
        return map(parse_watch_event, split_lines(pieces))

    def create(self, resource: Resource, body: Object, namespace: str = "") -> Object:
        namespace = namespace or (body.get("metadata") or {}).get("namespace", "")
        return self._request_object("POST", build_path(resource, namespace), body=body)

    def replace(self, resource: Resource, body: Object, *, subresource: str = "") -> Object:
        metadata = body.get("metadata") or {}
        path = build_path(resource, metadata.get("namespace", ""), metadata.get("name", ""), subresource)
        return self._request_object("PUT", path, body=body)

    def patch(
        self,
        resource: Resource,
        name: str,
        patch: Object | Operations,
        namespace: str = "",
        *,
        content_type: str = MERGE_PATCH,
        subresource: str = "",
    ) -> Object:
        path = build_path(resource, namespace, name, subresource)
        return self._request_object("PATCH", path, body=patch, content_type=content_type)

    def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str = "",
        *,
        propagation: Propagation = "Background",
        uid: str = "",
        grace_period_seconds: int | None = None,
    ) -> None:
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        if uid:
            options["preconditions"] = {"uid": uid}
        if grace_period_seconds is not None:
            options["gracePeriodSeconds"] = grace_period_seconds
        self._request_object("DELETE", build_path(resource, namespace, name), body=options)

    def read_log(
        self,
        name: str,
        namespace: str,
        container: str,
        *,
        follow: bool = False,
        timestamps: bool = True,
        since_time: str = "",
        tail_lines: int | None = None,
    ) -> Iterator[bytes]:
        path = f"/api/v1/namespaces/{path_segment(namespace)}/pods/{path_segment(name)}/log"
        query = {
            "container": container,
            "follow": "true" if follow else "",
            "timestamps": "true" if timestamps else "",
            "sinceTime": since_time,
            "tailLines": "" if tail_lines is None else tail_lines,
        }
        return self._stream(path, query, LOG_SILENCE_SECONDS if follow else READ_TIMEOUT_SECONDS)

    def _list_pages(self, resource: Resource, path: str, query: dict[str, Any]) -> ObjectList:
        items: Operations = []
        token = ""
        while True:
            page = self._request_object("GET", path, query={**query, "continue": token})
            items.extend(_with_type(item, resource) for item in page.get("items") or ())
            metadata = page.get("metadata") or {}
            token = metadata.get("continue", "")
            if not token:
                return ObjectList(items, metadata.get("resourceVersion", ""))

    def _request_object(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Object | Operations | None = None,
        content_type: str = "application/json",
    ) -> Object:
        response = self._open(method, path, query or {}, READ_TIMEOUT_SECONDS, body, content_type)
        try:
            answer: Object = orjson.loads(response.data)
        except HTTPError as error:
            raise Unavailable(f"the Kubernetes API's answer broke off: {error}") from error
        except orjson.JSONDecodeError as error:
            raise Unavailable("the Kubernetes API's answer is not JSON", status=response.status) from error
        return answer

    def _stream(self, path: str, query: Mapping[str, Any], silence_seconds: float) -> Iterator[bytes]:
        """The body in pieces as they come in. A refusal is raised by the call, not by the first piece."""
        return read_pieces(self._open("GET", path, query, silence_seconds))

    def _open(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any],
        read_timeout_seconds: float,
        body: Object | Operations | None = None,
        content_type: str = "application/json",
    ) -> BaseHTTPResponse:
        parameters = urlencode([(name, value) for name, value in query.items() if value != ""])
        headers = {"Accept": "application/json", "User-Agent": USER_AGENT}
        if body is not None:
            headers["Content-Type"] = content_type
        self._client.update_params_for_auth(headers, [], ["BearerToken"], path, method, body)
        try:
            response: BaseHTTPResponse = self._client.rest_client.pool_manager.request(
                method,
                f"{self._host}{path}?{parameters}" if parameters else self._host + path,
                body=None if body is None else orjson.dumps(body),
                headers=headers,
                timeout=Timeout(connect=CONNECT_TIMEOUT_SECONDS, read=read_timeout_seconds),
                retries=_RETRIES,
                redirect=False,
                preload_content=False,
            )
        except HTTPError as error:
            raise Unavailable(f"the Kubernetes API can't be reached: {error}") from error
        if not 200 <= response.status < 300:
            raise read_error(response)
        return response


Operations = list[Object]
"""A JSON patch, or any list of objects."""


def _new_configuration() -> Configuration:
    configuration = Configuration()
    configuration.connection_pool_maxsize = POOL_SIZE
    configuration.keep_alive = True
    return configuration


def _with_type(item: Object, resource: Resource) -> Object:
    """The API leaves kind and version out of a list's items; a watch's and a get's objects have them."""
    return {"apiVersion": resource.api_version, "kind": resource.kind, **item}
