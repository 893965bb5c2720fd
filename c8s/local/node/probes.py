"""One try of a probe: exec, tcpSocket or httpGet, as the kubelet does and words it.

https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

ProbeKind = Literal["startup", "readiness", "liveness"]
ExecuteInside = Callable[[Sequence[str], float], str]
"""Runs a command in the container for at most so many seconds; "" when it ended with 0, else what failed."""

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe of a container's spec with its defaults; times in seconds."""

    kind: ProbeKind
    handler: Mapping[str, Any]
    ports: Mapping[str, int]
    initial_delay: float
    period: float
    timeout: float
    success_threshold: int
    failure_threshold: int


def read_probe(container: Mapping[str, Any], kind: ProbeKind) -> Probe | None:
    """None when the container has no probe of this kind."""
    spec = container.get(f"{kind}Probe")
    if not spec:
        return None
    ports = {
        port["name"]: int(port["containerPort"]) for port in container.get("ports") or [] if "name" in port
    }
    return Probe(
        kind,
        spec,
        ports,
        float(spec.get("initialDelaySeconds") or 0),
        float(spec.get("periodSeconds") or 10),
        float(spec.get("timeoutSeconds") or 1),
        int(spec.get("successThreshold") or 1),
        int(spec.get("failureThreshold") or 3),
    )


def try_probe(probe: Probe, execute_inside: ExecuteInside) -> str:
    """ "" when the probe passes, else why it doesn't. Blocks for at most the probe's timeout."""
    handler = probe.handler
    if "exec" in handler:
        return execute_inside(handler["exec"].get("command") or [], probe.timeout)
    try:
        if "tcpSocket" in handler:
            return _try_tcp(handler["tcpSocket"], probe)
        if "httpGet" in handler:
            return _try_http(handler["httpGet"], probe)
    except ValueError as error:
        return str(error)
    return "probes of this kind are not supported here: " + ", ".join(sorted(set(handler) & {"grpc"}))


def _try_tcp(action: Mapping[str, Any], probe: Probe) -> str:
    host, port = action.get("host") or LOOPBACK, _read_port(action["port"], probe)
    try:
        socket.create_connection((host, port), timeout=probe.timeout).close()
    except OSError as error:
        return f"dial tcp {host}:{port}: {_describe(error)}"
    return ""


def _try_http(action: Mapping[str, Any], probe: Probe) -> str:
    host, port = action.get("host") or LOOPBACK, _read_port(action["port"], probe)
    path, scheme = action.get("path") or "/", str(action.get("scheme") or "HTTP")
    headers = {"User-Agent": "kube-probe/1.32", "Accept": "*/*"}
    headers |= {header["name"]: header["value"] for header in action.get("httpHeaders") or []}
    connection = _connect(scheme, host, port, probe.timeout)
    try:
        connection.request("GET", path, headers=headers)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f'Get "{scheme.lower()}://{host}:{port}{path}": {_describe(error)}'
    finally:
        connection.close()
    return "" if 200 <= status < 400 else f"HTTP probe failed with statuscode: {status}"


def _connect(scheme: str, host: str, port: int, timeout: float) -> http.client.HTTPConnection:
    """Certificates are not looked at, as by the kubelet."""
    if scheme == "HTTPS":
        context = ssl._create_unverified_context()  # noqa: S323
        return http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
    return http.client.HTTPConnection(host, port, timeout=timeout)


def _read_port(port: Any, probe: Probe) -> int:
    if isinstance(port, str) and not port.isdecimal():
        if port not in probe.ports:
            raise ValueError(f'couldn\'t find port: "{port}"')
        return probe.ports[port]
    return int(port)


def _describe(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "i/o timeout"
    number = getattr(error, "errno", None)
    return f"connect: {os.strerror(number).lower()}" if number else str(error)
