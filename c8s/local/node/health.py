"""What the probes say of one attempt of a container: has it started, is it ready, must it be restarted.

Probes run on threads of their own; `observe` never waits.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from c8s.local.node.probes import ExecuteInside, Probe, ProbeKind, read_probe, try_probe

Tell = Callable[[str, str], None]
"""Takes an Event's reason and message."""


@dataclass(slots=True)
class ProbeLoop:
    """One probe, tried again and again. Times are monotonic."""

    probe: Probe
    execute_inside: ExecuteInside
    tell: Tell
    wake: Callable[[], None]
    next_at: float
    result: bool | None = None
    _streak: int = 0
    _last: bool | None = None
    _is_trying: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def poke(self, now: float) -> None:
        """Starts a try that is due."""
        with self._lock:
            if self._is_trying or now < self.next_at:
                return
            self._is_trying, self.next_at = True, now + self.probe.period
        threading.Thread(target=self._try, name=f"{self.probe.kind}-probe", daemon=True).start()

    def _try(self) -> None:
        problem = "probe failed"
        try:
            problem = try_probe(self.probe, self.execute_inside)
        finally:
            is_news = self._take(not problem)
        if problem:
            self.tell("Unhealthy", f"{self.probe.kind.capitalize()} probe failed: {problem}")
        if is_news:
            self.wake()

    def _take(self, has_passed: bool) -> bool:
        with self._lock:
            self._is_trying = False
            self._streak = self._streak + 1 if has_passed == self._last else 1
            self._last, before = has_passed, self.result
            needed = self.probe.success_threshold if has_passed else self.probe.failure_threshold
            if self._streak >= needed:
                self.result = has_passed
            return self.result != before


class Health:
    """The probes of one attempt. `begin` when it runs; readiness and liveness wait for the startup probe."""

    def __init__(
        self,
        container: Mapping[str, Any],
        execute_inside: ExecuteInside,
        tell: Tell,
        wake: Callable[[], None],
    ) -> None:
        self._container = container
        self._arguments = (execute_inside, tell, wake)
        self._startup: ProbeLoop | None = None
        self._readiness: ProbeLoop | None = None
        self._liveness: ProbeLoop | None = None
        self._has_begun = False

    def observe(self) -> None:
        """Call while the container runs."""
        now = time.monotonic()
        if not self._has_begun:
            self._has_begun = True
            self._startup, self._readiness, self._liveness = (
                self._make_loop(kind, now) for kind in ("startup", "readiness", "liveness")
            )
        for loop in self._due_loops():
            loop.poke(now)

    def _make_loop(self, kind: ProbeKind, now: float) -> ProbeLoop | None:
        probe = read_probe(self._container, kind)
        return (
            None if probe is None else ProbeLoop(probe, *self._arguments, next_at=now + probe.initial_delay)
        )

    def _due_loops(self) -> list[ProbeLoop]:
        if self.must_restart:
            return []
        if self._startup is not None and not self._startup.result:
            return [self._startup]
        return [loop for loop in (self._readiness, self._liveness) if loop is not None]

    @property
    def is_started(self) -> bool:
        """Of a container that runs."""
        return self._has_begun and (self._startup is None or self._startup.result is True)

    @property
    def is_ready(self) -> bool:
        return self.is_started and (self._readiness is None or self._readiness.result is True)

    @property
    def failed_probe(self) -> Probe | None:
        """The startup or liveness probe that has failed too often: the container has to be restarted."""
        loops = (self._startup, self._liveness)
        return next((loop.probe for loop in loops if loop is not None and loop.result is False), None)

    @property
    def must_restart(self) -> bool:
        return self.failed_probe is not None

    def seconds_to_next(self) -> float:
        """Until a probe is due; infinite without any."""
        now = time.monotonic()
        return min((max(0.0, loop.next_at - now) for loop in self._due_loops()), default=float("inf"))
