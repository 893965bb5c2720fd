"""Which requests to the Kubernetes API a service's code holds, read from its source.

Found are calls such as `cluster.patch(JOBS, …)`, `Subject(PODS)`, `cluster.read_log(…)` and `Authorizer(…)`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from c8s.adapters import cluster
from c8s.adapters.cluster import SUBJECT_ACCESS_REVIEWS, TOKEN_REVIEWS, Resource

Use = tuple[str, str, str]
"""API group, resource, verb."""

VERBS = {"replace": "update"} | {verb: verb for verb in ("get", "list", "watch", "create", "patch", "delete")}


def find_uses(folder: Path) -> set[Use]:
    """All requests in the Python files of the folder."""
    return {use for file in folder.rglob("*.py") for use in _find_in_file(file)}


def _find_in_file(file: Path) -> Iterator[Use]:
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    resources = {
        alias.asname or alias.name: found
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module == cluster.__name__
        for alias in node.names
        if isinstance(found := getattr(cluster, alias.name), Resource)
    }
    for node in nodes:
        if isinstance(node, ast.Call):
            yield from _uses_of(node, resources)


def _uses_of(call: ast.Call, resources: Mapping[str, Resource]) -> Iterator[Use]:
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name == "read_log":
        yield "", "pods/log", "get"
    elif name == "Authorizer":
        yield TOKEN_REVIEWS.group, TOKEN_REVIEWS.plural, "create"
        yield SUBJECT_ACCESS_REVIEWS.group, SUBJECT_ACCESS_REVIEWS.plural, "create"
    first = call.args[0] if call.args else None
    resource = resources.get(first.id) if isinstance(first, ast.Name) else None
    if resource and name == "Subject":
        yield resource.group, resource.plural, "list"
        yield resource.group, resource.plural, "watch"
    elif resource and name in VERBS:
        subresources = [one.value for one in call.keywords if one.arg == "subresource"]
        suffix = f"/{ast.literal_eval(subresources[0])}" if subresources else ""
        yield resource.group, resource.plural + suffix, VERBS[name]
