"""How often c8s and Metacontroller wrote to the cluster, from what the local cluster's parts counted."""

from __future__ import annotations

import json
import ssl
import urllib.request
from collections import Counter

from c8s.local.state import StatePaths

OF_METACONTROLLER = frozenset(
    {"create jobs", "delete jobs", "replace pipelineruns", "replace pipelineruns/status", "create events"}
)
"""The controllers' process also counts what Kubernetes' own Job controller writes: that is left out."""


OF_LOG_BUFFER = "system:serviceaccount:c8s-system:logbuffer"
WRITING_VERBS = frozenset({"create", "update", "patch", "delete"})


def log_buffer_writes(paths: StatePaths) -> Counter[str]:
    """While the cluster runs: the API server counts what each user asks."""
    reached = json.loads((paths.root / "apiserver.json").read_text(encoding="utf-8"))
    request = urllib.request.Request(
        f"{reached['url']}/debug/verbs-used", headers={"Authorization": f"Bearer {reached['adminToken']}"}
    )
    trusted = ssl.create_default_context(cafile=reached["ca"])
    counts: Counter[str] = Counter()
    with urllib.request.urlopen(request, timeout=10, context=trusted) as response:
        for use in json.load(response):
            if (
                use["user"] == OF_LOG_BUFFER
                and use["verb"] in WRITING_VERBS
                and "reviews" not in use["resource"]
            ):
                counts[f"{use['verb']} {use['resource']}"] += use["count"]
    return counts


def metacontroller_writes(paths: StatePaths) -> Counter[str]:
    """After the cluster's end: its controllers log their counts when they stop."""
    counts: Counter[str] = Counter()
    for line in (paths.service_logs / "controllers.log").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line) if line.startswith("{") else {}
        if entry.get("event") == "calls counted":
            pairs = (pair.rpartition(": ") for pair in entry["counts"].split(", "))
            counts = Counter({call: int(count) for call, _, count in pairs if call in OF_METACONTROLLER})
    return counts
