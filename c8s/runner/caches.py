"""Caches of a step: their keys, the folders they hold, and what is told of them."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from c8s.pipeline.cache_keys import Checksum, parse_cache_key
from c8s.pipeline.expressions import ExpressionError
from c8s.runner.endings import Impossible
from c8s.runner.selection import build_selection

KEY_CHARACTERS = 512
READ_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class WantedCache:
    """A cache as the pipeline names it; `key` may still hold checksums, a path may begin with `~/`."""

    key: str
    paths: tuple[str, ...]
    fallback_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Roots:
    """Where a cache's paths begin: in the archive under `home/` and `workspace/`."""

    workspace: Path
    home: Path

    def as_mapping(self) -> dict[str, Path]:
        return {"home": self.home, "workspace": self.workspace}


def render_key(key: str, workspace: Path) -> str:
    """Put the checksums of files of the workspace into `key`. Raises Impossible."""
    try:
        parts = parse_cache_key(key)
    except ExpressionError as error:
        raise Impossible("CacheKeyMalformed", str(error)) from error
    rendered = "".join(
        _hash_files(part.path, workspace) if isinstance(part, Checksum) else part for part in parts
    )
    if not rendered.strip() or len(rendered) > KEY_CHARACTERS or not rendered.isprintable():
        raise Impossible(
            "CacheKeyMalformed", f"a cache's key has up to {KEY_CHARACTERS} characters, none unprintable"
        )
    return rendered


def split_paths(paths: Sequence[str]) -> dict[str, list[str]]:
    """Sort a cache's paths by the root they belong to. Raises Impossible for one that is in neither."""
    sorted_by_root: dict[str, list[str]] = {"home": [], "workspace": []}
    for path in paths:
        in_home = path.startswith("~/")
        inside = path[2:] if in_home else path
        parts = [part for part in inside.split("/") if part not in ("", ".")]
        if not parts or ".." in parts or inside.startswith("/") or inside.startswith("~"):
            raise Impossible(
                "CachePathMalformed",
                f"the cache's path {path[:200]!a} lies neither in the workspace nor under ~/",
            )
        sorted_by_root["home" if in_home else "workspace"].append("/".join(parts))
    return sorted_by_root


def list_folders(paths: Sequence[str]) -> list[str]:
    """Return where in an archive the entries of a cache lie: its paths, a glob's without what is no name."""
    return [
        "/".join((name, *takewhile(_is_name, path.split("/"))))
        for name, inside in split_paths(paths).items()
        for path in inside
    ]


def _is_name(part: str) -> bool:
    return not {*"*?["} & {*part}


@contextmanager
def removed_on_failure(paths: Sequence[str], roots: Roots) -> Iterator[None]:
    """Take away what a failing restore has put where nothing was: half a cache is worse than none."""
    wanted = split_paths(paths)
    places = [root / path for name, root in roots.as_mapping().items() for path in wanted[name]]
    absent = [place for place in places if not os.path.lexists(place)]
    try:
        yield
    except BaseException:
        for place in absent:
            shutil.rmtree(place, ignore_errors=True)
            place.unlink(missing_ok=True)
        raise


def _hash_files(glob: str, workspace: Path) -> str:
    """Return the SHA-256 of one file; of several, of their names and checksums."""
    root = os.open(workspace, os.O_RDONLY | os.O_DIRECTORY)
    try:
        found = [
            (one.path, _hash_file(one.name, one.parent))
            for one in build_selection([glob]).find(root)
            if not one.is_folder
        ]
    finally:
        os.close(root)
    if not found:
        raise Impossible("CacheKeyMalformed", f"checksum('{glob}'): there is no such file in the workspace")
    if len(found) == 1:
        return found[0][1]
    listed = "".join(f"{checksum} {path}\n" for path, checksum in found)
    return hashlib.sha256(listed.encode("utf-8", "surrogateescape")).hexdigest()


def _hash_file(name: str, folder: int) -> str:
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError as error:
        raise Impossible("CacheKeyMalformed", f"checksum of {name!a}: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
