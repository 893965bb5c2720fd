from datetime import UTC, datetime

from c8s.adapters.cluster import EVENTS, Object
from c8s.local.apiserver.in_process import InProcessCluster, new_cluster
from c8s.local.reconciling.event_recorder import EventRecorder
from c8s.local.reconciling.simulation import VirtualClock

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
INVOLVED: Object = {
    "apiVersion": "example.com/v1",
    "kind": "Thing",
    "metadata": {"name": "a", "namespace": "default", "uid": "u", "resourceVersion": "7"},
}


def recorder(cluster: InProcessCluster, clock: VirtualClock) -> EventRecorder:
    return EventRecorder(cluster, "metacontroller", clock, lambda: NOW)


def test_event_tells_what_and_why():
    cluster = new_cluster(crds=False)
    recorder(cluster, VirtualClock()).warn(INVOLVED, "SyncError", "Sync error: oh no")
    (event,) = cluster.list(EVENTS, "default").items
    fields = ("type", "reason", "message", "count", "firstTimestamp")
    assert [event[name] for name in fields] == [
        "Warning",
        "SyncError",
        "Sync error: oh no",
        1,
        "2026-01-02T03:04:05Z",
    ]
    assert event["involvedObject"]["uid"] == "u"


def test_same_event_is_counted():
    cluster = new_cluster(crds=False)
    events = recorder(cluster, VirtualClock())
    for _ in range(3):
        events.warn(INVOLVED, "SyncError", "again")
    assert [event["count"] for event in cluster.list(EVENTS, "default").items] == [3]


def test_many_events_are_throttled():
    cluster = new_cluster(crds=False)
    clock = VirtualClock()
    events = recorder(cluster, clock)
    for number in range(40):
        events.warn(INVOLVED, "SyncError", f"message {number}")
    assert len(cluster.list(EVENTS, "default").items) == 25
    clock.seconds += 601
    for number in range(40, 50):
        events.warn(INVOLVED, "SyncError", f"message {number}")
    assert len(cluster.list(EVENTS, "default").items) == 27


def test_unwritten_event_harms_nobody():
    events = recorder(new_cluster(crds=False), VirtualClock())
    lost = INVOLVED | {"metadata": INVOLVED["metadata"] | {"namespace": "nowhere"}}
    events.warn(lost, "SyncError", "nobody hears")
