"""The HTTP side: who asks, may they, and which room answers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from c8s.local.apiserver import discovery
from c8s.local.apiserver.account_tokens import AccountTokens
from c8s.local.apiserver.audit import UsedVerbs
from c8s.local.apiserver.bodies import read_bounded
from c8s.local.apiserver.errors import ApiError, forbidden, method_not_allowed, no_such_path, unauthorized
from c8s.local.apiserver.openapi import OpenApi
from c8s.local.apiserver.rbac import Attributes, Authorizer
from c8s.local.apiserver.resource_requests import Asked, ResourceRequests
from c8s.local.apiserver.responses import error_answer, json_answer, openapi_v2_answer
from c8s.local.apiserver.reviews import Reviews
from c8s.local.apiserver.routes import Target, find_target, verb_of
from c8s.local.apiserver.store import Store
from c8s.local.apiserver.tokens import TokenFile, User, with_implied_groups
from c8s.local.apiserver.watching import Watches

_OPEN_PATHS = ("/healthz", "/livez", "/readyz", "/version")
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_log = logging.getLogger(__name__)


class ApiServer:
    """All rooms of one server, behind one entry."""

    def __init__(self, store: Store, token_file: TokenFile, signing_key: bytes) -> None:
        self.store = store
        self.watches = Watches(store)
        self.used_verbs = UsedVerbs()
        self._authorizer = Authorizer(store)
        accounts = AccountTokens(store, signing_key)
        self._reviews = Reviews(token_file, accounts, self._authorizer)
        self._resources = ResourceRequests(store, accounts, self._reviews, self.watches)
        self._openapi = OpenApi(store.registry)

    async def handle(self, request: Request) -> Response:
        """The answer to any request; every error is a `Status`."""
        try:
            if request.url.path in _OPEN_PATHS:
                return _answer_open(request.url.path)
            user = self._authenticate(request)
            target = find_target(self.store.registry, request.url.path)
            if target is None:
                return self._answer_path(request, user)
            return await self._answer_target(request, user, target)
        except ApiError as error:
            return error_answer(error)
        except ClientDisconnect:
            return Response(status_code=499)
        except Exception:  # noqa: BLE001 - one broken request must not end the others
            _log.exception("request failed: %s %s", request.method, request.url.path)
            return error_answer(
                ApiError(500, "InternalError", "an error on the server has prevented the answer")
            )

    def _authenticate(self, request: Request) -> User:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        user = self._reviews.authenticate(token.strip()) if scheme.lower() == "bearer" and token else None
        if user is None:
            raise unauthorized()
        return self._impersonated(request, user) if "impersonate-user" in request.headers else user

    def _impersonated(self, request: Request, user: User) -> User:
        """`kubectl --as`: only for those who may `impersonate` that user and every group."""
        name, groups = request.headers["impersonate-user"], request.headers.getlist("impersonate-group")
        self._require_allowed(user, Attributes("impersonate", resource="users", name=name))
        for group in groups:
            self._require_allowed(user, Attributes("impersonate", resource="groups", name=group))
        return with_implied_groups(name, groups)

    async def _answer_target(self, request: Request, user: User, target: Target) -> Response:
        verb = verb_of(request.method, target, request.query_params)
        if not verb:
            raise method_not_allowed()
        asked = Attributes(
            verb,
            target.resource_type.group,
            target.resource_type.plural,
            target.subresource,
            # As in the real server, a namespace's own namespace is itself.
            target.namespace or (target.name if target.resource_type.kind == "Namespace" else ""),
            target.name,
        )
        self._require_allowed(user, asked)
        body = await read_bounded(request.stream(), request.headers.get("content-length"))
        return await self._resources.answer(
            Asked(verb, target, request.query_params, request.headers, body, user)
        )

    def _answer_path(self, request: Request, user: User) -> Response:
        path = request.url.path.rstrip("/") or "/"
        self._require_allowed(user, Attributes(request.method.lower(), path=path))
        if request.method != "GET":
            raise method_not_allowed()
        if path == "/openapi/v2":
            return openapi_v2_answer(request.headers.get("accept", ""))
        found = self._document(path)
        if found is None:
            raise no_such_path()
        return json_answer(found)

    def _document(self, path: str) -> Any:
        fixed: dict[str, Callable[[], Any]] = {
            "/api": discovery.core_versions,
            "/apis": lambda: discovery.list_groups(self.store.registry),
            "/openapi/v3": self._openapi.index,
            "/debug/verbs-used": self.used_verbs.as_list,
            "/": lambda: {"paths": ["/api", "/apis", *_OPEN_PATHS, "/openapi/v2", "/openapi/v3"]},
        }
        if path in fixed:
            return fixed[path]()
        parts = path.strip("/").split("/")
        if path.startswith("/openapi/v3/"):
            return self._openapi.document(path.removeprefix("/openapi/v3/"))
        if parts[0] == "api" and len(parts) == 2:
            return discovery.list_resources(self.store.registry, "", parts[1])
        if parts[0] == "apis" and len(parts) == 2:
            return discovery.find_group(self.store.registry, parts[1])
        if parts[0] == "apis" and len(parts) == 3:
            return discovery.list_resources(self.store.registry, parts[1], parts[2])
        return None

    def _require_allowed(self, user: User, asked: Attributes) -> None:
        allowed = self._authorizer.reason_to_allow(user, asked) is not None
        if not asked.path:
            self.used_verbs.note(user, asked, allowed=allowed)
        if allowed:
            return
        if asked.path:
            raise forbidden(f'forbidden: User "{user.name}" cannot {asked.verb} path "{asked.path}"')
        where = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
        key = f"{asked.resource}.{asked.group}" if asked.group else asked.resource
        what = f'{key} "{asked.name}" is forbidden' if asked.name else f"{key} is forbidden"
        message = (
            f'{what}: User "{user.name}" cannot {asked.verb} resource "{asked.full_resource}" '
            f'in API group "{asked.group}" {where}'
        )
        details = {"name": asked.name, "group": asked.group, "kind": asked.resource}
        raise forbidden(message, {key: value for key, value in details.items() if value})


def _answer_open(path: str) -> Response:
    return json_answer(discovery.version()) if path == "/version" else PlainTextResponse("ok")


def create_app(server: ApiServer) -> Starlette:
    """One route for everything: the paths of Kubernetes depend on what is defined at the moment."""
    return Starlette(routes=[Route("/{path:path}", server.handle, methods=_METHODS)])
