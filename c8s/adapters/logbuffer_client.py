"""Live logs from the log buffer, passed on as they come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol
from urllib.parse import quote, urlencode

from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from c8s.adapters.http_arrivals import read_arrivals
from c8s.logs.lines import format_time
from c8s.logs.sharding import shard_of
from c8s.logs.slices import WHOLE, Slice

SHARD_PLACE = "{shard}"
POOL_SIZE = 256
CONNECT_TIMEOUT_SECONDS = 2.0
# A heartbeat comes every 5 s.
SILENCE_SECONDS = 16.0


class LogBufferError(Exception):
    """The log buffer can't be reached, refuses, or broke off."""


class LogBuffer(Protocol):
    """Where the logs of steps lie that are not archived yet."""

    def open_log(
        self,
        namespace: str,
        run: str,
        step: str,
        token: str,
        *,
        as_events: bool,
        last_id: str = "",
        wanted: Slice = WHOLE,
        run_uid: str = "",
    ) -> Iterator[bytes] | None:
        """The step's log in pieces as they come; None when the buffer does not hold this step (any more).

        As text it ends with what there is; as events it follows until the step ends. What is `wanted`
        counts where there is no `last_id`. Several log buffers share the runs by `run_uid`. Closing the
        iterator ends the request. Raises `LogBufferError`, also in the middle.
        """
        ...

    def check(self) -> None:
        """Raises `LogBufferError` when the buffer does not answer."""
        ...


class LogBufferClient:
    """The log buffer at an address; threads may share one. The viewer's own token is shown to it.

    Of several the address has `{shard}` for the number, from 0 to `shards` - 1.
    """

    def __init__(self, url: str, shards: int = 1) -> None:
        self._url = url.rstrip("/")
        self._shards = shards
        self._pool = PoolManager(maxsize=POOL_SIZE, retries=Retry(0, connect=1))

    def open_log(
        self,
        namespace: str,
        run: str,
        step: str,
        token: str,
        *,
        as_events: bool,
        last_id: str = "",
        wanted: Slice = WHOLE,
        run_uid: str = "",
    ) -> Iterator[bytes] | None:
        headers = {
            "Accept": "text/event-stream" if as_events else "text/plain",
            "Authorization": f"Bearer {token}",
        }
        if last_id:
            headers["Last-Event-ID"] = last_id
        path = "/v1/namespaces/{}/runs/{}/steps/{}/log".format(
            *(quote(part, safe="") for part in (namespace, run, step))
        )
        shard = shard_of(run_uid, self._shards)
        return self._get(self._address(shard) + path + _format_query(wanted), headers)

    def check(self) -> None:
        for shard in range(self._shards):
            for _ in self._get(f"{self._address(shard)}/healthz", {}) or ():
                pass

    def _address(self, shard: int) -> str:
        return self._url.replace(SHARD_PLACE, str(shard))

    def _get(self, address: str, headers: dict[str, str]) -> Iterator[bytes] | None:
        try:
            response = self._pool.request(
                "GET",
                address,
                headers=headers,
                timeout=Timeout(connect=CONNECT_TIMEOUT_SECONDS, read=SILENCE_SECONDS),
                redirect=False,
                preload_content=False,
            )
        except HTTPError as error:
            raise LogBufferError("the log buffer can't be reached") from error
        if response.status == 200:
            return _wrap_errors(read_arrivals(response))
        response.close()
        if response.status == 404:
            return None
        raise LogBufferError(f"the log buffer answered {response.status}")


def _format_query(wanted: Slice) -> str:
    query = {}
    if wanted.tail is not None:
        query["tail"] = str(wanted.tail)
    if wanted.since_ns:
        query["since"] = format_time(wanted.since_ns)
    return f"?{urlencode(query)}" if query else ""


def _wrap_errors(pieces: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from pieces
    except HTTPError as error:
        raise LogBufferError("the stream from the log buffer broke off") from error
