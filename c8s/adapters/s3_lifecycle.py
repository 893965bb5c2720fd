"""Rules by which a bucket deletes old objects itself.

A bucket has one list of rules, written as a whole: others' rules are kept. Stores without lifecycles answer
in many ways: 501, 405, or, where the request is taken for another one, 409 (rclone).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

OWN_IDS = "c8s-"
_NONE_YET = "NoSuchLifecycleConfiguration"
_NOT_POSSIBLE = frozenset({400, 403, 404, 405, 409, 501})

Rule = dict[str, Any]


def apply_lifecycle(client: Any, bucket: str, days_by_prefix: Mapping[str, int]) -> bool:
    """Whether the bucket has these rules now, read back. False where the store, or our keys, can't set them.

    Raises the SDK's errors of a store that does not answer.
    """
    wanted = build_rules(days_by_prefix)
    try:
        present = _fetch_rules(client, bucket)
        if has_rules(present, wanted):
            return True
        rules = [*(rule for rule in present if not _is_own(rule)), *wanted]
        client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
        return has_rules(_fetch_rules(client, bucket), wanted)
    except ClientError as error:
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in _NOT_POSSIBLE:
            return False
        raise


def build_rules(days_by_prefix: Mapping[str, int]) -> list[Rule]:
    """One rule for each prefix."""
    return [
        {
            "ID": OWN_IDS + prefix.strip("/"),
            "Status": "Enabled",
            "Filter": {"Prefix": prefix},
            "Expiration": {"Days": days},
        }
        for prefix, days in sorted(days_by_prefix.items())
    ]


def has_rules(present: Iterable[Rule], wanted: Iterable[Rule]) -> bool:
    """Whether our rules are there as wanted, and none of an earlier version besides."""
    return sorted(map(_essence, filter(_is_own, present))) == sorted(map(_essence, wanted))


def _fetch_rules(client: Any, bucket: str) -> list[Rule]:
    try:
        rules: list[Rule] = client.get_bucket_lifecycle_configuration(Bucket=bucket).get("Rules", [])
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == _NONE_YET:
            return []
        raise
    return rules


def _is_own(rule: Rule) -> bool:
    return str(rule.get("ID", "")).startswith(OWN_IDS)


def _essence(rule: Rule) -> tuple[str, str, str, int]:
    """What matters of a rule: stores add fields of their own."""
    prefix = (rule.get("Filter") or {}).get("Prefix", rule.get("Prefix", ""))
    days = (rule.get("Expiration") or {}).get("Days", 0)
    return str(rule.get("ID", "")), str(rule.get("Status", "")), str(prefix), int(days)
