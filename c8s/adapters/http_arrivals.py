"""A streamed HTTP body, as soon as its bytes arrive."""

from __future__ import annotations

from collections.abc import Iterator

from urllib3 import BaseHTTPResponse

READ_PIECE_BYTES = 64 * 1024


def read_arrivals(response: BaseHTTPResponse) -> Iterator[bytes]:
    """Whatever has arrived, at once, until the body ends; urllib3's `HTTPError` when it breaks off.

    `stream()` and requests' `iter_content()` wait for a full piece, or for the end of a body without chunks.
    """
    try:
        while piece := response.read1(READ_PIECE_BYTES):
            yield piece
    finally:
        # A stream that is left before its end can't be used for another request.
        response.close()
