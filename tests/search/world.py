"""One scenario played to its end, with the very hook functions and manifest of c8s."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial
from pathlib import Path

import yaml

from c8s.adapters.cluster import (
    COMPOSITE_CONTROLLERS,
    CUSTOM_RESOURCE_DEFINITIONS,
    DECORATOR_CONTROLLERS,
    JOBS,
    PIPELINE_RUNS,
    PODS,
    NotFound,
    Object,
)
from c8s.local.apiserver.in_process import InProcessCluster, known_definitions, new_cluster
from c8s.local.jobs.simulated_node import PodScript
from c8s.local.metacontroller.hook_answers import HookAnswer
from c8s.local.metacontroller.hook_calls import DirectHooks
from c8s.local.reconciling.hazards import NO_HAZARDS, Hazards
from c8s.local.reconciling.objects import finalizers_of, labels_of
from c8s.local.reconciling.simulation import NeverSettles, NotReached, SimulatedProcess
from c8s.local.simulated_cluster import SimulatedCluster
from c8s.run.limits import Limits
from c8s.run.log_names import parse_log_name
from hooks.app import CHILD_KINDS
from hooks.contract import ContractError, check_sync_answer
from hooks.pipelinerun import finalize_pipelinerun, sync_pipelinerun
from tests.hooks.case_files import SETTINGS_OF_A_SMALL_CLUSTER as CASE_SETTINGS
from tests.search.people import People
from tests.search.scenario import BRANCH, Scenario
from tests.search.staff import APPROVAL_KEY, Staff
from tests.search.witness import Witness

MANIFEST = Path(__file__).parents[2] / "compositecontrollers" / "pipelinerun.yaml"
SETTINGS = replace(CASE_SETTINGS, limits=Limits(approval_keys=(APPROVAL_KEY,)))
STEP_LABEL = "c8s.dev/step"
RUN = "run"
LIMIT_SECONDS = 4 * 3600
SETTLING_SECONDS = 120
STILL_SECONDS = 1300
"""Four times the controller's resync period, and more."""


@dataclass(frozen=True, slots=True)
class StepEnding:
    """What the status says in the end. `attempts` counts Jobs: retries, and `broken` by the infrastructure.

    Of these, pods that were replaced inside a Job are taken off: a success that is seen before the log buffer
    tells of it has none.
    """

    phase: str
    reason: str
    exit_code: int | None
    attempts: int
    retries: int
    broken: int


@dataclass(frozen=True, slots=True)
class Ending:
    """`run` is (phase, reason), `steps` are by name. `starts` are the seconds at which pods of each log name
    began, `intervals` from when to when they ran. `violations` are sentences.
    """

    run: tuple[str, str]
    steps: dict[str, StepEnding]
    starts: dict[str, list[float]]
    intervals: dict[str, list[tuple[float, float]]]
    violations: tuple[str, ...]
    deleted: frozenset[str]
    admitted_at: float | None
    decided_at: dict[str, float]


