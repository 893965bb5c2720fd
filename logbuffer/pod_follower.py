"""Follows one pod: its containers as they run, one after the other or side by side, and why it waits."""

from __future__ import annotations

import threading

from c8s.adapters.cluster import Object
from c8s.logs.masking import PatternSet, mask_excerpt
from c8s.run.labels import WAITING
from logbuffer.container_follower import ContainerFollower
from logbuffer.containers import (
    has_log,
    has_succeeded,
    observe_containers_beside,
    observe_first_containers,
)
from logbuffer.marks import JobMarks, format_mark
from logbuffer.own_lines import OwnLines
from logbuffer.pods import has_ended
from logbuffer.remasking import mask_again
from logbuffer.results import MAX_MESSAGE_CHARACTERS
from logbuffer.secret_values import PodSecrets
from logbuffer.step_log import StepLog
from logbuffer.step_objects import StepObjects
from logbuffer.tools import Tools
from logbuffer.waiting import waiting_of

POLL_SECONDS = 1.0
END_SECONDS = 5.0


class PodFollower:
    """One pod from its creation to its end; afterwards its whole log is in the step's log."""

    def __init__(
        self,
        tools: Tools,
        objects: StepObjects,
        step_log: StepLog,
        own: OwnLines,
        marks: JobMarks,
        pod: Object,
    ) -> None:
        self._tools = tools
        self._objects = objects
        self._log = step_log
        self._own = own
        self._marks = marks
        self._pod = pod
        self.secrets = PodSecrets(tools.cluster, pod, tools.patterns)
        self._first_patterns: PatternSet | None = None

    @property
    def pod(self) -> Object:
        """As it is now, or was last."""
        self._pod = self._objects.pod(self._pod["metadata"]["uid"]) or self._pod
        return self._pod

    def run(self, attempt: int) -> None:
        """Raises `Stopped` at the end of the service."""
        self._own.tell_pod(self._pod, attempt)
        if all(self._follow(container) for container in observe_first_containers(self._pod)):
            self._follow_beside(observe_containers_beside(self._pod))
        self._wait_for_end()
        self._mask_late_values()

    def mask(self, text: str) -> str:
        """A text of the pod's, without the secrets it may see, cut off where it is long."""
        masked = mask_excerpt(self.find_patterns(), text.encode("utf-8", "replace"))
        return masked.decode("utf-8", "replace")[:MAX_MESSAGE_CHARACTERS]

    def find_patterns(self) -> PatternSet:
        """Of all secrets it may see."""
        if not self.secrets.is_loaded:
            self._load_secrets()
        return self.secrets.patterns

    def _follow(self, container: str) -> bool:
        """One container to its end. Whether it has run."""
        if not self._wait_for_start(container):
            return False
        self._load_secrets()
        part = self._log.find_part(self._pod["metadata"]["uid"], container)
        if part is None or not part.is_complete:
            ContainerFollower(self._tools, self._objects, self._log, self.pod, container, self.secrets).run()
        return True

    def _follow_beside(self, containers: list[str]) -> None:
        """All of them at the same time. Raises what one of them raises, when all are over."""
        if len(containers) == 1:
            self._follow(containers[0])
            return
        errors: list[Exception] = []
        threads = [
            threading.Thread(
                target=self._follow_in_thread,
                args=(container, errors),
                name=f"follow {self._pod['metadata']['name']} {container}",
                daemon=True,
            )
            for container in containers
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]

    def _follow_in_thread(self, container: str, errors: list[Exception]) -> None:
        try:
            self._follow(container)
        except Exception as error:  # noqa: BLE001 - raised again by the thread that waits for this one
            errors.append(error)

    def _mask_late_values(self) -> None:
        """Values that came or changed while the step ran may stand in lines taken before they were known."""
        first = self._first_patterns
        if first is None:
            return
        self._load_secrets()
        if self.secrets.patterns is not first and mask_again(
            self._log, self._pod["metadata"]["uid"], self.secrets.patterns
        ):
            self._tools.metrics.add("c8s_log_masked_again_total")

    def _wait_for_start(self, container: str) -> bool:
        """Whether the container has run; marks why it does not while it does not."""
        while True:
            self._tools.check()
            version = self._objects.version
            if has_log(self.pod, container):
                self._marks.write({WAITING: None})
                return True
            if self._is_over():
                return False
            self._mark_waiting()
            self._objects.wait_for_change(version, POLL_SECONDS)

    def _mark_waiting(self) -> None:
        waiting = waiting_of(self.pod, self._tools.now())
        if waiting is not None:
            waiting["message"] = self.mask(waiting["message"])
            self._own.tell_waiting(waiting)
            self._marks.write({WAITING: format_mark(waiting)})

    def _load_secrets(self) -> None:
        """Nothing is shown before the secrets are known."""
        self._tools.insist("reading secrets", self.secrets.load)
        if self._first_patterns is None:
            self._first_patterns = self.secrets.patterns
        for problem in self.secrets.problems:
            self._own.say(f"warning: {problem}")

    def _wait_for_end(self) -> None:
        """A pod says a moment after its containers why it ended."""
        self._objects.wait_until(self._is_over, END_SECONDS)

    def _is_over(self) -> bool:
        self._tools.check()
        if self._objects.pod(self._pod["metadata"]["uid"]) is None:
            return True
        return has_succeeded(self.pod) or has_ended(self.pod, self._tools.now())
