"""What is done next with a pod."""

from __future__ import annotations

from c8s.local.node.container_state import ContainerRecord, Kind, Running, State, Terminated, Waiting
from c8s.local.node.pod_plan import Plan, plan_pod

WAITING = Waiting("ContainerCreating")
RUNNING = Running(1.0)
GOOD = Terminated(0, "Completed", 100.0, 1.0)
BAD = Terminated(1, "Error", 100.0, 1.0)
NOW = 100.0


def record(name: str, state: State, kind: Kind = "main", **fields: object) -> ContainerRecord:
    attempt = None if state == WAITING else 0
    return ContainerRecord(name, kind, state, **({"attempt": attempt} | fields))  # type: ignore[arg-type]


def test_init_containers_start_in_order() -> None:
    first, second = record("a", WAITING, "init"), record("b", WAITING, "init")
    assert plan_pod([first, second, record("m", WAITING)], "Never", NOW) == Plan("Pending", start=("a",))
    done = record("a", GOOD, "init")
    assert plan_pod([done, second, record("m", WAITING)], "Never", NOW) == Plan("Pending", start=("b",))


def test_started_sidecar_lets_others_go_on() -> None:
    sidecar = record("s", RUNNING, "sidecar")
    plan = plan_pod([sidecar, record("m", WAITING), record("n", WAITING)], "Never", NOW)
    assert plan == Plan("Pending", start=("m", "n"))


def test_sidecar_that_has_not_started_keeps_others_waiting() -> None:
    slow = record("s", RUNNING, "sidecar", is_started=False)
    assert plan_pod([slow, record("m", WAITING)], "Never", NOW) == Plan("Pending")


def test_ended_sidecar_is_started_again_whatever_the_policy() -> None:
    ended = record("s", GOOD, "sidecar")
    plan = plan_pod([ended, record("m", WAITING)], "Never", NOW)
    assert plan == Plan("Pending", start=("s",), restarting=("s",))
    later = plan_pod([record("s", BAD, "sidecar", attempt=1), record("m", RUNNING)], "Never", NOW)
    assert later == Plan("Running", wake_at=110.0, restarting=("s",))


def test_sidecar_that_ends_stops_nothing_that_has_begun() -> None:
    ended = record("s", BAD, "sidecar", attempt=2)
    first = record("a", WAITING, "init", attempt=0, is_starting=True)
    plan = plan_pod([ended, first, record("m", WAITING)], "Never", NOW)
    assert plan == Plan("Pending", wake_at=120.0, restarting=("s",))


def test_sidecars_exit_code_decides_nothing() -> None:
    assert plan_pod([record("s", BAD, "sidecar"), record("m", GOOD)], "Never", NOW) == Plan("Succeeded")


def test_starting_container_is_not_started_again() -> None:
    starting = record("m", WAITING, attempt=0, is_starting=True)
    assert plan_pod([starting], "Never", NOW) == Plan("Pending")


def test_pod_runs_once_a_main_container_runs() -> None:
    assert plan_pod([record("m", RUNNING)], "Never", NOW) == Plan("Running")


def test_sidecars_stop_last_and_backwards() -> None:
    sidecars = [record("s", RUNNING, "sidecar"), record("t", RUNNING, "sidecar")]
    running = plan_pod([*sidecars, record("m", RUNNING)], "Never", NOW, must_stop=True)
    assert running == Plan("Running", stop=("m",))
    assert plan_pod([*sidecars, record("m", GOOD)], "Never", NOW) == Plan("Running", stop=("t",))


def test_all_good_mains_make_success() -> None:
    assert plan_pod([record("m", GOOD), record("n", GOOD)], "Never", NOW) == Plan("Succeeded")
    assert plan_pod([record("m", GOOD), record("n", BAD)], "Never", NOW) == Plan("Failed")


def test_failed_init_container_decides_the_pod() -> None:
    assert plan_pod([record("a", BAD, "init"), record("m", WAITING)], "Never", NOW) == Plan("Failed")


def test_failed_container_restarts_after_backoff() -> None:
    failed = record("m", BAD, attempt=1)
    assert plan_pod([failed], "OnFailure", NOW) == Plan("Running", wake_at=110.0, restarting=("m",))
    due = plan_pod([failed], "OnFailure", NOW + 10)
    assert due == Plan("Running", start=("m",), restarting=("m",))


def test_nothing_starts_in_a_pod_that_must_stop() -> None:
    assert plan_pod([record("m", WAITING)], "Always", NOW, must_stop=True) == Plan("Failed")
