"""HTTP with patience: what a step's pod says to the api and to the object store.

Of a failure only who failed is told, never the address: a presigned one is a secret. No proxy of the
environment is used, no redirect followed. Light to import: it starts in every pod.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import urllib3
from urllib3.exceptions import HTTPError

CONNECT_SECONDS = 20.0
READ_SECONDS = 60.0
PIECE_BYTES = 256 * 1024
"""One write to the network; each has the time limit anew."""

RETRY_PAUSES_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
LATER_STATUSES = frozenset({408, 425, 429, *range(500, 600)})
STORE = "the object store"
API = "c8s's api"

Sleep = Callable[[float], None]


class TransferError(Exception):
    """Something was not sent or not had; the text is for people.

    TransferError
    ├── TransferFailed   the other side can't be reached or fails, after all attempts
    ├── TransferRefused  the other side says no, with an HTTP status
    └── ContentDamaged   what was had is not what was kept
    """


class TransferFailed(TransferError): ...


class ContentDamaged(TransferError): ...


class TransferRefused(TransferError):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


def _build_pool() -> urllib3.PoolManager:
    timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
    return urllib3.PoolManager(timeout=timeout, retries=False, maxsize=4)


@dataclass(slots=True)
class Transfer:
    """Connections that are kept, and how long to wait between attempts."""

    sleep: Sleep = time.sleep
    pauses_seconds: tuple[float, ...] = RETRY_PAUSES_SECONDS
    pool: urllib3.PoolManager = field(default_factory=_build_pool)

    def send(
        self, whom: str, method: str, url: str, body: bytes | bytearray = b"", headers: Mapping[str, str] = {}
    ) -> Answer:
        """Send a request until it is answered. Raises TransferFailed; a 4xx is an answer."""
        sent = {**headers, "Content-Length": str(len(body))}
        failure = ""
        for pause_seconds in (*self.pauses_seconds, None):
            try:
                answer = self._send_once(method, url, body, sent)
                if answer.status not in LATER_STATUSES:
                    return answer
                failure = f"{whom} answers {answer.status}"
            except (HTTPError, OSError) as error:
                failure = f"{whom} can't be reached ({type(error).__name__})"
            if pause_seconds is not None:
                self.sleep(pause_seconds)
        raise TransferFailed(failure)

    def open(self, url: str, start: int) -> urllib3.BaseHTTPResponse:
        """Begin to read an object at byte `start`; one attempt. Raises HTTPError or OSError."""
        headers = {"Range": f"bytes={start}-"} if start else {}
        return self.pool.request("GET", url, headers=headers, preload_content=False, redirect=False)

    def _send_once(
        self, method: str, url: str, body: bytes | bytearray, headers: Mapping[str, str]
    ) -> Answer:
        answer = self.pool.request(method, url, body=_Pieces(body), headers=headers, redirect=False)
        return Answer(answer.status, answer.headers, answer.data)


class _Pieces:
    """A body in pieces, so that the time limit counts for each and no copy of the whole is made."""

    def __init__(self, body: bytes | bytearray) -> None:
        self._body = memoryview(body)

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._body), PIECE_BYTES):
            yield bytes(self._body[start : start + PIECE_BYTES])
