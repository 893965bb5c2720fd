"""The parts of a document that checks ask for, whatever its shape: what does not fit is left out.

So all problems can be told at once: a step without an image still has dependencies.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from c8s.pipeline.problems import Path
from c8s.pipeline.source import Source

Texts = list[tuple[Path, str]]
Fields = dict[str, Any]


def find_texts(value: object, path: Path) -> Texts:
    """Return the texts in the list or mapping `value`, each with its path."""
    if isinstance(value, dict):
        return [((*path, key), item) for key, item in value.items() if isinstance(item, str)]
    if isinstance(value, list):
        return [((*path, index), item) for index, item in enumerate(value) if isinstance(item, str)]
    return []


def find_all_texts(source: Source) -> Iterator[tuple[Path, str]]:
    """Yield every text that is a value, wherever it lies."""
    waiting: list[tuple[Path, Any]] = [((), source.data)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, dict):
            waiting += [((*path, key), item) for key, item in value.items()]
        elif isinstance(value, list):
            waiting += [((*path, index), item) for index, item in enumerate(value)]


def find_text(value: object, *keys: str, path: Path = ()) -> Texts:
    """Return the text at `keys` under `value`, which lies at `path`: one or none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return [((*path, *keys), value)] if isinstance(value, str) else []


def find_mapping(value: object, key: str) -> Fields:
    """Return the mapping at `key` under `value`, or an empty one."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def find_mappings(value: object, key: str, path: Path) -> list[tuple[Path, Fields]]:
    """Return the mappings in the list at `key` under `value`, each with its path."""
    found = value.get(key) if isinstance(value, dict) else None
    items = found if isinstance(found, list) else []
    return [((*path, key, index), item) for index, item in enumerate(items) if isinstance(item, dict)]


def find_steps(source: Source) -> list[tuple[Path, Fields]]:
    """Return the steps, those under `finally` included, each with its path."""
    return find_mappings(source.data, "steps", ()) + find_mappings(source.data, "finally", ())


def find_services(source: Source) -> list[tuple[Path, Fields]]:
    """Return the services of all steps, each with its path."""
    return [found for path, step in find_steps(source) for found in find_mappings(step, "services", path)]


def find_caches(source: Source) -> list[tuple[Path, Fields]]:
    """Return the caches of all steps, each with its path."""
    return [found for path, step in find_steps(source) for found in find_mappings(step, "cache", path)]


def find_step_names(source: Source) -> Texts:
    """Return the names of the steps, each with the path of the name."""
    return [found for path, step in find_steps(source) for found in find_text(step, "name", path=path)]


def find_dependencies(source: Source) -> dict[str, Texts]:
    """Return what each step depends on, by its name; of two steps of one name the first counts."""
    found: dict[str, Texts] = {}
    for path, step in find_steps(source):
        name = step.get("name")
        if isinstance(name, str):
            found.setdefault(name, find_texts(step.get("dependsOn"), (*path, "dependsOn")))
    return found


def find_environments(source: Source) -> Iterator[tuple[Path, Fields]]:
    """Yield every mapping of environment variables that a step sees, each with its path."""
    for path, owner in ((), source.data), *find_steps(source):
        yield (*path, "env"), find_mapping(owner, "env")


def find_secrets(source: Source) -> list[tuple[Path, Fields]]:
    """Return the secrets of all steps, each with its path."""
    return [found for path, step in find_steps(source) for found in find_mappings(step, "secrets", path)]


def find_commands(source: Source) -> Texts:
    """Return the commands of all steps."""
    steps = find_steps(source)
    return [found for path, step in steps for found in find_texts(step.get("commands"), (*path, "commands"))]


def find_images(source: Source) -> Texts:
    """Return the images of all steps and services."""
    owners = [*find_steps(source), *find_services(source)]
    return [found for path, owner in owners for found in find_text(owner, "image", path=path)]


def find_substituted_texts(source: Source) -> Texts:
    """Return every text in which expressions are read, but for keys of caches."""
    environments = [found for path, env in find_environments(source) for found in find_texts(env, path)]
    services = [
        found
        for path, service in find_services(source)
        for found in find_texts(find_mapping(service, "env"), (*path, "env"))
    ]
    group = find_text(source.data, "concurrency", "group")
    return [*find_images(source), *find_commands(source), *environments, *services, *group]


def find_cache_keys(source: Source) -> Texts:
    """Return the keys and fallback keys of all caches."""
    return [
        found
        for path, cache in find_caches(source)
        for found in [
            *find_text(cache, "key", path=path),
            *find_texts(cache.get("fallbackKeys"), (*path, "fallbackKeys")),
        ]
    ]


def find_artifact_globs(source: Source) -> Texts:
    """Return the globs of all artifacts and of the reports among them, in both forms."""
    found: Texts = []
    for path, step in find_steps(source):
        place, artifacts = (*path, "artifacts"), step.get("artifacts")
        found += find_texts(artifacts, place) if isinstance(artifacts, list) else []
        long_form = find_mapping(step, "artifacts")
        found += find_texts(long_form.get("paths"), (*place, "paths"))
        reports = find_mapping(long_form, "reports")
        found += find_texts(reports.get("junit"), (*place, "reports", "junit"))
    return found


def find_ancestors(name: str, dependencies: dict[str, Texts]) -> set[str]:
    """Return the steps that the step `name` depends on, directly or not."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for _, other in dependencies.get(waiting.pop(), ()):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found
