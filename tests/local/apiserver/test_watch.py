"""What watchers see."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from c8s.adapters.cluster import CONFIG_MAPS, NAMESPACES, Expired, Object
from c8s.local.apiserver.errors import ApiError
from c8s.local.apiserver.in_process import Changes, InProcessCluster
from c8s.local.apiserver.selectors import Selection
from c8s.local.apiserver.store import Store
from c8s.local.apiserver.subscriptions import QUEUE_LIMIT, Change, Stored, Subscription


def config(name: str, **labels: str) -> Object:
    return {"metadata": {"name": name, "labels": labels}}


def seen(changes: Changes) -> list[tuple[str, str]]:
    return [(event.type, event.object["metadata"]["name"]) for event in changes.drain()]


def test_every_write_is_one_event(cluster: InProcessCluster) -> None:
    changes = cluster.subscribe(CONFIG_MAPS)
    cluster.create(CONFIG_MAPS, config("one"), "default")
    cluster.patch(CONFIG_MAPS, "one", {"data": {"a": "b"}}, "default")
    cluster.patch(CONFIG_MAPS, "one", {"data": {"a": "b"}}, "default")
    cluster.delete(CONFIG_MAPS, "one", "default")
    assert seen(changes) == [("ADDED", "one"), ("MODIFIED", "one"), ("DELETED", "one")]


def test_selector_turns_changes_into_arrivals_and_departures(cluster: InProcessCluster) -> None:
    changes = cluster.subscribe(CONFIG_MAPS, label_selector="app=web")
    cluster.create(CONFIG_MAPS, config("one"), "default")
    for labels in ({"app": "web"}, {"more": "x"}, {"app": "db"}):
        cluster.patch(CONFIG_MAPS, "one", {"metadata": {"labels": labels}}, "default")
    cluster.delete(CONFIG_MAPS, "one", "default")
    assert seen(changes) == [("ADDED", "one"), ("MODIFIED", "one"), ("DELETED", "one")]


def test_deleted_event_has_the_newest_version(cluster: InProcessCluster) -> None:
    changes = cluster.subscribe(CONFIG_MAPS)
    created = cluster.create(CONFIG_MAPS, config("one"), "default")
    cluster.delete(CONFIG_MAPS, "one", "default")
    last = changes.drain()[-1].object
    assert int(last["metadata"]["resourceVersion"]) > int(created["metadata"]["resourceVersion"])


def test_watch_continues_from_a_version(cluster: InProcessCluster) -> None:
    cluster.create(CONFIG_MAPS, config("before"), "default")
    version = cluster.list(CONFIG_MAPS).resource_version
    cluster.create(CONFIG_MAPS, config("after"), "default")
    watch = cluster.watch(CONFIG_MAPS, resource_version=version, timeout_seconds=5)
    assert next(watch).object["metadata"]["name"] == "after"


def test_namespace_limits_the_watch(cluster: InProcessCluster) -> None:
    cluster.create(NAMESPACES, {"metadata": {"name": "team"}})
    changes = cluster.subscribe(CONFIG_MAPS, "team")
    cluster.create(CONFIG_MAPS, config("one"), "default")
    cluster.create(CONFIG_MAPS, config("two"), "team")
    assert seen(changes) == [("ADDED", "two")]


def test_forgotten_version_is_expired() -> None:
    store = Store(clock=lambda: datetime.now(UTC), new_uid=iter("abcdefghijkl").__next__, history_limit=3)
    cluster = InProcessCluster(store)
    cluster.create(NAMESPACES, {"metadata": {"name": "default"}})
    version = cluster.list(CONFIG_MAPS).resource_version
    for number in range(4):
        cluster.create(CONFIG_MAPS, config(f"c{number}"), "default")
    with pytest.raises(Expired):
        cluster.subscribe(CONFIG_MAPS, resource_version=version)


def test_reader_that_is_too_slow_is_cut_off() -> None:
    subscription = Subscription(Selection(), lambda _closed: None)
    stored = Stored({"metadata": {"name": "one"}}, 1)
    for _ in range(QUEUE_LIMIT + 1):
        subscription.offer(Change("ADDED", None, stored))
    with pytest.raises(ApiError) as expired:
        subscription.drain()
    assert expired.value.status == 410


def test_closed_watch_hears_nothing(cluster: InProcessCluster) -> None:
    changes = cluster.subscribe(CONFIG_MAPS)
    changes.close()
    cluster.create(CONFIG_MAPS, config("one"), "default")
    assert seen(changes) == []
