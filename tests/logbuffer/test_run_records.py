"""The records of ended runs."""

from __future__ import annotations

import hashlib
import json

import pytest

from c8s.adapters.cluster import PIPELINE_RUNS
from c8s.adapters.object_store import InMemoryObjectStore
from tests.logbuffer.conftest import StartBuffer
from tests.logbuffer.fake_node import (
    NAMESPACE,
    RUN,
    FakeNode,
    create_job,
    create_pod,
    create_run,
    create_secret,
    is_released,
    wait_for,
)
from tests.logbuffer.test_following import archive_of
from tests.logbuffer.test_killing import is_run_archived


def test_record_names_logs_and_hides_secrets(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    create_secret(node, "database", password=b"hunter2-hunter2")
    steps = [{"name": "unit", "secrets": [{"secretRef": "database", "key": "password"}]}]
    frozen = json.dumps({"pipeline": {"steps": steps}, "note": "hunter2-hunter2"})
    run = create_run(node, "Running", **{"c8s.dev/frozen": frozen})
    uid = run["metadata"]["uid"]
    create_pod(node, create_job(node, run_uid=uid))
    start_buffer()
    node.run_whole("pod", b"text")
    wait_for(lambda: is_released(node))
    assert not is_run_archived(node)
    status = {"phase": "Failed", "message": "it said hunter2-hunter2"}
    node.cluster.patch(PIPELINE_RUNS, RUN, {"status": status}, NAMESPACE, subresource="status")
    wait_for(lambda: is_run_archived(node))

    record = json.loads(archive_of(store, f"records/{NAMESPACE}/{uid}.json"))
    log = archive_of(store, f"logs/{NAMESPACE}/{uid}/unit.log")
    assert record["logs"] == [
        {
            "step": "unit",
            "key": f"logs/{NAMESPACE}/{uid}/unit.log",
            "sizeBytes": len(log),
            "sha256": hashlib.sha256(log).hexdigest(),
        }
    ]
    assert record["run"]["status"] == {"phase": "Failed", "message": "it said ***"}
    assert "hunter2" not in json.dumps(record)


def test_run_waits_for_its_last_pod(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    run = create_run(node, "Cancelled")
    create_pod(node, create_job(node, run_uid=run["metadata"]["uid"]))
    log_buffer = start_buffer()
    node.start("pod", "checkout")
    node.write("pod", "checkout", b"text")
    wait_for(lambda: log_buffer.tools.metrics.get("c8s_log_lines_total"))
    assert not is_run_archived(node)
    node.end("pod", "checkout", 1)
    node.finish("pod", "Failed")
    wait_for(lambda: is_run_archived(node))
    assert is_released(node)


def test_run_without_steps_is_recorded(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    run = create_run(node, "Failed")
    start_buffer()
    wait_for(lambda: is_run_archived(node))
    record = json.loads(archive_of(store, f"records/{NAMESPACE}/{run['metadata']['uid']}.json"))
    assert record["logs"] == []
    assert record["run"]["metadata"]["name"] == RUN


@pytest.mark.parametrize("frozen", ["[" * 100_000, "[" * 900 + "]" * 900, "{", '"text"', '{"pipeline": 1}'])
def test_hostile_annotation_holds_up_no_other_run(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer, frozen: str
) -> None:
    hostile = create_run(node, "Failed", **{"c8s.dev/frozen": frozen})
    start_buffer()
    wait_for(lambda: is_run_archived(node))
    record = json.loads(archive_of(store, f"records/{NAMESPACE}/{hostile['metadata']['uid']}.json"))
    assert record["run"]["metadata"]["annotations"] == {"c8s.dev/frozen": frozen}
