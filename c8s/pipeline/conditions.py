"""Whether a step runs, once all it depends on has ended."""

from __future__ import annotations

from collections.abc import Mapping

from c8s.pipeline.globs import matches
from c8s.pipeline.model import Conditional, Decision, EventFacts, StepOutcome

_STOPPING = {
    StepOutcome.FAILED: "failed",
    StepOutcome.CANCELLED: "was cancelled",
    StepOutcome.SKIPPED_AFTER_FAILURE: "was skipped after a failure",
}


def evaluate(
    conditional: Conditional, facts: EventFacts, dependencies: Mapping[str, StepOutcome]
) -> Decision:
    """Say whether the step runs. Reasons: `Ready`, `ConditionFalse` (wrong branch), `DependencyFailed`.

    The branch is looked at first: a step that was never meant for it is no victim of a failure.
    """
    wrong_branch = _explain_wrong_branch(conditional.branch, facts)
    if wrong_branch:
        return Decision(False, "ConditionFalse", wrong_branch)
    if conditional.on_success:
        for name, outcome in dependencies.items():
            if outcome in _STOPPING:
                return Decision(False, "DependencyFailed", f'step "{name}" {_STOPPING[outcome]}')
    return Decision(True, "Ready", "nothing stands in its way")


def is_for_branch(conditional: Conditional, facts: EventFacts) -> Decision:
    """Say whether the step is meant for this run's branch, before anything is known of its dependencies."""
    return evaluate(conditional, facts, {})


def _explain_wrong_branch(pattern: str | None, facts: EventFacts) -> str | None:
    """Return why the branch does not fit; a fork's branch never does: its owner names it as they like."""
    if pattern is None:
        return None
    if facts.from_fork:
        return f'runs on branch "{pattern}" only, and this is a pull request from a fork'
    if facts.branch is None:
        return f'runs on branch "{pattern}" only, and this run has no branch'
    if not matches(pattern, facts.branch):
        return f'runs on branch "{pattern}" only, and this is "{facts.branch}"'
    return None
