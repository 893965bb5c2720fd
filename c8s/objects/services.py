"""Services: containers that run as long as the step does, and are ready before it starts.

They are native sidecars (https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/). Like all
others they run as user 1000; so that usual images can, each has a HOME and a /tmp of its own to write in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from c8s.objects import paths
from c8s.objects.amounts import build_resources
from c8s.objects.expansion import escape_expansion
from c8s.objects.security import build_container_security
from c8s.pipeline.expressions import substitute
from c8s.pipeline.model import Service
from c8s.pipeline.quantities import format_memory

Fields = dict[str, Any]

DEFAULT_READY_SECONDS = 60
DEFAULT_STORAGE_BYTES = 5 * 1024**3


def build_service_container(service: Service, number: int, values: Mapping[str, str]) -> Fields:
    """Return the sidecar of the step's service `number`. Nothing of the step's environment reaches it."""
    said = {name: substitute(text, values) for name, text in service.env.items()}
    environment = {"HOME": paths.HOME} | said
    return {
        "name": f"service-{service.name}",
        "image": substitute(service.image, values),
        "restartPolicy": "Always",
        **({"command": [escape_expansion(one) for one in service.command]} if service.command else {}),
        **({"args": [escape_expansion(one) for one in service.args]} if service.args else {}),
        "env": [{"name": name, "value": escape_expansion(text)} for name, text in environment.items()],
        **_build_probe(service),
        **build_resources(service.resources),
        "volumeMounts": [{"name": name, "mountPath": path} for name, path in _name_volumes(number).items()],
        "securityContext": build_container_security(run_as_root=False),
    }


def build_service_volumes(service: Service, number: int) -> list[Fields]:
    """Return the volumes that only this service sees."""
    size = format_memory(service.resources.storage_bytes or DEFAULT_STORAGE_BYTES)
    return [{"name": name, "emptyDir": {"sizeLimit": size}} for name in _name_volumes(number)]


def _name_volumes(number: int) -> dict[str, str]:
    return {f"service-{number}-home": paths.HOME, f"service-{number}-tmp": paths.TEMPORARY}


def _build_probe(service: Service) -> Fields:
    """The kubelet starts what comes after a sidecar when its startup probe has succeeded."""
    if service.ready_tcp is None:
        return {}
    return {
        "startupProbe": {
            "tcpSocket": {"port": service.ready_tcp},
            "periodSeconds": 1,
            "timeoutSeconds": 1,
            "failureThreshold": service.ready_timeout_seconds or DEFAULT_READY_SECONDS,
        }
    }
