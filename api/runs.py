"""Runs as the API knows them: from the cluster, and from their record when the object is gone."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from c8s.adapters.cluster import PIPELINE_RUNS, Cluster, ClusterError, NotFound, Object
from c8s.adapters.object_store import KeyNotFound, ObjectStore, StoreError
from c8s.logs.layout import LayoutError, record_key
from c8s.run.labels import ARCHIVED
from c8s.run.log_names import observe_log_names, parse_log_name
from c8s.run.times import format_time
from c8s.web.cluster_problems import problem_from_cluster
from c8s.web.errors import Busy, Missing
from c8s.web.new_runs import PIPELINE_LABEL, build_run, name_pipeline

# Before the name of a cluster's user, so that none can look like a forge's `github:583231:octocat`.
KUBERNETES_USER = "kubernetes:"
PHASES = ("Pending", "Running", "Succeeded", "Failed", "Cancelled")
TERMINAL_PHASES = frozenset({"Succeeded", "Failed", "Cancelled"})

# An object in the cluster has at most some 1.5 MB; the list of its logs comes on top.
MAX_RECORD_BYTES = 8 * 1024 * 1024

_RECORD = "isRecord"
_GONE_HINT = "it may have been deleted; a link with its uid still finds the record for 90 days"


class Runs:
    """Reads and changes PipelineRuns. Permission is checked before, by whoever calls."""

    def __init__(self, cluster: Cluster, store: ObjectStore) -> None:
        self._cluster = cluster
        self._store = store

    def list(self, namespace: str, *, pipeline: str = "", phase: str = "") -> tuple[Object, ...]:
        """The runs of a namespace, newest first."""
        selector = f"{PIPELINE_LABEL}={pipeline}" if pipeline else ""
        try:
            found = self._cluster.list(PIPELINE_RUNS, namespace, label_selector=selector).items
        except ClusterError as error:
            raise problem_from_cluster(error, f"the list of runs in {namespace}") from error
        runs = [run for run in found if phase in ("", observe_phase(run))]
        return tuple(sorted(runs, key=_age_key, reverse=True))

    def get(self, namespace: str, name: str, uid: str = "") -> Object:
        """The run of this name; with `uid` that very one, from its record if its object is gone."""
        what = f"run {namespace}/{name}"
        try:
            run = self._cluster.get(PIPELINE_RUNS, name, namespace)
        except NotFound:
            run = {}
        except ClusterError as error:
            raise problem_from_cluster(error, what) from error
        if run and uid in ("", run["metadata"]["uid"]):
            return run
        if not uid:
            raise Missing(f"{what} does not exist", hint=_GONE_HINT)
        return self._read_record(namespace, name, uid)

    def create(self, namespace: str, name: str, spec: Mapping[str, Any], user: str, now: datetime) -> Object:
        """Create a run with this spec, triggered by `user`; without a name one is made."""
        chosen = name or f"{name_pipeline(spec)}-{secrets.token_hex(5)}"
        body = build_run(
            chosen,
            namespace,
            {**spec, "triggeredBy": f"{KUBERNETES_USER}{user}", "triggeredAt": format_time(now)},
        )
        try:
            return self._cluster.create(PIPELINE_RUNS, body, namespace)
        except ClusterError as error:
            raise problem_from_cluster(error, f"run {namespace}/{chosen}") from error

    def cancel(self, namespace: str, name: str) -> Object:
        """Ask for the run's end. A run that has ended stays as it is."""
        try:
            return self._cluster.patch(PIPELINE_RUNS, name, {"spec": {"cancel": True}}, namespace)
        except ClusterError as error:
            raise problem_from_cluster(error, f"run {namespace}/{name}") from error

    def add_approval(self, run: Object, approval: Mapping[str, Any]) -> Object:
        """Add to the approvals of `run` as it was read. Raises `Clash` where it was changed since."""
        metadata, approvals = run["metadata"], [*(run["spec"].get("approvals") or []), approval]
        patch = {
            "metadata": {"resourceVersion": metadata["resourceVersion"]},
            "spec": {"approvals": approvals},
        }
        namespace, name = metadata["namespace"], metadata["name"]
        try:
            return self._cluster.patch(PIPELINE_RUNS, name, patch, namespace)
        except ClusterError as error:
            raise problem_from_cluster(error, f"run {namespace}/{name}") from error

    def _read_record(self, namespace: str, name: str, uid: str) -> Object:
        missing = Missing(f"run {namespace}/{name} with uid {uid[:40]} does not exist", hint=_GONE_HINT)
        try:
            record = orjson.loads(
                b"".join(self._store.get(record_key(namespace, uid), length=MAX_RECORD_BYTES))
            )
        except (KeyNotFound, LayoutError, orjson.JSONDecodeError) as error:
            raise missing from error
        except StoreError as error:
            raise Busy("the archive can't be read now", hint=error.hint) from error
        run: Object = record.get("run") or {}
        # The name was authorised, so it has to be this run's.
        if run.get("metadata", {}).get("name") != name:
            raise missing
        # Whatever the object said when it was written: nothing of this run is live any more.
        run["metadata"]["labels"] = {**(run["metadata"].get("labels") or {}), ARCHIVED: "true"}
        return {**run, _RECORD: True}


def observe_run(run: Object) -> dict[str, Any]:
    """A run as the API answers it."""
    metadata = run["metadata"]
    return {
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "createdAt": metadata.get("creationTimestamp", ""),
        "spec": run.get("spec") or {},
        "status": run.get("status") or {},
    }


def observe_phase(run: Object) -> str:
    """The run's phase; Pending before the first status."""
    phase: str = (run.get("status") or {}).get("phase") or "Pending"
    return phase


def is_gone(run: Object) -> bool:
    """Whether only the run's record is left: nothing can be done with it any more."""
    return run.get(_RECORD) is True


def find_step(run: Object, log_name: str) -> dict[str, Any] | None:
    """The status of the step instance that has or had a log of this name."""
    instance, _ = parse_log_name(log_name)
    steps = (run.get("status") or {}).get("steps") or []
    found = next((step for step in steps if step.get("name") == instance), None)
    return found if found and log_name in observe_log_names(found) else None


def _age_key(run: Object) -> tuple[str, str]:
    return run["metadata"].get("creationTimestamp", ""), run["metadata"]["name"]
