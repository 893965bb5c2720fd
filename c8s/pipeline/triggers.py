"""Whether an event starts a run of a pipeline."""

from __future__ import annotations

from collections.abc import Sequence

from c8s.pipeline.globs import matches_any
from c8s.pipeline.model import Decision, Event, PullRequestTrigger, PushTrigger, Triggers

Paths = Sequence[str] | None


def matches_event(
    triggers: Triggers,
    event: Event,
    branch: str | None = None,
    tag: str | None = None,
    base: str | None = None,
    changed_paths: Paths = None,
) -> Decision:
    """Say whether `event` starts a run, with the reason in words.

    A push of a branch is `push`, of a tag `tag`; for a pull request its `base` branch counts. Filters of
    files count for pushes of branches and pull requests, where it is known what was changed (not None).
    """
    if event == "push":
        decision = _matches_branch(triggers, branch)
        return _add_paths(decision, "on.push", triggers.push, changed_paths)
    if event == "tag":
        return _matches_tag(triggers, tag)
    if event == "pullRequest":
        decision = _matches_pull_request(triggers, base)
        return _add_paths(decision, "on.pullRequest", triggers.pull_request, changed_paths)
    if event == "schedule":
        return _say(bool(triggers.schedule), "its time has come", "this pipeline has no schedule")
    return _say(triggers.manual, "a run by hand", '"on.manual" is false')


def _matches_branch(triggers: Triggers, branch: str | None) -> Decision:
    push = triggers.push
    if push is None or (push.branches is None and push.tags is not None):
        return _say(False, "", "pushes of branches don't start this pipeline")
    if push.branches is None:
        return _say(True, "a push of any branch", "")
    return _match_globs("on.push.branches", push.branches, "branch", branch)


def _matches_tag(triggers: Triggers, tag: str | None) -> Decision:
    push = triggers.push
    if push is None or (push.tags is None and push.branches is not None):
        return _say(False, "", "pushes of tags don't start this pipeline")
    if push.tags is None:
        return _say(True, "a push of any tag", "")
    return _match_globs("on.push.tags", push.tags, "tag", tag)


def _matches_pull_request(triggers: Triggers, base: str | None) -> Decision:
    if triggers.pull_request is None:
        return _say(False, "", "pull requests don't start this pipeline")
    if triggers.pull_request.branches is None:
        return _say(True, "any pull request", "")
    return _match_globs("on.pullRequest.branches", triggers.pull_request.branches, "base branch", base)


def _add_paths(
    decision: Decision, field: str, trigger: PushTrigger | PullRequestTrigger | None, changed: Paths
) -> Decision:
    """Return `decision`, or a no where it is a yes and the changed files don't fit the filters of files."""
    if not decision.holds or trigger is None or changed is None:
        return decision
    if trigger.paths is not None and not any(matches_any(trigger.paths, path) for path in changed):
        return _say(False, "", f'none of the changed files matches "{field}.paths"')
    ignored = trigger.paths_ignore
    if ignored is not None and changed and all(matches_any(ignored, path) for path in changed):
        return _say(False, "", f'all changed files match "{field}.pathsIgnore"')
    return decision


def _match_globs(field: str, patterns: tuple[str, ...], kind: str, name: str | None) -> Decision:
    found = name is not None and matches_any(patterns, name)
    return _say(
        found, f'{kind} "{name}" matches "{field}"', f'{kind} "{name or ""}" matches nothing in "{field}"'
    )


def _say(holds: bool, yes: str, no: str) -> Decision:
    return Decision(True, "Triggered", yes) if holds else Decision(False, "NotTriggered", no)
