"""What the log buffer counts, in Prometheus' text format."""

from __future__ import annotations

import threading
from collections import defaultdict

_HELP = {
    "c8s_log_lines_total": "Lines taken from containers",
    "c8s_log_bytes_total": "Bytes taken from containers, before masking",
    "c8s_log_lag_seconds_total": "Time from a line's writing until viewers had it, summed over lines",
    "c8s_log_masked_total": "Places where a secret was masked",
    "c8s_log_masked_again_total": "Logs in which a value was masked that was learned late",
    "c8s_log_gaps_total": "Places where the source has lost lines",
    "c8s_log_reconnects_total": "Log streams opened again after they broke off",
    "c8s_log_chunks_total": "Chunks of running steps' logs stored and verified",
    "c8s_log_chunk_failures_total": "Attempts to store chunks that failed",
    "c8s_log_chunk_seconds_total": "Time from a line's arrival to its chunk, summed over chunks",
    "c8s_log_restored_total": "Logs taken up again where an earlier process had left them",
    "c8s_log_expired_objects_total": "Objects deleted since their time was over",
    "c8s_log_removed_files_total": "Objects and uploads of artifacts and caches removed",
    "c8s_log_archives_total": "Logs archived and verified",
    "c8s_log_archive_failures_total": "Attempts to archive a log that failed",
    "c8s_log_archive_seconds_total": "Time from the end of a step to its verified archive",
}


class Metrics:
    """Counters that many threads add to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: defaultdict[str, float] = defaultdict(float)

    def add(self, name: str, amount: float = 1) -> None:
        with self._lock:
            self._counts[name] += amount

    def get(self, name: str) -> float:
        return self._counts[name]

    def render(self, gauges: dict[str, float]) -> str:
        """All counters, and `gauges` as they are now."""
        with self._lock:
            counts = {name: self._counts[name] for name in _HELP}
        lines = []
        for name, value in counts.items():
            lines += [f"# HELP {name} {_HELP[name]}", f"# TYPE {name} counter", f"{name} {value:.15g}"]
        for name, value in gauges.items():
            lines += [f"# TYPE {name} gauge", f"{name} {value:.15g}"]
        return "\n".join(lines) + "\n"
