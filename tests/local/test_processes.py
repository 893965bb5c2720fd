import os
import signal
import sys
import threading
from pathlib import Path

from c8s.local.processes import ProcessPlan, SupervisedProcess

WITHIN_SECONDS = 20.0


class Starts:
    """The pids a process was given, as they come."""

    def __init__(self) -> None:
        self.pids: list[int] = []
        self._changed = threading.Condition()

    def add(self, name: str, pid: int) -> None:
        with self._changed:
            self.pids.append(pid)
            self._changed.notify_all()

    def wait_for(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.pids) >= count, WITHIN_SECONDS)


def supervised(tmp_path: Path, starts: Starts, script: str, stop_seconds: float = 10.0) -> SupervisedProcess:
    plan = ProcessPlan("sleeper", [sys.executable, "-c", script], {}, tmp_path / "log", stop_seconds)
    return SupervisedProcess(plan, on_start=starts.add)


def test_killed_process_is_started_again(tmp_path: Path) -> None:
    starts = Starts()
    process = supervised(tmp_path, starts, "import time; time.sleep(600)")
    process.start()
    os.kill(starts.pids[0], signal.SIGKILL)
    starts.wait_for(2)
    process.request_stop()
    process.wait_stopped()
    assert process.restarts == 1
    assert starts.pids[0] != starts.pids[1]


def test_stopped_process_stays_stopped(tmp_path: Path) -> None:
    starts = Starts()
    process = supervised(tmp_path, starts, "import time; time.sleep(600)")
    process.start()
    process.request_stop()
    process.wait_stopped()
    assert len(starts.pids) == 1
    assert not Path(f"/proc/{starts.pids[0]}").exists()


def test_deaf_process_is_killed(tmp_path: Path) -> None:
    starts = Starts()
    ready = tmp_path / "ready"
    script = (
        "import pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        f"pathlib.Path({str(ready)!r}).touch(); time.sleep(600)"
    )
    process = supervised(tmp_path, starts, script, stop_seconds=0.2)
    process.start()
    wait_for_file(ready)
    process.request_stop()
    process.wait_stopped()
    assert not Path(f"/proc/{starts.pids[0]}").exists()


def wait_for_file(path: Path) -> None:
    for _ in range(int(WITHIN_SECONDS / 0.01)):
        if path.exists():
            return
        threading.Event().wait(0.01)
    raise AssertionError(f"{path} did not appear")
