"""How much the caches of a repository may take together: what was saved least recently goes first."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from c8s.adapters.object_store import PartStore, StoredObject
from logbuffer.manifests import exists, read_manifest

FILES_FOLDER = "files"
MANIFESTS_FOLDER = "manifests"
MAX_CACHES = 5_000
"""Of one repository. Who looks for the newest lists them all, and small ones never fill the limit."""

MAX_MANIFESTS = 2_000
"""So many of one repository are read, the oldest; those beyond are looked at when these are gone."""


@dataclass(frozen=True, slots=True)
class _Cache:
    """One that was saved whole: where its manifest and its files lie, and how large these are."""

    manifest_key: str
    files_key: str
    size_bytes: int


def clean_caches(
    store: PartStore,
    prefix: str,
    objects: Sequence[StoredObject],
    limit_bytes: int,
    orphans_before: datetime,
) -> int:
    """Removes what is too much of one repository's caches; `objects` are all below `prefix`.

    Returns how many objects. Files without a manifest go when they are older than `orphans_before`, but only
    where every manifest could be read. A manifest whose files are gone keeps its key from being saved again:
    it goes too. Raises `StoreError`.
    """
    files = {item.key: item for item in _in_folder(objects, prefix, FILES_FOLDER)}
    manifests = sorted(_in_folder(objects, prefix, MANIFESTS_FOLDER), key=lambda item: item.modified_at)
    caches, is_all_read = _read_caches(store, prefix, files, manifests[:MAX_MANIFESTS])
    orphans: set[str] = set()
    if is_all_read and len(manifests) <= MAX_MANIFESTS:
        named = {cache.files_key for cache in caches}
        orphans = {
            key for key, item in files.items() if key not in named and item.modified_at < orphans_before
        }
    old = {item.key for item in manifests if item.modified_at < orphans_before}
    broken = [cache.manifest_key for cache in caches if _is_broken(store, cache, files, old)]
    total_bytes = sum(item.size_bytes for key, item in files.items() if key not in orphans)
    whole = (cache for cache in caches if cache.files_key in files)
    doomed = [*broken, *_find_evicted(whole, total_bytes - limit_bytes, len(manifests) - MAX_CACHES)]
    doomed += sorted(orphans)
    for key in doomed:
        store.delete(key)
    return len(doomed)


def _read_caches(
    store: PartStore,
    prefix: str,
    files: Mapping[str, StoredObject],
    manifests: Iterable[StoredObject],
) -> tuple[list[_Cache], bool]:
    """The caches of these manifests, in their order, and whether all of them could be read."""
    caches, is_all_read = [], True
    for item in manifests:
        manifest = read_manifest(store, item.key)
        if manifest is None or not manifest.file.startswith(f"{prefix}{FILES_FOLDER}/"):
            is_all_read = False
            continue
        size_bytes = files[manifest.file].size_bytes if manifest.file in files else 0
        caches.append(_Cache(item.key, manifest.file, size_bytes))
    return caches, is_all_read


def _is_broken(
    store: PartStore, cache: _Cache, files: Mapping[str, StoredObject], old: Container[str]
) -> bool:
    return cache.files_key not in files and cache.manifest_key in old and not exists(store, cache.files_key)


def _find_evicted(oldest_first: Iterable[_Cache], excess_bytes: int, excess_count: int) -> list[str]:
    """Keys to delete in order, each manifest before its files: until then nobody finds half a cache."""
    keys: list[str] = []
    for cache in oldest_first:
        if excess_bytes <= 0 and excess_count <= 0:
            break
        keys += [cache.manifest_key, cache.files_key]
        excess_bytes -= cache.size_bytes
        excess_count -= 1
    return keys


def _in_folder(objects: Iterable[StoredObject], prefix: str, folder: str) -> list[StoredObject]:
    return [item for item in objects if item.key.startswith(f"{prefix}{folder}/")]
