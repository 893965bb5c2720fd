"""The containers of a step's pod: `checkout` fetches the commit, `step` runs the commands."""

from __future__ import annotations

from typing import Any

from c8s.objects import paths
from c8s.objects.amounts import build_resources
from c8s.objects.environment import build_environment
from c8s.objects.expansion import escape_expansion
from c8s.objects.script import build_command
from c8s.objects.security import build_container_security
from c8s.objects.settings import PodSettings
from c8s.objects.start import has_something_to_save
from c8s.objects.volumes import build_checkout_mounts, build_step_mounts, has_credentials
from c8s.pipeline.model import Checkout, Step
from c8s.run.frozen import FrozenPipeline, build_run_facts
from c8s.run.observed_run import ObservedRun
from c8s.run.rendering import render_step
from c8s.run.started import StartedStep

Fields = dict[str, Any]


def build_step_container(
    run: ObservedRun, frozen: FrozenPipeline, started: StartedStep, settings: PodSettings
) -> Fields:
    """Return the container of the user's image. Raises UnrenderableStep, which the planner has ruled out."""
    step = started.instance.step
    facts = build_run_facts(run, frozen)
    rendered = render_step(frozen.pipeline, started.instance, facts, started.outputs)
    return {
        "name": "step",
        "image": rendered.image,
        "command": build_command(rendered.commands, tells_its_end=has_something_to_save(step)),
        "workingDir": paths.WORKSPACE,
        "env": build_environment(run, frozen, started, settings, rendered.env),
        **build_resources(step.resources),
        "volumeMounts": build_step_mounts(frozen, started),
        "securityContext": build_container_security(step.run_as_root),
    }


def build_checkout_container(
    frozen: FrozenPipeline, step: Step, checkout: Checkout, settings: PodSettings
) -> Fields:
    """Return the init container that fetches the commit. Nothing of the user's environment reaches it."""
    return {
        "name": "checkout",
        "image": settings.runner_image,
        "command": ["c8s-runner", "checkout", *_build_checkout_arguments(frozen, step, checkout)],
        **build_resources(step.resources),
        "volumeMounts": build_checkout_mounts(frozen, step),
        "securityContext": build_container_security(run_as_root=False),
    }


def _build_checkout_arguments(frozen: FrozenPipeline, step: Step, checkout: Checkout) -> list[str]:
    arguments = ["--repository", frozen.repository, "--commit", frozen.commit]
    arguments += ["--depth", str(checkout.depth), "--workspace", paths.WORKSPACE]
    arguments += ["--submodules"] if checkout.submodules else []
    arguments += ["--lfs"] if checkout.lfs else []
    arguments += ["--keep"] if frozen.pipeline.workspace is not None else []
    if has_credentials(frozen, step):
        arguments += ["--credentials", paths.CREDENTIALS]
    for host in frozen.allowed_hosts:
        arguments += ["--allowed-host", host]
    return [escape_expansion(argument) for argument in arguments]
