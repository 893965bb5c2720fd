from typing import Any, cast

import pytest

from c8s.adapters.cluster import PODS, Cluster, Expired, Invalid, Unavailable, WatchEvent
from c8s.adapters.informer import Informer
from c8s.adapters.watching import Change, Subject, exponential_backoff, watch_changes
from tests.adapters.scripted_cluster import ScriptedCluster, listed, pod

LISTED = Change("LISTED")


def changes_of(script: ScriptedCluster, **settings: Any) -> list[Change]:
    settings = {"backoff": lambda failures: 0.0} | settings
    return list(watch_changes(cast(Cluster, script), Subject(PODS), script.stop, **settings))


def test_tells_listed_then_watched():
    script = ScriptedCluster(
        [listed(5, pod("a", 3))],
        [
            [
                WatchEvent("MODIFIED", pod("a", 6)),
                WatchEvent("ADDED", pod("b", 7)),
                WatchEvent("DELETED", pod("a", 8)),
            ]
        ],
    )
    assert changes_of(script) == [
        Change("ADDED", new=pod("a", 3)),
        LISTED,
        Change("MODIFIED", old=pod("a", 3), new=pod("a", 6)),
        Change("ADDED", new=pod("b", 7)),
        Change("DELETED", old=pod("a", 8)),
    ]


def test_resumes_where_stream_ended():
    script = ScriptedCluster(
        [listed(5)],
        [
            [WatchEvent("ADDED", pod("a", 6))],
            [WatchEvent("BOOKMARK", {"metadata": {"resourceVersion": "9"}}), Unavailable("gone")],
            [WatchEvent("ADDED", pod("b", 10))],
        ],
    )
    assert changes_of(script) == [
        LISTED,
        Change("ADDED", new=pod("a", 6)),
        Change("ADDED", new=pod("b", 10)),
    ]
    assert script.asked == ["list", "5", "6", "9"]


def test_relists_when_version_expired():
    script = ScriptedCluster(
        [
            listed(5, pod("same", 1), pod("gone", 2), pod("changed", 3), pod("replaced", 4, uid="first")),
            listed(20, pod("same", 1), pod("changed", 12), pod("replaced", 13, uid="second"), pod("new", 14)),
        ],
        [[Expired("too old")]],
    )
    assert changes_of(script)[5:] == [
        Change("DELETED", old=pod("gone", 2)),
        Change("DELETED", old=pod("replaced", 4, uid="first")),
        Change("MODIFIED", old=pod("changed", 3), new=pod("changed", 12)),
        Change("ADDED", new=pod("replaced", 13, uid="second")),
        Change("ADDED", new=pod("new", 14)),
        LISTED,
    ]


def test_backs_off_while_list_fails():
    waits: list[int] = []

    def record_failures(failures: int) -> float:
        waits.append(failures)
        return 0.0

    script = ScriptedCluster([Unavailable("no"), Unavailable("no"), listed(5, pod("a", 3))], [])
    assert changes_of(script, backoff=record_failures)[:2] == [Change("ADDED", new=pod("a", 3)), LISTED]
    assert waits[:2] == [1, 2]


def test_raises_when_question_is_wrong():
    with pytest.raises(Invalid):
        changes_of(ScriptedCluster([Invalid("bad selector")], []))


def test_backoff_doubles_up_to_limit():
    assert [exponential_backoff(failures) for failures in (1, 2, 3, 8, 500)] == [0.1, 0.2, 0.4, 10.0, 10.0]


def test_informer_keeps_and_tells():
    script = ScriptedCluster(
        [listed(5, pod("a", 3), pod("b", 4))],
        [[WatchEvent("MODIFIED", pod("a", 6)), WatchEvent("DELETED", pod("b", 7))]],
    )
    informer = Informer(cast(Cluster, script), Subject(PODS), stop=script.stop)
    told: list[tuple[Any, Any]] = []
    informer.add_handler(lambda old, new: told.append((old, new)))
    informer.start()
    assert informer.wait_for_sync(5)
    assert script.stop.wait(5)
    assert told == [
        (None, pod("a", 3)),
        (None, pod("b", 4)),
        (pod("a", 3), pod("a", 6)),
        (pod("b", 7), None),
    ]
    assert informer.objects() == [informer.get("a", "team")] == [pod("a", 6)]


def test_informer_survives_failing_handler():
    script = ScriptedCluster([listed(5, pod("a", 3))], [])
    informer = Informer(cast(Cluster, script), Subject(PODS), stop=script.stop)
    told: list[Any] = []
    informer.add_handler(lambda old, new: told.append(new["no such key"]))
    informer.add_handler(lambda old, new: told.append(new))
    informer.start()
    assert informer.wait_for_sync(5)
    assert told == [pod("a", 3)]
