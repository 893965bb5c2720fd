"""A whole cluster in virtual time: API server, Metacontroller's contract, Jobs, a node and a log buffer,
in one thread.

    simulated = SimulatedCluster(FlaskHooks(hooks_app), hazards=ALL_HAZARDS, seed=7)
    simulated.cluster.create(COMPOSITE_CONTROLLERS, manifest)
    simulated.simulation.run_until(lambda: ..., limit_seconds=3600)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from c8s.adapters.cluster import Object
from c8s.local.apiserver.in_process import InProcessCluster, new_cluster
from c8s.local.jobs.controller import JobController, JobSurroundings
from c8s.local.jobs.simulated_log_buffer import SimulatedLogBuffer
from c8s.local.jobs.simulated_node import PodScript, SimulatedNode
from c8s.local.jobs.simulated_recorder import SimulatedRecorder
from c8s.local.metacontroller.hazardous_hooks import HazardousHooks
from c8s.local.metacontroller.hook_calls import HookCaller
from c8s.local.metacontroller.host import Metacontroller
from c8s.local.metacontroller.surroundings import Surroundings
from c8s.local.reconciling.hazards import NO_HAZARDS, Hazards
from c8s.local.reconciling.simulation import Component, SimulatedProcess, Simulation, VirtualClock
from c8s.local.storage.claims import ClaimController


@dataclass(slots=True)
class SimulatedCluster:
    """`script` says what becomes of each pod, `archive_seconds` how long its archive takes (None: for ever),
    `outputs` what its step has written for later ones.

    `hazards` meet Metacontroller and the Job controller; node and log buffer are dependable. With
    `records`, the log buffer also labels the runs that have ended.
    """

    hooks: HookCaller
    script: Callable[[Object], PodScript] = lambda pod: PodScript()
    archive_seconds: Callable[[Object], float | None] = lambda pod: 0.0
    hazards: Hazards = NO_HAZARDS
    seed: int = 0
    records: bool = False
    outputs: Callable[[Object], dict[str, str]] = lambda pod: {}
    make_cluster: Callable[[Callable[[], datetime]], InProcessCluster] = new_cluster
    clock: VirtualClock = field(default_factory=VirtualClock)
    cluster: InProcessCluster = field(init=False)
    simulation: Simulation = field(init=False)
    metacontroller: SimulatedProcess = field(init=False)
    jobs: SimulatedProcess = field(init=False)
    node: SimulatedProcess = field(init=False)
    log_buffer: SimulatedProcess = field(init=False)
    recorder: SimulatedProcess | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.cluster = self.make_cluster(self.clock.wall)
        self.simulation = Simulation(self.cluster, self.clock, seed=self.seed)
        self.metacontroller = self.simulation.add("metacontroller", self._make_metacontroller, self.hazards)
        self.jobs = self.simulation.add("jobs", self._make_jobs, self.hazards)
        self.node = self.simulation.add("node", self._make_node)
        self.log_buffer = self.simulation.add("log buffer", self._make_log_buffer)
        if self.records:
            self.recorder = self.simulation.add("recorder", self._make_recorder)

    def _make_metacontroller(self, process: SimulatedProcess) -> Component:
        around = Surroundings(
            cluster=process.cluster,
            caches=process.caches,
            hooks=HazardousHooks(self.hooks, process.dice),
            clock=self.clock,
            wall_clock=self.clock.wall,
            pause=self.clock.pause,
            random=process.random,
            choose=process.choose,
        )
        return Metacontroller(around, process)

    def _make_jobs(self, process: SimulatedProcess) -> Component:
        around = JobSurroundings(process.cluster, process.caches, self.clock, self.clock.wall, process.choose)
        return JobController(around)

    def _make_node(self, process: SimulatedProcess) -> Component:
        claims = ClaimController(process.cluster, process.caches, self.clock)
        process.start(claims, 1)
        claims.start()
        return SimulatedNode(process.cluster, process.caches, self.clock, self.clock.wall, self.script)

    def _make_log_buffer(self, process: SimulatedProcess) -> Component:
        return SimulatedLogBuffer(
            process.cluster, process.caches, self.clock, self.archive_seconds, self.outputs
        )

    def _make_recorder(self, process: SimulatedProcess) -> Component:
        return SimulatedRecorder(process.cluster, process.caches, self.clock)
