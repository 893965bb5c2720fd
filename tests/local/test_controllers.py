import threading
import time
from collections.abc import Callable, Iterator

import pytest
from flask import Flask, Response, jsonify, request
from werkzeug.serving import make_server

from c8s.adapters.cluster import CONFIG_MAPS, JOBS, PODS, Object
from c8s.local.apiserver.in_process import InProcessCluster
from c8s.local.controllers import Controllers, parse_options
from tests.local.metacontroller.toy_world import THINGS, ToyWorld, child_rule, config_map, job


class HookServer:
    """A hook over real HTTP; `fails` makes it answer 500."""

    def __init__(self) -> None:
        self.fails = False
        self.calls = 0
        app = Flask(__name__)
        app.post("/sync")(self._answer)
        self._server = make_server("127.0.0.1", 0, app, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()

    def _answer(self) -> Response | tuple[str, int]:
        self.calls += 1
        if self.fails:
            return "out of order", 500
        name = request.get_json()["parent"]["metadata"]["name"]
        return jsonify({"status": {"phase": "Ready"}, "children": [config_map(name), job(name)]})


@pytest.fixture
def server() -> Iterator[HookServer]:
    server = HookServer()
    yield server
    server.close()


@pytest.fixture
def cluster() -> InProcessCluster:
    """A cluster with a controller for Things and three of them; nothing runs yet."""
    world = ToyWorld()
    world.control(childResources=[child_rule("v1", "configmaps"), child_rule("batch/v1", "jobs")])
    for name in ("a", "b", "c"):
        world.make_thing(name)
    return world.cluster


def wait_for(is_reached: Callable[[], bool], limit_seconds: float = 20.0) -> None:
    end = time.monotonic() + limit_seconds
    while not is_reached():
        assert time.monotonic() < end, "not reached in time"
        time.sleep(0.01)


def phases(cluster: InProcessCluster) -> list[str]:
    things = cluster.list(THINGS, "default").items
    return [(thing.get("status") or {}).get("phase", "") for thing in things]


def pod_owners(cluster: InProcessCluster) -> list[str]:
    pods: list[Object] = cluster.list(PODS, "default").items
    return sorted(pod["metadata"]["ownerReferences"][0]["name"] for pod in pods)


def test_threads_bring_parents_to_pods(cluster: InProcessCluster, server: HookServer):
    controllers = Controllers(cluster, {"hooks.toys": server.url}, workers=2)
    controllers.start()
    wait_for(lambda: pod_owners(cluster) == ["a", "b", "c"] and phases(cluster) == ["Ready"] * 3)
    assert controllers.is_healthy()
    assert len(cluster.list(CONFIG_MAPS, "default").items) == 3
    controllers.stop()


def test_successor_makes_nothing_twice(cluster: InProcessCluster, server: HookServer):
    first = Controllers(cluster, {"hooks.toys": server.url}, workers=2)
    first.start()
    wait_for(lambda: len(cluster.list(JOBS, "default").items) == 3)
    first.stop()
    second = Controllers(cluster, {"hooks.toys": server.url}, workers=2)
    calls = server.calls
    second.start()
    wait_for(lambda: server.calls >= calls + 3 and phases(cluster) == ["Ready"] * 3)
    wait_for(lambda: pod_owners(cluster) == ["a", "b", "c"])
    second.stop()
    writes = second.cluster.writes
    assert ("create jobs" in writes, "create configmaps" in writes) == (False, False)


def test_hook_that_comes_back_is_found(cluster: InProcessCluster, server: HookServer):
    server.fails = True
    controllers = Controllers(cluster, {"hooks.toys": server.url}, workers=2)
    controllers.start()
    wait_for(lambda: server.calls >= 6)
    assert phases(cluster) == ["", "", ""]
    server.fails = False
    wait_for(lambda: phases(cluster) == ["Ready"] * 3)
    controllers.stop()


def test_options_name_hooks():
    options = parse_options(
        ["--kubeconfig", "k", "--hook", "hooks.c8s-system=http://127.0.0.1:1", "--workers", "3"]
    )
    assert (options.services, options.workers) == ({"hooks.c8s-system": "http://127.0.0.1:1"}, 3)


@pytest.mark.parametrize("hook", ["hooks", "hooks=http://a", "a.b=ftp://c"])
def test_wrong_hook_option_is_refused(hook: str):
    with pytest.raises(SystemExit):
        parse_options(["--kubeconfig", "k", "--hook", hook])
