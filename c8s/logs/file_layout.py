"""Keys of what steps keep: artifacts and caches. No key is a directory of another."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

from c8s.logs.layout import check_part

ARTIFACTS = "artifacts/"
CACHE = "cache/"
MANIFEST = "manifest.json"
FILES = "files.tar.zst"
REPOSITORY_CHARACTERS = 16


def artifact_prefix(namespace: str, run_uid: str, log_name: str) -> str:
    """What the keys of a step's files begin with. Raises `LayoutError`."""
    return f"{ARTIFACTS}{check_part(namespace)}/{check_part(run_uid)}/{check_part(log_name)}/"


def cache_prefix(namespace: str, repository: str) -> str:
    """What the keys of all caches of a repository begin with. Raises `LayoutError`."""
    digest = hashlib.sha256(repository.encode()).hexdigest()[:REPOSITORY_CHARACTERS]
    return f"{CACHE}{check_part(namespace)}/{digest}/"


def cache_manifest_prefix(namespace: str, repository: str, key: str) -> str:
    """What the keys of the manifests of all caches begin with whose own keys begin with `key`."""
    return f"{cache_prefix(namespace, repository)}manifests/{quote(key, safe='')}"


def cache_manifest_key(namespace: str, repository: str, key: str) -> str:
    """Where the manifest of a cache lies."""
    return f"{cache_manifest_prefix(namespace, repository, key)}.json"


def cache_files_key(namespace: str, repository: str, key: str, saved_by: str) -> str:
    """Where the files of a cache lie; `saved_by` tells apart two that save the same at the same time."""
    digest = hashlib.sha256(f"{saved_by}\n{key}".encode()).hexdigest()
    return f"{cache_prefix(namespace, repository)}files/{digest}.tar.zst"
