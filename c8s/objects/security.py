"""Security contexts by the `restricted` Pod Security Standard.

https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
"""

from __future__ import annotations

from typing import Any

USER_ID = 1000
"""User and group of every container that does not run as root; owner of the volumes."""


def build_pod_security() -> dict[str, Any]:
    """Return the pod's `securityContext`."""
    return {
        "runAsNonRoot": True,
        "runAsUser": USER_ID,
        "runAsGroup": USER_ID,
        "fsGroup": USER_ID,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def build_container_security(run_as_root: bool) -> dict[str, Any]:
    """Return a container's `securityContext`.

    Root, which only the administrator allows, keeps the runtime's default capabilities: package managers need
    them. It still gains nothing by setuid programs.
    """
    if run_as_root:
        return {
            "runAsNonRoot": False,
            "runAsUser": 0,
            "runAsGroup": 0,
            "allowPrivilegeEscalation": False,
            "seccompProfile": {"type": "RuntimeDefault"},
        }
    return {
        "runAsNonRoot": True,
        "runAsUser": USER_ID,
        "runAsGroup": USER_ID,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
