"""Metacontroller's questions about a RepositoryConnection: where its webhook is, whether its Secrets do."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Protocol

from c8s.run.errors import Doubt, MalformedObject
from c8s.run.labels import GIT_CREDENTIALS_LABEL, LAST_EVENT
from c8s.run.reading import Json, parse_object, read_mapping, read_text, read_time
from hooks.contract import Answer
from hooks.overview.conditions import report_condition

SECRETS = "Secret.v1"
WEBHOOK_KEY = "webhook-secret"
MIN_SECRET_BYTES = 16
TEXT_CHARACTERS = 255

FORGES_WITH_WEBHOOKS = frozenset({"github"})
"""Of the providers that a RepositoryConnection may name, those for which `webhook/` has a route."""

_REFERENCES = ("webhookSecretRef", "authSecretRef")
_FORMS = (("ssh-key", "known_hosts"), ("username", "password"), ("token",))
"""The keys that a Secret with git credentials has, one of these sets."""


class ConnectionSettings(Protocol):
    """What is needed of the hooks' settings."""

    @property
    def webhook_url(self) -> str: ...


def customize_repositoryconnection(request: Json) -> Answer:
    """Ask for the Secrets that the connection names."""
    parent = read_mapping(request, "parent")
    names = sorted({name for name in (_name_secret(parent, key) for key in _REFERENCES) if name})
    if not names:
        return {"relatedResources": []}
    namespace = read_text(read_mapping(parent, "metadata"), "namespace")
    rule = {"apiVersion": "v1", "resource": "secrets", "namespace": namespace, "names": names}
    return {"relatedResources": [rule]}


def sync_repositoryconnection(request: Json, settings: ConnectionSettings) -> Answer:
    """Return the status; there are no children. Raises Doubt where nothing is said of its Secrets."""
    parent, related = read_mapping(request, "parent"), read_mapping(request, "related")
    if SECRETS not in related and any(_name_secret(parent, key) for key in _REFERENCES):
        raise Doubt(f"the request has no {SECRETS} among its related objects")
    event = _observe_event(parent)
    status: dict[str, Any] = {"webhookRegistered": bool(event)}
    provider = read_text(read_mapping(parent, "spec"), "provider")
    if settings.webhook_url and provider in FORGES_WITH_WEBHOOKS:
        status["webhookURL"] = f"{settings.webhook_url.rstrip('/')}/webhooks/{provider}"
    if event:
        status["lastEvent"] = event
    status["conditions"] = _report_secrets(parent, read_mapping(related, SECRETS))
    return {"status": status, "children": []}


def _name_secret(parent: Json, reference: str) -> str:
    return read_text(read_mapping(read_mapping(parent, "spec"), reference), "name")


def _observe_event(parent: Json) -> dict[str, str]:
    """Return the newest webhook as the webhook service noted it; nothing where that can't be read."""
    try:
        text = read_text(read_mapping(read_mapping(parent, "metadata"), "annotations"), LAST_EVENT)
        entry = parse_object(text, LAST_EVENT) if text else {}
        told = {key: read_text(entry, key)[:TEXT_CHARACTERS] for key in ("type", "commit", "delivery", "run")}
        told["timestamp"] = read_time(entry, "timestamp")
    except MalformedObject:
        return {}
    return {key: text for key, text in told.items() if text}


def _report_secrets(parent: Json, secrets: Json) -> list[dict[str, Any]]:
    checks = [("WebhookSecretUsable", "webhookSecretRef", _check_webhook)]
    if _name_secret(parent, "authSecretRef"):
        checks.append(("CredentialsUsable", "authSecretRef", _check_credentials))
    namespace = read_text(read_mapping(parent, "metadata"), "namespace")
    conditions = []
    for kind, reference, check in checks:
        name = _name_secret(parent, reference)
        secret = read_mapping(secrets, f"{namespace}/{name}")
        reason, message = _check_there(name, secret) or check(name, secret)
        causes = [secret] if secret else []
        conditions.append(report_condition(parent, kind, reason == "Usable", reason, message, *causes))
    return conditions


def _check_there(name: str, secret: Json) -> tuple[str, str] | None:
    if not name:
        return "NotNamed", "no webhook is accepted: name a Secret in spec.webhookSecretRef"
    if not secret:
        return "SecretNotFound", f'the namespace has no Secret "{name}"'
    return None


def _check_webhook(name: str, secret: Json) -> tuple[str, str]:
    value = _read_value(secret, WEBHOOK_KEY).strip(b"\r\n")
    if not value:
        return "KeyMissing", f'Secret "{name}" has no value under the key {WEBHOOK_KEY}'
    if len(value) < MIN_SECRET_BYTES:
        return "TooShort", f'{WEBHOOK_KEY} of Secret "{name}" has less than {MIN_SECRET_BYTES} bytes'
    return "Usable", f'webhooks are checked with Secret "{name}"'


def _check_credentials(name: str, secret: Json) -> tuple[str, str]:
    labels = read_mapping(read_mapping(secret, "metadata"), "labels")
    if labels.get(GIT_CREDENTIALS_LABEL) != "true":
        return "LabelMissing", f'Secret "{name}" needs the label {GIT_CREDENTIALS_LABEL}=true'
    for form in _FORMS:
        if all(_read_value(secret, key) for key in form):
            return "Usable", f'the repository is read with {" and ".join(form)} of Secret "{name}"'
    forms = ", or ".join(" and ".join(form) for form in _FORMS)
    return "KeyMissing", f'Secret "{name}" has none of these sets of keys: {forms}'


def _read_value(secret: Json, key: str) -> bytes:
    try:
        return base64.b64decode(read_text(read_mapping(secret, "data"), key), validate=True)
    except binascii.Error:
        return b""
