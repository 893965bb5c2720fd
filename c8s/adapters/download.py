"""An object read to its end, taken up again where the connection broke, and compared with its checksum."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import urllib3
from urllib3.exceptions import HTTPError

from c8s.adapters.http_transfer import STORE, ContentDamaged, Transfer, TransferFailed


class _Unusable(Exception):
    """An answer that is no beginning or no end of the object; the text names no address."""


Locate = Callable[[], str]
"""Gives a presigned address of the object; asked again when one has run out."""

SKIP_BYTES = 1024 * 1024


class Download:
    """A stream of `size_bytes`. `read` raises TransferFailed; `verify` raises ContentDamaged."""

    def __init__(self, transfer: Transfer, url: str, locate: Locate, size_bytes: int, sha256: str) -> None:
        self._transfer = transfer
        self._url = url
        self._locate = locate
        self._size_bytes = size_bytes
        self._sha256 = sha256
        self._digest = hashlib.sha256()
        self._read_bytes = 0
        self._answer: urllib3.BaseHTTPResponse | None = None

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes, none at the end."""
        wanted = min(size, self._size_bytes - self._read_bytes)
        if wanted <= 0:
            return b""
        data = self._read_patiently(wanted)
        self._digest.update(data)
        self._read_bytes += len(data)
        return data

    def verify(self) -> None:
        """Read what is left and compare the whole."""
        while self.read(SKIP_BYTES):
            pass
        self._close()
        if self._digest.hexdigest() != self._sha256:
            raise ContentDamaged(
                "what came from the object store is not what was saved: its checksum differs"
            )

    def _read_patiently(self, size: int) -> bytes:
        """Try again after pauses; each byte that comes gives all attempts back."""
        failure = ""
        for pause_seconds in (*self._transfer.pauses_seconds, None):
            try:
                answer = self._answer or self._open()
                self._answer = answer
                data = answer.read(size)
                if data:
                    return data
                failure = "it ends too early"
            except _Unusable as error:
                failure = str(error)
            except (HTTPError, OSError) as error:
                failure = type(error).__name__
            self._close()
            if pause_seconds is not None:
                self._transfer.sleep(pause_seconds)
        raise TransferFailed(f"{STORE} can't be read ({failure})")

    def _open(self) -> urllib3.BaseHTTPResponse:
        answer = self._transfer.open(self._url, self._read_bytes)
        if answer.status == 403:
            answer.close()
            self._url = self._locate()
            answer = self._transfer.open(self._url, self._read_bytes)
        if answer.status not in (200, 206):
            answer.close()
            raise _Unusable(f"it answers {answer.status}")
        if self._read_bytes and not answer.headers.get("Content-Range"):
            # Not by the status: rclone sends a range with 200. Others ignore ranges.
            _skip(answer, self._read_bytes)
        return answer

    def _close(self) -> None:
        if self._answer is not None:
            self._answer.close()
        self._answer = None


def _skip(answer: urllib3.BaseHTTPResponse, size_bytes: int) -> None:
    left = size_bytes
    while left:
        data = answer.read(min(left, SKIP_BYTES))
        if not data:
            raise _Unusable("it ends too early")
        left -= len(data)
