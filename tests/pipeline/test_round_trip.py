"""A pipeline, its document and its file are three ways to say the same."""

from __future__ import annotations

import json
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from c8s.pipeline import limits
from c8s.pipeline.canonical import to_document
from c8s.pipeline.model import (
    Checkout,
    Conditional,
    Matrix,
    Pipeline,
    PullRequestTrigger,
    PushTrigger,
    Resources,
    SecretReference,
    Step,
    Triggers,
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
    push=st.none() | st.builds(PushTrigger, st.none() | GLOBS, st.none() | GLOBS),
    pull_request=st.none() | st.builds(PullRequestTrigger, st.none() | GLOBS),
    manual=st.booleans(),
)

SETTINGS = settings(deadline=None, max_examples=50)
MATRICES = st.none() | st.builds(
    Matrix,
    dimensions=st.fixed_dictionaries({"os": st.just(("alpine", "3.10")), "fast": st.just(("true", "1e3"))}),
    exclude=st.sampled_from([(), ({"os": "alpine"},), ({"os": "3.10", "fast": "true"},)]),
    include=st.sampled_from([(), ({"os": "bookworm", "fast": "010"},)]),
)
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
        resources=st.builds(Resources, st.none() | st.integers(1, 100_000), MEMORY, MEMORY),
        timeout_seconds=TIMEOUTS,
        env=ENVIRONMENTS,
        secrets=SECRETS,
        conditional=st.builds(Conditional, st.none() | st.just("release/*"), st.booleans()),
        checkout=st.none() | st.builds(Checkout, st.integers(0, 1000)),
        run_as_root=st.booleans(),
    )


@st.composite
def pipelines(draw: st.DrawFn) -> Pipeline:
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    steps = [draw(build_step(name, tuple(names[:index]))) for index, name in enumerate(names)]
    return Pipeline(
        name=draw(NAMES),
        steps=tuple(steps),
        triggers=draw(TRIGGERS),
        env=draw(ENVIRONMENTS),
        timeout_seconds=draw(TIMEOUTS),
        matrix=draw(MATRICES),
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
