"""Which runner is used, and what is said of it."""

from __future__ import annotations

import pytest

from c8s.local.node.runners.bubblewrap import BubblewrapRunner
from c8s.local.node.runners.choice import NoRunner, choose_runner, make_process_runner
from c8s.local.node.runners.process import ProcessRunner
from c8s.local.node.runners.runner import describe_isolation


def test_process_is_always_there() -> None:
    process = make_process_runner()
    assert choose_runner("process", process) is process


def test_auto_finds_one_that_works() -> None:
    assert choose_runner("auto", make_process_runner()).name in ("podman", "bubblewrap", "process")


def test_installed_but_broken_sandbox_is_no_sandbox() -> None:
    assert not BubblewrapRunner(program="false").probe()
    assert not BubblewrapRunner(program="no-such-program").probe()


@pytest.mark.parametrize("name", ["podman", "bubblewrap"])
def test_asked_for_runner_is_never_replaced(name: str) -> None:
    try:
        chosen = choose_runner(name, make_process_runner()).name
    except NoRunner as error:
        chosen = name
        assert "can't run `true` here" in str(error)
    assert chosen == name


def test_missing_protection_is_admitted() -> None:
    for has_own_root in (True, False):
        text = describe_isolation(ProcessRunner(has_own_root))
        assert text.startswith("process: ")
        assert text.endswith("the host's files, network and processes are open")
