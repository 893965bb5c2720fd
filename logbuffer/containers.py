"""The containers of a step's pod: which run one after the other, which beside each other, when each is over.

First come `checkout` and `restore`, each to its end; then services (init containers that are restarted:
https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/), and beside them `step` and `save`.
"""

from __future__ import annotations

from c8s.adapters.cluster import Object
from logbuffer.pods import has_started, observe_last_termination, observe_termination

STEP = "step"
SAVE = "save"
RESTORE = "restore"
SERVICE_PREFIX = "service-"

KILLED = (137, 143)
"""Exit codes of a process that was told to stop, or was stopped: https://tldp.org/LDP/abs/html/exitcodes.html"""


def is_beside_others(container: str) -> bool:
    """Whether a container of this name writes at the same time as others of its pod."""
    return container in (STEP, SAVE) or container.startswith(SERVICE_PREFIX)


def observe_services(pod: Object) -> list[str]:
    """Names of the containers that run as long as the step does, and are started again when they end."""
    return [name for name, one in _init_containers(pod) if one.get("restartPolicy") == "Always"]


def observe_first_containers(pod: Object) -> list[str]:
    """Names of those that have to end well before anything else starts, in their order."""
    return [name for name, one in _init_containers(pod) if one.get("restartPolicy") != "Always"]


def observe_main_containers(pod: Object) -> list[str]:
    """Names of those whose end is the pod's end."""
    spec = pod.get("spec") or {}
    return [one["name"] for one in spec.get("containers") or () if one.get("name")]


def observe_containers_beside(pod: Object) -> list[str]:
    """Names of those that run at the same time, services first."""
    return observe_services(pod) + observe_main_containers(pod)


def has_log(pod: Object, container: str) -> bool:
    """Whether the container has written, or could have; also one that waits to be started again."""
    return has_started(pod, container) or observe_last_termination(pod, container) is not None


def is_container_over(pod: Object, container: str) -> bool:
    """Whether the container has ended and is not started again."""
    if observe_termination(pod, container) is None:
        return False
    return container not in observe_services(pod) or has_main_ended(pod)


def has_main_ended(pod: Object) -> bool:
    """Whether `step`, and `save` where there is one, have ended."""
    return all(observe_termination(pod, name) is not None for name in observe_main_containers(pod))


def has_succeeded(pod: Object) -> bool:
    """Whether `step` is known to have ended well, and everything beside it that has to."""
    ends = [observe_termination(pod, name) for name in (STEP, *observe_main_containers(pod))]
    return all(end is not None and end.get("exitCode") == 0 for end in ends)


def find_crashed_service(pod: Object) -> tuple[str, Object] | None:
    """The service that kept the step from starting, and how it ended; None once the step has started."""
    if has_started(pod, STEP):
        return None
    for name in observe_services(pod):
        before, last = observe_last_termination(pod, name), observe_termination(pod, name)
        if before is not None:
            return name, before
        if last is not None and last.get("exitCode") not in (0, *KILLED):
            return name, last
    return None


def _init_containers(pod: Object) -> list[tuple[str, Object]]:
    spec = pod.get("spec") or {}
    return [(one["name"], one) for one in spec.get("initContainers") or () if one.get("name")]
