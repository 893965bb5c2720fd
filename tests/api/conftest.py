"""The API over in-memory adapters, with two viewers: `ada` may do all in `default`, `bob` nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient

from api.app import create_app
from c8s.adapters.object_store import InMemoryObjectStore
from c8s.local.apiserver.in_process import InProcessCluster, new_cluster
from tests.api.example_runs import create_example_runs
from tests.api.example_site import SETTINGS
from tests.api.scripted_logbuffer import ScriptedLogBuffer
from tests.web.reviewing_cluster import ReviewingCluster

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ADA = {"Authorization": "Bearer token-a"}
BOB = {"Authorization": "Bearer token-b"}


@dataclass
class Site:
    cluster: InProcessCluster
    reviews: ReviewingCluster
    store: InMemoryObjectStore
    logbuffer: ScriptedLogBuffer
    client: FlaskClient


@pytest.fixture
def site() -> Site:
    cluster = new_cluster(clock=lambda: NOW)
    reviews = ReviewingCluster(
        cluster,
        {"token-a": "ada", "token-b": "bob"},
        lambda user, attributes: user == "ada" and attributes["namespace"] == "default",
    )
    store, logbuffer = InMemoryObjectStore(), ScriptedLogBuffer()
    app = create_app(SETTINGS, reviews, store, logbuffer, now=lambda: NOW)  # type: ignore[arg-type]
    return Site(cluster, reviews, store, logbuffer, app.test_client())


@pytest.fixture
def examples(site: Site) -> Site:
    create_example_runs(site.cluster, "default", NOW)
    return site
