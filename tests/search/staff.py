"""Those who let a run go on: who freezes and admits one of a group, and who is asked to approve steps."""

from __future__ import annotations

import json

from c8s.adapters.cluster import PIPELINE_RUNS, Cluster, NotFound, Object
from c8s.local.jobs.pod_views import format_time
from c8s.local.reconciling.simulation import VirtualClock
from c8s.local.reconciling.work_queue import WorkQueue
from c8s.run.approvals import GivenApproval, sign_approval
from c8s.run.frozen import sign_frozen
from c8s.run.labels import ADMITTED, FROZEN, FROZEN_SIGNATURE
from tests.hooks.case_files import FREEZE_KEY
from tests.search.features import APPROVER
from tests.search.scenario import Scenario

APPROVAL_KEY = "approval-key-of-the-search-0123456789"
LOOK_SECONDS = 3.0
FREEZE_SECONDS = 1.0


class Staff:
    """A `Reconciler` with a key for each of its duties. `admitted_at` and `decided_at` are in seconds."""

    name = "Staff"

    def __init__(self, cluster: Cluster, clock: VirtualClock, scenario: Scenario, run: str) -> None:
        self.queue = WorkQueue(clock)
        self.admitted_at: float | None = None
        self.decided_at: dict[str, float] = {}
        self._cluster = cluster
        self._clock = clock
        self._scenario = scenario
        self._run = run

    def start(self) -> None:
        if self._scenario.is_grouped:
            self.queue.add_after("freeze", FREEZE_SECONDS)
            self.queue.add_after("admit", FREEZE_SECONDS + self._scenario.deed.admitted_at)
        if self._scenario.deed.verdict != "never" and self._awaits_people():
            self.queue.add_after("approve", LOOK_SECONDS)

    def stop(self) -> None:
        self.queue.close()

    def sync(self, key: str) -> None:
        try:
            run = self._cluster.get(PIPELINE_RUNS, self._run, "default")
        except NotFound:
            return
        if key == "freeze":
            self._annotate(self._freeze(run))
        elif key == "admit":
            self.admitted_at = self._clock()
            self._annotate({ADMITTED: "0"})
        elif "completionTime" not in (run.get("status") or {}):
            self._decide(run)
            self.queue.add_after(key, LOOK_SECONDS)

    def _annotate(self, annotations: dict[str, str]) -> None:
        self._cluster.patch(PIPELINE_RUNS, self._run, {"metadata": {"annotations": annotations}}, "default")

    def _awaits_people(self) -> bool:
        return any("approval" in step for step in self._scenario.pipeline["steps"])

    def _freeze(self, run: Object) -> dict[str, str]:
        spec, uid = run["spec"], run["metadata"]["uid"]
        frozen = {
            "version": 1,
            "source": {"repository": spec["source"]["repository"], "commit": spec["commit"]},
            "trusted": True,
            "pipeline": spec["pipelineSpec"],
            "concurrency": {"group": "deploy", "key": "0" * 16},
        }
        text = json.dumps(frozen)
        return {FROZEN: text, FROZEN_SIGNATURE: sign_frozen(FREEZE_KEY, "default", self._run, uid, text)}

    def _decide(self, run: Object) -> None:
        """Decides on what has been asked for long enough."""
        given = (run["spec"].get("approvals") or [])[:]
        for step in (run.get("status") or {}).get("steps") or []:
            if step.get("reason") != "AwaitingApproval":
                continue
            seen_at = self.decided_at.setdefault(step["name"], self._clock())
            is_time = self._clock() - seen_at >= self._scenario.deed.approval_seconds
            if is_time and all(one["step"] != step["name"] for one in given):
                self.decided_at[step["name"]] = self._clock()
                given.append(self._sign(run, step["name"]))
        if given != (run["spec"].get("approvals") or []):
            self._cluster.patch(PIPELINE_RUNS, self._run, {"spec": {"approvals": given}}, "default")

    def _sign(self, run: Object, step: str) -> Object:
        at, commit = format_time(self._clock.wall()), run["spec"]["commit"]
        given = GivenApproval(step, APPROVER, (), self._scenario.deed.verdict, at, commit)
        signature = sign_approval(APPROVAL_KEY, "default", self._run, run["metadata"]["uid"], given)
        return {
            "step": step,
            "user": APPROVER,
            "groups": [],
            "decision": given.decision,
            "at": at,
            "commit": commit,
            "signature": signature,
        }
