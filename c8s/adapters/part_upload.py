"""An object sent in parts while it is being made, two parts under way at a time and never more in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from c8s.adapters.http_transfer import STORE, Transfer, TransferFailed, TransferRefused
from c8s.adapters.pod_broker import Part

PARTS_UNDER_WAY = 2
SIGNATURES = 3
"""How often a part is signed anew: an address lives 15 minutes, and then the store answers 403."""

SignPart = Callable[[int], str]
"""Takes the number of a part, gives its presigned address."""


class UploadTooLarge(Exception):
    """More was written than the upload may take."""


class PartUpload:
    """Takes bytes by `write`; after `finish` all parts are in the store.

    `write` and `finish` raise UploadTooLarge, TransferFailed, TransferRefused. Use it as a context: leaving
    it waits for what is under way.
    """

    def __init__(self, transfer: Transfer, sign: SignPart, part_bytes: int, max_bytes: int) -> None:
        self._transfer = transfer
        self._sign = sign
        self._part_bytes = part_bytes
        self._max_bytes = max_bytes
        self._part = bytearray()
        self._sending: list[Future[Part]] = []
        self._sent: list[Part] = []
        self._threads = ThreadPoolExecutor(PARTS_UNDER_WAY)
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def __enter__(self) -> PartUpload:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(cancel_futures=True)

    @property
    def sha256(self) -> str:
        """Checksum of all that was written, as hex."""
        return self._digest.hexdigest()

    def write(self, data: bytes) -> None:
        self._digest.update(data)
        self.size_bytes += len(data)
        if self.size_bytes > self._max_bytes:
            raise UploadTooLarge
        view = memoryview(data)
        while view:
            room = self._part_bytes - len(self._part)
            self._part += view[:room]
            view = view[room:]
            if len(self._part) == self._part_bytes:
                self._send_part()

    def finish(self) -> list[Part]:
        """Send the rest, and give the parts in order; there is at least one."""
        if self._part or not (self._sending or self._sent):
            self._send_part()
        while self._sending:
            self._await_first()
        return self._sent

    def _send_part(self) -> None:
        while len(self._sending) >= PARTS_UNDER_WAY:
            self._await_first()
        number = len(self._sent) + len(self._sending) + 1
        self._sending.append(self._threads.submit(self._put, number, self._part))
        self._part = bytearray()

    def _await_first(self) -> None:
        self._sent.append(self._sending.pop(0).result())

    def _put(self, number: int, body: bytearray) -> Part:
        for _ in range(SIGNATURES):
            answer = self._transfer.send(STORE, "PUT", self._sign(number), body)
            if answer.status != 403:
                break
        if answer.status >= 300:
            raise TransferRefused(answer.status, f"{STORE} refuses part {number} ({answer.status})")
        etag = answer.headers.get("ETag", "")
        if not etag:
            raise TransferFailed(f"{STORE} took part {number} without an ETag")
        return Part(number, etag)
