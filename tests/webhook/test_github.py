from __future__ import annotations

import json
from typing import Any

import pytest
from werkzeug.datastructures import Headers

from tests.webhook.payloads import COMMIT, pull_request, push, sign
from webhook.delivery import Delivery, Event, Ignored, PullRequest, Sender, Unreadable
from webhook.github import GitHub

GITHUB = GitHub()


def translate(kind: str, payload: dict[str, Any]) -> Event | Ignored:
    headers = Headers({"X-GitHub-Delivery": "d-1", "X-GitHub-Event": kind})
    return GITHUB.translate(GITHUB.parse(headers, json.dumps(payload).encode()))


def test_pushed_branch_is_translated() -> None:
    assert translate("push", push()) == Event(
        name="push",
        commit=COMMIT,
        branch="feature/a",
        message="Add a\n\nBecause",
        author="grace",
        sender=Sender("octocat", 583231),
    )


def test_annotated_tag_runs_its_commit() -> None:
    payload = push(ref="refs/tags/v1.0", after="b" * 40)

    assert translate("push", payload) == Event(
        name="tag",
        commit=COMMIT,
        tag="v1.0",
        message="Add a\n\nBecause",
        author="grace",
        sender=Sender("octocat", 583231),
    )


def test_pull_request_of_fork_is_translated() -> None:
    assert translate("pull_request", pull_request()) == Event(
        name="pullRequest",
        commit=COMMIT,
        branch="patch-1",
        message="Fix the typo",
        author="mallory",
        sender=Sender("octocat", 583231),
        pull_request=PullRequest(7, "main", "https://github.com/mallory/web.git", fork=True),
    )


def test_fork_is_told_by_repository_id_not_name() -> None:
    payload = pull_request()
    payload["pull_request"]["head"]["repo"]["full_name"] = "team/web"
    payload["pull_request"]["head"]["user"] = {"login": "team"}
    event = translate("pull_request", payload)
    assert isinstance(event, Event) and event.pull_request and event.pull_request.fork

    payload["pull_request"]["head"]["repo"]["id"] = 1
    event = translate("pull_request", payload)
    assert isinstance(event, Event) and event.pull_request and not event.pull_request.fork


def test_deleted_fork_stays_a_fork() -> None:
    payload = pull_request()
    payload["pull_request"]["head"]["repo"] = None

    event = translate("pull_request", payload)

    assert isinstance(event, Event)
    assert event.pull_request == PullRequest(7, "main", "", fork=True)


@pytest.mark.parametrize(
    ("kind", "payload", "reason"),
    [
        ("push", push(deleted=True, after="0" * 40), "Deleted"),
        ("push", push(after="0" * 40), "Deleted"),
        ("push", push(ref="refs/notes/commits"), "ReferenceNotUsed"),
        ("push", push(ref="refs/heads/"), "ReferenceNotUsed"),
        ("pull_request", pull_request(action="labeled"), "ActionNotUsed"),
        ("ping", {"zen": "Keep it logically awesome."}, "Ping"),
        ("star", {}, "EventNotUsed"),
    ],
)
def test_other_events_are_ignored_with_reason(kind: str, payload: dict[str, Any], reason: str) -> None:
    ignored = translate(kind, payload)

    assert isinstance(ignored, Ignored)
    assert ignored.reason == reason


@pytest.mark.parametrize(
    "change",
    [
        {"ref": None},
        {"ref": 7},
        {"after": ["a"]},
        {"sender": None},
        {"sender": {"login": "octocat", "id": "583231"}},
        {"sender": {"login": "octocat", "id": True}},
        {"head_commit": "text"},
    ],
)
def test_wrong_types_are_unreadable(change: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        translate("push", push(**change))


@pytest.mark.parametrize("body", [b"payload=%7B%7D", b"[]", b"", b"\xff\xfe"])
def test_other_bodies_are_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        GITHUB.parse(Headers({"X-GitHub-Delivery": "d-1"}), body)


@pytest.mark.parametrize("delivery", ["", "a b", "../x", "x" * 101, "d\n"])
def test_delivery_needs_an_id(delivery: str) -> None:
    headers = Headers()
    headers._list.append(("X-GitHub-Delivery", delivery))  # Headers itself refuses line breaks
    with pytest.raises(Unreadable):
        GITHUB.parse(headers, b"{}")


def test_own_signature_is_accepted() -> None:
    assert GITHUB.is_signed_with(
        b"secret", Headers({"X-Hub-Signature-256": sign(b"body", b"secret")}), b"body"
    )


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "sha256=",
        sign(b"body", b"other"),
        sign(b"other", b"secret"),
        sign(b"body", b"secret").upper(),
        sign(b"body", b"secret").removeprefix("sha256="),
        sign(b"body", b"secret") + " ",
        "sha256=ü",
    ],
)
def test_other_signatures_are_refused(signature: str) -> None:
    headers = Headers({"X-Hub-Signature-256": signature})
    assert not GITHUB.is_signed_with(b"secret", headers, b"body")


def test_sha1_signature_never_counts() -> None:
    headers = Headers({"X-Hub-Signature": "sha1=" + "0" * 40})
    assert not GITHUB.has_signature(headers)


# GitHub's own example: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
def test_documented_example_verifies() -> None:
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    headers = Headers({"X-Hub-Signature-256": signature})
    assert GITHUB.is_signed_with(b"It's a Secret to Everybody", headers, b"Hello, World!")


@pytest.mark.parametrize(
    ("changes", "before"),
    [
        ({"before": "b" * 40}, "b" * 40),
        ({"before": "0" * 40, "created": True}, ""),
        ({"before": "0" * 40}, ""),
        ({"before": "-x"}, ""),
        ({"before": "b" * 40, "ref": "refs/tags/v1"}, ""),
        ({}, ""),
    ],
)
def test_push_says_what_was_before(changes: dict[str, Any], before: str) -> None:
    event = GitHub().translate(Delivery("d", frozenset(), push(**changes), "push"))
    assert isinstance(event, Event)
    assert event.before == before


def test_pull_request_says_its_base() -> None:
    payload = pull_request()
    payload["pull_request"]["base"]["sha"] = "b" * 40
    event = GitHub().translate(Delivery("d", frozenset(), payload, "pull_request"))
    assert isinstance(event, Event)
    assert event.before == "b" * 40
