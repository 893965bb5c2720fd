"""A simulated cluster in which a test applies Jobs and scripts what becomes of their pods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from c8s.adapters.cluster import JOBS, PODS, Object
from c8s.local.jobs.simulated_node import PodScript
from c8s.local.metacontroller.hook_calls import DirectHooks
from c8s.local.reconciling.hazards import NO_HAZARDS, Hazards
from c8s.local.simulated_cluster import SimulatedCluster
from c8s.run.labels import LOG_FINALIZER

Script = Callable[[Object], PodScript]


class JobWorld:
    """`scripts` are used up in the order in which pods appear; the last one goes for all that follow."""

    def __init__(self, *scripts: PodScript, hazards: Hazards = NO_HAZARDS, seed: int = 0) -> None:
        self._scripts = list(scripts) or [PodScript(run_seconds=5)]
        self.simulated = SimulatedCluster(
            DirectHooks({}), script=self._next_script, hazards=hazards, seed=seed
        )
        self.cluster = self.simulated.cluster
        self.created: set[str] = set()
        self.most_active = 0
        self.simulated.simulation.on_step = self._watch_pods

    def make_job(self, name: str = "job", **spec: Any) -> Object:
        body = build_job(name) | {}
        body["spec"] |= spec
        return self.cluster.create(JOBS, body, "default")

    def job(self, name: str = "job") -> Object:
        return self.cluster.get(JOBS, name, "default")

    def status(self, name: str = "job") -> Object:
        return dict(self.job(name).get("status") or {})

    def pods(self) -> list[Object]:
        return self.cluster.list(PODS, "default").items

    def outcome(self, name: str = "job") -> list[tuple[str, str]]:
        """Types and reasons of the Job's conditions."""
        return [(item["type"], item["reason"]) for item in self.status(name).get("conditions") or []]

    def run_for(self, seconds: float) -> None:
        self.simulated.simulation.run_for(seconds)

    def run_until(self, is_reached: Callable[[], bool], limit_seconds: float = 3600) -> None:
        self.simulated.simulation.run_until(is_reached, limit_seconds)

    def _next_script(self, pod: Object) -> PodScript:
        return self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]

    def _watch_pods(self) -> None:
        pods = self.pods()
        self.created |= {pod["metadata"]["uid"] for pod in pods}
        running = [
            pod for pod in pods if (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")
        ]
        self.most_active = max(self.most_active, len(running))


def build_job(name: str) -> Object:
    """A Job as c8s makes them: one pod, never restarted, disruptions ignored, its log to be archived."""
    container = {"name": "step", "image": "alpine", "command": ["true"]}
    ignore_disruption = {
        "action": "Ignore",
        "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "backoffLimit": 0,
            "podReplacementPolicy": "Failed",
            "podFailurePolicy": {"rules": [ignore_disruption]},
            "template": {
                "metadata": {"labels": {"c8s.dev/step": "unit"}, "finalizers": [LOG_FINALIZER]},
                "spec": {"restartPolicy": "Never", "containers": [container]},
            },
        },
    }
