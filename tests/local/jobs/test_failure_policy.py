from typing import Any

import pytest

from c8s.local.jobs.failure_policy import judge_failure


def pod(codes: dict[str, int], *conditions: str) -> dict[str, Any]:
    return {
        "metadata": {"name": "p", "namespace": "n"},
        "status": {
            "conditions": [{"type": name, "status": "True"} for name in conditions],
            "containerStatuses": [
                {"name": name, "state": {"terminated": {"exitCode": code}}} for name, code in codes.items()
            ],
        },
    }


def on_codes(action: str, operator: str, *values: int, container: str = "") -> dict[str, Any]:
    wanted = {"operator": operator, "values": list(values)}
    return {"action": action, "onExitCodes": wanted | ({"containerName": container} if container else {})}


@pytest.mark.parametrize(
    ("rules", "failed", "action"),
    [
        ([], pod({"step": 1}), "Count"),
        ([on_codes("FailJob", "In", 1, 2)], pod({"step": 2}), "FailJob"),
        ([on_codes("FailJob", "In", 1, 2)], pod({"step": 3}), "Count"),
        ([on_codes("FailJob", "NotIn", 1)], pod({"step": 3}), "FailJob"),
        ([on_codes("FailJob", "NotIn", 1)], pod({"step": 0}), "Count"),
        ([on_codes("Ignore", "In", 1, container="other")], pod({"step": 1, "other": 0}), "Count"),
        ([on_codes("Ignore", "In", 1), on_codes("FailJob", "In", 1)], pod({"step": 1}), "Ignore"),
        (
            [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}],
            pod({}, "DisruptionTarget"),
            "Ignore",
        ),
        (
            [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}],
            pod({"step": 1}),
            "Count",
        ),
    ],
)
def test_first_matching_rule_counts(rules: list[Any], failed: dict[str, Any], action: str):
    assert judge_failure({"spec": {"podFailurePolicy": {"rules": rules}}}, failed).action == action
