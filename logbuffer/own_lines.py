"""What c8s itself says in a step's log: which pod, why it waits, what went wrong, how it ended."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from c8s.adapters.cluster import Object
from c8s.logs.lines import C8S, NANOSECONDS, Line
from logbuffer.pods import parse_pod_time
from logbuffer.refusals import REASONS as REFUSAL_REASONS
from logbuffer.results import COMPLETED
from logbuffer.step_log import StepLog

_POD = "pod "
_WAITING = "waiting: "
# The kubelet tells of the same failure by turns: once for the attempt, once for the pause after it.
_IMAGE_REASONS = ("ErrImagePull", "ImagePullBackOff")


class OwnLines:
    """Says the same thing once. Times are the pod's, so that a log read anew has the same."""

    def __init__(self, step_log: StepLog) -> None:
        self._log = step_log
        self._said: set[str] = set()
        self._pod = ""
        self._lock = threading.Lock()

    def remember(self, line: Line) -> None:
        """Takes a line that an earlier process has said."""
        self._is_new(line.text.decode("utf-8", "replace"))

    def tell_pod(self, pod: Object, attempt: int) -> None:
        metadata = pod["metadata"]
        again = f" (attempt {attempt}: the one before was taken away by the cluster)" if attempt > 1 else ""
        self.say(f"{_POD}{metadata['name']}{again}", metadata.get("creationTimestamp", ""))

    def tell_disruption(self, pod: Object, reason: str, message: str) -> None:
        why = f"{reason}: {message}" if message else reason
        self.say(f"{_POD}{pod['metadata']['name']} was taken away by the cluster: {why}")

    def tell_waiting(self, waiting: Mapping[str, str]) -> None:
        message = f": {waiting['message']}" if waiting.get("message") else ""
        self.say(f"{_WAITING}{waiting['reason']}{message}", waiting.get("since", ""))

    def tell_end(self, result: Mapping[str, Any]) -> None:
        self.say(_describe_end(result), str(result.get("finishedAt", "")))

    def say(self, text: str, time: str = "") -> None:
        """One line; `time` is RFC 3339, "" for that of the line before. Line breaks become spaces."""
        text = " ".join(text.split())
        with self._lock:
            if not self._is_new(text):
                return
            time_ns = int(parse_pod_time(time).timestamp()) * NANOSECONDS if time else 0
            self._log.say(Line(time_ns, C8S, text.encode()))

    def _is_new(self, text: str) -> bool:
        if text.startswith(_POD):
            self._pod = text
        key = self._find_key(text)
        is_new = key not in self._said
        self._said.add(key)
        return is_new

    def _find_key(self, text: str) -> str:
        """What makes two texts the same: the second has only other numbers, or another word for it."""
        if text.startswith(tuple(_WAITING + reason for reason in _IMAGE_REASONS)):
            return f"{_WAITING}image of {self._pod}"
        refusals = (_WAITING + reason for reason in REFUSAL_REASONS)
        return next((refusal for refusal in refusals if text.startswith(refusal)), text)


def _describe_end(result: Mapping[str, Any]) -> str:
    if result["reason"] == COMPLETED:
        return "succeeded"
    code = f", exit code {result['exitCode']}" if "exitCode" in result else ""
    message = f": {result['message']}" if result.get("message") else ""
    return f"failed: {result['reason']}{code}{message}"
