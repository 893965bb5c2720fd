"""Sees every version of every run and pod, and notes what must never happen."""

from __future__ import annotations

from c8s.adapters.cluster import PIPELINE_RUNS, PODS, Object
from c8s.local.apiserver.in_process import InProcessCluster
from c8s.local.jobs.pod_views import has_condition
from c8s.local.reconciling.objects import is_deleting

TERMINAL = frozenset({"Succeeded", "Failed", "Skipped", "Cancelled"})


STOPPED = frozenset({"RunCancelled", "RunTimedOut", "Superseded", "FailFast"})


class Witness:
    """`starts` says when the user container of which pods (by UID) started, by log name; `ends`, when
    the pods ended. `evicted` are log names by UID.

    A run that is being deleted is not judged any more. `may_be_behind`: a controller that starts anew with an
    old list writes an old status for a moment. What is terminal may then seem not to be, but nothing ever
    ends in two ways, with one exception: a step that ends by itself in the moment in which it is stopped may
    be told as either.
    """

    def __init__(self, cluster: InProcessCluster, may_be_behind: bool) -> None:
        self.starts: dict[str, dict[str, float]] = {}
        self.evicted: dict[str, str] = {}
        self.ends: dict[str, float] = {}
        self.violations: list[str] = []
        self.run: Object = {}
        self._may_be_behind = may_be_behind
        self._cluster = cluster
        self._version = 0
        self._pods = cluster.subscribe(PODS)
        self._runs = cluster.subscribe(PIPELINE_RUNS)
        self._ended: dict[str, tuple[str, str]] = {}

    def look(self, now_seconds: float) -> None:
        """Called after every step of the simulation."""
        if self._cluster.version == self._version:
            return
        self._version = self._cluster.version
        for event in self._pods.drain():
            self._see_pod(event.object, now_seconds)
        for event in self._runs.drain():
            self.run = event.object
            if not is_deleting(event.object):
                self._see_run(event.object, now_seconds)

    def list_intervals(self) -> dict[str, list[tuple[float, float]]]:
        """From when to when pods ran, by log name."""
        return {
            step: [(start, self.ends.get(uid, float("inf"))) for uid, start in starts.items()]
            for step, starts in self.starts.items()
        }

    def _see_pod(self, pod: Object, now_seconds: float) -> None:
        uid, phase = pod["metadata"]["uid"], (pod.get("status") or {}).get("phase")
        if phase == "Running":
            step = pod["metadata"]["labels"]["c8s.dev/step"]
            self.starts.setdefault(step, {}).setdefault(uid, now_seconds)
        elif phase in ("Succeeded", "Failed"):
            self.ends.setdefault(uid, now_seconds)
            if has_condition(pod, "DisruptionTarget", "True"):
                self.evicted[uid] = pod["metadata"]["labels"]["c8s.dev/step"]

    def _see_run(self, run: Object, now_seconds: float) -> None:
        status = run.get("status") or {}
        phases = {step["name"]: (step["phase"], step.get("reason", "")) for step in status.get("steps") or []}
        phases["(the run)"] = status.get("phase", ""), status.get("reason", "")
        for name, ended in self._ended.items():
            phase = phases.get(name, ("absent", ""))
            if phase != ended and not self._is_excused(ended, phase):
                self.violations.append(f"second {now_seconds:g}: {name} was {ended} and is {phase}")
        self._ended |= {name: phase for name, phase in phases.items() if phase[0] in TERMINAL}

    def _is_excused(self, before: tuple[str, str], now: tuple[str, str]) -> bool:
        if STOPPED & {before[1], now[1]}:
            return True
        if (before[1], now[1]) == ("JobDeleted", "JobMissing"):
            return True  # told by the status alone, so a view of the run from before tells otherwise
        return self._may_be_behind and now[0] not in TERMINAL
