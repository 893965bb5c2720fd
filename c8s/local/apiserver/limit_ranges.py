"""LimitRanges: a namespace's defaults and bounds for what containers ask for.

Source: Kubernetes plugin/pkg/admission/limitranger/admission.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from c8s.local.apiserver.errors import forbidden
from c8s.local.apiserver.pod_usage import Amounts, container_amounts, list_containers, pod_amounts
from c8s.local.quantities import Quantity, read_quantity

Object = dict[str, Any]

ANNOTATION = "kubernetes.io/limit-ranger"


def default_limit_range(limit_range: Object) -> None:
    """Fills the defaults of `Container` limits in: max → default → defaultRequest, min → defaultRequest."""
    for limit in (limit_range.get("spec") or {}).get("limits") or ():
        if limit.get("type") != "Container":
            continue
        default = {**(limit.get("max") or {}), **(limit.get("default") or {})}
        request = {**(limit.get("min") or {}), **default, **(limit.get("defaultRequest") or {})}
        limit.update(
            {key: value for key, value in (("default", default), ("defaultRequest", request)) if value}
        )


def apply_limit_ranges(limit_ranges: Iterable[Object], pod: Object, shown_name: str) -> None:
    """Fills in what the pod's containers don't say. Raises a 403 for what is out of bounds."""
    ranges = list(limit_ranges)
    notes = [note for one in ranges for note in _fill_in(one, pod["spec"])]
    if notes:
        text = f"LimitRanger plugin set: {'; '.join(notes)}"
        pod["metadata"]["annotations"] = {**(pod["metadata"].get("annotations") or {}), ANNOTATION: text}
    problems = [problem for one in ranges for problem in _find_problems(one, pod["spec"])]
    if problems:
        text = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
        raise forbidden(f'pods "{shown_name}" is forbidden: {text}', {"name": shown_name, "kind": "pods"})


def _fill_in(limit_range: Object, spec: Object) -> Iterator[str]:
    """Gives what was set, in words."""
    requests, limits = _container_defaults(limit_range)
    for kind, what in (("containers", "container"), ("initContainers", "init container")):
        for container in spec.get(kind) or ():
            resources = container.setdefault("resources", {})
            for part, defaults in (("requests", requests), ("limits", limits)):
                given = resources.get(part) or {}
                missing = {name: text for name, text in defaults.items() if name not in given}
                if missing:
                    resources[part] = {**given, **missing}
                    yield f"{', '.join(sorted(missing))} {part[:-1]} for {what} {container['name']}"


def _container_defaults(limit_range: Object) -> tuple[Object, Object]:
    requests: Object = {}
    limits: Object = {}
    for limit in limit_range["spec"].get("limits") or ():
        if limit.get("type") == "Container":
            requests |= limit.get("defaultRequest") or {}
            limits |= limit.get("default") or {}
    return requests, limits


def _find_problems(limit_range: Object, spec: Object) -> Iterator[str]:
    for limit in limit_range["spec"].get("limits") or ():
        if limit.get("type") == "Container":
            for container in list_containers(spec):
                amounts = (container_amounts(container, part) for part in ("requests", "limits"))
                yield from _check(limit, *amounts)
        elif limit.get("type") == "Pod":
            yield from _check(limit, pod_amounts(spec, "requests"), pod_amounts(spec, "limits"))


def _check(limit: Object, requests: Amounts, limits: Amounts) -> Iterator[str]:
    for name, text in sorted((limit.get("min") or {}).items()):
        bound = read_quantity(text)
        start = f"minimum {name} usage per {limit['type']} is {bound}"
        yield from _too_small(start, bound, requests.get(name), limits.get(name))
    for name, text in sorted((limit.get("max") or {}).items()):
        bound = read_quantity(text)
        start = f"maximum {name} usage per {limit['type']} is {bound}"
        yield from _too_large(start, bound, requests.get(name), limits.get(name))


def _too_small(
    start: str, bound: Quantity, request: Quantity | None, limit: Quantity | None
) -> Iterator[str]:
    if request is None:
        yield f"{start}.  No request is specified"
    elif request.amount < bound.amount:
        yield f"{start}, but request is {request}"
    elif limit is not None and limit.amount < bound.amount:
        yield f"{start}, but limit is {limit}"


def _too_large(
    start: str, bound: Quantity, request: Quantity | None, limit: Quantity | None
) -> Iterator[str]:
    if limit is None:
        yield f"{start}.  No limit is specified"
    elif limit.amount > bound.amount:
        yield f"{start}, but limit is {limit}"
    elif request is not None and request.amount > bound.amount:
        yield f"{start}, but request is {request}"
