from __future__ import annotations

import pytest

from c8s.pipeline.model import Decision, Event, PullRequestTrigger, PushTrigger, Schedule, Triggers
from c8s.pipeline.triggers import matches_event

ONLY_MAIN = Triggers(push=PushTrigger(branches=("main",)), pull_request=PullRequestTrigger(("main",)))
ONLY_TAGS = Triggers(push=PushTrigger(tags=("v*",)), pull_request=None, manual=False)


@pytest.mark.parametrize("event", ["push", "tag", "pullRequest", "manual", "api"])
def test_everything_starts_by_default(event: Event) -> None:
    assert matches_event(Triggers(), event, branch="x", tag="y", base="z").holds


@pytest.mark.parametrize(
    ("triggers", "event", "names", "holds"),
    [
        (ONLY_MAIN, "push", {"branch": "main"}, True),
        (ONLY_MAIN, "push", {"branch": "other"}, False),
        (ONLY_MAIN, "push", {}, False),
        (ONLY_MAIN, "tag", {"tag": "main"}, False),
        (ONLY_MAIN, "pullRequest", {"branch": "feature", "base": "main"}, True),
        (ONLY_MAIN, "pullRequest", {"branch": "main", "base": "old"}, False),
        (ONLY_MAIN, "manual", {"branch": "other"}, True),
        (ONLY_TAGS, "tag", {"tag": "v1"}, True),
        (ONLY_TAGS, "tag", {"tag": "x"}, False),
        (ONLY_TAGS, "push", {"branch": "v1"}, False),
        (ONLY_TAGS, "pullRequest", {"base": "v1"}, False),
        (ONLY_TAGS, "manual", {}, False),
        (ONLY_TAGS, "api", {}, False),
        (Triggers(push=None), "push", {"branch": "main"}, False),
    ],
)
def test_event_is_held_against_triggers(
    triggers: Triggers, event: Event, names: dict[str, str], holds: bool
) -> None:
    assert matches_event(triggers, event, **names).holds is holds


def test_decision_says_why() -> None:
    assert matches_event(ONLY_MAIN, "push", branch="x") == Decision(
        False, "NotTriggered", 'branch "x" matches nothing in "on.push.branches"'
    )
    assert matches_event(ONLY_MAIN, "push", branch="main") == Decision(
        True, "Triggered", 'branch "main" matches "on.push.branches"'
    )


@pytest.mark.parametrize(
    ("push", "changed", "holds"),
    [
        (PushTrigger(paths=("src/**",)), ("src/app.py",), True),
        (PushTrigger(paths=("src/**",)), ("docs/index.md",), False),
        (PushTrigger(paths=("src/**",)), None, True),
        (PushTrigger(paths_ignore=("docs/**",)), ("docs/index.md",), False),
        (PushTrigger(paths_ignore=("docs/**",)), ("docs/index.md", "src/app.py"), True),
        (PushTrigger(paths_ignore=("docs/**",)), (), True),
    ],
)
def test_changed_files_are_held_against_filters(
    push: PushTrigger, changed: tuple[str, ...] | None, holds: bool
) -> None:
    decision = matches_event(Triggers(push=push), "push", branch="main", changed_paths=changed)
    assert decision.holds is holds


def test_schedule_needs_a_timetable() -> None:
    assert matches_event(Triggers(schedule=(Schedule("0 3 * * *"),)), "schedule").holds
    assert not matches_event(Triggers(), "schedule").holds
