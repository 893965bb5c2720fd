"""The containers of a step's pod: `checkout` fetches the commit, `step` runs the commands."""

from __future__ import annotations

from typing import Any

from c8s.objects import paths
from c8s.objects.environment import build_environment
from c8s.objects.expansion import escape_expansion
from c8s.objects.script import build_command
from c8s.objects.security import build_container_security
from c8s.objects.settings import PodSettings
from c8s.objects.volumes import build_checkout_mounts, build_step_mounts, has_credentials
from c8s.pipeline.model import Checkout, Step
from c8s.pipeline.quantities import format_cpu, format_memory
from c8s.run.frozen import FrozenPipeline
from c8s.run.instances import StepInstance
from c8s.run.observed_run import ObservedRun, build_facts
from c8s.run.rendering import render_step

Fields = dict[str, Any]


def build_step_container(
    run: ObservedRun, frozen: FrozenPipeline, instance: StepInstance, settings: PodSettings
) -> Fields:
    """Return the container of the user's image. Raises UnrenderableStep, which the planner has ruled out."""
    rendered = render_step(frozen.pipeline, instance, build_facts(run, frozen.commit, frozen.repository))
    return {
        "name": "step",
        "image": rendered.image,
        "command": build_command(rendered.commands),
        "workingDir": paths.WORKSPACE,
        "env": build_environment(run, frozen, instance, settings, rendered.env),
        **_build_resources(instance.step),
        "volumeMounts": build_step_mounts(frozen, instance.step),
        "securityContext": build_container_security(instance.step.run_as_root),
    }


def build_checkout_container(
    frozen: FrozenPipeline, step: Step, checkout: Checkout, settings: PodSettings
) -> Fields:
    """Return the init container that fetches the commit. Nothing of the user's environment reaches it."""
    return {
        "name": "checkout",
        "image": settings.runner_image,
        "command": ["c8s-runner", "checkout", *_build_checkout_arguments(frozen, step, checkout)],
        **_build_resources(step),
        "volumeMounts": build_checkout_mounts(frozen, step),
        "securityContext": build_container_security(run_as_root=False),
    }


def _build_checkout_arguments(frozen: FrozenPipeline, step: Step, checkout: Checkout) -> list[str]:
    arguments = ["--repository", frozen.repository, "--commit", frozen.commit]
    arguments += ["--depth", str(checkout.depth), "--workspace", paths.WORKSPACE]
    if has_credentials(frozen, step):
        arguments += ["--credentials", paths.CREDENTIALS]
    for host in frozen.allowed_hosts:
        arguments += ["--allowed-host", host]
    return [escape_expansion(argument) for argument in arguments]


def _build_resources(step: Step) -> Fields:
    """Return `resources`, requests equal to limits, or nothing: then the namespace's LimitRange decides."""
    asked = step.resources
    amounts = {}
    if asked.cpu_millicores:
        amounts["cpu"] = format_cpu(asked.cpu_millicores)
    if asked.memory_bytes:
        amounts["memory"] = format_memory(asked.memory_bytes)
    if asked.storage_bytes:
        amounts["ephemeral-storage"] = format_memory(asked.storage_bytes)
    return {"resources": {"requests": amounts, "limits": dict(amounts)}} if amounts else {}
