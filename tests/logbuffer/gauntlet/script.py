"""What happens to one step in one schedule: its pods, what they write, what fails. Drawn from a seed."""

from __future__ import annotations

import base64
import random
from dataclasses import dataclass, field

from c8s.adapters.cluster import JOBS, PODS, SECRETS, Object, Resource
from c8s.run.labels import LOG_FINALIZER
from tests.logbuffer.gauntlet.clock import VirtualClock
from tests.logbuffer.gauntlet.node import LossyNode, SourceLog
from tests.logbuffer.gauntlet.services import FailingCluster, FailingStore

SECRET_LINES = (b"the first line of the secret", b"and its second line")
SECRETS_BY_KEY = {"one": b"hunter2-hunter2", "two": b"\n".join(SECRET_LINES)}
PIECE_BYTES = 16 * 1024
CONTAINERS = ("checkout", "step")
LABELS = {"c8s.dev/run": "run", "c8s.dev/run-uid": "run-uid", "c8s.dev/step": "unit"}


@dataclass(slots=True)
class Script:
    """Puts events on the clock. `written` is the truth: each container's lines, whole."""

    clock: VirtualClock
    chance: random.Random
    node: LossyNode
    cluster: FailingCluster
    store: FailingStore
    written: dict[tuple[str, str], list[tuple[int, bytes]]] = field(default_factory=dict)
    end: float = 0.0
    last_ns: int = 0

    def prepare(self) -> None:
        self._put(SECRETS, {"metadata": {"name": "keys"}, "data": _encoded_secrets()})
        self._put(JOBS, {"metadata": {"name": "job", "uid": "job-uid", "labels": LABELS}, "status": {}})
        moment = 0.0
        names = ["first", "second"] if self.chance.random() < 0.25 else ["first"]
        for name in names:
            is_last = name == names[-1]
            moment = self._plan_pod(name, moment, is_disrupted=not is_last)
            if is_last and self.chance.random() < 0.06:
                self.clock.at(self.chance.uniform(0, moment), lambda gone=name: self._lose_pod(gone))
            moment += self.chance.uniform(0, 3)
        self.clock.at(moment, self._end_job)
        self.end = moment
        self._plan_outages(moment)

    def _plan_pod(self, name: str, moment: float, *, is_disrupted: bool) -> float:
        self.clock.at(moment, lambda: self._create_pod(name))
        for container in CONTAINERS:
            moment += self.chance.choice([0.0, 0.01, 2.0])
            self.clock.at(moment, lambda which=container: self._start(name, which))
            moment = self._plan_lines(name, container, moment)
            code = 137 if is_disrupted and container == "step" else 0
            self.clock.at(moment, lambda which=container, code=code: self._end(name, which, code))
        moment += self.chance.choice([0.0, 0.2])
        self.clock.at(moment, lambda: self._finish_pod(name, is_disrupted))
        return moment

    def _plan_lines(self, pod: str, container: str, moment: float) -> float:
        pace = self.chance.choice([0.0, 0.001, 0.1, 0.7])
        number = 0
        for _ in range(self.chance.choice([0, 1, 5, 20, 40])):
            for text in self._next_texts(number):
                moment += self.chance.uniform(0, pace)
                self.clock.at(moment, lambda text=text: self._write(pod, container, text))
                number += 1
        return moment

    def _next_texts(self, number: int) -> list[bytes]:
        kind = self.chance.random()
        if kind < 0.05:
            return list(SECRET_LINES)
        if kind < 0.1:
            return [b"%d password=hunter2-hunter2 and more" % number]
        if kind < 0.12:
            return [
                b"%d " % number
                + b"x" * self.chance.choice([PIECE_BYTES, PIECE_BYTES * 2 + 5, PIECE_BYTES - 5])
            ]
        return [b"%d %s" % (number, b"." * self.chance.randrange(0, 90))]

    def _write(self, pod: str, container: str, text: bytes) -> None:
        log = self.node.logs.get((pod, container))
        if log is None or log.is_ended:
            return
        is_twin = text[:1].isdigit() and b"hunter2" not in text and self.chance.random() < 0.1
        time_ns = max(self.clock.time_ns, self.last_ns + (0 if is_twin else 1))
        pieces = [text[at : at + PIECE_BYTES] for at in range(0, len(text), PIECE_BYTES)] or [b""]
        timed = [(time_ns + number * 1000, piece) for number, piece in enumerate(pieces)]
        self.last_ns = timed[-1][0]
        self.written.setdefault((pod, container), []).append((time_ns, text))
        log.write(timed)

    def _plan_outages(self, end: float) -> None:
        for _ in range(self.chance.choice([0, 0, 1, 3])):
            begin, length = self.chance.uniform(0, end + 5), self.chance.uniform(0, 60)
            self.clock.at(begin, lambda until=begin + length: self._fail_something(until))

    def _fail_something(self, until: float) -> None:
        kind = self.chance.randrange(4)
        if kind == 0:
            self.node.unreachable_until = until
        elif kind == 1:
            self.cluster.down_until = until
        elif kind == 2:
            self.store.down_until = until
        else:
            self.store.full_until = until

    def _create_pod(self, name: str) -> None:
        owner = {"kind": "Job", "name": "job", "uid": "job-uid", "controller": True}
        environment = [
            {"name": key, "valueFrom": {"secretKeyRef": {"name": "keys", "key": key}}}
            for key in SECRETS_BY_KEY
        ]
        metadata = {
            "name": name,
            "uid": f"{name}-uid",
            "labels": LABELS,
            "creationTimestamp": self.clock.now().isoformat(),
            "finalizers": [LOG_FINALIZER],
            "ownerReferences": [owner],
        }
        spec = {
            "nodeName": "node",
            "initContainers": [{"name": "checkout"}],
            "containers": [{"name": "step", "env": environment}],
        }
        self._put(PODS, {"metadata": metadata, "spec": spec, "status": {"phase": "Pending"}})

    def _start(self, pod: str, container: str) -> None:
        if (PODS.plural, pod) not in self.cluster.objects:
            return
        log = self.node.logs[pod, container] = SourceLog()
        log.rotate_bytes = self.chance.choice([0, 0, 300, 1000, 20_000])
        log.has_last_break = self.chance.random() < 0.9
        self._set_state(pod, container, {"running": {}})

    def _end(self, pod: str, container: str, code: int) -> None:
        log = self.node.logs.get((pod, container))
        if log is not None:
            log.is_ended = True
            ended = {"exitCode": code, "reason": "Error" if code else "Completed"}
            self._set_state(pod, container, {"terminated": ended})

    def _set_state(self, pod: str, container: str, state: Object) -> None:
        status = self.cluster.objects[PODS.plural, pod]["status"]
        kind = "initContainerStatuses" if container == "checkout" else "containerStatuses"
        status[kind] = [{"name": container, "state": state}]

    def _finish_pod(self, name: str, is_disrupted: bool) -> None:
        pod = self.cluster.objects.get((PODS.plural, name))
        if pod is not None:
            pod["status"]["phase"] = "Failed" if is_disrupted else "Succeeded"
            if is_disrupted:
                pod["status"]["conditions"] = [{"type": "DisruptionTarget", "status": "True"}]

    def _lose_pod(self, name: str) -> None:
        self.cluster.objects.pop((PODS.plural, name), None)
        self.node.forget(name)

    def _end_job(self) -> None:
        job = self.cluster.objects[JOBS.plural, "job"]
        job["status"] = {"conditions": [{"type": "Complete", "status": "True"}]}

    def _put(self, resource: Resource, item: Object) -> None:
        self.cluster.objects[resource.plural, item["metadata"]["name"]] = item


def _encoded_secrets() -> dict[str, str]:
    return {key: base64.b64encode(value).decode() for key, value in SECRETS_BY_KEY.items()}
