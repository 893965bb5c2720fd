"""What a step's pod may read and write in the object store, as presigned addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson

from api.pod_identity import PodIdentity
from c8s.adapters.object_store import KeyNotFound, PartStore, StoreError, UploadRefused
from c8s.logs.file_layout import (
    FILES,
    MANIFEST,
    artifact_prefix,
    cache_manifest_key,
    cache_manifest_prefix,
)
from c8s.logs.layout import LayoutError, outputs_key
from c8s.run.log_names import parse_log_name
from c8s.web.errors import BadRequest, Busy, NotAllowed

URL_SECONDS = 15 * 60
MANIFEST_BYTES = 8 * 1024 * 1024
MAX_SOURCES = 1000
MAX_FALLBACKS = 20
KEY_CHARACTERS = 512
ENCODED_KEY_BYTES = 768
"""S3's keys have 1,024 bytes at most, and what stands around a cache's own takes some 120."""

MAX_LISTED = 1000
"""Caches among which a fallback key finds the newest."""

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PodFiles:
    """Finds files and outputs for a pod. Methods raise a problem of `c8s.web.errors`."""

    store: PartStore

    def find_sources(self, identity: PodIdentity, sources: Sequence[str]) -> Answer:
        """Where files and outputs of steps before it lie."""
        for source in sources:
            if source not in identity.sources:
                raise NotAllowed(
                    f"{source[:120]} is no step that this one restores from",
                    reason="NotAnAncestor",
                    hint="a step restores from steps it depends on, and from those a rerun took over",
                )
        answer: Answer = {"files": [], "outputs": [], "missing": []}
        for source in sources:
            files, outputs = self._find_files(identity, source), self._find_outputs(identity, source)
            answer["files"] += files
            answer["outputs"] += outputs
            answer["missing"] += [] if files or outputs else [source]
        return answer

    def find_cache(self, identity: PodIdentity, key: str, fallback_keys: Sequence[str]) -> Answer:
        """The cache of that key, else the newest one that begins with a fallback key."""
        manifest = self._read_cache(cache_manifest_key(identity.namespace, identity.repository, key))
        if manifest is not None:
            return {"hit": "exact", **self._locate(manifest)}
        for fallback in fallback_keys:
            manifest = self._find_newest(identity, fallback)
            if manifest is not None:
                return {"hit": "fallback", **self._locate(manifest)}
        return {"hit": "miss"}

    def put_outputs(self, identity: PodIdentity, body: bytes) -> None:
        """Keep what the step hands on, for the log buffer and the steps after it."""
        with ToldAsBusy():
            self.store.put(outputs_key(identity.namespace, identity.run_uid, identity.log_name), body)

    def _find_files(self, identity: PodIdentity, source: str) -> list[Answer]:
        uid, _, log_name = source.partition("/")
        prefix = artifact_prefix(identity.namespace, uid, log_name)
        manifest = read_manifest(self.store, prefix + MANIFEST)
        if manifest is None:
            return []
        url = self.store.presign_get(prefix + FILES, URL_SECONDS)
        amounts = {"sha256": manifest["sha256"], "sizeBytes": manifest["sizeBytes"]}
        return [{"from": source, "url": url, **amounts}]

    def _find_outputs(self, identity: PodIdentity, source: str) -> list[Answer]:
        uid, _, log_name = source.partition("/")
        key = outputs_key(identity.namespace, uid, log_name)
        try:
            with ToldAsBusy():
                self.store.head(key)
        except KeyNotFound:
            return []
        url = self.store.presign_get(key, URL_SECONDS)
        return [{"from": source, "step": parse_log_name(log_name)[0], "url": url}]

    def _find_newest(self, identity: PodIdentity, fallback: str) -> Mapping[str, Any] | None:
        prefix = cache_manifest_prefix(identity.namespace, identity.repository, fallback)
        with ToldAsBusy():
            found = sorted(self.store.list(prefix), key=lambda one: one.modified_at, reverse=True)
        manifests = (self._read_cache(one.key) for one in found[:MAX_LISTED])
        return next((one for one in manifests if one is not None), None)

    def _read_cache(self, key: str) -> Mapping[str, Any] | None:
        """The manifest, where its files are still there: they may be removed one after the other."""
        manifest = read_manifest(self.store, key)
        if manifest is None:
            return None
        try:
            with ToldAsBusy():
                self.store.head(manifest["file"])
        except KeyNotFound:
            return None
        return manifest

    def _locate(self, manifest: Mapping[str, Any]) -> Answer:
        url = self.store.presign_get(manifest["file"], URL_SECONDS)
        return {name: manifest[name] for name in ("key", "sha256", "sizeBytes")} | {"url": url}


class ToldAsBusy:
    """Inside, an object store that fails is a `Busy`, and a name that can be no key a `BadRequest`."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, LayoutError):
            raise BadRequest(str(error)) from error
        if isinstance(error, StoreError) and not isinstance(error, KeyNotFound | UploadRefused):
            raise Busy("the object store can't be used now", hint=error.hint) from error


def read_manifest(store: PartStore, key: str) -> Mapping[str, Any] | None:
    """A manifest, None where there is none or it is damaged. Raises `Busy`."""
    try:
        with ToldAsBusy():
            manifest = orjson.loads(b"".join(store.get(key, length=MANIFEST_BYTES)))
    except (KeyNotFound, orjson.JSONDecodeError):
        return None
    return manifest if isinstance(manifest, dict) and manifest.get("version") == 1 else None


def read_texts(body: Mapping[str, Any], name: str, maximum: int) -> list[str]:
    """A list of texts of the request's body. Raises `BadRequest`."""
    found = body.get(name, [])
    if not isinstance(found, list) or len(found) > maximum or not all(_is_text(one) for one in found):
        raise BadRequest(f"{name} must be a list of at most {maximum} texts", field=name)
    return found


def read_key(body: Mapping[str, Any], name: str = "key") -> str:
    """A cache's key. Raises `BadRequest`."""
    key = body.get(name)
    if not isinstance(key, str) or not _is_text(key):
        raise BadRequest(f"{name} must be a text of 1 to {KEY_CHARACTERS} characters", field=name)
    return key


def check_keys(keys: Iterable[str]) -> None:
    """Refuse what can't be told apart from others in UTF-8, or in S3. Raises `BadRequest`."""
    for key in keys:
        if len(quote(key, safe="", errors="replace")) > ENCODED_KEY_BYTES:
            raise BadRequest(f"a key has at most {ENCODED_KEY_BYTES} bytes, percent-encoded", field="key")
        if key.encode("utf-8", "replace").decode() != key:
            raise BadRequest("a key has characters that are none", field="key")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= KEY_CHARACTERS
