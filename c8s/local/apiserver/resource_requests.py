"""Requests about objects and collections: each verb's way from query and body to an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response, StreamingResponse

from c8s.local.apiserver.account_tokens import AccountTokens
from c8s.local.apiserver.bodies import media_type, parse_body
from c8s.local.apiserver.errors import bad_request, method_not_allowed, no_such_path
from c8s.local.apiserver.eviction import ACCEPTED, check_eviction
from c8s.local.apiserver.options import WriteOptions
from c8s.local.apiserver.pod_logs import open_log
from c8s.local.apiserver.responses import JSON, Printer, deleted_answer, json_answer, wants_table
from c8s.local.apiserver.reviews import Reviews
from c8s.local.apiserver.routes import (
    Target,
    read_delete_options,
    read_list_options,
    read_write_options,
)
from c8s.local.apiserver.store import Store
from c8s.local.apiserver.subscriptions import Stored
from c8s.local.apiserver.tokens import User
from c8s.local.apiserver.watching import Watches

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """One authorized request."""

    verb: str
    target: Target
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    user: User

    def parsed_body(self) -> Any:
        return parse_body(self.body, media_type(self.headers.get("content-type", "")))


class ResourceRequests:
    """Answers requests about resources from the store."""

    def __init__(self, store: Store, accounts: AccountTokens, reviews: Reviews, watches: Watches) -> None:
        self._store = store
        self._accounts = accounts
        self._reviews = reviews
        self._watches = watches

    async def answer(self, asked: Asked) -> Response:
        """Raises `ApiError` for everything that can't be done."""
        target = asked.target
        if target.subresource not in ("", "status", "finalize"):
            return await self._answer_subresource(asked)
        if "get" not in target.resource_type.verbs:
            return self._review(asked)
        if asked.verb == "watch":
            printer = self._printer(asked)
            stream = self._watches.stream(target, asked.query, printer.body)
            return StreamingResponse(stream, media_type=JSON)
        answers = {
            "get": self._get,
            "list": self._list,
            "create": self._create,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
            "deletecollection": self._delete_collection,
        }
        if asked.verb not in answers or (asked.verb == "create" and target.name):
            raise method_not_allowed()
        return answers[asked.verb](asked)

    def _printer(self, asked: Asked) -> Printer:
        table = wants_table(asked.headers.get("accept", ""))
        include = asked.query.get("includeObject", "Metadata")
        return Printer(self._store, asked.target.resource_type, table=table, include=include)

    def _get(self, asked: Asked) -> Response:
        target = asked.target
        if target.subresource == "status" and not target.resource_type.has_status:
            raise no_such_path()
        stored = self._store.get(target.resource_type, target.name, target.namespace)
        return Response(self._printer(asked).body(stored), media_type=JSON)

    def _list(self, asked: Asked) -> Response:
        options = read_list_options(asked.query)
        page = self._store.list(asked.target.resource_type, asked.target.namespace, options)
        return Response(self._printer(asked).list_body(page), media_type=JSON)

    def _create(self, asked: Asked) -> Response:
        target, body, options = asked.target, _as_object(asked.parsed_body()), self._write_options(asked)
        given = (
            (body.get("metadata") or {}).get("namespace") if isinstance(body.get("metadata"), dict) else None
        )
        if given and target.namespace and given != target.namespace:
            raise bad_request(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        stored = self._store.create(target.resource_type, body, target.namespace, options)
        return self._written(asked, stored, options, 201)

    def _update(self, asked: Asked) -> Response:
        target, body, options = asked.target, _as_object(asked.parsed_body()), self._write_options(asked)
        if target.subresource == "finalize":
            if target.resource_type.kind != "Namespace":
                raise no_such_path()
            stored = self._store.finalize_namespace(target.resource_type, target.name, body)
        else:
            stored = self._store.replace(
                target.resource_type,
                target.name,
                body,
                target.namespace,
                subresource=target.subresource,
                options=options,
            )
        return self._written(asked, stored, options)

    def _patch(self, asked: Asked) -> Response:
        target, options = asked.target, self._write_options(asked)
        content_type = media_type(asked.headers.get("content-type", ""))
        before = self._store.version
        stored = self._store.patch(
            target.resource_type,
            target.name,
            parse_body(asked.body, content_type),
            content_type,
            target.namespace,
            subresource=target.subresource,
            options=options,
        )
        # Only an apply can create: then generation and history start here.
        created = "apply" in content_type and stored.version > before and _is_first(stored)
        return self._written(asked, stored, options, 201 if created else 200)

    def _delete(self, asked: Asked) -> Response:
        target = asked.target
        if target.subresource:
            raise method_not_allowed()
        options = read_delete_options(asked.query, self._delete_body(asked))
        stored = self._store.delete(target.resource_type, target.name, target.namespace, options)
        return deleted_answer(target, stored, self._printer(asked))

    def _delete_collection(self, asked: Asked) -> Response:
        target = asked.target
        options = read_delete_options(asked.query, self._delete_body(asked))
        self._store.delete_collection(
            target.resource_type, target.namespace, read_list_options(asked.query), options
        )
        return json_answer({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"})

    def _delete_body(self, asked: Asked) -> Object:
        return _as_object(asked.parsed_body()) if asked.body else {}

    def _review(self, asked: Asked) -> Response:
        if asked.verb != "create" or asked.target.name:
            raise method_not_allowed()
        body, resource_type = _as_object(asked.parsed_body()), asked.target.resource_type
        body = {"metadata": {}, **body, "apiVersion": resource_type.api_version, "kind": resource_type.kind}
        return json_answer(
            self._reviews.answer(resource_type.kind, body, asked.user, asked.target.namespace), 201
        )

    async def _answer_subresource(self, asked: Asked) -> Response:
        target = asked.target
        if target.subresource not in target.resource_type.subresources:
            raise no_such_path()
        if target.subresource == "token" and asked.verb == "create":
            return json_answer(
                self._accounts.issue(target.namespace, target.name, _as_object(asked.parsed_body())), 201
            )
        if target.subresource == "eviction" and asked.verb == "create":
            options = read_delete_options(
                asked.query, check_eviction(_as_object(asked.parsed_body()), target.name)
            )
            self._store.evict(target.name, target.namespace, options)
            return json_answer(ACCEPTED, 201)
        if target.subresource == "log" and asked.verb == "get":
            self._store.get(target.resource_type, target.name, target.namespace)
            pieces = await open_log(self._store, target.namespace, target.name, asked.query)
            return StreamingResponse(pieces, media_type="text/plain")
        raise method_not_allowed()

    def _write_options(self, asked: Asked) -> WriteOptions:
        return read_write_options(asked.query, asked.headers.get("user-agent", ""))

    def _written(self, asked: Asked, stored: Stored, options: WriteOptions, status: int = 200) -> Response:
        answer = Response(self._printer(asked).body(stored), status, media_type=JSON)
        for warning in options.warnings[:20]:
            text = warning.replace("\\", "\\\\").replace('"', '\\"')
            answer.headers.append("Warning", f'299 - "{text}"'.encode("ascii", "replace").decode())
        return answer


def _as_object(body: Any) -> Object:
    if not isinstance(body, dict):
        raise bad_request("the body must be an object")
    return body


def _is_first(stored: Stored) -> bool:
    metadata = stored.object["metadata"]
    operations = [entry["operation"] for entry in metadata.get("managedFields") or ()]
    return operations == ["Apply"]
