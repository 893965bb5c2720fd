from random import Random

import pytest

from c8s.adapters.cluster import CONFIG_MAPS, Conflict, Object, Unavailable
from c8s.local.apiserver.in_process import InProcessCluster, new_cluster
from c8s.local.reconciling.event_log import EventLog
from c8s.local.reconciling.hazards import Dice, HazardousCluster, Hazards, SimulatedCrash
from c8s.local.reconciling.object_cache import ObjectCache
from c8s.local.reconciling.simulation import (
    NeverSettles,
    NotReached,
    SimulatedProcess,
    Simulation,
    VirtualClock,
)
from c8s.local.reconciling.subscribed_caches import SubscribedCaches
from c8s.local.reconciling.work_queue import WorkQueue


class Ticker:
    """Syncs its key every `seconds`, and notes when."""

    name = "Ticker"

    def __init__(self, process: SimulatedProcess, seconds: float, ticks: list[float]) -> None:
        self.queue = WorkQueue(process.clock)
        self._process = process
        self._seconds = seconds
        self._ticks = ticks

    def start(self) -> None:
        self.queue.add("tick")

    def stop(self) -> None:
        self.queue.close()

    def sync(self, key: str) -> None:
        self._ticks.append(self._process.clock())
        self.queue.add_after(key, self._seconds)


def ticking(seconds: float) -> tuple[Simulation, list[float]]:
    clock = VirtualClock()
    ticks: list[float] = []
    simulation = Simulation(new_cluster(clock.wall, crds=False), clock)
    simulation.add("ticker", lambda process: Ticker(process, seconds, ticks))
    return simulation, ticks


def make_config_map(cluster: InProcessCluster, name: str, **labels: str) -> Object:
    body = {"metadata": {"name": name, "labels": labels}}
    return cluster.create(CONFIG_MAPS, body, "default")


def names(cache: ObjectCache) -> list[str]:
    return sorted(item["metadata"]["name"] for item in cache.objects("default"))


def test_time_jumps_from_timer_to_timer():
    simulation, ticks = ticking(10)
    simulation.run_for(25)
    assert (ticks, simulation.clock.seconds) == ([0, 10, 20], 25)


def test_waits_for_a_state_with_a_bound():
    simulation, ticks = ticking(10)
    simulation.run_until(lambda: len(ticks) == 4, 60)
    assert simulation.clock.seconds == 30
    with pytest.raises(NotReached):
        simulation.run_until(lambda: False, 60)


def test_hot_loop_is_found():
    simulation, _ = ticking(0)
    with pytest.raises(NeverSettles):
        simulation.settle()


def test_restart_loses_timers():
    clock = VirtualClock()
    ticks: list[float] = []
    simulation = Simulation(new_cluster(clock.wall, crds=False), clock)
    process = simulation.add("ticker", lambda process: Ticker(process, 10, ticks))
    simulation.run_for(5)
    process.restart()
    simulation.run_for(16)
    assert (ticks, process.restarts) == ([0, 5, 15], 1)


def test_late_events_keep_their_order():
    clock = VirtualClock()
    cluster = new_cluster(clock.wall, crds=False)
    caches = SubscribedCaches(EventLog(cluster, clock), clock, Dice(Hazards(stale_seconds=5), Random(1)))
    cache = caches.open(CONFIG_MAPS)
    seen: list[str] = []
    cache.add_handler(lambda old, new: seen.append(new["metadata"]["name"] if new else "deleted"))
    seen.clear()
    for name in ("a", "b", "c"):
        make_config_map(cluster, name)
    cluster.delete(CONFIG_MAPS, "a", "default")
    caches.deliver()
    assert seen == []
    while (due := caches.next_due()) is not None:
        clock.seconds = due
        caches.deliver()
    assert (seen, clock.seconds <= 5) == (["a", "b", "c", "deleted"], True)
    assert "a" not in names(cache)


def test_cache_finds_by_owner():
    cache = ObjectCache(CONFIG_MAPS)
    reference = {"uid": "owner", "controller": True, "name": "o", "kind": "O", "apiVersion": "v1"}
    free = {"metadata": {"name": "a", "namespace": "default"}}
    owned = {"metadata": {"name": "a", "namespace": "default", "ownerReferences": [reference]}}
    cache.apply(None, free)
    assert (cache.owned_by(""), cache.owned_by("owner")) == ([free], [])
    cache.apply(free, owned)
    assert (cache.owned_by(""), cache.owned_by("owner", "default")) == ([], [owned])
    cache.apply(owned, None)
    assert (cache.objects(), cache.owned_by("owner")) == ([], [])


def test_refused_write_is_not_done():
    cluster = new_cluster(crds=False)
    hazardous = HazardousCluster(cluster, Dice(Hazards(refused_write=1.0), Random(1)))
    before = len(cluster.list(CONFIG_MAPS, "default").items)
    with pytest.raises((Conflict, Unavailable)):
        hazardous.create(CONFIG_MAPS, {"metadata": {"name": "a"}}, "default")
    assert len(cluster.list(CONFIG_MAPS, "default").items) == before


def test_lost_answer_is_done_all_the_same():
    cluster = new_cluster(crds=False)
    hazardous = HazardousCluster(cluster, Dice(Hazards(lost_answer=1.0), Random(1)))
    with pytest.raises(Unavailable):
        hazardous.create(CONFIG_MAPS, {"metadata": {"name": "a"}}, "default")
    assert cluster.get(CONFIG_MAPS, "a", "default")["metadata"]["name"] == "a"


def test_crash_passes_every_handler():
    hazardous = HazardousCluster(new_cluster(crds=False), Dice(Hazards(crash=2.0), Random(1)))
    with pytest.raises(SimulatedCrash):
        hazardous.create(CONFIG_MAPS, {"metadata": {"name": "a"}}, "default")


def test_calls_are_counted():
    hazardous = HazardousCluster(new_cluster(crds=False), Dice(Hazards(), Random(1)))
    hazardous.create(CONFIG_MAPS, {"metadata": {"name": "a"}}, "default")
    hazardous.patch(CONFIG_MAPS, "a", {"data": {"x": "1"}}, "default")
    hazardous.get(CONFIG_MAPS, "a", "default")
    assert hazardous.writes == {"create configmaps": 1, "patch configmaps": 1}
    assert hazardous.reads == {"get configmaps": 1}
