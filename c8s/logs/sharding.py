"""How several log buffers share the runs: by a number that follows from a run's UID alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

NUMBER_BYTES = 8


def shard_of(run_uid: str, count: int) -> int:
    """Which of `count` log buffers, counted from 0, has the run of this UID."""
    digest = hashlib.sha256(run_uid.encode()).digest()
    return int.from_bytes(digest[:NUMBER_BYTES], "big") % count


@dataclass(frozen=True, slots=True)
class Share:
    """The runs of log buffer `number` of `count`; by default all."""

    number: int = 0
    count: int = 1

    def has(self, run_uid: str) -> bool:
        return self.count == 1 or shard_of(run_uid, self.count) == self.number


WHOLE_SHARE = Share()
