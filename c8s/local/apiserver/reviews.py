"""Requests that ask instead of storing: who am I, is this token good, may they do this."""

from __future__ import annotations

from typing import Any

from c8s.local.apiserver.account_tokens import DEFAULT_AUDIENCE, AccountTokens
from c8s.local.apiserver.errors import bad_request
from c8s.local.apiserver.rbac import Attributes, Authorizer
from c8s.local.apiserver.tokens import TokenFile, User

Object = dict[str, Any]


class Reviews:
    """Answers the kinds of `authentication.k8s.io` and `authorization.k8s.io`."""

    def __init__(self, token_file: TokenFile, accounts: AccountTokens, authorizer: Authorizer) -> None:
        self._token_file = token_file
        self._accounts = accounts
        self._authorizer = authorizer

    def authenticate(self, token: str) -> User | None:
        """The user of a bearer token for this API, None for a token that isn't good."""
        known = self._token_file.find(token)
        if known is not None:
            return known
        account = self._accounts.verify(token)
        return account.user if account else None

    def answer(self, kind: str, body: Object, user: User, namespace: str = "") -> Object:
        """The review with its status. `namespace` is that of a LocalSubjectAccessReview's path."""
        spec = body.get("spec") or {}
        if not isinstance(spec, dict):
            raise bad_request("spec must be an object")
        if kind == "TokenReview":
            status = self._review_token(spec)
        elif kind == "SelfSubjectReview":
            status = {"userInfo": _user_info(user)}
        elif kind == "SelfSubjectRulesReview":
            status = self._rules(user, str(spec.get("namespace", "")))
        elif kind == "SelfSubjectAccessReview":
            status = self._access(user, spec)
        else:
            if namespace:
                spec = {
                    **spec,
                    "resourceAttributes": {**(spec.get("resourceAttributes") or {}), "namespace": namespace},
                }
            status = self._access(_asked_user(spec), spec)
        return {**body, "status": status}

    def _review_token(self, spec: Object) -> Object:
        token, audiences = str(spec.get("token") or ""), list(spec.get("audiences") or ())
        known = self._token_file.find(token)
        if known is not None and (not audiences or DEFAULT_AUDIENCE in audiences):
            return {"authenticated": True, "user": _user_info(known), "audiences": [DEFAULT_AUDIENCE]}
        account = self._accounts.verify(token, audiences)
        if account is None:
            return {"error": "invalid bearer token", "user": {}}
        return {"authenticated": True, "user": _user_info(account.user), "audiences": list(account.audiences)}

    def _access(self, user: User, spec: Object) -> Object:
        reason = self._authorizer.reason_to_allow(user, _asked(spec))
        return {"allowed": True, "reason": reason} if reason else {"allowed": False}

    def _rules(self, user: User, namespace: str) -> Object:
        grants = [grant for grant in self._authorizer.grants(user) if grant.namespace in ("", namespace)]
        rules = [rule for grant in grants for rule in grant.rules]
        if "system:masters" in user.groups:
            rules.append({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]})
            rules.append({"verbs": ["*"], "nonResourceURLs": ["*"]})
        return {
            "incomplete": False,
            "resourceRules": [rule for rule in rules if not rule.get("nonResourceURLs")],
            "nonResourceRules": [
                {key: rule[key] for key in ("verbs", "nonResourceURLs")}
                for rule in rules
                if rule.get("nonResourceURLs")
            ],
        }


def _user_info(user: User) -> Object:
    info: Object = {"username": user.name, "groups": list(user.groups)}
    if user.uid:
        info["uid"] = user.uid
    return {**info, "extra": {key: [value] for key, value in user.extra}} if user.extra else info


def _asked_user(spec: Object) -> User:
    if not spec.get("user") and not spec.get("groups"):
        raise bad_request("spec: at least one of user or groups must be specified")
    return User(str(spec.get("user") or ""), tuple(spec.get("groups") or ()))


def _asked(spec: Object) -> Attributes:
    resource, other = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if isinstance(resource, dict):
        return Attributes(
            verb=str(resource.get("verb", "")),
            group=str(resource.get("group", "")),
            resource=str(resource.get("resource", "")),
            subresource=str(resource.get("subresource", "")),
            namespace=str(resource.get("namespace", "")),
            name=str(resource.get("name", "")),
        )
    if isinstance(other, dict):
        return Attributes(verb=str(other.get("verb", "")), path=str(other.get("path", "")))
    raise bad_request("spec: exactly one of nonResourceAttributes or resourceAttributes must be specified")
