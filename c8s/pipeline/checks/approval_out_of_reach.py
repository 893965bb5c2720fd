"""An approval that needs more people than may give it: the step would wait until its time is over."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.outline import find_mapping, find_steps, find_texts
from c8s.pipeline.problems import Finding
from c8s.pipeline.source import Source

_GROUP = "group:"


def check(source: Source) -> Iterator[Finding]:
    for path, step in find_steps(source):
        approval = find_mapping(step, "approval")
        required, place = approval.get("required", 1), (*path, "approval")
        names = {name for _, name in find_texts(approval.get("approvers"), place)}
        # How many are in a group is the cluster's to know.
        if not names or any(name.startswith(_GROUP) for name in names) or not isinstance(required, int):
            continue
        if required > len(names):
            message = f"{required} must approve, and only {len(names)} may"
            yield Finding((*place, "required"), message, "name more approvers, or ask for fewer")
