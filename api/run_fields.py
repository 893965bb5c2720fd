"""The body of `POST …/runs`, checked as far as it is the API's business; the CRD's schema checks the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from c8s.web.errors import BadRequest

SOURCES = ("pipelineSpec", "pipelineConfigRef", "repositoryConnectionRef")
# Who triggered it and when is not the caller's to say, and neither is what only a forge knows.
ALLOWED_FIELDS = frozenset(
    {
        *SOURCES,
        "path",
        "source",
        "commit",
        "branch",
        "tag",
        "event",
        "message",
        "author",
        "params",
        "priority",
    }
)
ALLOWED_EVENTS = ("api", "manual")

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def parse_new_run(body: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The wanted name ("" for none) and the spec. Raises `BadRequest` with the field."""
    spec = {field: value for field, value in body.items() if field != "name"}
    name = body.get("name", "")
    if name != "" and not (isinstance(name, str) and _NAME.fullmatch(name)):
        raise BadRequest(
            "name must be lower-case letters, digits and '-', at most 63 characters", field="name"
        )
    unknown = sorted(set(spec) - ALLOWED_FIELDS)
    if unknown:
        raise BadRequest(
            f"{unknown[0][:80]} is not a field a new run may have",
            field=unknown[0][:80],
            hint=f"it may have: {', '.join(sorted(ALLOWED_FIELDS))}",
        )
    if not any(source in spec for source in SOURCES):
        raise BadRequest(
            "the run has no pipeline", field=SOURCES[0], hint=f"give one of {', '.join(SOURCES)}"
        )
    for source in SOURCES:
        if source in spec and not isinstance(spec[source], dict):
            raise BadRequest(f"{source} must be an object", field=source)
    if spec.get("event", "api") not in ALLOWED_EVENTS:
        raise BadRequest(f"event must be one of {', '.join(ALLOWED_EVENTS)}", field="event")
    return name, spec