class World:
    def __init__(self, scenario: Scenario, hazards: Hazards = NO_HAZARDS, seed: int = 0) -> None:
        self.scenario = scenario
        self._violations: list[str] = []
        self._pods_of: dict[str, list[str]] = {}
        hooks = DirectHooks(
            {
                "/pipelinerun/sync": partial(self._answer, finalizing=False),
                "/pipelinerun/finalize": partial(self._answer, finalizing=True),
            }
        )
        self.simulated = SimulatedCluster(
            hooks,
            script=self._script,
            archive_seconds=self._archive_seconds,
            hazards=hazards,
            seed=seed,
            records=True,
            outputs=lambda pod: scenario.outputs(_log_name(pod)),
            make_cluster=_make_cluster,
        )
        self.cluster = self.simulated.cluster
        self.simulation = self.simulated.simulation
        self.witness = Witness(self.cluster, may_be_behind=hazards.stale_list > 0)
        self.simulation.on_step = lambda: self.witness.look(self.simulated.clock())
        self.cluster.create(COMPOSITE_CONTROLLERS, _read_manifest())
        self.cluster.create(PIPELINE_RUNS, _build_run(scenario.pipeline), "default")
        self.people = People(self.cluster, self.simulated.clock, scenario.deed, RUN)
        self.staff = Staff(self.cluster, self.simulated.clock, scenario, RUN)
        self.simulation.add("people", lambda process: self.people)
        self.simulation.add("staff", lambda process: self.staff)

    def play(self) -> Ending:
        try:
            self.simulation.run_until(self._is_over, LIMIT_SECONDS)
            self.simulation.run_for(SETTLING_SECONDS)
            self._stand_still()
        except (NotReached, NeverSettles) as error:
            self._violations.append(f"the run is lost: {error}")
        status = self.witness.run.get("status") or {}
        return Ending(
            run=(status.get("phase", ""), status.get("reason", "")),
            steps={
                step["name"]: _describe_end(step, self._count_evicted(step["name"]))
                for step in status.get("steps") or []
            },
            starts={step: sorted(starts.values()) for step, starts in self.witness.starts.items()},
            intervals=self.witness.list_intervals(),
            violations=(*self.witness.violations, *self._violations),
            deleted=frozenset(self.people.deleted),
            admitted_at=self.staff.admitted_at,
            decided_at=self.staff.decided_at,
        )

    def _count_evicted(self, name: str) -> int:
        """How many pods of an idempotent step were taken away, after which its Job makes another."""
        if not self.scenario.instances[name].step.idempotent:
            return 0
        return sum(parse_log_name(one)[0] == name for one in self.witness.evicted.values())

    @property
    def processes(self) -> tuple[SimulatedProcess, SimulatedProcess]:
        return self.simulated.metacontroller, self.simulated.jobs

    def _stand_still(self) -> None:
        """Nothing is left, and nothing is written any more."""
        for process in self.processes:
            process.dice.is_quiet = True
        self.simulation.run_for(SETTLING_SECONDS)
        for resource in (JOBS, PODS):
            left = [item["metadata"]["name"] for item in self.cluster.list(resource).items]
            if left:
                self._violations.append(f"{resource.plural} are left over: {', '.join(left)}")
        before = self._count_writes()
        self.simulation.run_for(STILL_SECONDS)
        if self._count_writes() != before:
            self._violations.append(f"the world does not stand still: {before} became {self._count_writes()}")

    def _count_writes(self) -> list[dict[str, int]]:
        return [process.cluster.writes for process in self.processes]

    def _is_over(self) -> bool:
        """Recorded and let go by the controller, or deleted altogether."""
        try:
            run = self.cluster.get(PIPELINE_RUNS, RUN, "default")
        except NotFound:
            return True
        return labels_of(run).get("c8s.dev/archived") == "true" and not finalizers_of(run)

    def _answer(self, request: Object, finalizing: bool) -> Object | HookAnswer:
        hook = finalize_pipelinerun if finalizing else sync_pipelinerun
        try:
            answer = hook(request, SETTINGS, self.simulated.clock.wall())
            check_sync_answer(answer, CHILD_KINDS, finalizing)
        except Exception as error:  # noqa: BLE001 - what the service answers with 500
            self._note_refusal(error)
            return HookAnswer(500, {}, str(error).encode())
        return answer

    def _note_refusal(self, error: Exception) -> None:
        kind = "breaks the contract" if isinstance(error, ContractError) else "fails"
        self._violations.append(f"the hook {kind}: {type(error).__name__}: {error}")

    def _script(self, pod: Object) -> PodScript:
        log_name, uid = _log_name(pod), pod["metadata"]["uid"]
        uids = self._pods_of.setdefault(log_name, [])
        if uid not in uids:
            uids.append(uid)
        return self.scenario.script(log_name, uids.index(uid))

    def _archive_seconds(self, pod: Object) -> float:
        return self.scenario.archive_seconds(_log_name(pod))


def _log_name(pod: Object) -> str:
    return labels_of(pod)[STEP_LABEL]


def _describe_end(step: Object, evicted: int) -> StepEnding:
    attempts, retries = parse_log_name(step.get("log", ""))[1], step.get("attempts", 1) - 1
    told, jobs = step.get("infraRestarts", 0), attempts - 1 - retries
    return StepEnding(
        phase=step["phase"],
        reason=step.get("reason", ""),
        exit_code=step.get("exitCode"),
        attempts=attempts,
        retries=retries,
        broken=jobs if jobs <= told <= jobs + evicted else told,
    )


def _make_cluster(clock: Callable[[], datetime]) -> InProcessCluster:
    """With the CRDs that are needed and no others, for Metacontroller reads them all at every start."""
    cluster = new_cluster(clock, crds=False)
    for definition in _find_definitions():
        cluster.create(CUSTOM_RESOURCE_DEFINITIONS, definition)
    return cluster


@cache
def _find_definitions() -> list[Object]:
    kinds = (PIPELINE_RUNS.kind, COMPOSITE_CONTROLLERS.kind, DECORATOR_CONTROLLERS.kind)
    return [item for item in known_definitions() if item["spec"]["names"]["kind"] in kinds]


@cache
def _read_manifest() -> Object:
    manifest: Object = yaml.safe_load(MANIFEST.read_text())
    return manifest


def _build_run(pipeline: Object) -> Object:
    """A run that needs no resolving: its pipeline and its whole commit are written in it."""
    return {
        "apiVersion": PIPELINE_RUNS.api_version,
        "kind": PIPELINE_RUNS.kind,
        "metadata": {"name": RUN, "namespace": "default"},
        "spec": {
            "source": {"repository": "https://git.example.com/team/app.git"},
            "commit": "a" * 40,
            "branch": BRANCH,
            "pipelineSpec": pipeline,
        },
    }
