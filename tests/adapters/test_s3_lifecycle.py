"""A bucket's rules for deleting old objects: ours are set and checked, others' stay."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from c8s.adapters.s3_lifecycle import Rule, apply_lifecycle, build_rules

DAYS = {"logs/": 30, "records/": 90}
OTHERS_RULE = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "x/"}, "Expiration": {"Days": 1}}


class BucketWithRules:
    """The two calls of the SDK's client, over rules in memory."""

    def __init__(self, rules: list[Rule] | None = None, status: int = 200, *, forgets: bool = False) -> None:
        self.rules = rules
        self.writes = 0
        self._status = status
        self._forgets = forgets

    def get_bucket_lifecycle_configuration(self, Bucket: str) -> dict[str, Any]:
        if self.rules is None:
            raise failure("NoSuchLifecycleConfiguration", 404)
        return {"Rules": [{**rule, "Added": "by the store"} for rule in self.rules]}

    def put_bucket_lifecycle_configuration(self, Bucket: str, LifecycleConfiguration: dict[str, Any]) -> None:
        if self._status != 200:
            raise failure("No", self._status)
        self.writes += 1
        if not self._forgets:
            self.rules = LifecycleConfiguration["Rules"]


def failure(code: str, status: int) -> ClientError:
    return ClientError(
        {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "operation",
    )


def test_rules_are_set_where_none_were() -> None:
    bucket = BucketWithRules()
    assert apply_lifecycle(bucket, "c8s", DAYS)
    assert bucket.rules == build_rules(DAYS)


def test_rules_that_are_right_are_not_written() -> None:
    bucket = BucketWithRules(build_rules(DAYS))
    assert apply_lifecycle(bucket, "c8s", DAYS)
    assert bucket.writes == 0


def test_wrong_rules_are_replaced_and_others_kept() -> None:
    bucket = BucketWithRules([OTHERS_RULE, *build_rules({"logs/": 3, "old/": 1})])
    assert apply_lifecycle(bucket, "c8s", DAYS)
    assert [rule["ID"] for rule in bucket.rules or ()] == ["theirs", "c8s-logs", "c8s-records"]
    assert bucket.writes == 1


@pytest.mark.parametrize("status", [403, 405, 409, 501])
def test_store_that_cannot_says_so(status: int) -> None:
    assert not apply_lifecycle(BucketWithRules(status=status), "c8s", DAYS)


def test_store_that_forgets_is_not_trusted() -> None:
    assert not apply_lifecycle(BucketWithRules(forgets=True), "c8s", DAYS)


def test_failure_of_the_store_is_told() -> None:
    with pytest.raises(ClientError):
        apply_lifecycle(BucketWithRules(status=503), "c8s", DAYS)
