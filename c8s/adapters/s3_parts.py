"""Uploads in parts and presigned addresses of a bucket that speaks S3."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from c8s.adapters.object_store_interface import StartedUpload, UploadRefused


class S3Parts:
    """What `S3ObjectStore` does of `PartStore`; signing asks nobody."""

    _bucket: str
    _client: Any
    _call: Any

    def presign_get(self, key: str, seconds: int, *, file_name: str = "") -> str:
        given: dict[str, str] = {"Bucket": self._bucket, "Key": key}
        if file_name:
            given["ResponseContentDisposition"] = f'attachment; filename="{file_name}"'
        return self._presign("get_object", given, seconds)

    def begin_parts(self, key: str) -> str:
        answer = self._call(self._client.create_multipart_upload, key, Bucket=self._bucket, Key=key)
        return str(answer["UploadId"])

    def presign_part(self, key: str, upload_id: str, number: int, seconds: int) -> str:
        given = {"Bucket": self._bucket, "Key": key, "UploadId": upload_id, "PartNumber": number}
        return self._presign("upload_part", given, seconds)

    def complete_parts(self, key: str, upload_id: str, parts: Sequence[tuple[int, str]]) -> None:
        self._call(
            self._client.complete_multipart_upload,
            key,
            Bucket=self._bucket,
            Key=key,
            UploadId=upload_id,
            MultipartUpload={"Parts": [{"PartNumber": number, "ETag": etag} for number, etag in parts]},
        )

    def abort_parts(self, key: str, upload_id: str) -> None:
        try:
            self._call(
                self._client.abort_multipart_upload,
                key,
                Bucket=self._bucket,
                Key=key,
                UploadId=upload_id,
            )
        except UploadRefused:
            return

    def list_uploads(self, prefix: str) -> Iterator[StartedUpload]:
        marker: dict[str, str] = {}
        while True:
            page = self._call(
                self._client.list_multipart_uploads, prefix, Bucket=self._bucket, Prefix=prefix, **marker
            )
            for item in page.get("Uploads", []):
                yield StartedUpload(item["Key"], item["UploadId"], item["Initiated"])
            if not page.get("IsTruncated"):
                return
            marker = {
                "KeyMarker": page["NextKeyMarker"],
                "UploadIdMarker": page["NextUploadIdMarker"],
            }

    def _presign(self, operation: str, given: dict[str, Any], seconds: int) -> str:
        return str(self._client.generate_presigned_url(operation, Params=given, ExpiresIn=seconds))
