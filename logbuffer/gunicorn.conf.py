"""gunicorn's settings: `gunicorn -c logbuffer/gunicorn.conf.py 'logbuffer.app:create_from_environment()'`.

One process, since the logs are in its memory; many threads, since each viewer takes one.
"""

import signal
from types import FrameType
from typing import Any

bind = "0.0.0.0:8080"
workers = 1
worker_class = "gthread"
threads = 256
timeout = 60
graceful_timeout = 10
keepalive = 75


def post_worker_init(worker: Any) -> None:
    """At SIGTERM the streams are closed first: gunicorn would wait for them, and they never end."""
    before = signal.getsignal(signal.SIGTERM)

    def stop(number: int, frame: FrameType | None) -> None:
        worker.wsgi.extensions["c8s.logbuffer"].stop()
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGTERM, stop)
