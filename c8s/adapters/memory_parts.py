"""Uploads in parts and presigned addresses of the bucket in memory."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from c8s.adapters.object_store_interface import StartedUpload, UploadRefused

BASE = "http://memory.invalid/"
FORBIDDEN = 403
NOT_FOUND = 404


class MemoryParts:
    """What `InMemoryObjectStore` does of `PartStore`; `send` is what its addresses would do over HTTP."""

    now: Callable[[], datetime]
    _objects: dict[str, bytes]
    _enter: Callable[[str, str], None]
    put: Callable[..., Any]
    _uploads: dict[tuple[str, str], dict[int, bytes]]
    _begun_at: dict[str, datetime]

    def presign_get(self, key: str, seconds: int, *, file_name: str = "") -> str:
        return self._presign(key, seconds, f"&name={quote(file_name)}" if file_name else "")

    def begin_parts(self, key: str) -> str:
        self._enter("begin_parts", key)
        upload_id = secrets.token_hex(8)
        self._uploads[key, upload_id] = {}
        self._begun_at[upload_id] = self.now()
        return upload_id

    def presign_part(self, key: str, upload_id: str, number: int, seconds: int) -> str:
        return self._presign(key, seconds, f"&uploadId={quote(upload_id)}&partNumber={number}")

    def complete_parts(self, key: str, upload_id: str, parts: Sequence[tuple[int, str]]) -> None:
        self._enter("complete_parts", key)
        sent = self._uploads.get((key, upload_id), {})
        numbers = [number for number, _ in parts]
        if not parts or numbers != sorted(set(numbers)):
            raise UploadRefused(f"{key}: the parts are not in order")
        if any(number not in sent or _etag(sent[number]) != etag for number, etag in parts):
            raise UploadRefused(f"{key}: there is no such upload, or its parts are others")
        self.put(key, b"".join(sent[number] for number in numbers))
        del self._uploads[key, upload_id]

    def abort_parts(self, key: str, upload_id: str) -> None:
        self._enter("abort_parts", key)
        self._uploads.pop((key, upload_id), None)

    def list_uploads(self, prefix: str) -> Iterator[StartedUpload]:
        self._enter("list_uploads", prefix)
        found = sorted(upload for upload in self._uploads if upload[0].startswith(prefix))
        return (StartedUpload(key, upload_id, self._begun_at[upload_id]) for key, upload_id in found)

    def send(self, method: str, url: str, body: bytes = b"") -> tuple[int, bytes, str]:
        """Do what a request to a presigned address does: status, body, ETag."""
        parts = urlsplit(url)
        key, query = unquote(parts.path[1:]), parse_qs(parts.query)
        if self.now() > datetime.fromisoformat(query["expires"][0]):
            return FORBIDDEN, b"", ""
        if "uploadId" in query and method == "PUT":
            return self._take_part(key, query["uploadId"][0], int(query["partNumber"][0]), body)
        if "uploadId" in query or method != "GET":
            return FORBIDDEN, b"", ""
        content = self._objects.get(key)
        return (NOT_FOUND, b"", "") if content is None else (200, content, _etag(content))

    def _take_part(self, key: str, upload_id: str, number: int, body: bytes) -> tuple[int, bytes, str]:
        sent = self._uploads.get((key, upload_id))
        if sent is None:
            return NOT_FOUND, b"", ""
        sent[number] = body
        return 200, b"", _etag(body)

    def _presign(self, key: str, seconds: int, more: str) -> str:
        expires = (self.now() + timedelta(seconds=seconds)).isoformat()
        return f"{BASE}{quote(key)}?expires={quote(expires)}{more}"


def _etag(content: bytes) -> str:
    """Quoted, as S3 gives it."""
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
