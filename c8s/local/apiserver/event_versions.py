"""Events have two shapes for one object: `v1` (stored) and `events.k8s.io/v1`."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]

# events.k8s.io/v1 name → v1 name (k8s.io/kubernetes/pkg/apis/events/v1/conversion.go)
_RENAMED = {
    "regarding": "involvedObject",
    "note": "message",
    "reportingController": "reportingComponent",
    "deprecatedCount": "count",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedSource": "source",
}


def decode_event(event: Object) -> Object:
    """An `events.k8s.io/v1` Event as `v1` Event."""
    renamed = {_RENAMED.get(key, key): value for key, value in event.items()}
    return {**renamed, "apiVersion": "v1"}


def encode_event(event: Object) -> Object:
    """A `v1` Event as `events.k8s.io/v1` Event."""
    names = {stored: served for served, stored in _RENAMED.items()}
    renamed = {names.get(key, key): value for key, value in event.items()}
    return {**renamed, "apiVersion": "events.k8s.io/v1"}
