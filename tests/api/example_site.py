"""The dashboard over made-up runs, to be looked at: `python -m tests.api.example_site [PORT]`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from flask import Flask
from werkzeug.serving import make_server

from api.app import create_app
from api.settings import Settings
from c8s.adapters.cluster import NAMESPACES, PIPELINE_RUNS
from c8s.adapters.object_store import InMemoryObjectStore, S3Settings
from c8s.local.apiserver.in_process import new_cluster
from c8s.run.times import format_time
from tests.api.example_engine_runs import create_engine_runs, create_large_run, put_artifacts
from tests.api.example_runs import create_example_runs
from tests.api.scripted_logbuffer import ScriptedLogBuffer
from tests.web.reviewing_cluster import ReviewingCluster

SETTINGS = Settings(
    url="http://127.0.0.1",
    session_key="an example key of more than 32 characters",
    approval_keys=("an example key of more than 32 characters",),
    logbuffer_url="http://127.0.0.1:1",
    store=S3Settings("http://127.0.0.1:1", "key", "a secret"),
)
FAILED_LOG = [
    ("checkout", "Checked out 9f1c3b7a into /c8s/workspace"),
    ("step", "::group::\x1b[1mInstall what the tests need\x1b[0m"),
    ("step", "\x1b[1m$ pip install -e .[test]\x1b[0m"),
    ("step", "Collecting requests>=2.32"),
    ("step", "  Downloading requests-2.34.2-py3-none-any.whl (66 kB)"),
    ("step", "\x1b[32mSuccessfully installed\x1b[0m requests-2.34.2 urllib3-2.8.0"),
    ("step", "::endgroup::"),
    ("step", "::group::Test"),
    ("step", "\x1b[1m$ pytest\x1b[0m"),
    ("step", "============================= test session starts ============================="),
    *[("step", f"tests/test_redirects.py::test_case_{number} \x1b[32mPASSED\x1b[0m") for number in range(40)],
    ("step", "tests/test_redirects.py::test_token_stays_home \x1b[31mFAILED\x1b[0m"),
    ("step", "\x1b]8;;https://evil.example\x07no link\x1b]8;;\x07 <b>no markup</b> \x1b]0;no title\x07"),
    ("step", "E   AssertionError: assert 'other.example' == 'forge.example'"),
    ("step", "\x1b[31m========= \x1b[1m1 failed\x1b[0m\x1b[31m, 40 passed in 12.80s =========\x1b[0m"),
    ("c8s", "The step ended with exit code 1"),
]


def create_example_app() -> Flask:
    """The whole API with runs in the namespaces `team` and `default`."""
    now = datetime.now(UTC)
    ages = iter(_ages())
    cluster = new_cluster(clock=lambda: now - timedelta(seconds=next(ages, 0)))
    cluster.create(NAMESPACES, {"metadata": {"name": "team"}})
    create_example_runs(cluster, "team", now)
    create_example_runs(cluster, "default", now)
    create_engine_runs(cluster, "team", now)
    create_large_run(cluster, "team", now)
    store = InMemoryObjectStore()
    for name in ("web-f1a4e00002", "release-1bb22cc33d", "release-3dd44ee55f"):
        put_artifacts(store, cluster.get(PIPELINE_RUNS, name, "team"), "build")
    reviewing = ReviewingCluster(
        cluster,
        {"example": "system:serviceaccount:team:viewer", "stranger": "stranger"},
        lambda user, attributes: user != "stranger" and attributes["namespace"] != "default",
    )
    logbuffer = ScriptedLogBuffer()
    lines = [f"{format_time(now)[:-1]}.{at:09d}Z {who} {text}" for at, (who, text) in enumerate(FAILED_LOG)]
    logbuffer.logs["team", "web-fe01dc23ba", "unit-3-12"] = lines
    logbuffer.logs["team", "web-0a1b2c3d4e", "scan"] = lines[:20]
    for name in ("unit", "unit.2", "unit.3", "unit.4", "build"):
        logbuffer.logs["team", "web-f1a4e00002", name] = lines[:30]
    return create_app(SETTINGS, reviewing, store, logbuffer)  # type: ignore[arg-type]


def _ages() -> Iterator[int]:
    """Seconds before now, for one look at the clock after the other: what is created first is oldest."""
    yield from range(4000, 0, -40)


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    server = make_server("127.0.0.1", port, create_example_app(), threaded=True)
    print(f"http://127.0.0.1:{server.server_port}/login#token=example", flush=True)
    server.serve_forever()
