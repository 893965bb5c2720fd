"""Which runner a node uses."""

from __future__ import annotations

from c8s.local.node import own_root
from c8s.local.node.runners.bubblewrap import BubblewrapRunner
from c8s.local.node.runners.podman import find_podman, reaches_registry
from c8s.local.node.runners.process import ProcessRunner
from c8s.local.node.runners.runner import Runner

RUNNER_NAMES = ("auto", "podman", "bubblewrap", "process")


class NoRunner(Exception):
    """The runner asked for does not work on this machine."""


def make_process_runner() -> ProcessRunner:
    """With an own root where the kernel lets this user have one."""
    return ProcessRunner(has_own_root=own_root.probe())


def choose_runner(name: str, process: ProcessRunner) -> Runner:
    """The runner of that name, or with `auto` the best that works: podman, bubblewrap, process.

    Every candidate has to run `true`. podman is taken by `auto` only where a registry answers,
    too: without one, most pipelines' images could not be had.
    Raises NoRunner when the one asked for does not work.
    """
    if name == "process":
        return process
    if name in ("podman", "auto"):
        podman = find_podman()
        if podman is not None and (name == "podman" or reaches_registry()):
            return podman
        if name == "podman":
            raise NoRunner("podman can't run `true` here; see `podman info`")
    bubblewrap = BubblewrapRunner()
    if bubblewrap.probe():
        return bubblewrap
    if name == "bubblewrap":
        raise NoRunner("bwrap can't run `true` here: is it installed, and are user namespaces allowed?")
    return process
