"""Who is asking, and may they? Kubernetes answers both: TokenReview and SubjectAccessReview.

A failed or unreachable review is a no. A yes is remembered for at most ten seconds: a live page does not ask
anew for every request, and a withdrawn right ends soon. A no is never remembered.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from c8s.adapters.cluster import (
    PIPELINE_RUNS,
    SUBJECT_ACCESS_REVIEWS,
    TOKEN_REVIEWS,
    Cluster,
    ClusterError,
    Object,
)
from c8s.web.errors import Busy, NotAllowed, Unauthenticated

MAX_CACHE_SECONDS = 10.0
MAX_CACHE_ENTRIES = 10_000
MAX_TOKEN_CHARACTERS = 16_384

_LOGIN_HINT = "send `Authorization: Bearer TOKEN`; `kubectl create token NAME` makes one"

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class User:
    """Who a token belongs to, as the cluster's TokenReview says."""

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Access:
    """What someone wants to do, in the words of RBAC. An empty namespace means all of them."""

    verb: str
    resource: str
    namespace: str
    name: str = ""
    subresource: str = ""
    group: str = PIPELINE_RUNS.group

    def __str__(self) -> str:
        resource = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        where = f"namespace {self.namespace}" if self.namespace else "all namespaces"
        return f"{self.verb} {resource}.{self.group} in {where}"


@dataclass(frozen=True, slots=True)
class PathAccess:
    """The wish to do something to an address that is no resource, in the words of RBAC."""

    verb: str
    path: str

    def __str__(self) -> str:
        return f"{self.verb} {self.path}"


class Authorizer:
    """Turns a bearer token into a `User` and holds that user's wishes against the cluster's RBAC."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        cache_seconds: float = MAX_CACHE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        seconds = min(cache_seconds, MAX_CACHE_SECONDS)
        self._cluster = cluster
        self._users: _ShortMemory[User] = _ShortMemory(seconds, clock)
        self._permissions: _ShortMemory[bool] = _ShortMemory(seconds, clock)

    def authorize(self, token: str, access: Access | PathAccess) -> User:
        """The user, who may do `access`. Raises `Unauthenticated`, `NotAllowed`, or `Busy`."""
        user = self.authenticate(token)
        if not self.is_allowed(user, access):
            raise NotAllowed(
                f"this needs the right to {access}, which {user.name} does not have",
                hint="ask an administrator of the cluster for a Role that allows it",
            )
        return user

    def authenticate(self, token: str) -> User:
        """Whose token it is. Raises `Unauthenticated`, or `Busy` when the cluster does not answer."""
        if not token:
            raise Unauthenticated("this needs a token", hint=_LOGIN_HINT)
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise Unauthenticated("the token is too long to be one", hint=_LOGIN_HINT)
        key = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        user = self._users.recall(key)
        if user is None:
            user = _observe_user(self._review(TOKEN_REVIEWS, _build_token_review(token)))
            self._users.remember(key, user)
        return user

    def is_allowed(self, user: User, access: Access | PathAccess) -> bool:
        """Whether RBAC lets `user` do `access`. Raises `Busy` when the cluster does not answer."""
        if self._permissions.recall((user, access)):
            return True
        review = self._review(SUBJECT_ACCESS_REVIEWS, _build_access_review(user, access))
        status = review.get("status") or {}
        # A webhook authorizer may say both: denied wins.
        allowed = status.get("allowed") is True and status.get("denied") is not True
        if allowed:
            self._permissions.remember((user, access), True)
        return allowed

    def _review(self, resource: Any, body: Object) -> Object:
        try:
            return self._cluster.create(resource, body)
        except ClusterError as error:
            raise Busy(
                "the cluster can't say now who may do this",
                reason="ReviewFailed",
                hint="try again in a moment",
            ) from error


def parse_bearer_token(header: str | None) -> str:
    """The token of an `Authorization` header, or "" when there is none (RFC 6750, section 2.1)."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _build_token_review(token: str) -> Object:
    return {
        "apiVersion": TOKEN_REVIEWS.api_version,
        "kind": TOKEN_REVIEWS.kind,
        "spec": {"token": token},
    }


def _build_access_review(user: User, access: Access | PathAccess) -> Object:
    return {
        "apiVersion": SUBJECT_ACCESS_REVIEWS.api_version,
        "kind": SUBJECT_ACCESS_REVIEWS.kind,
        "spec": {
            "user": user.name,
            "uid": user.uid,
            "groups": list(user.groups),
            **_format_access(access),
        },
    }


def _format_access(access: Access | PathAccess) -> Object:
    if isinstance(access, PathAccess):
        return {"nonResourceAttributes": {"verb": access.verb, "path": access.path}}
    return {
        "resourceAttributes": {
            "verb": access.verb,
            "group": access.group,
            "resource": access.resource,
            "subresource": access.subresource,
            "namespace": access.namespace,
            "name": access.name,
        }
    }


def _observe_user(review: Object) -> User:
    status = review.get("status") or {}
    user = status.get("user") or {}
    if status.get("authenticated") is not True or not user.get("username"):
        raise Unauthenticated("the token is not valid (any more)", hint=_LOGIN_HINT)
    return User(user["username"], user.get("uid") or "", tuple(user.get("groups") or ()))


class _ShortMemory(Generic[Value]):
    """Values by key that are forgotten after some seconds, and the oldest first when there are too many."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, tuple[float, Value]] = OrderedDict()

    def recall(self, key: Hashable) -> Value | None:
        with self._lock:
            expiry, value = self._entries.get(key, (0.0, None))
            return value if self._clock() < expiry else None

    def remember(self, key: Hashable, value: Value) -> None:
        with self._lock:
            self._entries[key] = (self._clock() + self._seconds, value)
            self._entries.move_to_end(key)
            if len(self._entries) > MAX_CACHE_ENTRIES:
                self._entries.popitem(last=False)
