"""Whether a step runs, once all it depends on has ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from c8s.pipeline.cel_conditions import evaluate_condition
from c8s.pipeline.globs import matches, matches_any
from c8s.pipeline.model import Combination, Conditional, Decision, EventFacts, StepOutcome
from c8s.pipeline.problems import quote

_STOPPING = {
    StepOutcome.FAILED: "failed",
    StepOutcome.CANCELLED: "was cancelled",
    StepOutcome.SKIPPED_AFTER_FAILURE: "was skipped after a failure",
}

SHOWN_PATHS = 3

StepFacts = Mapping[str, Mapping[str, Any]]
"""What `if` knows of the steps before, by name: `{"outcome": "Succeeded", "outputs": {name: text}}`."""


def evaluate(
    conditional: Conditional,
    facts: EventFacts,
    dependencies: Mapping[str, StepOutcome],
    combination: Combination | None = None,
    steps: StepFacts | None = None,
) -> Decision:
    """Say whether the step runs. Reasons: `Ready`, `ConditionFalse` (not for this run), `DependencyFailed`.

    What the run is for is looked at first: a step that was never meant for it is no victim of a failure. `if`
    comes last, and only where `steps` are known. Raises ConditionError where it has no answer.
    """
    for explain in _RULES:
        why_not = explain(conditional, facts)
        if why_not:
            return Decision(False, "ConditionFalse", why_not)
    if conditional.on_success:
        for name, outcome in dependencies.items():
            if outcome in _STOPPING:
                return Decision(False, "DependencyFailed", f'step "{name}" {_STOPPING[outcome]}')
    expression = conditional.expression
    if expression is None or steps is None or evaluate_condition(expression, facts, combination or {}, steps):
        return Decision(True, "Ready", "nothing stands in its way")
    return Decision(False, "ConditionFalse", f"its condition is false: {expression}")


def find_dead_end(changed_paths: tuple[str, ...], patterns: tuple[str, ...]) -> str:
    """Return why none of `changed_paths` fits one of `patterns`; empty where one does."""
    if any(matches_any(patterns, path) for path in changed_paths):
        return ""
    wanted = " or ".join(f'"{pattern}"' for pattern in patterns[:SHOWN_PATHS])
    if not changed_paths:
        return f"runs for changes of {wanted} only, and no file was changed"
    # A file's name may hold anything, and be very long.
    shown = ", ".join(map(quote, changed_paths[:SHOWN_PATHS]))
    more = f" and {len(changed_paths) - SHOWN_PATHS} more" if len(changed_paths) > SHOWN_PATHS else ""
    return f"runs for changes of {wanted} only, and these were changed: {shown}{more}"


def _explain_wrong_branch(conditional: Conditional, facts: EventFacts) -> str:
    """Return why the branch does not fit; a fork's branch never does: its owner names it as they like."""
    pattern = conditional.branch
    if pattern is None:
        return ""
    if facts.from_fork:
        return f'runs on branch "{pattern}" only, and this is a pull request from a fork'
    if facts.branch is None:
        return f'runs on branch "{pattern}" only, and this run has no branch'
    if not matches(pattern, facts.branch):
        return f'runs on branch "{pattern}" only, and this is "{facts.branch}"'
    return ""


def _explain_wrong_tag(conditional: Conditional, facts: EventFacts) -> str:
    pattern = conditional.tag
    if pattern is None:
        return ""
    if facts.tag is None:
        return f'runs for tag "{pattern}" only, and this run has no tag'
    if not matches(pattern, facts.tag):
        return f'runs for tag "{pattern}" only, and this is "{facts.tag}"'
    return ""


def _explain_wrong_event(conditional: Conditional, facts: EventFacts) -> str:
    if conditional.events is None or facts.event in conditional.events:
        return ""
    return f"runs for {' and '.join(conditional.events)} only, and this is {facts.event}"


def _explain_wrong_paths(conditional: Conditional, facts: EventFacts) -> str:
    if conditional.paths is None or facts.changed_paths is None:
        return ""
    return find_dead_end(facts.changed_paths, conditional.paths)


_RULES: tuple[Callable[[Conditional, EventFacts], str], ...] = (
    _explain_wrong_branch,
    _explain_wrong_tag,
    _explain_wrong_event,
    _explain_wrong_paths,
)
