"""A pipeline, its document and its file are three ways to say the same."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from c8s.pipeline import limits
from c8s.pipeline.canonical import to_document
from c8s.pipeline.model import (
    Approval,
    Artifacts,
    Cache,
    Checkout,
    Concurrency,
    Conditional,
    Matrix,
    Parameter,
    Pipeline,
    PullRequestTrigger,
    PushTrigger,
    Resources,
    Retry,
    Schedule,
    SecretReference,
    Service,
    Step,
    Triggers,
    Workspace,
)
from c8s.pipeline.parse import parse_document, parse_pipeline

NAMES = st.from_regex(r"\A[a-z][a-z0-9-]{0,8}[a-z0-9]\Z")
TEXTS = st.text(st.characters(exclude_characters="\0$", exclude_categories=("Cs",)), max_size=12)
COMMANDS = st.lists(TEXTS.filter(bool), min_size=1, max_size=3).map(tuple)
VARIABLES = st.from_regex(r"\A[A-Z]_[A-Z0-9]{0,5}\Z")
GLOBS = st.lists(st.sampled_from(["main", "release/*", "**", "v[0-9]*"]), min_size=1, max_size=2).map(tuple)
ENVIRONMENTS = st.dictionaries(VARIABLES, TEXTS, max_size=3)
TIMEOUTS = st.none() | st.integers(1, limits.TIMEOUT_SECONDS)
MEMORY = st.none() | st.integers(limits.SMALLEST_MEMORY_BYTES, limits.MEMORY_BYTES)

TRIGGERS = st.builds(
    Triggers,
    push=st.none() | st.builds(PushTrigger, *[st.none() | GLOBS] * 4),
    pull_request=st.none() | st.builds(PullRequestTrigger, *[st.none() | GLOBS] * 3),
    manual=st.booleans(),
    schedule=st.lists(
        st.builds(
            Schedule,
            st.sampled_from(["0 3 * * *", "*/15 0-6 1,15 * 1-5"]),
            st.sampled_from(["UTC", "Europe/Berlin"]),
            st.none() | st.just("main"),
        ),
        max_size=2,
    ).map(tuple),
)

SETTINGS = settings(deadline=None, max_examples=50)
MATRICES = st.none() | st.builds(
    Matrix,
    dimensions=st.fixed_dictionaries({"os": st.just(("alpine", "3.10")), "fast": st.just(("true", "1e3"))}),
    exclude=st.sampled_from([(), ({"os": "alpine"},), ({"os": "3.10", "fast": "true"},)]),
    include=st.sampled_from([(), ({"os": "bookworm", "fast": "010"},)]),
    fail_fast=st.booleans(),
    max_parallel=st.none() | st.integers(1, 256),
)
OWN_MATRICES = st.none() | st.builds(
    Matrix, st.just({"database": ("postgres", "5.0")}), fail_fast=st.booleans()
)
RESOURCES = st.builds(Resources, st.none() | st.integers(1, 100_000), MEMORY, MEMORY)
ARTIFACTS = st.none() | st.builds(
    Artifacts,
    GLOBS,
    st.sampled_from(["success", "failure", "always"]),
    st.none() | st.integers(1, limits.EXPIRY_SECONDS),
    st.just(()) | GLOBS,
)
KEYS = st.sampled_from(["pip", "pip-${{ checksum('a.txt') }}-${{ branch }}", "3.10", "true"])
CACHES = st.lists(
    st.builds(
        Cache,
        KEYS,
        st.sampled_from([("~/.cache",), ("a/b", "c")]),
        st.lists(KEYS, max_size=2).map(tuple),
    ),
    max_size=2,
).map(tuple)
# Without a port there is nothing to wait for, so no time limit either.
PORTS = st.none() | st.tuples(st.integers(1, 65535), TIMEOUTS)
ARGUMENTS = st.lists(TEXTS, max_size=2).map(tuple)


def build_service(port: tuple[int, int | None] | None) -> st.SearchStrategy[Service]:
    return st.builds(
        Service,
        name=st.just("db"),
        image=st.sampled_from(["postgres:17", "postgres:${{ commit }}"]),
        env=ENVIRONMENTS,
        command=ARGUMENTS,
        args=ARGUMENTS,
        ready_tcp=st.just(port[0] if port else None),
        ready_timeout_seconds=st.just(port[1] if port else None),
        resources=RESOURCES,
    )


SERVICES = st.just(()) | PORTS.flatmap(build_service).map(lambda service: (service,))
RETRIES = st.none() | st.builds(
    Retry, st.integers(1, 10), st.lists(st.integers(1, 255), max_size=3).map(tuple)
)
CONDITIONALS = st.builds(
    Conditional,
    branch=st.none() | st.just("release/*"),
    on_success=st.booleans(),
    tag=st.none() | st.just("v*"),
    events=st.none() | st.sampled_from([("push",), ("tag", "api"), ("schedule", "manual", "pullRequest")]),
    paths=st.none() | GLOBS,
    expression=st.none() | st.sampled_from(["branch == 'main'", "true", "!(tag == '1.0')"]),
)
APPROVALS = st.builds(Approval, st.just(("ann", "group:release")), st.integers(1, 20), TIMEOUTS)
PARAMETERS = st.sampled_from(
    [
        Parameter("note"),
        Parameter("count", "number", default="3.10", description="How many"),
        Parameter("loud", "boolean", default="true"),
        Parameter("empty", default=""),
        Parameter("target", "choice", ("staging", "1.0"), default="1.0"),
    ]
)
CONCURRENCY = st.builds(
    Concurrency,
    st.sampled_from(["deploy", "deploy-${{ branch }}", "1.0"]),
    st.integers(1, 100),
    st.sampled_from(["queue", "cancelPending", "cancelRunning"]),
)
SIZES = st.integers(limits.SMALLEST_MEMORY_BYTES, limits.MEMORY_BYTES)
WORKSPACES = st.builds(Workspace, SIZES, st.none() | st.just("fast"))
SECRETS = st.sampled_from(
    [
        (),
        (SecretReference("database", "password", env_var="DATABASE_PASSWORD"),),
        (SecretReference("keys", "key.pem", file="a/b"), SecretReference("keys", "other", file="a/c")),
    ]
)


def build_step(name: str, depends_on: tuple[str, ...]) -> st.SearchStrategy[Step]:
    return st.builds(
        Step,
        name=st.just(name),
        image=st.sampled_from(["alpine", "registry.example:5000/a/b:${{ branch }}"]),
        commands=COMMANDS,
        depends_on=st.just(depends_on),
        resources=RESOURCES,
        timeout_seconds=TIMEOUTS,
        env=ENVIRONMENTS,
        secrets=SECRETS,
        conditional=CONDITIONALS,
        checkout=st.none() | st.builds(Checkout, st.integers(0, 1000), st.booleans(), st.booleans()),
        run_as_root=st.booleans(),
        matrix=OWN_MATRICES,
        parallelism=st.integers(1, 5),
        artifacts=ARTIFACTS,
        cache=CACHES,
        services=SERVICES,
        outputs=st.sampled_from([(), ("version", "a-b")]),
        retry=RETRIES,
        allow_failure=st.booleans(),
    ).flatmap(lambda step: st.booleans().map(lambda idempotent: settle_retry(step, idempotent)))


def settle_retry(step: Step, idempotent: bool) -> Step:
    """Return the step, idempotent in any case where it is tried again."""
    return replace(step, idempotent=idempotent or step.retry is not None)


def build_approval(name: str, depends_on: tuple[str, ...]) -> st.SearchStrategy[Step]:
    return st.builds(
        Step,
        name=st.just(name),
        image=st.just(""),
        commands=st.just(()),
        depends_on=st.just(depends_on),
        conditional=CONDITIONALS,
        approval=APPROVALS,
    )


@st.composite
def pipelines(draw: st.DrawFn) -> Pipeline:
    names = draw(st.lists(NAMES, min_size=2, max_size=5, unique=True))
    *ordinary, final = names
    steps = [
        draw(build_step(name, tuple(names[:index])) | build_approval(name, tuple(names[:index])))
        for index, name in enumerate(ordinary)
    ]
    return Pipeline(
        name=draw(NAMES),
        steps=tuple(steps),
        triggers=draw(TRIGGERS),
        env=draw(ENVIRONMENTS),
        timeout_seconds=draw(TIMEOUTS),
        matrix=draw(MATRICES),
        parameters=tuple(draw(st.lists(PARAMETERS, max_size=3, unique_by=lambda one: one.name))),
        concurrency=draw(st.none() | CONCURRENCY),
        final_steps=tuple(draw(st.lists(build_step(final, ()), max_size=1))),
        workspace=draw(st.none() | WORKSPACES),
        queue=draw(st.none() | st.just("team-a.example")),
    )


def find_errors(problems: tuple[Any, ...]) -> list[Any]:
    return [problem for problem in problems if problem.severity == "error"]


@SETTINGS
@given(pipelines())
def test_document_is_read_back(pipeline: Pipeline) -> None:
    document = json.loads(json.dumps(to_document(pipeline)))
    result = parse_document(document, "frozen")
    assert find_errors(result.problems) == []
    assert result.pipeline == pipeline


@SETTINGS
@given(pipelines())
def test_document_is_a_file_as_well(pipeline: Pipeline) -> None:
    text = yaml.safe_dump(to_document(pipeline), sort_keys=False)
    result = parse_pipeline(text, "file")
    assert find_errors(result.problems) == []
    assert result.pipeline == pipeline
    assert list(result.pipeline.env) == list(pipeline.env)


def test_defaults_are_left_out() -> None:
    pipeline = Pipeline(name="demo", steps=(Step(name="unit", image="alpine", commands=("make",)),))
    assert to_document(pipeline) == {
        "version": "v1alpha1",
        "name": "demo",
        "steps": [{"name": "unit", "image": "alpine", "commands": ["make"]}],
    }
