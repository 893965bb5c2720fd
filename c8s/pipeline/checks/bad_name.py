"""A name that is no DNS label: it becomes part of labels, Job names and addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from c8s.pipeline import limits
from c8s.pipeline.outline import find_services, find_step_names, find_text
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


def check(source: Source) -> Iterator[Finding]:
    services = [
        found for place, service in find_services(source) for found in find_text(service, "name", path=place)
    ]
    for path, name in [*find_text(source.data, "name"), *find_step_names(source), *services]:
        if not _LABEL.fullmatch(name):
            yield Finding(path, f"{quote(name)} is not a name", _hint(name))
        elif len(name) > limits.NAME_CHARACTERS:
            yield Finding(path, f"the name {quote(name)} has more than {limits.NAME_CHARACTERS} characters")


def _hint(name: str) -> str:
    rule = "a name has lower-case letters, digits and dashes, and starts and ends with a letter or digit"
    proposed = re.sub(r"[^a-z0-9]+", "-", name[: limits.NAME_CHARACTERS].lower()).strip("-")
    return f"{rule}: {proposed}" if proposed else rule
