"""What there is to say of a step besides its phase and reason, one line each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

VALUE_CHARACTERS = 80
MAX_SHOWN_OUTPUTS = 10

Step = Mapping[str, Any]


def describe_step(step: Step) -> Iterator[str]:
    """The lines, as nobody has made them safe yet."""
    yield from _describe_attempts(step)
    if step.get("infrastructure"):
        yield "the cluster failed it, not its commands"
    if step.get("allowedToFail") and step["phase"] == "Failed":
        yield "it may fail without failing the run"
    if step.get("reusedFrom"):
        yield f"taken over from {step['reusedFrom']}"
    yield from _describe_approvals(step)
    yield from _describe_outputs(step.get("outputs") or {})
    if step.get("artifacts"):
        yield "files are kept"


def _describe_attempts(step: Step) -> Iterator[str]:
    attempts, restarts = step.get("attempts", 1), step.get("infraRestarts", 0)
    if attempts > 1:
        yield f"attempt {attempts}"
    if restarts:
        times = "once" if restarts == 1 else f"{restarts} times"
        yield f"started again {times} because a node or pod was lost; that counts as no attempt"


def _describe_approvals(step: Step) -> Iterator[str]:
    people = [f"{one.get('user', '')} at {one.get('at', '')}" for one in step.get("approvals") or []]
    if people:
        yield f"approved by {', '.join(people)}"


def _describe_outputs(outputs: Mapping[str, Any]) -> Iterator[str]:
    for name, value in list(outputs.items())[:MAX_SHOWN_OUTPUTS]:
        line = " ⏎ ".join(str(value).splitlines())
        cut = line if len(line) <= VALUE_CHARACTERS else f"{line[: VALUE_CHARACTERS - 1]}…"
        yield f"output {name} = {cut}"
    if len(outputs) > MAX_SHOWN_OUTPUTS:
        yield f"and {len(outputs) - MAX_SHOWN_OUTPUTS} more outputs: see them all with -o yaml"
