"""Pods of steps with what they may ask for, laid over the plain sample one by one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from c8s.objects.job import build_step_job
from c8s.objects.settings import PodSettings
from c8s.pipeline.model import Artifacts, Cache, Checkout, Resources, Retry, Service, Step, Workspace
from c8s.run.started import StartedStep
from tests.objects.samples import make_run

Object = dict[str, Any]

SETTINGS = PodSettings(
    "c8s:test", "https://c8s.example.com", "http://api.c8s.svc", ("c8s-low", "c8s-normal", "c8s-high")
)
HOSTILE_ENV = {"LD_PRELOAD": "/evil.so", "PATH": "/evil", "GIT_SSH_COMMAND": "evil", "PYTHONPATH": "/evil"}
UID = "11111111-1111-1111-1111-111111111111"

CACHE = Cache("pip-${{ branch }}-${{ checksum('requirements.txt') }}", ("~/.cache/pip",), ("pip-",))
DATABASE = Service(
    "db",
    "postgres:17",
    {"POSTGRES_PASSWORD": "x", "BRANCH": "${{ branch }}"},
    args=("-c", "$(HOSTNAME)"),
    ready_tcp=5432,
    ready_timeout_seconds=90,
    resources=Resources(500, 512 * 1024**2),
)
STEP_FEATURES: dict[str, dict[str, Any]] = {
    "artifacts": {"artifacts": Artifacts(("dist/**", "-x"), "always", 3600, ("report.xml",))},
    "cache": {"cache": (CACHE,)},
    "outputs": {"outputs": ("version",)},
    "services": {"services": (DATABASE, Service("web", "nginx:1"))},
    "retry": {"retry": Retry(2)},
    "no_checkout": {"checkout": None},
    "full_checkout": {"checkout": Checkout(0, submodules=True, lfs=True)},
    "resources": {"resources": Resources(250, 64 * 1024**2, 2 * 1024**3)},
    "root": {"run_as_root": True},
}
RUN_FEATURES = ("restore", "second_attempt", "final", "shared_workspace", "queue")


def build_feature_job(
    features: Iterable[str], settings: PodSettings = SETTINGS, spec: Object | None = None
) -> Object:
    """Return the Job of a step that has all of `features`; another step, `build`, declares outputs."""
    asked = set(features)
    run, frozen = make_run(source={"authSecretRef": {"name": "git"}}, spec=spec)
    step = replace(frozen.instances[0].step, env=HOSTILE_ENV)
    for feature in asked & STEP_FEATURES.keys():
        step = replace(step, **STEP_FEATURES[feature])
    instance = replace(frozen.instances[0], step=step)
    before = replace(instance, name="build", step=Step("build", "x", ("true",), outputs=("version",)))
    pipeline = replace(
        frozen.pipeline,
        workspace=Workspace(1024**3, "fast") if "shared_workspace" in asked else None,
        queue="team-queue" if "queue" in asked else None,
    )
    started = StartedStep(
        instance,
        attempt=2 if "second_attempt" in asked else 1,
        restore_from=(f"{UID}/build.2",) if "restore" in asked else (),
        run_status="Failed" if "final" in asked else "",
    )
    frozen = replace(frozen, pipeline=pipeline, instances=(before, instance))
    return build_step_job(run, frozen, started, settings)
