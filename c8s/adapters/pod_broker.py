"""What a step's pod asks of c8s's api: where its files lie, and where to put them (docs/reference/data.md).

The pod shows its projected token, read anew for each request as the kubelet renews it. Addresses that come
back are presigned, live 15 minutes and are never shown.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from c8s.adapters.http_transfer import API, Transfer, TransferFailed, TransferRefused

Kind = Literal["artifacts", "cache"]
Json = dict[str, Any]

DENIED_STATUSES = (401, 404)
"""The api may not have seen the pod yet, or its token may be renewed just now: asked again."""

DENIED_PAUSES_SECONDS = (1.0, 3.0, 9.0)
MESSAGE_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class StoredFiles:
    """An archive in the object store; `source` is `<run uid>/<log name>`, or a cache's key."""

    source: str
    url: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class StoredOutputs:
    """What a step hands on: a JSON object, name → text, at `url`."""

    source: str
    step: str
    url: str


@dataclass(frozen=True, slots=True)
class Restorable:
    """What was kept of the steps asked for, and of which nothing was."""

    files: tuple[StoredFiles, ...]
    outputs: tuple[StoredOutputs, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CacheAnswer:
    hit: Literal["exact", "fallback", "miss"]
    files: StoredFiles | None


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that has begun; `max_bytes` bounds the whole."""

    kind: Kind
    key: str
    upload_id: str
    part_bytes: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Part:
    number: int
    etag: str


@dataclass(frozen=True, slots=True)
class Stored:
    """What an upload brought: checksum and size of the compressed stream, the first paths."""

    sha256: str
    size_bytes: int
    files: int
    paths: Sequence[tuple[str, int]]
    expire_seconds: int | None = None


class PodBroker:
    """The api's routes under `/api/v1/pod`. Methods raise TransferFailed, or TransferRefused for a no."""

    def __init__(self, url: str, token: Path, transfer: Transfer) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._transfer = transfer

    def find_files(self, sources: Sequence[str]) -> Restorable:
        """Say where the files and outputs of `sources`, `<run uid>/<log name>` each, lie."""
        answer = self._post("restore", {"from": list(sources)})
        return Restorable(
            tuple(_read_files(one, one["from"]) for one in answer.get("files", ())),
            tuple(StoredOutputs(one["from"], one["step"], one["url"]) for one in answer.get("outputs", ())),
            tuple(answer.get("missing", ())),
        )

    def find_cache(self, key: str, fallback_keys: Sequence[str]) -> CacheAnswer:
        """Say which cache fits `key` best."""
        answer = self._post("cache", {"key": key, "fallbackKeys": list(fallback_keys)})
        hit = answer["hit"]
        return CacheAnswer(hit, None if hit == "miss" else _read_files(answer, answer["key"]))

    def begin_upload(self, kind: Kind, key: str = "") -> Upload:
        answer = self._post("uploads", _name(kind, key))
        return Upload(kind, key, answer["uploadId"], answer["partBytes"], answer["maxBytes"])

    def sign_part(self, upload: Upload, number: int) -> str:
        """Return the address that takes part `number`, counted from 1."""
        answer = self._post("uploads/parts", {**_name_upload(upload), "numbers": [number]})
        return str(answer["urls"][0])

    def complete_upload(self, upload: Upload, parts: Sequence[Part], stored: Stored) -> None:
        self._post(
            "uploads/complete",
            {
                **_name_upload(upload),
                "parts": [{"number": part.number, "etag": part.etag} for part in parts],
                "sha256": stored.sha256,
                "sizeBytes": stored.size_bytes,
                "files": stored.files,
                "paths": [{"path": path, "sizeBytes": size_bytes} for path, size_bytes in stored.paths],
                **({"expireSeconds": stored.expire_seconds} if stored.expire_seconds else {}),
            },
        )

    def abort_upload(self, upload: Upload) -> None:
        self._post("uploads/abort", _name_upload(upload))

    def put_outputs(self, outputs: dict[str, str]) -> None:
        self._ask("PUT", "outputs", outputs)

    def _post(self, route: str, body: Json) -> Json:
        answer = self._ask("POST", route, body)
        try:
            document = json.loads(answer or b"{}")
        except ValueError as error:
            raise TransferFailed(f"{API} answers something else than JSON") from error
        if not isinstance(document, dict):
            raise TransferFailed(f"{API} answers something else than an object")
        return document

    def _ask(self, method: str, route: str, body: Json) -> bytes:
        content = json.dumps(body).encode()
        for pause_seconds in (*DENIED_PAUSES_SECONDS, None):
            headers = {
                "Authorization": f"Bearer {self._token.read_text(encoding='utf-8').strip()}",
                "Content-Type": "application/json",
            }
            answer = self._transfer.send(API, method, f"{self._url}/api/v1/pod/{route}", content, headers)
            if answer.status not in DENIED_STATUSES or pause_seconds is None:
                break
            self._transfer.sleep(pause_seconds)
        if answer.status >= 300:
            raise TransferRefused(answer.status, _read_message(answer.status, answer.body))
        return answer.body


def _name(kind: Kind, key: str) -> Json:
    return {"kind": kind, **({"key": key} if key else {})}


def _name_upload(upload: Upload) -> Json:
    return {**_name(upload.kind, upload.key), "uploadId": upload.upload_id}


def _read_files(entry: Json, source: str) -> StoredFiles:
    return StoredFiles(source, entry["url"], entry["sha256"], entry["sizeBytes"])


def _read_message(status: int, body: bytes) -> str:
    try:
        said = str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        said = f"{API} answers {status}"
    return said[:MESSAGE_CHARACTERS]
