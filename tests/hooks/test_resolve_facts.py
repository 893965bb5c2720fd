"""What resolve finds out beside the pipeline: parameters, changed files, the concurrency group, labels."""

from __future__ import annotations

from dataclasses import replace

import pytest

from c8s.adapters.git import Change, RepositoryUnreachable
from c8s.pipeline.model import (
    Concurrency,
    Conditional,
    EventFacts,
    Parameter,
    Pipeline,
    PushTrigger,
    Step,
    Triggers,
)
from c8s.run.observed_run import observe_run
from hooks.resolving.facts import asks_for_paths, name_group
from hooks.resolving.outcome import Unresolved
from hooks.resolving.params import choose_params
from hooks.resolving.reader import Reader
from hooks.resolving.request import Code, Origin, ResolveRequest
from tests.hooks.test_resolve import (
    COMMIT,
    REPOSITORY,
    FetchedFile,
    WrittenGit,
    make_config,
    make_connection,
    make_request,
    push,
    read_frozen,
    resolve,
)

PARAMETERS = (
    Parameter("target", "choice", ("staging", "production"), "staging"),
    Parameter("count", "number", default="1"),
    Parameter("dry", "boolean"),
)
STEP = Step("unit", "alpine", ("make",))
BEFORE = "b" * 40


def test_defaults_are_filled_in() -> None:
    assert choose_params(PARAMETERS, {"dry": "true"}, "manual") == {
        "target": "staging",
        "count": "1",
        "dry": "true",
    }


def test_pushed_run_has_no_values() -> None:
    assert choose_params(PARAMETERS, {}, "push") == {"target": "staging", "count": "1", "dry": ""}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, 'parameter "dry" needs a value'),
        ({"dry": "yes"}, 'parameter "dry" is "yes", which is neither true nor false'),
        ({"dry": "true", "count": "1e5"}, 'parameter "count" is "1e5", which is no number'),
        (
            {"dry": "true", "target": "prod"},
            'parameter "target" is "prod", which is none of "staging", "production"',
        ),
        (
            {"dry": "true", "x": "1"},
            'there is no parameter "x"; there are "target", "count", "dry"',
        ),
        ({"y": "", "dry": "1"}, 'there is no parameter "y"; there are "target", "count", "dry"; parameter'),
    ],
)
def test_wrong_values_are_told(given: dict[str, str], message: str) -> None:
    with pytest.raises(Unresolved) as caught:
        choose_params(PARAMETERS, given, "api")
    assert caught.value.reason == "InvalidParams"
    assert caught.value.message.startswith(message)


def test_group_is_named_by_the_run() -> None:
    facts = EventFacts("push", COMMIT, branch="main")
    concurrency = Concurrency("deploy-${{ branch }}", 2, "cancelPending")
    group = name_group(concurrency, facts, "team")
    assert group == {"group": "deploy-main", "key": group["key"], "max": 2, "onNew": "cancelPending"}
    assert len(group["key"]) == 16
    assert name_group(concurrency, facts, "other")["key"] != group["key"]
    assert name_group(concurrency, replace(facts, branch="x"), "team")["key"] != group["key"]


def test_group_without_value_is_a_problem() -> None:
    with pytest.raises(Unresolved, match="InvalidPipeline"):
        name_group(Concurrency("${{ matrix.os }}"), EventFacts("push"), "team")


@pytest.mark.parametrize(
    ("pipeline", "asks"),
    [
        (Pipeline("app", (STEP,)), False),
        (Pipeline("app", (replace(STEP, conditional=Conditional(paths=("src/**",))),)), True),
        (Pipeline("app", (STEP,), final_steps=(replace(STEP, conditional=Conditional(paths=("a",))),)), True),
        (Pipeline("app", (STEP,), Triggers(push=PushTrigger(paths_ignore=("docs/**",)))), True),
        (Pipeline("app", (STEP,), Triggers(push=None, pull_request=None)), False),
    ],
)
def test_pipeline_asks_for_changed_files(pipeline: Pipeline, asks: bool) -> None:
    assert asks_for_paths(pipeline) == asks


