"""An amount of CPU, memory or storage that is no amount, too small to start anything, or absurdly large."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline import limits
from c8s.pipeline.outline import find_services, find_steps, find_text
from c8s.pipeline.problems import Finding, Path, quote
from c8s.pipeline.quantities import format_cpu, format_memory, parse_cpu, parse_memory
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    for path, step in [*find_steps(source), *find_services(source)]:
        for place, text in find_text(step, "resources", "cpu", path=path):
            yield from _check_cpu(place, text)
        for kind in ("memory", "storage"):
            for place, text in find_text(step, "resources", kind, path=path):
                yield from _check_memory(place, text, kind)
    for place, text in find_text(source.data, "workspace", "persistent", "size"):
        yield from _check_memory(place, text, "storage")


def _check_cpu(path: Path, text: str) -> Iterator[Finding]:
    try:
        amount = parse_cpu(text)
    except ValueError:
        yield Finding(path, f"{quote(text)} is not an amount of CPU", "for example 500m, 2 or 0.5")
        return
    if not 0 < amount <= limits.CPU_MILLICORES:
        yield Finding(path, f"{quote(text)} must be from 1m to {format_cpu(limits.CPU_MILLICORES)}")


def _check_memory(path: Path, text: str, kind: str) -> Iterator[Finding]:
    try:
        amount = parse_memory(text)
    except ValueError:
        yield Finding(path, f"{quote(text)} is not an amount of {kind}", "for example 512Mi, 1Gi or 1.5G")
        return
    smallest, largest = limits.SMALLEST_MEMORY_BYTES, limits.MEMORY_BYTES
    if not smallest <= amount <= largest:
        meant = f"did you mean {quote(text + 'Mi')}?" if text.isdigit() and int(text) else ""
        message = f"{quote(text)} must be from {format_memory(smallest)} to {format_memory(largest)}"
        yield Finding(path, message, meant)
