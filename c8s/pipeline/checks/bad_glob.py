"""A pattern for branches, tags or files that is no glob."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.cache_keys import find_checksums
from c8s.pipeline.globs import BadGlobError, check_glob
from c8s.pipeline.outline import (
    Texts,
    find_artifact_globs,
    find_cache_keys,
    find_mapping,
    find_steps,
    find_text,
    find_texts,
)
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source

_LISTS = tuple(
    (event, kind)
    for event in ("push", "pullRequest")
    for kind in ("branches", "tags", "paths", "pathsIgnore")
)


def check(source: Source) -> Iterator[Finding]:
    for path, pattern in _find_globs(source):
        try:
            check_glob(pattern)
        except BadGlobError as error:
            yield Finding(
                path, f"{quote(pattern)} is not a glob: {error}", 'for example main, "release/*" or "**"'
            )


def _find_globs(source: Source) -> Texts:
    events = find_mapping(source.data, "on")
    steps = find_steps(source)
    triggers = [
        found
        for event, kind in _LISTS
        for found in find_texts(find_mapping(events, event).get(kind), ("on", event, kind))
    ]
    conditions = [
        found
        for path, step in steps
        for kind in ("branch", "tag")
        for found in find_text(step, "conditional", kind, path=path)
    ]
    paths = [
        found
        for path, step in steps
        for found in find_texts(
            find_mapping(step, "conditional").get("paths"), (*path, "conditional", "paths")
        )
    ]
    checksums = [(path, glob) for path, key in find_cache_keys(source) for glob in find_checksums(key)]
    return triggers + conditions + paths + find_artifact_globs(source) + checksums
