"""Runs one schedule: a step, its log buffer, all that goes wrong, in virtual time and in one thread."""

from __future__ import annotations

import copy
import random
from dataclasses import dataclass

from c8s.adapters.cluster import JOBS, PODS, Object
from c8s.logs.layout import chunk_prefix, index_key, log_key
from logbuffer.chunk_writer import ChunkWriter
from logbuffer.marks import is_marked_archived
from logbuffer.pods import StepKey, has_any_started, has_finalizer
from logbuffer.restoring import FoundLate
from logbuffer.step_follower import StepFollower, settle_archived
from logbuffer.step_log import Bounds, Shelf
from logbuffer.step_objects import StepObjects
from logbuffer.tools import Timing, Tools
from tests.logbuffer.gauntlet.clock import NothingHappens, VirtualClock
from tests.logbuffer.gauntlet.node import LossyNode
from tests.logbuffer.gauntlet.oracle import Verdict, Where, find_kept, has_leak, judge, mask_lines
from tests.logbuffer.gauntlet.script import LABELS, Script
from tests.logbuffer.gauntlet.services import FailingCluster, FailingStore, Fate, Killed

KEY = StepKey("default", "run", LABELS["c8s.dev/run-uid"], "unit")
PLACE = (KEY.namespace, KEY.run_uid, KEY.instance)
TICK_SECONDS = 1.0
MAX_LIVES = 12
NEVER = 1e9
TIMING = Timing(
    chunk_interval=2.0,
    early_result=NEVER,
    verify_limit=NEVER,
    secrets_refresh=5.0,
    rest_between_reads=0.0,
)


