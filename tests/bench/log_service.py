"""A log buffer as gunicorn serves it, over pods whose output comes from a socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from flask import Flask

from c8s.adapters.object_store import InMemoryObjectStore
from logbuffer.app import EXTENSION, create_app, spare_collections
from logbuffer.settings import Settings
from tests.bench.masking_speed import SECRETS
from tests.logbuffer.fake_node import FakeNode, create_job, create_pod, create_secret, pod_spec
from tests.logs.ci_text import random_values
from tests.web.reviewing_cluster import ReviewingCluster

TOKEN = "bench"
MAX_STREAMS = 5000
READ_BYTES = 64 * 1024


class SocketNode(FakeNode):
    """A node that gets what its containers write from a server: it names the pod, and reads."""

    def __init__(self, port: int) -> None:
        self._port = port
        super().__init__()

    def read_log(self, name: str, namespace: str, container: str, **options: object) -> Iterator[bytes]:
        if container == "step":
            yield from self._read(name)

    def _read(self, name: str) -> Iterator[bytes]:
        with socket.create_connection(("127.0.0.1", self._port)) as connection:
            connection.sendall(name.encode() + b"\n")
            while piece := connection.recv(READ_BYTES):
                yield piece


def create(port: int, streams: int) -> Flask:
    """The service at work on so many pods, each with 50 secrets; at the port is what they write."""
    node = SocketNode(port)
    values = [value for value in random_values(SECRETS * 2) if len(value) > 4][:SECRETS]
    create_secret(node, "many", **{f"key-{number}": value for number, value in enumerate(values)})
    for number in range(streams):
        run_pod(node, f"pod-{number}", f"step-{number}")
    cluster = ReviewingCluster(node.cluster, {TOKEN: "ann"}, lambda user, wish: True)
    app = create_app(Settings(max_streams=MAX_STREAMS), cluster, InMemoryObjectStore(has_bucket=False))
    spare_collections()
    app.extensions[EXTENSION].start()
    return app


def run_pod(node: SocketNode, name: str, instance: str) -> None:
    spec = pod_spec(envFrom=[{"secretRef": {"name": "many"}}])
    create_pod(node, create_job(node, f"job-{name}", instance), name, spec)
    node.start(name, "checkout")
    node.end(name, "checkout")
    node.start(name, "step")
