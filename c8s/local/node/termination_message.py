"""What a container says at its end.

https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/
"""

from __future__ import annotations

from pathlib import Path

from c8s.local.node.cri_log import LineJoiner

MAX_BYTES = 4096
MAX_LOG_BYTES = 2048
MAX_LOG_LINES = 80
MAX_LOG_FILE_BYTES = 16 * 1024


def read_termination_message(message_file: Path, log_file: Path, policy: str, exit_code: int) -> str:
    """The file's text, or by policy `FallbackToLogsOnError` the end of the log of a container that failed."""
    text = _read_end(message_file, MAX_BYTES, from_start=True)
    if not text and policy == "FallbackToLogsOnError" and exit_code != 0:
        joined = LineJoiner().feed(_read_end(log_file, MAX_LOG_FILE_BYTES))
        text = b"".join(joined.splitlines(keepends=True)[-MAX_LOG_LINES:])[-MAX_LOG_BYTES:]
    return text.decode(errors="replace")


def _read_end(path: Path, max_bytes: int, *, from_start: bool = False) -> bytes:
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(0 if from_start else max(0, size - max_bytes))
            return stream.read(max_bytes)
    except OSError:
        return b""
