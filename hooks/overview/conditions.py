"""Conditions without a clock: when one changed is copied from the objects that changed it."""

from __future__ import annotations

from typing import Any

from c8s.run.reading import Json, read_mapping, read_mappings, read_text, read_time
from c8s.run.times import latest

MESSAGE_CHARACTERS = 2000


def report_condition(
    parent: Json, kind: str, holds: bool, reason: str, message: str, *causes: Json
) -> dict[str, Any]:
    """Return the condition `kind` of `parent`; its time is the last write of it or of one of `causes`.

    While the condition stays, so does its time.
    """
    status = "True" if holds else "False"
    known = [
        one for one in read_mappings(read_mapping(parent, "status"), "conditions") if one.get("type") == kind
    ]
    since = read_time(known[0], "lastTransitionTime") if known else ""
    if not known or known[0].get("status") != status:
        since = latest([since, *(last_written(one) for one in (parent, *causes))])
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message[:MESSAGE_CHARACTERS],
        "lastTransitionTime": since,
    }


def last_written(document: Json) -> str:
    """Return when anything but the status of the object was last written, as the API server noted it."""
    metadata = read_mapping(document, "metadata")
    entries = [one for one in read_mappings(metadata, "managedFields") if not read_text(one, "subresource")]
    return latest([read_time(metadata, "creationTimestamp"), *(read_time(one, "time") for one in entries)])
