"""What a RepositoryConnection's status says of its webhook and its Secrets."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

import pytest

from c8s.run.errors import Doubt
from hooks.contract import check_customize_answer, check_sync_answer
from hooks.repositoryconnection import (
    FORGES_WITH_WEBHOOKS,
    SECRETS,
    customize_repositoryconnection,
    sync_repositoryconnection,
)
from tests.hooks.status_schema import validator_of
from webhook.forges import FORGES

Object = dict[str, Any]
EVENT = {"type": "push", "commit": "abc", "timestamp": "2026-01-02T03:04:05Z", "delivery": "d", "run": "r"}


@dataclass(frozen=True)
class Settings:
    webhook_url: str = "https://hooks.example.com/"


def make_connection(event: str = "", **spec: Any) -> Object:
    metadata: Object = {
        "name": "app",
        "namespace": "team",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "annotations": {"c8s.dev/last-event": event} if event else {},
    }
    return {"metadata": metadata, "spec": {"provider": "github", **spec}}


def make_secret(name: str, labelled: bool = True, **data: str) -> Object:
    labels = {"c8s.dev/git-credentials": "true"} if labelled else {}
    metadata = {
        "name": name,
        "namespace": "team",
        "labels": labels,
        "creationTimestamp": "2026-01-01T05:00:00Z",
    }
    encoded = {key.replace("_", "-"): base64.b64encode(text.encode()).decode() for key, text in data.items()}
    return {"metadata": metadata, "data": encoded}


def sync(connection: Object, *secrets: Object, settings: Settings = Settings()) -> Object:
    found = {f"team/{secret['metadata']['name']}": secret for secret in secrets}
    request = {"parent": connection, "children": {}, "related": {SECRETS: found}}
    answer = sync_repositoryconnection(request, settings)
    check_sync_answer(answer, (), finalizing=False)
    errors = [one.message for one in validator_of("repositoryconnections").iter_errors(answer["status"])]
    assert errors == []
    status: Object = answer["status"]
    return status


def reasons(status: Object) -> dict[str, str]:
    return {one["type"]: one["reason"] for one in status["conditions"]}


def test_good_connection_is_told_as_such() -> None:
    connection = make_connection(
        json.dumps(EVENT), webhookSecretRef={"name": "hook"}, authSecretRef={"name": "git"}
    )
    status = sync(connection, make_secret("hook", webhook_secret="x" * 16), make_secret("git", token="t"))
    assert status.pop("conditions") == [
        {
            "type": "WebhookSecretUsable",
            "status": "True",
            "reason": "Usable",
            "message": 'webhooks are checked with Secret "hook"',
            "lastTransitionTime": "2026-01-01T05:00:00Z",
        },
        {
            "type": "CredentialsUsable",
            "status": "True",
            "reason": "Usable",
            "message": 'the repository is read with token of Secret "git"',
            "lastTransitionTime": "2026-01-01T05:00:00Z",
        },
    ]
    assert status == {
        "webhookRegistered": True,
        "webhookURL": "https://hooks.example.com/webhooks/github",
        "lastEvent": EVENT,
    }


@pytest.mark.parametrize(
    ("secrets", "reason"),
    [
        ([], "SecretNotFound"),
        ([make_secret("hook", other="x" * 16)], "KeyMissing"),
        ([make_secret("hook", webhook_secret="x" * 15 + "\n")], "TooShort"),
    ],
)
def test_bad_webhook_secret_is_told(secrets: list[Object], reason: str) -> None:
    status = sync(make_connection(webhookSecretRef={"name": "hook"}), *secrets)
    assert reasons(status) == {"WebhookSecretUsable": reason}
    assert "x" * 15 not in json.dumps(status)


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        (make_secret("git", labelled=False, token="t"), "LabelMissing"),
        (make_secret("git", username="u"), "KeyMissing"),
        (make_secret("git", ssh_key="k"), "KeyMissing"),
        (make_secret("git", username="u", password="p"), "Usable"),
    ],
)
def test_credentials_are_checked(secret: Object, reason: str) -> None:
    status = sync(make_connection(authSecretRef={"name": "git"}), secret)
    assert reasons(status) == {"WebhookSecretUsable": "NotNamed", "CredentialsUsable": reason}


@pytest.mark.parametrize("event", ["", "nonsense", "[]", '{"timestamp":"never"}', '{"type":1}'])
def test_unreadable_event_is_none(event: str) -> None:
    status = sync(make_connection(event), settings=Settings(""))
    assert status.keys() == {"webhookRegistered", "conditions"}
    assert status["webhookRegistered"] is False


def test_request_without_secrets_is_doubt() -> None:
    request = {"parent": make_connection(authSecretRef={"name": "git"}), "children": {}, "related": {}}
    with pytest.raises(Doubt):
        sync_repositoryconnection(request, Settings())


def test_customize_asks_for_named_secrets() -> None:
    connection = make_connection(webhookSecretRef={"name": "one"}, authSecretRef={"name": "one"})
    answer = customize_repositoryconnection({"parent": connection})
    check_customize_answer(answer)
    assert answer["relatedResources"][0]["names"] == ["one"]
    assert customize_repositoryconnection({"parent": make_connection()}) == {"relatedResources": []}


def test_no_address_is_told_for_webhooks_that_are_not_taken() -> None:
    assert "webhookURL" not in sync(make_connection(provider="gitlab"))
    assert set(FORGES) == FORGES_WITH_WEBHOOKS
