"""A log buffer at work over a fake node and a store in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from c8s.adapters.object_store import InMemoryObjectStore
from logbuffer.service import LogBuffer
from logbuffer.tools import Timing
from tests.logbuffer.fake_node import FakeNode
from tests.logbuffer.mortal import deaths_ignored

FAST = Timing(
    first_retry=0.005,
    longest_retry=0.02,
    status_after_stream=0.05,
    secrets_refresh=0.0,
    verify_limit=0.2,
    kept_after_archive=60.0,
    early_result=0.05,
    stuck_stream=0.1,
    sweep=0.05,
    patience_without_pod=0.05,
    rest_between_reads=0.0,
)

StartBuffer = Callable[[], LogBuffer]


@pytest.fixture(scope="session", autouse=True)
def quiet_deaths() -> Iterator[None]:
    """To the end of all tests: threads of a killed process may notice only then."""
    with deaths_ignored():
        yield


@pytest.fixture
def node() -> FakeNode:
    return FakeNode()


@pytest.fixture
def store() -> InMemoryObjectStore:
    return InMemoryObjectStore(has_bucket=False)


@pytest.fixture
def start_buffer(node: FakeNode, store: InMemoryObjectStore) -> Iterator[StartBuffer]:
    started: list[LogBuffer] = []

    def start() -> LogBuffer:
        log_buffer = LogBuffer(node.cluster, store, timing=FAST)
        started.append(log_buffer)
        log_buffer.start()
        return log_buffer

    yield start
    for log_buffer in started:
        log_buffer.stop()
