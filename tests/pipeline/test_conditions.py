from __future__ import annotations

import pytest

from c8s.pipeline.conditions import evaluate
from c8s.pipeline.model import Conditional, Decision, EventFacts, StepOutcome

ON_MAIN = EventFacts(event="push", branch="main")
READY = Decision(True, "Ready", "nothing stands in its way")
ALWAYS = Conditional(on_success=False)


@pytest.mark.parametrize("outcome", [StepOutcome.SUCCEEDED, StepOutcome.SKIPPED])
def test_step_runs_after_success_and_skip(outcome: StepOutcome) -> None:
    assert evaluate(Conditional(), ON_MAIN, {"lint": outcome}) == READY


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (StepOutcome.FAILED, "failed"),
        (StepOutcome.CANCELLED, "was cancelled"),
        (StepOutcome.SKIPPED_AFTER_FAILURE, "was skipped after a failure"),
    ],
)
def test_failure_stops_dependents(outcome: StepOutcome, words: str) -> None:
    dependencies = {"unit": StepOutcome.SUCCEEDED, "lint": outcome}
    stopped = Decision(False, "DependencyFailed", f'step "lint" {words}')
    assert evaluate(Conditional(), ON_MAIN, dependencies) == stopped
    assert evaluate(ALWAYS, ON_MAIN, dependencies) == READY


def test_wrong_branch_comes_before_failure() -> None:
    conditional = Conditional(branch="release/*")
    expected = Decision(False, "ConditionFalse", 'runs on branch "release/*" only, and this is "main"')
    assert evaluate(conditional, ON_MAIN, {"lint": StepOutcome.FAILED}) == expected


def test_run_of_tag_has_no_branch() -> None:
    decision = evaluate(Conditional(branch="*"), EventFacts(event="tag", tag="v1"), {})
    assert decision == Decision(
        False, "ConditionFalse", 'runs on branch "*" only, and this run has no branch'
    )


def test_branch_of_fork_never_matches() -> None:
    facts = EventFacts(event="pullRequest", branch="main", base="main", from_fork=True)
    expected = 'runs on branch "main" only, and this is a pull request from a fork'
    assert evaluate(Conditional(branch="main"), facts, {}) == Decision(False, "ConditionFalse", expected)


CHANGED = EventFacts(event="push", branch="main", changed_paths=("src/app.py", "docs/index.md"))


@pytest.mark.parametrize(
    ("conditional", "facts", "why_not"),
    [
        (Conditional(tag="v*"), ON_MAIN, 'runs for tag "v*" only, and this run has no tag'),
        (Conditional(tag="v*"), EventFacts(event="tag", tag="v1"), ""),
        (Conditional(events=("tag", "manual")), ON_MAIN, "runs for tag and manual only, and this is push"),
        (Conditional(events=("push",)), ON_MAIN, ""),
        (Conditional(paths=("docs/**",)), CHANGED, ""),
        (Conditional(paths=("docs/**",)), ON_MAIN, ""),
        (
            Conditional(paths=("deploy/**",)),
            CHANGED,
            'runs for changes of "deploy/**" only, and these were changed: "src/app.py", "docs/index.md"',
        ),
    ],
)
def test_rule_that_skips_is_named(conditional: Conditional, facts: EventFacts, why_not: str) -> None:
    assert evaluate(conditional, facts, {}) == (
        Decision(False, "ConditionFalse", why_not) if why_not else READY
    )


def test_expression_counts_when_the_steps_before_are_known() -> None:
    conditional = Conditional(expression="steps.lint.outcome == 'Failed'", on_success=False)
    assert evaluate(conditional, ON_MAIN, {}) == READY
    false = Decision(False, "ConditionFalse", "its condition is false: steps.lint.outcome == 'Failed'")
    assert evaluate(conditional, ON_MAIN, {}, {}, {"lint": {"outcome": "Succeeded"}}) == false
    assert evaluate(conditional, ON_MAIN, {}, {}, {"lint": {"outcome": "Failed"}}) == READY
