"""What a failed pod means to its Job: the first rule of `podFailurePolicy` that fits.

Source: Kubernetes pkg/controller/job/pod_failure_policy.go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from c8s.adapters.cluster import Object
from c8s.local.jobs.pod_views import exit_codes, has_condition

Action = Literal["Count", "Ignore", "FailJob"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`message` says why a FailJob rule fits."""

    action: Action
    message: str = ""


def judge_failure(job: Object, pod: Object) -> Verdict:
    """Counts against the back-off limit unless a rule says otherwise.

    FailIndex is the same as Count: Jobs here have no indexes.
    """
    rules = (job["spec"].get("podFailurePolicy") or {}).get("rules") or []
    name = f"{pod['metadata'].get('namespace', '')}/{pod['metadata']['name']}"
    for index, rule in enumerate(rules):
        reason = _match_exit_codes(rule, pod, name) or _match_conditions(rule, pod, name)
        if reason and rule["action"] == "FailJob":
            return Verdict("FailJob", f"{reason} matching FailJob rule at index {index}")
        if reason:
            return Verdict("Ignore" if rule["action"] == "Ignore" else "Count")
    return Verdict("Count")


def _match_exit_codes(rule: Object, pod: Object, name: str) -> str:
    """Why the rule fits, or ""."""
    wanted = rule.get("onExitCodes")
    if not wanted:
        return ""
    for code in exit_codes(pod, wanted.get("containerName") or ""):
        # A container that succeeded never fits, not even NotIn.
        if code != 0 and (code in wanted["values"]) == (wanted["operator"] == "In"):
            container = (
                f"Container {wanted['containerName']}" if wanted.get("containerName") else "A container"
            )
            return f"{container} for pod {name} failed with exit code {code}"
    return ""


def _match_conditions(rule: Object, pod: Object, name: str) -> str:
    for wanted in rule.get("onPodConditions") or []:
        if has_condition(pod, wanted["type"], wanted.get("status") or "True"):
            return f"Pod {name} has condition {wanted['type']}"
    return ""
