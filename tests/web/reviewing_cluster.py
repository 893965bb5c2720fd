"""A cluster that also answers reviews: tokens by a table, permissions by a rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from c8s.adapters.cluster import SUBJECT_ACCESS_REVIEWS, TOKEN_REVIEWS, Cluster, Object, Resource, Unavailable

Rule = Callable[[str, Mapping[str, Any]], bool]
"""User name and the attributes of the resource or the address → allowed."""


class ReviewingCluster:
    """Passes everything on to `cluster`, but for TokenReviews and SubjectAccessReviews."""

    def __init__(self, cluster: Cluster, users: Mapping[str, str], rule: Rule) -> None:
        self._cluster = cluster
        self.users = dict(users)
        self.rule = rule
        self.pod_tokens: dict[str, Mapping[str, Any]] = {}
        """Tokens for the audience `c8s`, and the user that a review of them tells."""
        self.reviews: list[str] = []
        self.is_reachable = True

    def create(self, resource: Resource, body: Object, namespace: str = "") -> Object:
        if resource not in (TOKEN_REVIEWS, SUBJECT_ACCESS_REVIEWS):
            return self._cluster.create(resource, body, namespace)
        if not self.is_reachable:
            raise Unavailable("no connection")
        self.reviews.append(resource.kind)
        spec = body["spec"]
        if resource == TOKEN_REVIEWS:
            return {**body, "status": self._review_token(spec["token"], spec.get("audiences"))}
        attributes = spec.get("resourceAttributes") or {"namespace": "", **spec["nonResourceAttributes"]}
        return {**body, "status": {"allowed": self.rule(spec["user"], attributes)}}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)

    def _review_token(self, token: str, audiences: list[str] | None) -> Object:
        if audiences:
            user = self.pod_tokens.get(token)
            is_good = user is not None and "c8s" in audiences
            return {"authenticated": True, "user": user, "audiences": ["c8s"]} if is_good else {}
        if token not in self.users:
            return {"authenticated": False, "user": {}}
        return {"authenticated": True, "user": {"username": self.users[token], "groups": ["people"]}}
