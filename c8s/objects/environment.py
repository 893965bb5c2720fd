"""What a step sees in its environment. Text that a stranger may choose gets to a shell only by this way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from c8s.objects import paths
from c8s.objects.expansion import escape_expansion
from c8s.objects.settings import PodSettings
from c8s.pipeline.expressions import name_parameter_variable
from c8s.pipeline.matrix import name_variable
from c8s.pipeline.model import Step
from c8s.run.frozen import FrozenPipeline, build_run_facts
from c8s.run.observed_run import ObservedRun, PullRequest
from c8s.run.started import StartedStep

Variables = list[dict[str, Any]]

_DEFAULTS = {"HOME": paths.HOME}
"""Ours, but a step may say otherwise."""


def build_environment(
    run: ObservedRun,
    frozen: FrozenPipeline,
    started: StartedStep,
    settings: PodSettings,
    user_env: Mapping[str, str],
) -> Variables:
    """Return the container's `env`: what c8s says wins over what the pipeline says, and both over secrets."""
    plain = _DEFAULTS | dict(user_env) | name_facts(run, frozen, started, settings)
    variables: Variables = [{"name": name, "value": escape_expansion(text)} for name, text in plain.items()]
    return variables + [
        one for one in _build_secret_variables(frozen, started.instance.step) if one["name"] not in plain
    ]


def name_facts(
    run: ObservedRun, frozen: FrozenPipeline, started: StartedStep, settings: PodSettings
) -> dict[str, str]:
    """Return the variables that every step sees; `BRANCH` and `TAG` are empty where the run has none."""
    instance = started.instance
    facts = {
        "CI": "true",
        "C8S": "true",
        "COMMIT_SHA": frozen.commit,
        "BRANCH": run.branch,
        "TAG": run.tag,
        "C8S_EVENT": run.event,
        "C8S_PIPELINE": frozen.pipeline.name,
        "C8S_RUN": run.name,
        "C8S_STEP": instance.name,
        "C8S_REPOSITORY": frozen.repository,
        "C8S_WORKSPACE": paths.WORKSPACE,
        "C8S_OUTPUT": paths.OUTPUT,
    }
    if settings.url:
        facts["C8S_RUN_URL"] = f"{settings.url}/namespaces/{run.namespace}/runs/{run.name}"
    if run.pull_request is not None:
        facts |= _name_pull_request(run.pull_request)
    facts |= {name_variable(name): value for name, value in instance.combination.items()}
    params = build_run_facts(run, frozen).params
    facts |= {name_parameter_variable(name): value for name, value in params.items()}
    return facts | _name_attempt(started)


def _name_attempt(started: StartedStep) -> dict[str, str]:
    """Return what only some steps see: those that may be tried again, shards, and those of `finally`."""
    facts: dict[str, str] = {}
    instance = started.instance
    if instance.shard is not None:
        facts |= {"C8S_SHARD": str(instance.shard), "C8S_SHARDS": str(instance.step.parallelism)}
    if started.attempt > 1 or instance.step.retry is not None:
        facts["C8S_ATTEMPT"] = str(started.attempt)
    if started.run_status:
        facts["C8S_RUN_STATUS"] = started.run_status
    return facts


def _name_pull_request(pull_request: PullRequest) -> dict[str, str]:
    facts = {"PULL_REQUEST_BASE": pull_request.base}
    if pull_request.number is not None:
        facts["PULL_REQUEST_NUMBER"] = str(pull_request.number)
    return facts


def _build_secret_variables(frozen: FrozenPipeline, step: Step) -> Variables:
    """Return the variables that the kubelet fills from Secrets; a fork's pull request gets none."""
    if not frozen.is_trusted:
        return []
    return [
        {
            "name": secret.env_var,
            "valueFrom": {"secretKeyRef": {"name": secret.secret_ref, "key": secret.key}},
        }
        for secret in step.secrets
        if secret.env_var
    ]