def reader(git: WrittenGit, **spec: object) -> Reader:
    run = observe_run(make_request(push(**spec))["object"])
    return Reader(ResolveRequest(run, Origin("file", "a"), Code(REPOSITORY)), {}, git, ())


PIPELINE = Pipeline("app", (replace(STEP, conditional=Conditional(paths=("src/**",))),))


def test_changed_files_are_those_of_the_push() -> None:
    git = WrittenGit(changed=("src/a",))
    assert reader(git).find_changed_paths(PIPELINE, COMMIT, BEFORE) == ("src/a",)
    assert git.asked == [(REPOSITORY, Change(COMMIT, BEFORE), None, ())]


def test_changed_files_are_those_of_the_pull_request() -> None:
    git = WrittenGit(changed=("src/a",))
    run = reader(git, event="pullRequest", pullRequest={"number": 1, "base": "main"})
    assert run.find_changed_paths(PIPELINE, COMMIT, BEFORE) == ("src/a",)
    assert git.asked == [(REPOSITORY, Change(COMMIT, BEFORE, since_fork=True), None, ())]


def test_changed_files_are_unknown_where_git_fails() -> None:
    git = WrittenGit(changed=RepositoryUnreachable("no answer"))
    assert reader(git).find_changed_paths(PIPELINE, COMMIT, BEFORE) is None


def test_nobody_asks_git_for_nothing() -> None:
    git = WrittenGit(changed=("src/a",))
    assert reader(git).find_changed_paths(Pipeline("app", (STEP,)), COMMIT, BEFORE) is None
    assert reader(git, event="manual").find_changed_paths(PIPELINE, COMMIT, BEFORE) is None
    assert git.asked == []


def test_run_of_a_config_is_labelled() -> None:
    request = make_request(push(pipelineConfigRef={"name": "nightly"}), make_connection(), make_config())
    answer = resolve(request)
    read_frozen(answer)
    assert answer["labels"] == {"c8s.dev/pipelineconfig": "nightly"}
    request["object"]["metadata"]["labels"] = answer["labels"]
    assert resolve(request)["labels"] == {}


def test_params_that_the_pipeline_has_not_are_a_problem() -> None:
    answer = resolve(make_request(push(params={"x": "1"}), make_connection()))
    assert '"InvalidParams"' in answer["annotations"]["c8s.dev/resolve-problem"]


GROUPED = b"""version: v1alpha1
name: app
on: {push: {paths: ["src/**"]}}
params: [{name: target, type: choice, options: [a, b], default: a}]
concurrency: {group: "deploy-${{ branch }}", onNew: cancelPending}
steps: [{name: unit, image: alpine, commands: [make]}]
"""


def test_all_that_is_found_out_is_frozen() -> None:
    git = WrittenGit(FetchedFile(GROUPED, COMMIT), changed=("src/a",))
    answer = resolve(make_request(push(before=BEFORE), make_connection()), git)
    frozen = read_frozen(answer)
    key = frozen["concurrency"]["key"]
    assert (frozen["params"], frozen["changedPaths"]) == ({"target": "a"}, ["src/a"])
    assert frozen["concurrency"] == {
        "group": "deploy-main",
        "key": key,
        "max": 1,
        "onNew": "cancelPending",
    }
    assert answer["labels"] == {"c8s.dev/concurrency": key}


def test_push_beside_the_paths_starts_nothing() -> None:
    git = WrittenGit(FetchedFile(GROUPED, COMMIT), changed=("docs/a",))
    answer = resolve(make_request(push(before=BEFORE), make_connection()), git)
    assert '"NotTriggered"' in answer["annotations"]["c8s.dev/resolve-problem"]
