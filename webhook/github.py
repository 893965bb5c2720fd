"""GitHub: verify by HMAC-SHA256, translate pushes, tags and pull requests.

https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any

import orjson
from werkzeug.datastructures import Headers

from webhook.delivery import Delivery, Event, Ignored, PullRequest, Sender, Unreadable
from webhook.fields import read_flag, read_mapping, read_number, read_text

SIGNATURE_HEADER = "X-Hub-Signature-256"
PULL_REQUEST_ACTIONS = ("opened", "synchronize", "reopened")

_DELIVERY_ID = re.compile(r"[0-9A-Za-z._-]{1,100}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_NO_COMMIT = re.compile(r"0+")


class GitHub:
    """The GitHub side of `webhook.delivery.Forge`."""

    provider = "github"
    # "Payloads are capped at 25 MB": a larger one is never delivered.
    max_body_bytes = 25 * 1024 * 1024

    def has_signature(self, headers: Headers) -> bool:
        return bool(headers.get(SIGNATURE_HEADER))

    def parse(self, headers: Headers, body: bytes) -> Delivery:
        delivery_id = headers.get("X-GitHub-Delivery", "")
        if not _DELIVERY_ID.fullmatch(delivery_id):
            raise Unreadable("the header X-GitHub-Delivery is missing or no id")
        payload = _parse_json(body)
        repository = read_mapping(payload, "repository", optional=True)
        addresses = (repository.get(name) for name in ("clone_url", "ssh_url", "git_url", "html_url"))
        return Delivery(
            id=delivery_id,
            kind=headers.get("X-GitHub-Event", ""),
            repositories=frozenset(text for text in addresses if isinstance(text, str) and text),
            payload=payload,
        )

    def is_signed_with(self, secret: bytes, headers: Headers, body: bytes) -> bool:
        expected = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
        # Bytes: compare_digest refuses text beyond ASCII.
        return hmac.compare_digest(expected.encode(), headers.get(SIGNATURE_HEADER, "").encode())

    def translate(self, delivery: Delivery) -> Event | Ignored:
        match delivery.kind:
            case "push":
                return _translate_push(delivery.payload)
            case "pull_request":
                return _translate_pull_request(delivery.payload)
            case "ping":
                return Ignored("Ping", "the webhook is set up")
            case kind:
                return Ignored("EventNotUsed", f"events of type {kind[:50]!r} start no run")


def _parse_json(body: bytes) -> Mapping[str, Any]:
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unreadable(
            "the body is not JSON: choose the content type application/json in the webhook's settings"
        ) from error
    if not isinstance(payload, dict):
        raise Unreadable("the body is not a JSON object")
    return payload


def _translate_push(payload: Mapping[str, Any]) -> Event | Ignored:
    reference = read_text(payload, "ref")
    commit = read_text(payload, "after")
    if read_flag(payload, "deleted") or _NO_COMMIT.fullmatch(commit):
        return Ignored("Deleted", "the branch or tag was deleted, there is no commit to run")
    kind, _, name = reference.removeprefix("refs/").partition("/")
    if kind not in ("heads", "tags") or not name:
        return Ignored("ReferenceNotUsed", "only branches and tags start runs")
    head = read_mapping(payload, "head_commit", optional=True)
    is_tag = kind == "tags"
    return Event(
        name="tag" if is_tag else "push",
        # An annotated tag's `after` is the tag object; the commit it points to is head_commit.
        commit=read_text(head, "id") if is_tag and head else commit,
        branch="" if is_tag else name,
        tag=name if is_tag else "",
        before="" if is_tag else _read_before(payload),
        message=read_text(head, "message", optional=True),
        author=_read_author(head),
        sender=_read_sender(payload),
    )


def _translate_pull_request(payload: Mapping[str, Any]) -> Event | Ignored:
    action = read_text(payload, "action")
    if action not in PULL_REQUEST_ACTIONS:
        return Ignored("ActionNotUsed", f"pull requests start runs when {', '.join(PULL_REQUEST_ACTIONS)}")
    pull_request = read_mapping(payload, "pull_request")
    head, base = read_mapping(pull_request, "head"), read_mapping(pull_request, "base")
    # A fork that was deleted meanwhile has no repository any more; it stays a stranger's.
    head_repository = read_mapping(head, "repo", optional=True)
    base_repository = read_mapping(base, "repo")
    return Event(
        name="pullRequest",
        commit=read_text(head, "sha"),
        branch=read_text(head, "ref"),
        before=_find_commit(read_text(base, "sha", optional=True)),
        message=read_text(pull_request, "title", optional=True),
        author=read_text(read_mapping(pull_request, "user", optional=True), "login", optional=True),
        sender=_read_sender(payload),
        pull_request=PullRequest(
            number=read_number(pull_request, "number"),
            base=read_text(base, "ref"),
            head_repository=read_text(head_repository, "clone_url", optional=True),
            fork=not head_repository
            or read_number(head_repository, "id") != read_number(base_repository, "id"),
        ),
    )


def _read_before(payload: Mapping[str, Any]) -> str:
    """A new branch has none: its zeros are no commit."""
    return "" if read_flag(payload, "created") else _find_commit(read_text(payload, "before", optional=True))


def _find_commit(text: str) -> str:
    return text if _COMMIT.fullmatch(text) and not _NO_COMMIT.fullmatch(text) else ""


def _read_sender(payload: Mapping[str, Any]) -> Sender:
    sender = read_mapping(payload, "sender")
    return Sender(read_text(sender, "login"), read_number(sender, "id"))


def _read_author(commit: Mapping[str, Any]) -> str:
    author = read_mapping(commit, "author", optional=True)
    return read_text(author, "username", optional=True) or read_text(author, "name", optional=True)
