"""The `restricted` Pod Security Standard, written down from its page and held against finished pods.

https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

VOLUME_KINDS = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
SECCOMP_TYPES = ("RuntimeDefault", "Localhost")
APPARMOR_TYPES = (None, "RuntimeDefault", "Localhost")


def find_breaches(pod: dict[str, Any]) -> list[str]:
    """What of a pod's spec the standard forbids, one line each."""
    breaches = [f"pod: {field}" for field in ("hostNetwork", "hostPID", "hostIPC") if pod.get(field)]
    security = pod.get("securityContext", {})
    if security.get("sysctls"):
        breaches.append("pod: sysctls")
    for volume in pod.get("volumes", []):
        breaches += [f"volume {volume['name']}: {kind}" for kind in volume.keys() - VOLUME_KINDS - {"name"}]
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for container in pod.get(kind, []):
            found = _find_in_container(container, security)
            breaches += [f"{container['name']}: {breach}" for breach in found]
    return breaches


def _find_in_container(container: dict[str, Any], pod_security: dict[str, Any]) -> Iterator[str]:
    security = {**pod_security, **container.get("securityContext", {})}
    capabilities = security.get("capabilities", {})
    if security.get("privileged"):
        yield "privileged"
    if security.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation"
    if security.get("runAsNonRoot") is not True:
        yield "runAsNonRoot"
    if security.get("runAsUser") == 0:
        yield "runAsUser"
    if "ALL" not in capabilities.get("drop", []):
        yield "capabilities are not dropped"
    if set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
        yield "capabilities are added"
    if security.get("seccompProfile", {}).get("type") not in SECCOMP_TYPES:
        yield "seccompProfile"
    if security.get("appArmorProfile", {}).get("type") not in APPARMOR_TYPES:
        yield "appArmorProfile"
    if security.get("seLinuxOptions") or security.get("windowsOptions", {}).get("hostProcess"):
        yield "seLinuxOptions or windowsOptions"
    if security.get("procMount") not in (None, "Default"):
        yield "procMount"
    if any(port.get("hostPort") for port in container.get("ports", [])):
        yield "hostPort"
