"""No two log buffers work on the same run, whatever is started, stopped or changed meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from c8s.adapters.cluster import LEASES, Cluster, Object, Unavailable
from c8s.adapters.object_store import InMemoryObjectStore
from c8s.local.apiserver.in_process import InProcessCluster
from c8s.logs.sharding import Share
from logbuffer.leases import LEASE_SECONDS, name_lease
from logbuffer.service import LogBuffer
from logbuffer.tenancy import Tenancy
from logbuffer.tools import Stopped
from tests.logbuffer.conftest import FAST
from tests.logbuffer.fake_node import (
    NAMESPACE,
    FakeNode,
    create_job,
    create_pod,
    is_released,
    wait_for,
)
from tests.logbuffer.test_following import texts_of

PATIENT = replace(FAST, stuck_stream=60.0)
"""On a busy machine streams end late; they are not begun anew for that, so each step is archived once."""


@dataclass
class Stage:
    """Tenants on one cluster, whose clock a test turns."""

    cluster: Cluster
    seconds: float = 0.0
    lost: list[str] = field(default_factory=list)
    stops: list[threading.Event] = field(default_factory=list)

    def tenant(self, number: int, count: int, identity: str, cluster: Cluster | None = None) -> Tenancy:
        return Tenancy(
            cluster or self.cluster,
            Share(number, count),
            NAMESPACE,
            identity,
            on_loss=lambda: self.lost.append(identity),
            clock=lambda: self.seconds,
            poll_seconds=0.005,
            renew_seconds=0.01,
        )

    def begin(self, tenancy: Tenancy) -> threading.Thread:
        stop = threading.Event()
        self.stops.append(stop)

        def run() -> None:
            try:
                tenancy.acquire(stop)
            except Stopped:
                return

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread


class Cuttable:
    """A cluster whose connection can be cut; `on_list` is called before each list."""

    def __init__(self, cluster: Cluster, on_list: Callable[[], None] = lambda: None) -> None:
        self._cluster = cluster
        self.is_cut = False
        self._on_list = on_list

    def __getattr__(self, name: str) -> Any:
        if self.is_cut:
            raise Unavailable("cut off")
        if name == "list":
            self._on_list()
        return getattr(self._cluster, name)


@pytest.fixture
def stage(node: FakeNode) -> Iterator[Stage]:
    made = Stage(node.cluster)
    yield made
    for stop in made.stops:
        stop.set()


def leases(cluster: InProcessCluster) -> dict[str, Object]:
    return {lease["metadata"]["name"]: lease for lease in cluster.list(LEASES, NAMESPACE).items}


def test_numbers_of_one_count_work_together(stage: Stage, node: FakeNode) -> None:
    tenants = [stage.tenant(number, 3, f"pod-{number}") for number in range(3)]
    for tenant in tenants:
        stage.begin(tenant)
    wait_for(lambda: all(tenant.is_active for tenant in tenants))
    assert sorted(leases(node.cluster)) == [name_lease(number) for number in range(3)]
    for tenant in tenants:
        tenant.leave()
    assert leases(node.cluster) == {}


def test_second_of_a_number_waits_for_the_first(stage: Stage) -> None:
    first, second = stage.tenant(0, 1, "first"), stage.tenant(0, 1, "second")
    stage.begin(first)
    wait_for(lambda: first.is_active)
    waiting = stage.begin(second)
    waiting.join(0.1)
    assert not second.is_active
    first.leave()
    wait_for(lambda: second.is_active)
    second.leave()


def test_same_pod_goes_on_at_once(stage: Stage) -> None:
    stage.begin(first := stage.tenant(0, 1, "pod"))
    wait_for(lambda: first.is_active)
    first._left.set()  # killed: it gives nothing back
    stage.begin(again := stage.tenant(0, 1, "pod"))
    wait_for(lambda: again.is_active)
    again.leave()


def test_lease_of_the_dead_runs_out(stage: Stage) -> None:
    stage.begin(dead := stage.tenant(0, 1, "dead"))
    wait_for(lambda: dead.is_active)
    dead._left.set()
    heir = stage.tenant(0, 1, "heir")
    stage.begin(heir).join(0.1)
    assert not heir.is_active
    stage.seconds += LEASE_SECONDS + 1
    wait_for(lambda: heir.is_active)
    heir.leave()


@pytest.mark.parametrize(("before", "after"), [(2, 3), (3, 2), (1, 3), (3, 1)])
def test_changing_the_count_never_has_both_at_work(stage: Stage, before: int, after: int) -> None:
    old = [stage.tenant(number, before, f"old-{number}") for number in range(before)]
    for tenant in old:
        stage.begin(tenant)
    wait_for(lambda: all(tenant.is_active for tenant in old))
    new: list[Tenancy] = []
    for number in reversed(range(max(before, after))):  # as a StatefulSet rolls
        if number < before:
            old[number].leave()
        if number < after:
            new.append(stage.tenant(number, after, f"new-{number}"))
            stage.begin(new[-1])
        if any(tenant.is_active for tenant in old):
            stage.begin(stage.tenant(0, 99, "never")).join(0.03)
            assert not any(tenant.is_active for tenant in new)
            stage.stops.pop().set()
    wait_for(lambda: all(tenant.is_active for tenant in new))
    for tenant in new:
        tenant.leave()


def test_of_two_counts_at_the_same_moment_never_both_work(stage: Stage, node: FakeNode) -> None:
    meeting = threading.Barrier(2, timeout=0.02)
    overlaps = []

    def meet() -> None:
        try:
            meeting.wait()
        except threading.BrokenBarrierError:
            meeting.reset()

    for _ in range(20):
        pair = [
            stage.tenant(0, 2, "two", Cuttable(node.cluster, meet)),
            stage.tenant(2, 3, "three", Cuttable(node.cluster, meet)),
        ]
        for tenant in pair:
            stage.begin(tenant)
        first = wait_for(lambda pair=pair: next((one for one in pair if one.is_active), None))
        overlaps.append(all(tenant.is_active for tenant in pair))
        first.leave()
        second = next(one for one in pair if one is not first)
        wait_for(lambda second=second: second.is_active)
        second.leave()
    assert not any(overlaps)


def test_who_is_cut_off_stops_before_another_begins(stage: Stage, node: FakeNode) -> None:
    link = Cuttable(node.cluster)
    stage.begin(lonely := stage.tenant(0, 1, "lonely", link))
    wait_for(lambda: lonely.is_active)
    link.is_cut = True
    stage.seconds += LEASE_SECONDS - 1
    wait_for(lambda: stage.lost == ["lonely"])
    assert not lonely.is_active


def test_who_lost_its_lease_stops(stage: Stage, node: FakeNode) -> None:
    stage.begin(tenant := stage.tenant(0, 1, "pod"))
    wait_for(lambda: tenant.is_active)
    node.cluster.delete(LEASES, name_lease(0), NAMESPACE)
    wait_for(lambda: stage.lost == ["pod"])


def test_lease_given_back_while_it_is_renewed_is_gone(stage: Stage, node: FakeNode) -> None:
    tenant = stage.tenant(0, 1, "pod")
    stage.begin(tenant)
    wait_for(lambda: tenant.is_active)
    leaving = threading.Thread(target=tenant.leave)
    is_begun = threading.Event()

    def leave_meanwhile() -> float:
        """The clock, which a renewal reads first."""
        if not is_begun.is_set():
            leaving.start()
            is_begun.set()
            leaving.join(0.1)
        return stage.seconds

    tenant.clock = leave_meanwhile
    wait_for(is_begun.is_set)
    leaving.join()
    stage.begin(heir := stage.tenant(0, 1, "heir"))
    wait_for(lambda: heir.is_active)
    heir.leave()
    assert leases(node.cluster) == {}


def test_runs_move_without_losing_or_doubling_a_line(
    stage: Stage, node: FakeNode, store: InMemoryObjectStore
) -> None:
    """From one log buffer to three, while steps of many runs write."""
    names = [f"{number:02}" for number in range(12)]
    for name in names:
        create_pod(node, create_job(node, f"job-{name}", run_uid=f"run-{name}"), f"pod-{name}")
        node.start(f"pod-{name}", "checkout")
        node.end(f"pod-{name}", "checkout")
        node.start(f"pod-{name}", "step")
        node.write(f"pod-{name}", "step", b"one")
    alone = serve(stage, node, store, 0, 1, "alone")
    wait_for(lambda: alone.tools.metrics.get("c8s_log_lines_total") == len(names))
    three = [serve(stage, node, store, number, 3, f"pod-{number}") for number in (1, 2)]
    assert [buffer.gauges()["c8s_log_steps_followed"] for buffer in three] == [0, 0]
    for buffer in three:
        buffer.check_watches()  # ready, so that the roll-out goes on
    alone.stop()
    three.append(serve(stage, node, store, 0, 3, "pod-0"))
    for name in names:
        node.write(f"pod-{name}", "step", b"two")
        node.end(f"pod-{name}", "step")
        node.finish(f"pod-{name}")
    for name in names:
        wait_for(lambda name=name: is_released(node, f"pod-{name}"))
        assert texts_of(store, "step", f"logs/{NAMESPACE}/run-{name}/unit.log") == [b"one", b"two"]
    archives = [buffer.tools.metrics.get("c8s_log_archives_total") for buffer in three]
    assert sum(archives) == len(names)
    assert alone.tools.metrics.get("c8s_log_archives_total") == 0
    assert all(archives)
    for buffer in three:
        buffer.stop()


def serve(
    stage: Stage, node: FakeNode, store: InMemoryObjectStore, number: int, count: int, identity: str
) -> LogBuffer:
    tenancy = stage.tenant(number, count, identity)
    log_buffer = LogBuffer(node.cluster, store, timing=PATIENT, share=tenancy.share, tenancy=tenancy)
    log_buffer.start()
    return log_buffer
