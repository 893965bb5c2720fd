"""A rerun keeps to what the administrators of the repository allow today, not to what they once allowed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hooks.test_resolve import make_connection, read_frozen, read_problem, resolve
from tests.hooks.test_resolve_reruns import FROZEN, make_old, rerun

OLD_SOURCE = {
    **FROZEN["source"],
    "authSecretRef": {"name": "git-of-everybody"},
    "allowedHosts": ["forge.internal", "registry.internal"],
}


def repeat_source(**connection: Any) -> dict[str, Any]:
    """The source of the run that repeats one with `OLD_SOURCE`."""
    old = make_old({**FROZEN, "source": OLD_SOURCE})
    source: dict[str, Any] = read_frozen(resolve(rerun(old, make_connection(**connection))))["source"]
    return source


@pytest.mark.parametrize(
    ("allow", "hosts"),
    [
        ({}, ["forge.internal"]),
        ({"hosts": ["registry.internal"]}, ["forge.internal", "registry.internal"]),
        ({"hosts": ["other.internal"]}, ["forge.internal"]),
    ],
)
def test_host_that_is_not_allowed_any_more_stays_out(allow: dict[str, Any], hosts: list[str]) -> None:
    assert repeat_source(allow=allow)["allowedHosts"] == hosts


def test_credentials_are_those_of_today() -> None:
    assert "authSecretRef" not in repeat_source()
    assert repeat_source(authSecretRef={"name": "git-app"})["authSecretRef"] == {"name": "git-app"}


def test_connection_of_another_repository_repeats_nothing() -> None:
    connection = make_connection(repository="https://forge.example.org/team/other.git")
    answer = resolve(rerun(make_old({**FROZEN, "source": OLD_SOURCE}), connection))
    assert read_problem(answer)["reason"] == "RerunUntrusted"
