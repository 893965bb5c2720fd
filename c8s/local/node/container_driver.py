"""One container of a running pod: its attempts, and what keeps the next one from starting."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from c8s.adapters.cluster import ClusterError, Object
from c8s.local.node.container_state import ContainerRecord, Running, State, Terminated, Waiting
from c8s.local.node.containers import Container, build_launch, container_key
from c8s.local.node.context import NodeContext
from c8s.local.node.health import Health
from c8s.local.node.inside import run_bounded, run_inside
from c8s.local.node.pod_files import PodFiles
from c8s.local.node.references import ConfigError, ImageUnavailable, References, VolumeError
from c8s.local.node.shims import NOT_STARTED, ShimRecord
from c8s.local.node.termination_message import read_termination_message
from c8s.local.node.volumes import Volumes

RETRY_SECONDS = (1.0, 2.0, 5.0, 10.0)
"""How long to wait after the first, second, … failure to prepare a container."""


@dataclass(slots=True)
class Hold:
    """Why a container waits. `until` is monotonic."""

    state: Waiting
    failures: int = 0
    until: float = 0.0


@dataclass(slots=True)
class ContainerDriver:
    """Starts, observes and ends one container. Called by one thread at a time."""

    container: Container
    files: PodFiles
    context: NodeContext
    wake: Callable[[], None]
    attempt: int | None = None
    shim: ShimRecord | None = None
    last: Terminated | None = None
    hold: Hold = field(default_factory=lambda: Hold(NOT_STARTED))
    ended: Terminated | None = None
    kill_at: float | None = None
    health: Health | None = None
    involved: Object | None = None

    def adopt(self) -> None:
        """Takes over the newest attempt an agent before this one has started."""
        self.attempt = self.files.last_attempt(self.container.name)
        if self.attempt is not None:
            self.shim = ShimRecord(self.files.shim_files(self.container.name, self.attempt))
            self.health = self._new_health()

    def observe(self) -> ContainerRecord:
        state = self._observe_state()
        is_starting = self.shim is not None and state == NOT_STARTED and not self.shim.must_be_submitted
        is_started = is_ready = False
        if isinstance(state, Running) and self.health is not None:
            self.health.observe()
            is_started, is_ready = self.health.is_started, self.health.is_ready
        return ContainerRecord(
            self.container.name,
            self.container.kind,
            state,
            self.attempt,
            self.last,
            is_starting,
            is_started,
            is_ready,
        )

    def _new_health(self) -> Health:
        return Health(self.container.spec, self._execute_inside, self._tell, self.wake)

    def _execute_inside(self, command: Sequence[str], timeout_seconds: float) -> str:
        pid = self.shim.read_pid() if self.shim is not None else None
        if self.shim is None or pid is None:
            return "the container does not run"
        argv = self.context.runner.build_exec(container_key(self.files.root.name, self.shim.files), command)
        return run_bounded(argv, timeout_seconds) if argv else run_inside(pid, command, timeout_seconds)

    def _tell(self, reason: str, message: str) -> None:
        if self.involved is not None:
            self.context.events.warn(self.involved, reason, message)

    def end_unhealthy(self, pod: Object, grace_seconds: float) -> bool:
        """Stops a container whose startup or liveness probe has failed; whether it has to be stopped."""
        self.involved = pod
        probe = self.health.failed_probe if self.health is not None and self.ended is None else None
        if probe is None:
            return False
        if self.kill_at is None:
            text = f"Container {self.container.name} failed {probe.kind} probe, will be restarted"
            self.context.events.warn(pod, "Killing", text)
        self.stop(float(probe.handler.get("terminationGracePeriodSeconds") or grace_seconds))
        return True

    def _observe_state(self) -> State:
        if self.shim is None:
            return self.hold.state
        if self.ended is None:
            state = self.shim.observe()
            if not isinstance(state, Terminated):
                return state
            self.ended = self._with_message(state)
        return self.ended

    def _with_message(self, state: Terminated) -> Terminated:
        if state.message or self.attempt is None:
            return state
        name, spec = self.container.name, self.container.spec
        message = read_termination_message(
            self.files.termination_message(name, self.attempt),
            self.files.log(name, self.attempt),
            spec.get("terminationMessagePolicy", "File"),
            state.exit_code,
        )
        return replace(state, message=message)

    def start(self, pod: Object) -> None:
        """Starts the next attempt if nothing is in the way; otherwise `hold` says what is."""
        if time.monotonic() < self.hold.until:
            return
        try:
            self._launch(pod)
        except ImageUnavailable as error:
            reason = "ErrImagePull" if self.hold.failures == 0 else "ImagePullBackOff"
            text = (
                str(error)
                if self.hold.failures == 0
                else f'Back-off pulling image "{self.container.image}": {error}'
            )
            self._hold_back(pod, Waiting(reason, text), "Failed" if self.hold.failures == 0 else "BackOff")
        except VolumeError as error:
            self._hold_back(pod, Waiting("ContainerCreating", str(error)), "FailedMount")
        except ConfigError as error:
            self._hold_back(pod, Waiting("CreateContainerConfigError", str(error)), "Failed")
        except ClusterError:
            self.hold = Hold(self.hold.state, self.hold.failures, time.monotonic() + RETRY_SECONDS[0])

    def _hold_back(self, pod: Object, state: Waiting, event: str) -> None:
        delay = RETRY_SECONDS[min(self.hold.failures, len(RETRY_SECONDS) - 1)]
        is_news = state != self.hold.state
        self.hold = Hold(state, self.hold.failures + 1, time.monotonic() + delay)
        if is_news:
            self.context.events.warn(pod, event, f"Error: {state.message}")

    def _launch(self, pod: Object) -> None:
        is_own = self.container.image == self.context.runner_image
        if not is_own and not self.context.images.is_ready(
            self.container.image, self.container.pull_policy, self.wake
        ):
            return
        references = References(self.context.cluster, pod["metadata"]["namespace"])
        volumes = Volumes(self.files.volumes, self.context.claims)
        volumes.prepare(pod, references, self.context.tokens)
        attempt = self._next_attempt()
        launch = build_launch(self.container, attempt, pod, self.files, references, volumes)
        if is_own:
            request = self.context.own_runner.build_host_request(launch, is_runner_image=True)
        else:
            request = self.context.runner.build_request(launch)
        self.context.shims.submit(request)
        self.last = self.ended or self.last
        self.attempt, self.ended, self.hold = attempt, None, Hold(NOT_STARTED)
        self.kill_at, self.health = None, self._new_health()
        self.shim = ShimRecord(launch.files, time.monotonic())

    def _next_attempt(self) -> int:
        if self.attempt is None:
            return 0
        return self.attempt if self.ended is None else self.attempt + 1

    def stop(self, grace_seconds: float) -> None:
        """SIGTERM at the first call, SIGKILL when the grace is over; call again until it has ended."""
        if self.shim is None:
            return
        now = time.monotonic()
        if self.kill_at is None or now + grace_seconds < self.kill_at:
            if self.kill_at is None and grace_seconds > 0:
                self.shim.send(signal.SIGTERM)
            self.kill_at = now + grace_seconds
        if now >= self.kill_at:
            self.shim.send(signal.SIGUSR1)

    def remove_leftovers(self) -> None:
        """Ends what a shim left that was killed itself."""
        if self.shim is not None and self.shim.has_vanished:
            self.context.runner.remove_leftovers(container_key(self.files.root.name, self.shim.files))
