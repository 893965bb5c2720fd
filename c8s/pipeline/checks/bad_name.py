"""A name that is no DNS label: it becomes part of labels, Job names and addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from c8s.pipeline import limits
from c8s.pipeline.outline import find_services, find_step_names, find_text
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_SUBDOMAIN = re.compile(rf"(?=.{{1,253}}\Z){_LABEL.pattern}(\.{_LABEL.pattern})*")


def check(source: Source) -> Iterator[Finding]:
    services = [
        found for place, service in find_services(source) for found in find_text(service, "name", path=place)
    ]
    for path, name in [*find_text(source.data, "name"), *find_step_names(source), *services]:
        most = limits.SERVICE_NAME_CHARACTERS if "services" in path else limits.NAME_CHARACTERS
        if not _LABEL.fullmatch(name):
            yield Finding(path, f"{quote(name)} is not a name", _hint(name))
        elif len(name) > most:
            yield Finding(path, f"the name {quote(name)} has more than {most} characters")

    resources = find_text(source.data, "queue") + find_text(
        source.data, "workspace", "persistent", "storageClass"
    )
    for path, name in resources:
        if not _SUBDOMAIN.fullmatch(name):
            hint = "write its metadata.name: lower-case letters, digits, dashes and dots"
            yield Finding(path, f"{quote(name)} is the name of nothing in a cluster", hint)


def _hint(name: str) -> str:
    rule = "a name has lower-case letters, digits and dashes, and starts and ends with a letter or digit"
    proposed = re.sub(r"[^a-z0-9]+", "-", name[: limits.NAME_CHARACTERS].lower()).strip("-")
    return f"{rule}: {proposed}" if proposed else rule
