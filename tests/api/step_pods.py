"""A run, its Job and its pod in the cluster, and the token of that pod, as the broker meets them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from c8s.adapters.cluster import JOBS, PIPELINE_RUNS, PODS, Object
from c8s.run.labels import RUN_UID_LABEL, STEP_LABEL
from c8s.run.names import name_job
from tests.api.conftest import Site

REPOSITORY = "https://forge.example/web.git"


@dataclass
class StepPod:
    """What stands in the cluster; change it before `create`, to forge it."""

    site: Site
    run_name: str = "web-1"
    step: str = "test"
    sources: tuple[str, ...] = ()
    fork: bool = False
    token: str = "pod-token"
    namespace: str = "default"
    labels: dict[str, str] = field(default_factory=dict)
    job_name: str = ""
    job_owner: dict[str, Any] = field(default_factory=dict)
    pod_owner: dict[str, Any] = field(default_factory=dict)
    pod_command: list[str] = field(default_factory=list)
    user: dict[str, Any] = field(default_factory=dict)

    def create(self) -> StepPod:
        """Put run, Job and pod there."""
        self.run = self.site.cluster.create(PIPELINE_RUNS, self._run(), self.namespace)
        self.uid = self.run["metadata"]["uid"]
        self.job = self.site.cluster.create(JOBS, self._job(), self.namespace)
        self.pod = self.site.cluster.create(PODS, self._pod(), self.namespace)
        metadata = self.pod["metadata"]
        self.site.reviews.pod_tokens[self.token] = {
            "username": f"system:serviceaccount:{self.namespace}:default",
            "extra": {
                "authentication.kubernetes.io/pod-name": [metadata["name"]],
                "authentication.kubernetes.io/pod-uid": [metadata["uid"]],
            },
        } | self.user
        return self

    def ask(self, route: str, body: Any, *, method: str = "POST") -> tuple[int, Any]:
        """Status and answer of a route under `/api/v1/pod`."""
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = self.site.client.open(f"/api/v1/pod/{route}", method=method, json=body, headers=headers)
        return answer.status_code, answer.get_json(silent=True)

    def refusal(self, route: str, body: Any) -> tuple[int, str]:
        """Status and reason of a refusal; it also has a message and a hint."""
        status, answer = self.ask(route, body)
        assert answer["error"]["message"]
        assert answer["error"]["hint"]
        return status, answer["error"]["reason"]

    def _run(self) -> Object:
        spec: dict[str, Any] = {"repositoryConnectionRef": {"name": "web"}, "branch": "main"}
        if self.fork:
            spec |= {"event": "pullRequest", "pullRequest": {"number": 7, "base": "main", "fork": True}}
        return {
            "apiVersion": "c8s.dev/v1alpha1",
            "kind": "PipelineRun",
            "metadata": {"name": self.run_name, "namespace": self.namespace},
            "spec": spec,
        }

    def _job(self) -> Object:
        owner = {"apiVersion": "c8s.dev/v1alpha1", "kind": "PipelineRun", "controller": True}
        owner |= {"name": self.run_name, "uid": self.uid} | self.job_owner
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {
                "name": self.job_name or name_job(self.run_name, self.uid, self.step),
                "namespace": self.namespace,
                "labels": {STEP_LABEL: self.step, RUN_UID_LABEL: self.uid} | self.labels,
                "ownerReferences": [owner],
            },
            "spec": {"template": {"spec": self._pod_spec(self._restore_command())}},
        }

    def _pod(self) -> Object:
        owner = {"apiVersion": "batch/v1", "kind": "Job", "controller": True}
        owner |= {"name": self.job["metadata"]["name"], "uid": self.job["metadata"]["uid"]} | self.pod_owner
        name = f"{self.job['metadata']['name']}-abcde"
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": self.namespace, "ownerReferences": [owner]},
            "spec": self._pod_spec(self.pod_command or self._restore_command()),
        }

    def _restore_command(self) -> list[str]:
        words = [word for source in self.sources for word in ("--from", source)]
        return ["c8s-runner", "restore", *words]

    def _pod_spec(self, restore: list[str]) -> Object:
        return json.loads(  # type: ignore[no-any-return]
            json.dumps(
                {
                    "restartPolicy": "Never",
                    "initContainers": [{"name": "restore", "image": "runner", "command": restore}],
                    "containers": [
                        {
                            "name": "step",
                            "image": "busybox",
                            "command": ["/bin/sh"],
                            "env": [{"name": "C8S_REPOSITORY", "value": REPOSITORY}],
                        },
                        {"name": "save", "image": "runner", "command": ["c8s-runner", "save"]},
                    ],
                }
            )
        )
