"""`python -m c8s.local.node`: the node agent as a process."""

from __future__ import annotations

import argparse
import logging
import resource
import signal
import socket
import sys
import threading
from pathlib import Path

import uvicorn

from c8s.adapters.cluster import Cluster, ClusterError
from c8s.adapters.kubernetes_cluster import KubernetesCluster
from c8s.local.node.agent import NodeAgent
from c8s.local.node.context import NodeContext, new_event_recorder
from c8s.local.node.directory_watch import DirectoryWatch
from c8s.local.node.images import Images
from c8s.local.node.log_server import create_log_server
from c8s.local.node.registration import build_node, measure_machine, register_node
from c8s.local.node.runners.choice import RUNNER_NAMES, NoRunner, choose_runner, make_process_runner
from c8s.local.node.runners.runner import describe_isolation
from c8s.local.node.shims import ShimHost
from c8s.local.node.tokens import TokenRequests
from c8s.web.logs import configure_logs, log_event

log = logging.getLogger(__name__)

WANTED_OPEN_FILES = 8192
API_RETRY_SECONDS = 0.2
OPEN_FOLLOWS_AT_END_SECONDS = 1
BACKLOG = 1024


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m c8s.local.node", description="Runs pods on this machine."
    )
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--state-dir", type=Path, required=True, help="pods' files lie in pods/ in it")
    parser.add_argument("--runner", choices=RUNNER_NAMES, default="auto")
    parser.add_argument("--runner-image", default="c8s:local", help="image that means: c8s's own commands")
    parser.add_argument("--max-pods", type=int, default=110)
    parser.add_argument("--node-name", default="local")
    parser.add_argument("--log-port", type=int, default=0, help="where logs are served; 0 for any free port")
    parser.add_argument(
        "--on-exit", choices=("kill", "leave"), default="leave", help="what becomes of running containers"
    )
    return parser.parse_args(arguments)


def main() -> int:
    configure_logs("info")
    options = parse_arguments()
    allow_open_files()
    try:
        context = build_context(options, KubernetesCluster.from_kubeconfig(options.kubeconfig))
    except NoRunner as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"runner {describe_isolation(context.runner)}", flush=True)
    return serve(options, context)


def build_context(options: argparse.Namespace, cluster: Cluster) -> NodeContext:
    """Everything the agent needs; nothing runs yet. Raises NoRunner."""
    process = make_process_runner()
    runner = choose_runner(options.runner, process)
    options.state_dir.mkdir(parents=True, exist_ok=True)
    state_dir = options.state_dir.resolve()
    return NodeContext(
        cluster=cluster,
        node_name=options.node_name,
        state_dir=state_dir,
        runner=runner,
        own_runner=process,
        runner_image=options.runner_image,
        shims=ShimHost(state_dir / "shims.log"),
        images=Images(runner),
        events=new_event_recorder(cluster, "kubelet"),
        tokens=TokenRequests(cluster),
        watch=DirectoryWatch(),
    )


def serve(options: argparse.Namespace, context: NodeContext) -> int:
    """Runs until SIGTERM or SIGINT."""
    listener = socket.create_server(("127.0.0.1", options.log_port), backlog=BACKLOG)
    capacity = measure_machine(options.max_pods)
    isolation = describe_isolation(context.runner)
    node = build_node(context.node_name, capacity, listener.getsockname()[1], isolation)
    agent = NodeAgent(context, node, capacity)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    context.watch.start()
    if register_until_done(context.cluster, node, stopping):
        agent.start()
        server = start_log_server(context, agent, listener)
        stopping.wait()
        server.should_exit = True
        agent.stop(kill=options.on_exit == "kill")
    return 0


def start_log_server(context: NodeContext, agent: NodeAgent, listener: socket.socket) -> uvicorn.Server:
    """Serves logs from a thread of its own."""
    settings = uvicorn.Config(
        create_log_server(context, agent.find_pod),
        lifespan="off",
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=OPEN_FOLLOWS_AT_END_SECONDS,
    )
    server = uvicorn.Server(settings)
    threading.Thread(target=server.run, args=([listener],), name="logs", daemon=True).start()
    return server


def register_until_done(cluster: Cluster, node: dict[str, object], stopping: threading.Event) -> bool:
    """Tries until the API takes the Node; False when told to stop before."""
    while not stopping.is_set():
        try:
            register_node(cluster, node)
        except ClusterError as error:
            log_event(log, "node not registered", error=error)
            stopping.wait(API_RETRY_SECONDS)
        else:
            return True
    return False


def allow_open_files() -> None:
    """Every followed log takes descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < WANTED_OPEN_FILES:
        wanted = WANTED_OPEN_FILES if hard == resource.RLIM_INFINITY else min(WANTED_OPEN_FILES, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    sys.exit(main())
