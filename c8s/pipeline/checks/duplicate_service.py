"""Two services of one step with the same name, or waiting on the same port."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.outline import Fields, find_mapping, find_mappings, find_steps, find_text
from c8s.pipeline.problems import Finding, Path, quote
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    for path, step in find_steps(source):
        yield from _check_services(find_mappings(step, "services", path))


def _check_services(services: list[tuple[Path, Fields]]) -> Iterator[Finding]:
    names: set[str] = set()
    ports: set[int] = set()
    for path, service in services:
        for place, name in find_text(service, "name", path=path):
            if name in names:
                yield Finding(place, f"there are two services {quote(name)}", "rename one of them")
            names.add(name)
        port = find_mapping(service, "ready").get("tcp")
        if not isinstance(port, int):
            continue
        if port in ports:
            message = f"two services have the port {port}, and share one network"
            yield Finding((*path, "ready", "tcp"), message, "give one another port")
        ports.add(port)
