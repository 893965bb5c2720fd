from __future__ import annotations

from dataclasses import replace

import pytest

from c8s.local.apiserver.in_process import new_cluster
from c8s.web.authorization import Access, Authorizer, User, parse_bearer_token
from c8s.web.errors import Busy, NotAllowed, Unauthenticated
from tests.web.reviewing_cluster import ReviewingCluster

LIST = Access("list", "pipelineruns", "team")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def cluster() -> ReviewingCluster:
    def rule(user: str, attributes: dict[str, str]) -> bool:
        return user == "ada" and attributes["namespace"] == "team"

    return ReviewingCluster(new_cluster(), {"token-a": "ada", "token-b": "bob"}, rule)  # type: ignore[arg-type]


def test_allowed_user_is_returned(cluster: ReviewingCluster) -> None:
    assert Authorizer(cluster).authorize("token-a", LIST) == User("ada", "", ("people",))


@pytest.mark.parametrize("token", ["", "unknown", "x" * 20_000])
def test_bad_token_is_unauthenticated(cluster: ReviewingCluster, token: str) -> None:
    with pytest.raises(Unauthenticated):
        Authorizer(cluster).authorize(token, LIST)


@pytest.mark.parametrize(
    ("token", "access"),
    [
        ("token-b", LIST),
        ("token-a", replace(LIST, namespace="other")),
        ("token-a", replace(LIST, namespace="")),
    ],
)
def test_everything_else_is_forbidden(cluster: ReviewingCluster, token: str, access: Access) -> None:
    with pytest.raises(NotAllowed, match="this needs the right to list"):
        Authorizer(cluster).authorize(token, access)


def test_unreachable_review_is_a_no(cluster: ReviewingCluster) -> None:
    cluster.is_reachable = False

    with pytest.raises(Busy):
        Authorizer(cluster).authorize("token-a", LIST)


def test_yes_is_remembered_for_ten_seconds(cluster: ReviewingCluster) -> None:
    clock = Clock()
    authorizer = Authorizer(cluster, cache_seconds=3600, clock=clock)
    authorizer.authorize("token-a", LIST)
    clock.now = 9.9
    authorizer.authorize("token-a", LIST)
    assert cluster.reviews == ["TokenReview", "SubjectAccessReview"]

    cluster.rule = lambda user, attributes: False
    clock.now = 10.1
    with pytest.raises(NotAllowed):
        authorizer.authorize("token-a", LIST)


def test_no_is_never_remembered(cluster: ReviewingCluster) -> None:
    authorizer = Authorizer(cluster, clock=Clock())
    with pytest.raises(Unauthenticated):
        authorizer.authorize("token-new", LIST)

    cluster.users["token-new"] = "ada"

    assert authorizer.authorize("token-new", LIST).name == "ada"


def test_remembered_permission_is_for_that_access_only(cluster: ReviewingCluster) -> None:
    authorizer = Authorizer(cluster, clock=Clock())
    authorizer.authorize("token-a", LIST)
    cluster.rule = lambda user, attributes: False

    for other in (replace(LIST, verb="get"), replace(LIST, subresource="log"), replace(LIST, name="run")):
        with pytest.raises(NotAllowed):
            authorizer.authorize("token-a", other)


@pytest.mark.parametrize(
    ("header", "token"),
    [("Bearer abc", "abc"), ("bearer  abc ", "abc"), ("Basic abc", ""), ("abc", ""), (None, ""), ("", "")],
)
def test_bearer_token_is_read(header: str | None, token: str) -> None:
    assert parse_bearer_token(header) == token
