"""Pods with services and c8s's own containers: all are followed, and archived in their order."""

from __future__ import annotations

from c8s.adapters.object_store import InMemoryObjectStore
from logbuffer.ordering import order_lines
from logbuffer.parts import Part
from tests.logbuffer.conftest import StartBuffer
from tests.logbuffer.fake_node import (
    FakeNode,
    create_job,
    create_pod,
    full_pod_spec,
    is_archived,
    is_released,
    wait_for,
)
from tests.logbuffer.test_following import archive_of
from tests.logbuffer.test_steps import mark_of

FIRST = ("checkout", "restore")


def begin(node: FakeNode, *beside: str) -> None:
    for container in FIRST:
        node.start("pod", container)
        node.write("pod", container, f"{container} done".encode())
        node.end("pod", container)
    for container in beside:
        node.start("pod", container)


def order_of(store: InMemoryObjectStore) -> list[str]:
    """Container and text of every line of a container."""
    lines = [line.split(b" ", 2)[1:] for line in archive_of(store).splitlines()]
    return [b": ".join(line).decode() for line in lines if line[0] != b"c8s"]


def test_containers_beside_each_other_are_ordered_by_time(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    create_pod(node, create_job(node), spec=full_pod_spec("db", "cache"))
    log_buffer = start_buffer()
    begin(node, "service-db", "service-cache", "step", "save")
    for container, text in (
        ("service-db", b"db up"),
        ("service-cache", b"cache up"),
        ("step", b"asks"),
        ("service-db", b"answers"),
        ("step", b"done"),
    ):
        node.write("pod", container, text)
    wait_for(lambda: log_buffer.tools.metrics.get("c8s_log_lines_total") == 7, "all lines")
    node.end("pod", "step")
    node.write("pod", "save", b"saved")
    node.end("pod", "save")
    node.write("pod", "service-db", b"goes down")
    node.end("pod", "service-db", 137)
    node.end("pod", "service-cache", 143)
    node.finish("pod")
    wait_for(lambda: is_released(node))
    assert order_of(store) == [
        "checkout: checkout done",
        "restore: restore done",
        "service-db: db up",
        "service-cache: cache up",
        "step: asks",
        "service-db: answers",
        "step: done",
        "save: saved",
        "service-db: goes down",
    ]
    assert mark_of(node, "result")["reason"] == "Completed"


def test_restarted_buffer_takes_up_all_containers(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    create_pod(node, create_job(node), spec=full_pod_spec("db"))
    first = start_buffer()
    begin(node, "service-db", "step", "save")
    node.write("pod", "service-db", b"db up")
    node.write("pod", "step", b"one")
    wait_for(lambda: first.tools.metrics.get("c8s_log_lines_total") == 4, "all lines")
    first.stop()
    start_buffer()
    node.write("pod", "step", b"two")
    node.write("pod", "service-db", b"goes down")
    for container in ("step", "save", "service-db"):
        node.end("pod", container)
    node.finish("pod")
    wait_for(lambda: is_released(node))
    assert order_of(store)[2:] == [
        "service-db: db up",
        "step: one",
        "step: two",
        "service-db: goes down",
    ]


def test_crashed_service_is_told_with_its_log(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    create_pod(node, create_job(node), spec=full_pod_spec("db"))
    start_buffer()
    begin(node)
    node.write("pod", "service-db", b"no password is set")
    node.crash("pod", "service-db", 1)
    assert wait_for(lambda: mark_of(node, "waiting"))["reason"] == "CrashLoopBackOff"
    node.finish("pod", "Failed", reason="DeadlineExceeded")
    wait_for(lambda: is_released(node))
    result = mark_of(node, "result")
    assert (result["reason"], result["container"], result["exitCode"]) == ("ServiceFailed", "service-db", 1)
    assert "service-db: no password is set" in order_of(store)


def test_step_is_not_told_before_it_is_saved(
    node: FakeNode, store: InMemoryObjectStore, start_buffer: StartBuffer
) -> None:
    create_pod(node, create_job(node), spec=full_pod_spec())
    log_buffer = start_buffer()
    begin(node, "step", "save")
    node.end("pod", "step")
    node.write("pod", "save", b"uploading")
    wait_for(lambda: log_buffer.tools.metrics.get("c8s_log_lines_total") == 3, "all lines")
    assert mark_of(node, "result") is None
    node.end("pod", "save", 12, message='{"reason":"StoreUnreachable","message":"no answer"}')
    node.finish("pod", "Failed")
    wait_for(lambda: is_archived(node))
    result = mark_of(node, "result")
    assert (result["reason"], result["message"], result["isInfrastructure"]) == (
        "SaveFailed",
        "no answer",
        True,
    )


def part(number: int, container: str, *seconds: int, pod: str = "pod") -> Part:
    made = Part(number, pod if container else "", container)
    name = container or "c8s"
    for second in seconds:
        made.spool.append(f"2026-01-02T03:04:{second:02}.000000000Z {name} {second}\n".encode())
    return made


def test_only_what_ran_at_the_same_time_is_mixed() -> None:
    parts = [
        part(0, "", 0),
        part(1, "checkout", 9, 10),
        part(2, "service-db", 1, 4),
        part(3, "", 2),
        part(4, "step", 3, 5),
        part(5, "", 1),
        part(6, "step", 0, pod="next"),
    ]
    order = [line.split()[1:] for line in order_lines(parts)]
    assert [b" ".join(line).decode() for line in order] == [
        "c8s 0",
        "checkout 9",
        "checkout 10",
        "service-db 1",
        "c8s 2",
        "step 3",
        "service-db 4",
        "step 5",
        "c8s 1",
        "step 0",
    ]
