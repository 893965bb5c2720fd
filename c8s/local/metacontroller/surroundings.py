"""What controllers are given: everything that is not theirs, the time and the dice included."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from c8s.adapters.cluster import Cluster
from c8s.local.metacontroller.hook_calls import HookCaller
from c8s.local.metacontroller.hook_specs import HookTable
from c8s.local.reconciling.object_cache import Caches
from c8s.local.reconciling.work_queue import Clock


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`clock` counts seconds, `wall_clock` knows the date, `pause` waits; `services` is what cluster DNS
    would be.

    `choose` picks the next of so many waiting keys, None means the oldest. `random` orders children of
    one kind.
    """

    cluster: Cluster
    caches: Caches
    hooks: HookCaller
    clock: Clock
    wall_clock: Callable[[], datetime]
    pause: Callable[[float], None]
    services: HookTable = field(default_factory=dict)
    random: Random = field(default_factory=Random)
    choose: Callable[[int], int] | None = None
