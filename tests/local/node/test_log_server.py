"""The kubelet's log endpoint."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from c8s.local.node.log_files import find_tail, normalize_time
from tests.local.node.conftest import LocalNode, is_running, shell


def refusal(node: LocalNode, pod: str, container: str, query: str = "") -> tuple[int, str]:
    with pytest.raises(urllib.error.HTTPError) as caught:
        node.log(pod, container, query)
    return caught.value.code, caught.value.read().decode()


def test_unknown_logs_are_refused(node: LocalNode) -> None:
    node.create("unstarted", shell("true") | {"image": "registry.invalid/app"})
    node.wait_for("unstarted", lambda pod: "BackOff" in str(pod["status"]))
    message = 'container "step" in pod "unstarted" is waiting to start: ImagePullBackOff\n'
    assert refusal(node, "unstarted", "step") == (400, message)
    assert refusal(node, "unstarted", "other") == (400, "container other is not valid for pod unstarted\n")
    assert refusal(node, "nobody", "step") == (404, 'pods "nobody" not found\n')
    assert refusal(node, "unstarted", "step", "tailLines=x")[0] == 400


def test_tail_and_limit_and_times(node: LocalNode) -> None:
    node.run("many-lines", shell("for i in 1 2 3 4; do echo $i; sleep 0.02; done"))
    assert node.log("many-lines", query="tailLines=2") == b"3\n4\n"
    assert node.log("many-lines", query="tailLines=0") == b""
    assert node.log("many-lines", query="tailLines=99") == b"1\n2\n3\n4\n"
    assert node.log("many-lines", query="limitBytes=3") == b"1\n2"
    stamped = node.log("many-lines", query="timestamps=true").splitlines()
    since = stamped[2].split(b" ")[0].decode()
    assert node.log("many-lines", query=f"sinceTime={since}&timestamps=true").splitlines() == stamped[2:]


def test_long_lines_are_joined(node: LocalNode) -> None:
    node.run("long", shell("head -c 100000 /dev/zero | tr '\\0' x; echo; printf unfinished"))
    assert node.log("long") == b"x" * 100000 + b"\nunfinished\n"
    assert node.log("long", query="tailLines=2") == b"x" * 100000 + b"\nunfinished\n"


def test_follow_pushes_until_the_end(node: LocalNode, shared: Path) -> None:
    script = f"echo one; while ! test -e {shared}/go; do sleep 0.01; done; echo two"
    node.create("followed", shell(script))
    node.wait_for("followed", is_running)
    url = f"http://127.0.0.1:{node.log_port}/containerLogs/default/followed/step?follow=true"
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.readline() == b"one\n"
        (shared / "go").touch()
        assert answer.read() == b"two\n"


def test_hundreds_of_followers_at_once(node: LocalNode, shared: Path) -> None:
    script = f"while ! test -e {shared}/go; do sleep 0.01; done; for i in 1 2 3; do echo $i; done"
    node.create("popular", shell(script))
    node.wait_for("popular", is_running)
    with ThreadPoolExecutor(200) as threads:
        answers = [threads.submit(node.log, "popular", "step", "follow=true") for _ in range(200)]
        time.sleep(0)
        (shared / "go").touch()
        assert {answer.result() for answer in answers} == {b"1\n2\n3\n"}


def test_tail_begins_at_whole_lines(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    lines = [b"2026-01-01T00:00:00.000000000Z stdout P " + b"a" * 16384, b"t stdout F b", b"t stdout F c"]
    log.write_bytes(b"\n".join(lines * 20) + b"\n")
    size = log.stat().st_size
    assert size - find_tail(log, 1) == len(lines[2]) + 1
    assert size - find_tail(log, 2) == sum(len(line) + 1 for line in lines)
    assert find_tail(log, 40) == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000000Z"),
        ("2026-01-02T03:04:05.5Z", "2026-01-02T03:04:05.500000000Z"),
        ("2026-01-02T05:04:05.123456789+02:00", "2026-01-02T03:04:05.123456789Z"),
    ],
)
def test_times_become_comparable(text: str, expected: str) -> None:
    assert normalize_time(text) == expected
