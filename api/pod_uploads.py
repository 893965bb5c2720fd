"""Files that a step's pod brings to the object store in parts; a manifest makes them count."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import orjson
from werkzeug.exceptions import RequestEntityTooLarge

from api.pod_files import URL_SECONDS, ToldAsBusy, read_key, read_manifest
from api.pod_identity import PodIdentity
from c8s.adapters.object_store import KeyNotFound, PartStore, UploadRefused
from c8s.logs.file_layout import FILES, MANIFEST, artifact_prefix, cache_files_key, cache_manifest_key
from c8s.run.times import format_time
from c8s.web.errors import BadRequest, Clash, NotAllowed

PART_BYTES = 16 * 1024 * 1024
MAX_PARTS = 10_000
"""S3's own bound."""
PARTS_A_REQUEST = 100
LISTED_PATHS = 1000
PATH_CHARACTERS = 4096
MAX_EXPIRE_SECONDS = 3650 * 24 * 3600
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ID_CHARACTERS = 1024

Kind = Literal["artifacts", "cache"]


@dataclass(frozen=True, slots=True)
class UploadPlace:
    """Where an upload goes: its files, and the manifest that makes them count."""

    kind: Kind
    key: str
    files_key: str
    manifest_key: str
    max_bytes: int

    @property
    def max_parts(self) -> int:
        return min(MAX_PARTS, math.ceil(self.max_bytes / PART_BYTES))


