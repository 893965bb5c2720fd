"""A path of artifacts or of a cache that lies outside the workspace and, for `~/`, the home folder."""

from __future__ import annotations

from collections.abc import Iterator

from c8s.pipeline.cache_keys import find_checksums
from c8s.pipeline.outline import find_artifact_globs, find_cache_keys, find_caches, find_texts
from c8s.pipeline.problems import Finding, quote
from c8s.pipeline.source import Source


def check(source: Source) -> Iterator[Finding]:
    for path, glob in find_artifact_globs(source):
        if not _is_below(glob):
            hint = "write a path below the workspace, such as dist/**"
            yield Finding(path, f"{quote(glob)} lies outside the workspace", hint)
    for path, key in find_cache_keys(source):
        for glob in find_checksums(key):
            if not _is_below(glob):
                hint = "checksum takes a file below the workspace, such as requirements.txt"
                yield Finding(path, f"{quote(glob)} lies outside the workspace", hint, word="${{")
    caches = find_caches(source)
    for path, text in [
        one for place, cache in caches for one in find_texts(cache.get("paths"), (*place, "paths"))
    ]:
        inside = text.removeprefix("~/")
        if not _is_below(inside) or not set(inside.split("/")) - {"", "."}:
            hint = "write a path below the workspace, or one that begins with ~/"
            yield Finding(path, f"{quote(text)} lies outside the workspace and the home folder", hint)


def _is_below(path: str) -> bool:
    return not path.startswith(("/", "~")) and ".." not in path.split("/") and "\\" not in path
