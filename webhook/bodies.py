"""Bodies of deliveries: of large ones only a few are in memory at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import request

from c8s.web.errors import Busy
from c8s.web.limits import read_body

LARGE_BODY_BYTES = 1024 * 1024
# Read and parsed, 25 MB take some 150 MB; anyone may send that much before a signature can be checked.
LARGE_BODIES_AT_ONCE = 2
LARGE_BODY_WAIT_SECONDS = 5.0


class Bodies:
    """Reads requests' bodies; a large one waits for its place, small ones are not held up by it."""

    def __init__(self, wait_seconds: float = LARGE_BODY_WAIT_SECONDS) -> None:
        self._wait_seconds = wait_seconds
        self._places = threading.BoundedSemaphore(LARGE_BODIES_AT_ONCE)

    @contextmanager
    def read(self, max_bytes: int) -> Iterator[bytes]:
        """The whole body, to be let go at the end. Raises `Busy`, or `RequestEntityTooLarge`."""
        request.max_content_length = max_bytes
        size = request.content_length
        if size is not None and size <= LARGE_BODY_BYTES:
            yield read_body()
            return
        if not self._places.acquire(timeout=self._wait_seconds):
            raise Busy("other large deliveries are being read", hint="deliver it again")
        try:
            yield read_body()
        finally:
            self._places.release()