class VirtualObjects(StepObjects):
    """Waits in virtual time."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self._virtual_clock = clock

    def wait_for_change(self, version: int, timeout_seconds: float) -> None:
        if version == self.version:
            self._virtual_clock.advance_to_next(timeout_seconds)


@dataclass(frozen=True, slots=True)
class Outcome:
    seed: int
    lives: int
    verdict: Verdict


class Schedule:
    """One seed's step, followed by one log buffer after the other until it is archived and released."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._chance = chance = random.Random(seed)
        trouble = chance.choice([0.0, 0.05, 0.2])
        self._clock = VirtualClock()
        self._fate = Fate(chance, chance.choice([0, 0, 1, 2, 5]))
        self._node = LossyNode(self._clock, chance, chance.choice([0.0, 0.2, 0.7]))
        self._cluster = FailingCluster(self._clock, chance, self._fate, self._node, trouble)
        self._store = FailingStore(self._clock, chance, self._fate, trouble)
        self._script = Script(self._clock, chance, self._node, self._cluster, self._store)
        self._problems: list[str] = []
        self._objects: StepObjects | None = None
        self._writer: ChunkWriter | None = None
        self._told: dict[str, Object] = {}
        self._kept: set[bytes] = set()
        self._required: dict[Where, set[int]] = {}

    def run(self) -> Outcome:
        random.seed(self._seed)  # the log buffer's pauses
        self._script.prepare()
        self._store.take_chunk = self._check_content
        self._cluster.on_release = self._check_release
        self._clock.at(0, self._tick)
        self._clock.advance(self._chance.choice([0.0, 0.1, self._script.end / 2, self._script.end + 1]))
        lives = 0
        try:
            while not self._is_settled() and lives < MAX_LIVES:
                lives += 1
                self._live()
        except NothingHappens:
            self._problems.append("it never ends")
        return Outcome(self._seed, lives, self._judge())

    def _live(self) -> None:
        """One process of the log buffer, from its start to its death or the step's end."""
        self._fate.begin_life()
        self._node.given_out.clear()
        self._keep_chunks()
        self._told.clear()
        objects = self._objects = VirtualObjects(self._clock)
        tools = Tools(
            self._cluster,  # type: ignore[arg-type]
            self._store,  # type: ignore[arg-type]
            shelf=Shelf(Bounds(max_step_bytes=2000, max_total_bytes=100_000)),
            timing=TIMING,
            now=self._clock.now,
            clock=self._clock,
            sleep=self._clock.advance,
        )
        self._writer = ChunkWriter(tools)
        self._tell()
        try:
            self._wait_for_work(objects)
            if is_marked_archived(objects.job):
                settle_archived(tools, KEY, objects)
            else:
                StepFollower(tools, KEY, objects, self._writer).run()
        except FoundLate:
            self._clock.advance(1.0)  # the service begins the step anew
        except Killed:
            self._objects = self._writer = None
            self._clock.advance(self._chance.choice([0.0, 1.0, 20.0]))
        finally:
            self._objects = self._writer = None
            tools.shelf.remove(KEY)

    def _wait_for_work(self, objects: StepObjects) -> None:
        objects.wait_until(lambda: objects.job is not None, NEVER)

    def _tick(self) -> None:
        """What other threads of the process do from time to time."""
        self._clock.after(TICK_SECONDS if self._chance.random() < 0.5 else 0.2, self._tick)
        self._tell()
        if self._writer is not None:
            for step in self._writer.take_due():
                self._writer.write(step)

    def _tell(self) -> None:
        """Watches: what has changed, sometimes a second time."""
        if self._objects is None:
            return
        present = {item["metadata"]["uid"]: item for item in self._cluster.present(PODS)}
        for uid, pod in list(self._told.items()):
            if uid not in present:
                self._objects.drop_pod(pod)
                del self._told[uid]
        for uid, pod in present.items():
            if self._told.get(uid) != pod or self._chance.random() < 0.05:
                self._told[uid] = copy.deepcopy(pod)
                self._objects.put_pod(copy.deepcopy(pod))
        [job] = self._cluster.present(JOBS)
        if self._objects.job != job or self._chance.random() < 0.05:
            self._objects.put_job(copy.deepcopy(job))

    def _is_settled(self) -> bool:
        [job] = self._cluster.present(JOBS)
        return is_marked_archived(job) and not any(map(has_finalizer, self._cluster.present(PODS)))

    def _keep_chunks(self) -> None:
        prefix = chunk_prefix(*PLACE)
        inner = self._store.inner
        self._kept |= find_kept(b"".join(inner.get(item.key)) for item in inner.list(prefix))

    def _check_content(self, key: str, content: bytes) -> None:
        if has_leak(content):
            self._problems.append(f"{key} has a secret")
        if key == log_key(*PLACE):
            self._required = self._find_required()

    def _find_required(self) -> dict[Where, set[int]]:
        """What the node still has, what was kept, and what this process has read."""
        required: dict[Where, set[int]] = {}
        for where, lines in mask_lines(self._script.written).items():
            log = self._node.logs.get(where)
            available = set(range(log.first_kept, len(log.lines))) if log else set()
            kept = {number for number, line in enumerate(lines) if line in self._kept}
            read = {number for pod, container, number in self._node.given_out if (pod, container) == where}
            required[where] = available | kept | read
        return required

    def _check_release(self, pod: Object) -> None:
        [job] = self._cluster.present(JOBS)
        if has_any_started(pod) and not (is_marked_archived(job) and self._has_archive()):
            self._problems.append(f"pod {pod['metadata']['name']} was released before its archive")

    def _has_archive(self) -> bool:
        keys = [item.key for item in self._store.inner.list("logs/")]
        return keys == [index_key(*PLACE), log_key(*PLACE)]

    def _judge(self) -> Verdict:
        if not (self._is_settled() and self._has_archive()):
            return Verdict([*self._problems, "it did not come to its end"])
        log, index = (b"".join(self._store.inner.get(key)) for key in (log_key(*PLACE), index_key(*PLACE)))
        verdict = judge(log, index, self._script.written, self._required)
        verdict.problems += self._problems
        return verdict
