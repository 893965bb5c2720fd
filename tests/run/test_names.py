"""Names follow from what they name: stable, distinct, and short enough for Kubernetes."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from c8s.run.names import make_dns_safe, name_instances, name_job

DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")

names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True)
combinations = st.dictionaries(st.sampled_from(["os", "python"]), st.text(max_size=70), max_size=2)


def test_matrix_values_follow_the_step() -> None:
    values = {"python": "3.11", "os": "bookworm"}
    assert name_instances([("unit", values), ("lint", {})]) == ["unit-3-11-bookworm", "lint"]


def test_equal_names_are_told_apart() -> None:
    first, second = name_instances([("unit", {"v": "3.1"}), ("unit", {"v": "3-1"})])
    assert (first, second) == ("unit-3-1-a25e6902", "unit-3-1-827d1ba4")


def test_long_name_ends_in_a_hash() -> None:
    (name,) = name_instances([("u" * 60, {"os": "bookworm"})])
    assert len(name) == 63
    assert re.fullmatch(r"u{54}-[0-9a-f]{8}", name)


def test_job_name_is_stable() -> None:
    """A change would start every running step a second time."""
    uid = "11111111-1111-1111-1111-111111111111"
    assert name_job("app-1", uid, "unit") == "app-1-unit-a1cbce24"
    assert name_job("app-1", uid, "unit", attempt=2) != name_job("app-1", uid, "unit")


def test_only_dns_characters_remain() -> None:
    assert make_dns_safe("Feature/Größe_3.11--x-") == "feature-gr-e-3-11-x"


@given(st.lists(st.tuples(names, combinations), unique_by=repr, max_size=8))
def test_instance_names_are_distinct_labels(pairs: list[tuple[str, dict[str, str]]]) -> None:
    made = name_instances(pairs)
    assert len(set(made)) == len(pairs)
    assert all(DNS_LABEL.fullmatch(name) and len(name) <= 63 for name in made)


@given(names, names, st.integers(1, 99))
def test_job_name_leaves_room_for_the_pod(run: str, instance: str, attempt: int) -> None:
    name = name_job(run, "uid", instance, attempt)
    assert DNS_LABEL.fullmatch(name)
    assert len(name) <= 58
