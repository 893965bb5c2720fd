from __future__ import annotations

import uuid

import pytest

from c8s.logs.sharding import Share, shard_of


def test_number_is_the_same_everywhere_and_for_ever() -> None:
    numbers = [shard_of(f"7f1c0000-0000-0000-0000-00000000000{last}", 3) for last in range(1, 9)]
    assert numbers == [2, 0, 0, 2, 0, 2, 0, 1]


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_each_run_has_one_log_buffer(count: int) -> None:
    shares = [Share(number, count) for number in range(count)]
    runs = [str(uuid.UUID(int=number)) for number in range(2000)]
    owners = [[share.number for share in shares if share.has(run)] for run in runs]
    assert owners == [[shard_of(run, count)] for run in runs]
    for share in shares:
        assert 0.8 < sum(map(share.has, runs)) * count / len(runs) < 1.2
