"""Follow a run to its end: the logs of all its steps as they come, each in its own stream."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from c8s.adapters.api_client import ApiClient, ApiError
from c8s.adapters.log_lines import WHOLE_LOG, LogLine, LogPart
from c8s.cli.rendering import is_finished
from c8s.run.log_names import observe_log_names

POLL_SECONDS = 0.25
STREAMS_END_WITHIN_SECONDS = 30.0
HAS_LOG = frozenset({"Queued", "Running", "Succeeded", "Failed", "Cancelled"})

OnLine = Callable[[str, LogLine], None]
"""Called with a step and a line; one at a time."""


class RunFollower:
    """Opens a log stream for every step that has begun, until run and streams have ended.

    `part` says where each log begins.
    """

    def __init__(
        self, client: ApiClient, namespace: str, run: str, on_line: OnLine, part: LogPart = WHOLE_LOG
    ) -> None:
        self._part = part
        self._client = client
        self._namespace = namespace
        self._run = run
        self._on_line = on_line
        self._printing = threading.Lock()
        self._streams: dict[str, threading.Thread] = {}
        self._problems: list[str] = []

    def follow(self, steps: frozenset[str] = frozenset()) -> dict[str, Any]:
        """The run as it ended. With `steps`, only their logs are followed. Raises `ApiError`."""
        while True:
            run = self._client.get_run(self._namespace, self._run)
            for step in run.get("status", {}).get("steps", []):
                for log in observe_log_names(step):
                    if self._is_to_be_followed(step, log, steps):
                        self._open(log)
            if is_finished(run):
                self._wait_for_streams()
                return run
            time.sleep(POLL_SECONDS)

    @property
    def problems(self) -> list[str]:
        """What went wrong with a stream; the logs are still in the archive."""
        return self._problems

    def _is_to_be_followed(self, step: Mapping[str, Any], log: str, steps: frozenset[str]) -> bool:
        wanted = not steps or bool({log, step["name"], step.get("step")} & steps)
        begun = step["phase"] in HAS_LOG and bool(step.get("jobName"))
        return wanted and begun and log not in self._streams

    def _open(self, step: str) -> None:
        thread = threading.Thread(target=self._stream, args=(step,), name=f"log-{step}", daemon=True)
        self._streams[step] = thread
        thread.start()

    def _stream(self, step: str) -> None:
        try:
            lines = self._client.stream_log(self._namespace, self._run, step, follow=True, part=self._part)
            for line in lines:
                with self._printing:
                    self._on_line(step, line)
        except ApiError as error:
            self._problems.append(f"the log of {step} broke off: {error}")

    def _wait_for_streams(self) -> None:
        deadline = time.monotonic() + STREAMS_END_WITHIN_SECONDS
        for step, thread in self._streams.items():
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                self._problems.append(
                    f"the log of {step} did not end; `c8s logs {self._run} --step {step}` shows the archive"
                )
