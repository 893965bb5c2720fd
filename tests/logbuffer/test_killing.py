"""Killed at any write and started again, the log buffer converges; nothing is released before its archive."""

from __future__ import annotations

import pytest

from c8s.adapters.cluster import PIPELINE_RUNS
from c8s.adapters.object_store import InMemoryObjectStore, KeyNotFound
from logbuffer.service import LogBuffer
from tests.logbuffer.conftest import FAST, StartBuffer
from tests.logbuffer.fake_node import (
    NAMESPACE,
    RUN,
    FakeNode,
    create_job,
    create_pod,
    create_run,
    is_archived,
    is_released,
    wait_for,
)
from tests.logbuffer.mortal import Life, MortalCluster, MortalStore
from tests.logbuffer.test_following import archive_of, numbered, texts_of

WRITES = ["put logs", "put index", "mark Job", "release", "put records", "mark PipelineRun"]


def has_whole_log(store: InMemoryObjectStore, run_uid: str) -> bool:
    try:
        return texts_of(store, "step", f"logs/{NAMESPACE}/{run_uid}/unit.log") == numbered(50)
    except KeyNotFound:
        return False


def is_run_archived(node: FakeNode) -> bool:
    run = node.cluster.get(PIPELINE_RUNS, RUN, NAMESPACE)
    return (run["metadata"].get("labels") or {}).get("c8s.dev/archived") == "true"


def run_step(node: FakeNode) -> str:
    run = create_run(node, "Succeeded")
    create_pod(node, create_job(node, run_uid=run["metadata"]["uid"]))
    node.run_whole("pod", *numbered(50))
    return str(run["metadata"]["uid"])


@pytest.mark.parametrize("is_write_done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("dies_at", range(len(WRITES)), ids=WRITES)
def test_killed_buffer_converges_after_restart(
    node: FakeNode,
    store: InMemoryObjectStore,
    start_buffer: StartBuffer,
    dies_at: int,
    is_write_done: bool,
) -> None:
    uid = run_step(node)
    life = Life(dies_at, is_write_done=is_write_done)
    LogBuffer(MortalCluster(node.cluster, life), MortalStore(store, life), timing=FAST).start()
    wait_for(lambda: life.is_over, "the process's death")
    assert life.writes == WRITES[: dies_at + 1]
    assert has_whole_log(store, uid) or not (is_archived(node) or is_released(node))

    start_buffer()
    wait_for(lambda: is_released(node) and is_run_archived(node), "the run's archive")
    assert is_archived(node)
    assert has_whole_log(store, uid)
    assert store.head(f"records/{NAMESPACE}/{uid}.json").size_bytes


def test_archived_step_is_not_written_again(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    run_step(node)
    life = Life(3)
    LogBuffer(MortalCluster(node.cluster, life), MortalStore(store, life), timing=FAST).start()
    wait_for(lambda: life.is_over)
    second = Life()
    again = LogBuffer(MortalCluster(node.cluster, second), MortalStore(store, second), timing=FAST)
    again.start()
    wait_for(lambda: is_run_archived(node))
    again.stop()
    assert second.writes == WRITES[3:]


def test_log_read_twice_is_the_same(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    key = f"logs/{NAMESPACE}/{run_step(node)}/unit.log"
    life = Life(0, is_write_done=True)
    LogBuffer(MortalCluster(node.cluster, life), MortalStore(store, life), timing=FAST).start()
    wait_for(lambda: life.is_over)
    first = archive_of(store, key)
    start_buffer()
    wait_for(lambda: is_released(node))
    assert archive_of(store, key) == first
