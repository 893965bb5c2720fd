"""What to do next with a pod: a pure function of its containers, as the kubelet's rules have it.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from c8s.local.node.container_state import ContainerRecord, Terminated

FIRST_RESTART_SECONDS = 10.0
LONGEST_RESTART_SECONDS = 300.0

Phase = Literal["Pending", "Running", "Succeeded", "Failed"]
RestartPolicy = Literal["Always", "OnFailure", "Never"]


@dataclass(frozen=True, slots=True)
class Plan:
    """Containers to start and to stop now.

    `wake_at` (epoch seconds) is when a restart is due, of one of those in `restarting`.

    `is_over`: nothing runs and nothing will.
    """

    phase: Phase
    start: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    wake_at: float | None = None
    restarting: tuple[str, ...] = ()

    @property
    def is_over(self) -> bool:
        return self.phase in ("Succeeded", "Failed")


def plan_pod(
    records: Sequence[ContainerRecord], policy: RestartPolicy, now: float, *, must_stop: bool = False
) -> Plan:
    """The next step. With `must_stop` (deleted, or over its time) nothing starts any more."""
    first = [record for record in records if record.kind != "main"]
    mains = [record for record in records if record.kind == "main"]
    if must_stop or _is_decided(first, mains, policy):
        return _plan_stop(first, mains)
    ready, blocking = _walk_initial(first, mains)
    candidates = [*ready, *([] if blocking else mains)]
    due = [(record, _start_time(record, policy)) for record in candidates]
    start = tuple(record.name for record, at in due if at is not None and at <= now)
    later = [at for _, at in due if at is not None and at > now]
    return Plan(
        _open_phase(mains),
        start=start,
        wake_at=min(later, default=None),
        restarting=tuple(
            record.name for record, at in due if at is not None and isinstance(record.state, Terminated)
        ),
    )


def _is_decided(
    first: Sequence[ContainerRecord], mains: Sequence[ContainerRecord], policy: RestartPolicy
) -> bool:
    """Whether an init container has failed for good, or all main containers have ended for good."""
    failed = any(record.kind == "init" and _has_failed(record) and policy == "Never" for record in first)
    return failed or all(_has_ended_for_good(record, policy) for record in mains)


def _plan_stop(first: Sequence[ContainerRecord], mains: Sequence[ContainerRecord]) -> Plan:
    """Main and init containers first, all together; then sidecars, the last started first."""
    running = [record.name for record in (*mains, *first) if record.is_active and record.kind != "sidecar"]
    sidecars = [record.name for record in first if record.is_active and record.kind == "sidecar"]
    if running or sidecars:
        return Plan(_open_phase(mains), stop=tuple(running or sidecars[-1:]))
    return Plan("Succeeded" if all(record.has_succeeded for record in mains) else "Failed")


def _open_phase(mains: Sequence[ContainerRecord]) -> Phase:
    """Of a pod that goes on: Running as soon as a main container has run."""
    has_begun = any(
        record.is_running or isinstance(record.state, Terminated) or record.last is not None
        for record in mains
    )
    return "Running" if has_begun else "Pending"


def _walk_initial(
    first: Sequence[ContainerRecord], mains: Sequence[ContainerRecord]
) -> tuple[list[ContainerRecord], bool]:
    """Initial containers that may run now, and whether they keep the main ones from starting.

    A sidecar lets the next one start once it has started; what has started stays so when it ends.
    """
    ready: list[ContainerRecord] = []
    for index, record in enumerate(first):
        has_let_pass = any(later.attempt is not None for later in (*first[index + 1 :], *mains))
        if record.kind == "init" and record.has_succeeded:
            continue
        ready.append(record)
        if record.kind == "init" or not (has_let_pass or (record.is_running and record.is_started)):
            return ready, True
    return ready, False


def _start_time(record: ContainerRecord, policy: RestartPolicy) -> float | None:
    """When the container may start: 0 for at once, None for not at all."""
    if record.is_active:
        return None
    if not isinstance(record.state, Terminated):
        return 0.0
    if record.kind != "sidecar" and _has_ended_for_good(record, policy):
        return None
    return record.state.finished_at + restart_delay_seconds(record.attempt or 0)


def restart_delay_seconds(attempt: int) -> float:
    """How long the kubelet waits after attempt 0, 1, …: not at all, 10 s, doubled, at most 5 min."""
    if attempt == 0:
        return 0.0
    return float(min(FIRST_RESTART_SECONDS * 2 ** min(attempt - 1, 10), LONGEST_RESTART_SECONDS))


def _has_failed(record: ContainerRecord) -> bool:
    return isinstance(record.state, Terminated) and record.state.exit_code != 0


def _has_ended_for_good(record: ContainerRecord, policy: RestartPolicy) -> bool:
    if not isinstance(record.state, Terminated):
        return False
    if record.kind == "init":
        return record.has_succeeded or policy == "Never"
    return policy == "Never" or (policy == "OnFailure" and record.has_succeeded)
