"""`pods/NAME/log`: fetched from the node's agent and passed on as it comes.

The agent listens at the node's InternalIP and kubelet port, and answers
`GET /containerLogs/<namespace>/<pod>/<container>?<the same query>` with plain text, as a kubelet does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from c8s.local.apiserver.errors import ApiError, bad_request
from c8s.local.apiserver.object_table import Key
from c8s.local.apiserver.store import Store

Object = dict[str, Any]

_CONNECT_SECONDS = 5.0
_PIECE_BYTES = 64 * 1024
_MESSAGE_LIMIT_BYTES = 4096
_PASSED_ON = ("follow", "previous", "sinceSeconds", "sinceTime", "tailLines", "timestamps", "limitBytes")


async def open_log(
    store: Store, namespace: str, pod_name: str, query: Mapping[str, str]
) -> AsyncIterator[bytes]:
    """The log in pieces. Raises a 400 while there is none yet and a 503 when the node doesn't answer."""
    pod = store.peek(Key("pods", namespace, pod_name))
    assert pod is not None
    container = _chosen_container(pod, query.get("container", ""))
    address = _agent_address(store, pod)
    asked = urlencode({key: query[key] for key in _PASSED_ON if key in query})
    path = f"/containerLogs/{quote(namespace)}/{quote(pod_name)}/{quote(container)}?{asked}"
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(*address), _CONNECT_SECONDS)
    except (OSError, TimeoutError) as error:
        raise _unavailable(pod) from error
    try:
        # HTTP/1.0: the agent ends its answer by closing, so nothing is chunked.
        writer.write(f"GET {path} HTTP/1.0\r\nHost: {address[0]}\r\n\r\n".encode())
        status = await _read_status(reader)
        if status != 200:
            raise await _refusal(reader, status, pod, container)
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
        writer.close()
        raise _unavailable(pod) from error
    except ApiError:
        writer.close()
        raise
    return _pieces(reader, writer)


async def _pieces(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> AsyncIterator[bytes]:
    try:
        while piece := await reader.read(_PIECE_BYTES):
            yield piece
    finally:
        writer.close()


async def _read_status(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1])


async def _refusal(reader: asyncio.StreamReader, status: int, pod: Object, container: str) -> ApiError:
    if status == 404:
        return _not_started(pod, container)
    text = (await reader.read(_MESSAGE_LIMIT_BYTES)).decode(errors="replace").strip()
    return ApiError(
        status, "BadRequest" if status == 400 else "InternalError", text or "the node has no such log"
    )


def _chosen_container(pod: Object, wanted: str) -> str:
    name, spec = pod["metadata"]["name"], pod["spec"]
    containers = [one["name"] for one in spec.get("containers") or ()]
    others = [one["name"] for one in spec.get("initContainers") or ()]
    annotations = pod["metadata"].get("annotations") or {}
    chosen = wanted or annotations.get("kubectl.kubernetes.io/default-container", "")
    if not chosen and len(containers) == 1:
        return str(containers[0])
    if not chosen:
        listed = f"choose one of: [{' '.join(containers)}]"
        if others:
            listed += f" or one of the init containers: [{' '.join(others)}]"
        raise bad_request(f"a container name must be specified for pod {name}, {listed}")
    if chosen not in (*containers, *others):
        raise bad_request(f"container {chosen} is not valid for pod {name}")
    return str(chosen)


def _agent_address(store: Store, pod: Object) -> tuple[str, int]:
    node_name = pod["spec"].get("nodeName")
    if not node_name:
        raise bad_request(f"pod {pod['metadata']['name']} does not have a host assigned")
    node = store.peek(Key("nodes", "", node_name))
    status = (node or {}).get("status") or {}
    addresses = [one["address"] for one in status.get("addresses") or () if one.get("type") == "InternalIP"]
    port = ((status.get("daemonEndpoints") or {}).get("kubeletEndpoint") or {}).get("Port")
    if not addresses or not isinstance(port, int):
        raise _unavailable(pod)
    return addresses[0], port


def _not_started(pod: Object, container: str) -> ApiError:
    status = pod.get("status", {})
    known = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    state: Object = next((one.get("state") or {} for one in known if one.get("name") == container), {})
    reason = (state.get("waiting") or {}).get("reason") or "ContainerCreating"
    name = pod["metadata"]["name"]
    return bad_request(f'container "{container}" in pod "{name}" is waiting to start: {reason}')


def _unavailable(pod: Object) -> ApiError:
    node = pod["spec"].get("nodeName")
    return ApiError(503, "ServiceUnavailable", f'the agent of node "{node}" does not answer')
