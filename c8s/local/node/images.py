"""Images on their way: fetched by a few threads, asked about by pods."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from c8s.local.node.runners.runner import Runner

PULL_THREADS = 3
KNOWN_SECONDS = 60.0
"""How long an image that was there is taken to be there still."""


class Images:
    """Asks the runner for images without keeping anybody waiting."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._lock = threading.Lock()
        self._fetches: dict[str, Future[None]] = {}
        self._known_until: dict[str, float] = {}
        self._threads = ThreadPoolExecutor(PULL_THREADS, thread_name_prefix="images")

    def is_ready(self, image: str, pull_policy: str, call_when_done: Callable[[], None]) -> bool:
        """Whether the image can be used now; if not, `call_when_done` says when to ask again.

        Raises ImageUnavailable, once per failed fetch: the next call tries again.
        """
        with self._lock:
            if self._known_until.get(image, 0.0) > time.monotonic():
                return True
            fetch = self._fetches.get(image)
            if fetch is None:
                fetch = self._threads.submit(self._runner.fetch_image, image, pull_policy)
                self._fetches[image] = fetch
            if not fetch.done():
                fetch.add_done_callback(lambda _: call_when_done())
                return False
            del self._fetches[image]
            fetch.result()
            self._known_until[image] = time.monotonic() + KNOWN_SECONDS
            return True

    def stop(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
