"""Where a hook is and how it wants to be called, as a controller's `spec.hooks` says it.

Source: Metacontroller pkg/hooks/webhook.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from c8s.local.metacontroller.errors import InvalidController
from c8s.local.metacontroller.object_groups import HookVersion

DEFAULT_TIMEOUT_SECONDS = 10.0
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)")
_UNIT_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}

HookTable = Mapping[str, str]
"""Base URL of a service by `name.namespace`: what cluster DNS does where there is no cluster DNS."""


@dataclass(frozen=True, slots=True)
class HookSpec:
    """One hook; `is_strict` says that unknown and repeated fields of its answer are errors."""

    url: str
    version: HookVersion
    timeout_seconds: float
    is_strict: bool


def parse_hook(written: Mapping[str, Any] | None, services: HookTable) -> HookSpec | None:
    """One entry of `spec.hooks`, None when there is none. Raises `InvalidController`."""
    webhook = (written or {}).get("webhook")
    if not written or not webhook:
        return None
    version: HookVersion = "v2" if written.get("version") == "v2" else "v1"
    mode = webhook.get("responseUnMarshallMode") or ("strict" if version == "v2" else "loose")
    return HookSpec(
        url=resolve_service(_read_url(webhook), services),
        version=version,
        timeout_seconds=_read_timeout(webhook.get("timeout")),
        is_strict=mode == "strict",
    )


def resolve_service(url: str, services: HookTable) -> str:
    """The URL with a service's host (`name.namespace`, also with `.svc`) replaced by where it really is."""
    parts = urlsplit(url)
    labels = (parts.hostname or "").split(".")
    is_service = len(labels) == 2 or labels[2:3] == ["svc"]
    base = services.get(".".join(labels[:2])) if is_service else None
    if base is None:
        return url
    real = urlsplit(base)
    return urlunsplit((real.scheme, real.netloc, real.path.rstrip("/") + parts.path, parts.query, ""))


def parse_go_duration(text: str) -> float:
    """Seconds of a Go duration such as `1m30s`. Raises ValueError."""
    matches = list(_DURATION.finditer(text))
    if "".join(match.group(0) for match in matches) != text.lstrip("+-") or not matches:
        raise ValueError(f"{text!r} is no duration")
    seconds = sum(float(match.group(1)) * _UNIT_SECONDS[match.group(2)] for match in matches)
    return -seconds if text.startswith("-") else seconds


def _read_timeout(written: Any) -> float:
    if not written:
        return DEFAULT_TIMEOUT_SECONDS
    try:
        seconds = parse_go_duration(str(written))
    except ValueError as error:
        raise InvalidController(f"webhook timeout: {error}") from error
    return seconds if seconds > 0 else DEFAULT_TIMEOUT_SECONDS


def _read_url(webhook: Mapping[str, Any]) -> str:
    if webhook.get("url"):
        return str(webhook["url"])
    service, path = webhook.get("service") or {}, webhook.get("path")
    if not service.get("name") or not service.get("namespace") or path is None:
        raise InvalidController("webhook must have either 'url', or 'service' (name, namespace) and 'path'")
    protocol, port = service.get("protocol", "http"), service.get("port", 80)
    return f"{protocol}://{service['name']}.{service['namespace']}:{port}{path}"