@dataclass(frozen=True, slots=True)
class PodUploads:
    """Methods raise a problem of `c8s.web.errors`. Every one checks anew what the pod may."""

    store: PartStore
    artifact_limit_bytes: int
    cache_limit_bytes: int

    def begin(self, identity: PodIdentity, body: Mapping[str, Any]) -> dict[str, Any]:
        place = self._place(identity, body)
        self._refuse_existing_cache(place)
        with ToldAsBusy():
            upload_id = self.store.begin_parts(place.files_key)
        return {"uploadId": upload_id, "partBytes": PART_BYTES, "maxBytes": place.max_bytes}

    def sign_parts(self, identity: PodIdentity, body: Mapping[str, Any]) -> dict[str, Any]:
        place, upload_id = self._place(identity, body), _read_id(body)
        numbers = body.get("numbers")
        if not isinstance(numbers, list) or not 0 < len(numbers) <= PARTS_A_REQUEST:
            raise BadRequest(f"numbers must be a list of 1 to {PARTS_A_REQUEST}", field="numbers")
        for number in numbers:
            _check_number(number, place)
        key = place.files_key
        urls = [self.store.presign_part(key, upload_id, number, URL_SECONDS) for number in numbers]
        return {"urls": urls}

    def complete(self, identity: PodIdentity, body: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Make the files count, if they are as large as told; of two equal caches the first stays."""
        place, upload_id = self._place(identity, body), _read_id(body)
        manifest = _read_stored(body, now)
        parts = _read_parts(body, place)
        if self._has_completed(place, manifest["sha256"]):
            return {}
        self._refuse_existing_cache(place)
        try:
            with ToldAsBusy():
                self.store.complete_parts(place.files_key, upload_id, parts)
        except UploadRefused as error:
            raise Clash("the upload does not exist, or its parts are others", hint=error.hint) from error
        self._check_size(place, manifest["sizeBytes"])
        named = {"key": place.key, "file": place.files_key} if place.kind == "cache" else {}
        with ToldAsBusy():
            self.store.put(place.manifest_key, orjson.dumps({**manifest, **named}))
        return {}

    def abort(self, identity: PodIdentity, body: Mapping[str, Any]) -> dict[str, Any]:
        place = self._place(identity, body)
        with ToldAsBusy():
            self.store.abort_parts(place.files_key, _read_id(body))
        return {}

    def _place(self, identity: PodIdentity, body: Mapping[str, Any]) -> UploadPlace:
        kind = body.get("kind")
        if kind == "artifacts":
            prefix = artifact_prefix(identity.namespace, identity.run_uid, identity.log_name)
            return UploadPlace(kind, "", prefix + FILES, prefix + MANIFEST, self.artifact_limit_bytes)
        if kind != "cache":
            raise BadRequest("kind must be artifacts or cache", field="kind")
        if not identity.is_trusted:
            raise NotAllowed(
                "a fork's pull request may read caches, not save them",
                reason="UntrustedRun",
                hint="the cache is saved by runs of the repository's own branches",
            )
        return self._place_cache(identity, read_key(body))

    def _place_cache(self, identity: PodIdentity, key: str) -> UploadPlace:
        namespace, repository = identity.namespace, identity.repository
        saved_by = f"{identity.pod_uid}/{identity.log_name}"
        files_key = cache_files_key(namespace, repository, key, saved_by)
        manifest_key = cache_manifest_key(namespace, repository, key)
        return UploadPlace("cache", key, files_key, manifest_key, self.cache_limit_bytes)

    def _refuse_existing_cache(self, place: UploadPlace) -> None:
        if place.kind == "cache" and read_manifest(self.store, place.manifest_key) is not None:
            raise Clash(
                "a cache of this key exists already", reason="CacheExists", hint="a cache is never changed"
            )

    def _has_completed(self, place: UploadPlace, sha256: str) -> bool:
        """Whether this pod has been told so already, and asks again as the answer was lost."""
        found = read_manifest(self.store, place.manifest_key)
        if found is None or found.get("file", place.files_key) != place.files_key:
            return False
        return bool(found.get("sha256") == sha256)

    def _check_size(self, place: UploadPlace, told_bytes: int) -> None:
        try:
            with ToldAsBusy():
                size_bytes = self.store.head(place.files_key).size_bytes
        except KeyNotFound as error:
            raise Clash("the files are gone", hint="begin the upload again") from error
        if size_bytes == told_bytes and size_bytes <= place.max_bytes:
            return
        with ToldAsBusy():
            self.store.delete(place.files_key)
        if size_bytes > place.max_bytes:
            raise RequestEntityTooLarge
        raise BadRequest(f"{size_bytes} bytes came, not {told_bytes}", field="sizeBytes")


def _read_id(body: Mapping[str, Any]) -> str:
    upload_id = body.get("uploadId")
    if not isinstance(upload_id, str) or not 0 < len(upload_id) <= _ID_CHARACTERS:
        raise BadRequest("uploadId must be a text", field="uploadId")
    return upload_id


def _check_number(number: object, place: UploadPlace) -> int:
    if type(number) is not int or number < 1:
        raise BadRequest("a part's number is a whole number from 1", field="numbers")
    if number > place.max_parts:
        raise RequestEntityTooLarge
    return number


def _read_parts(body: Mapping[str, Any], place: UploadPlace) -> list[tuple[int, str]]:
    parts = body.get("parts")
    if not isinstance(parts, list) or not 0 < len(parts) <= place.max_parts:
        raise BadRequest(f"parts must be a list of 1 to {place.max_parts}", field="parts")
    read: list[tuple[int, str]] = []
    for part in parts:
        if not isinstance(part, dict) or not isinstance(part.get("etag"), str):
            raise BadRequest("a part is {number, etag}", field="parts")
        read.append((_check_number(part.get("number"), place), part["etag"]))
    return read


def _read_stored(body: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The manifest, but for what only a cache says."""
    sha256 = body.get("sha256")
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise BadRequest("sha256 must be 64 hex digits", field="sha256")
    amounts = {name: _read_amount(body, name) for name in ("sizeBytes", "files")}
    paths = _read_paths(body.get("paths", []))
    manifest = {"version": 1, "sha256": sha256, **amounts, "paths": paths, "savedAt": format_time(now)}
    if body.get("expireSeconds") is None:
        return manifest
    seconds = min(_read_amount(body, "expireSeconds"), MAX_EXPIRE_SECONDS)
    return {**manifest, "expires": format_time(now + timedelta(seconds=seconds))}


def _read_amount(body: Mapping[str, Any], name: str) -> int:
    amount = body.get(name)
    if type(amount) is not int or amount < 0:
        raise BadRequest(f"{name} must be a whole number", field=name)
    return amount


def _read_paths(paths: object) -> Sequence[Mapping[str, Any]]:
    if not isinstance(paths, list) or len(paths) > LISTED_PATHS:
        raise BadRequest(f"paths must be a list of at most {LISTED_PATHS}", field="paths")
    for one in paths:
        if not isinstance(one, dict) or not isinstance(one.get("path"), str):
            raise BadRequest("an entry of paths is {path, sizeBytes}", field="paths")
    return [
        {"path": one["path"][:PATH_CHARACTERS], "sizeBytes": _read_amount(one, "sizeBytes")} for one in paths
    ]
