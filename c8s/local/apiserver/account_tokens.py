"""Tokens of service accounts: JSON Web Tokens this server signs (HS256) and alone can verify."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from c8s.local.apiserver.errors import ApiError, bad_request, conflict
from c8s.local.apiserver.store import Store
from c8s.local.apiserver.tokens import ACCOUNT_PREFIX, User, with_implied_groups

Object = dict[str, Any]

DEFAULT_AUDIENCE = "https://kubernetes.default.svc"
_DEFAULT_SECONDS = 3600
_LONGEST_SECONDS = 1 << 32
_SHORTEST_SECONDS = 600
_HEADER = {"alg": "HS256", "typ": "JWT"}


@dataclass(frozen=True, slots=True)
class VerifiedAccount:
    user: User
    audiences: tuple[str, ...]


class AccountTokens:
    """Issues and verifies. A token ends with its time, its account, or the pod it is bound to."""

    def __init__(self, store: Store, key: bytes) -> None:
        self._store = store
        self._key = key

    def issue(self, namespace: str, account: str, request: Object) -> Object:
        """The TokenRequest with its status. Raises a 404 without the account, a 400 for a bad request."""
        spec = request.get("spec") or {}
        seconds = spec.get("expirationSeconds") or _DEFAULT_SECONDS
        if not isinstance(seconds, int) or not _SHORTEST_SECONDS <= seconds <= _LONGEST_SECONDS:
            raise bad_request(f"spec.expirationSeconds: may not be less than {_SHORTEST_SECONDS} seconds")
        audiences = spec.get("audiences") or [DEFAULT_AUDIENCE]
        uid = self._uid("serviceaccounts", account, namespace)
        now = int(self._store.clock().timestamp())
        bound: Object = {"namespace": namespace, "serviceaccount": {"name": account, "uid": uid}}
        reference = spec.get("boundObjectRef") or {}
        if reference.get("kind") == "Pod":
            bound["pod"] = self._bind_pod(namespace, account, reference)
        claims = {
            "iss": DEFAULT_AUDIENCE,
            "sub": f"{ACCOUNT_PREFIX}{namespace}:{account}",
            "aud": audiences,
            "iat": now,
            "nbf": now,
            "exp": now + seconds,
            "kubernetes.io": bound,
        }
        expires = self._store.clock().fromtimestamp(now + seconds, self._store.clock().tzinfo)
        status = {"token": self._sign(claims), "expirationTimestamp": expires.strftime("%Y-%m-%dT%H:%M:%SZ")}
        spec = {**spec, "audiences": audiences, "expirationSeconds": seconds}
        metadata = {"name": account, "namespace": namespace}
        return {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "metadata": metadata,
            "spec": spec,
            "status": status,
        }

    def _bind_pod(self, namespace: str, account: str, reference: Object) -> Object:
        """The pod's part of the claims.

        Raises a 409 for another pod of that name, a 400 for another account's."""
        resource_type = self._store.registry.find("", "v1", "pods")
        assert resource_type is not None
        name = str(reference.get("name"))
        pod = self._store.get(resource_type, name, namespace).object
        uid, runs_as = pod["metadata"]["uid"], pod["spec"].get("serviceAccountName")
        if reference.get("uid") not in (None, "", uid):
            why = (
                f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record"
            )
            raise conflict(
                resource_type, name, f"{why} ({uid}). The object might have been deleted and then recreated"
            )
        if runs_as != account:
            message = f'cannot bind token for serviceaccount "{account}" to pod running with different'
            raise bad_request(f"{message} serviceaccount name.")
        return {"name": name, "uid": uid}

    def verify(self, token: str, audiences: Sequence[str] = ()) -> VerifiedAccount | None:
        """The account, or None when the token isn't ours, is over, or is for none of the audiences."""
        claims = self._read(token)
        if claims is None or not claims["nbf"] <= self._store.clock().timestamp() < claims["exp"]:
            return None
        shared = [audience for audience in claims["aud"] if audience in (audiences or (DEFAULT_AUDIENCE,))]
        bound = claims["kubernetes.io"]
        checks = [("serviceaccounts", bound["serviceaccount"])]
        checks += [("pods", bound["pod"])] if "pod" in bound else []
        alive = all(self._is_alive(plural, item, bound["namespace"]) for plural, item in checks)
        if not shared or not alive:
            return None
        user = with_implied_groups(claims["sub"], (), bound["serviceaccount"]["uid"])
        return VerifiedAccount(replace(user, extra=_extra_of(bound)), tuple(shared))

    def _is_alive(self, plural: str, item: Object, namespace: str) -> bool:
        try:
            return bool(self._uid(plural, item["name"], namespace) == item["uid"])
        except ApiError:
            return False

    def _uid(self, plural: str, name: str, namespace: str) -> str:
        resource_type = self._store.registry.find("", "v1", plural)
        assert resource_type is not None
        return str(self._store.get(resource_type, name, namespace).object["metadata"]["uid"])

    def _sign(self, claims: Object) -> str:
        text = f"{_encode(orjson.dumps(_HEADER))}.{_encode(orjson.dumps(claims))}"
        return f"{text}.{_encode(self._signature(text))}"

    def _signature(self, text: str) -> bytes:
        return hmac.new(self._key, text.encode(), hashlib.sha256).digest()

    def _read(self, token: str) -> Object | None:
        text, _, signature = token.rpartition(".")
        if not text or not hmac.compare_digest(_encode(self._signature(text)), signature):
            return None
        try:
            claims: Object = orjson.loads(base64.urlsafe_b64decode(text.partition(".")[2] + "=="))
        except (ValueError, binascii.Error):
            return None
        return claims


def _extra_of(bound: Object) -> tuple[tuple[str, str], ...]:
    """What `status.user.extra` says of a token's pod (k8s.io/apiserver, serviceaccount/util.go)."""
    prefix, pod = "authentication.kubernetes.io", bound.get("pod")
    return ((f"{prefix}/pod-name", pod["name"]), (f"{prefix}/pod-uid", pod["uid"])) if pod else ()


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
