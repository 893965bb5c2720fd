"""Objects and lists as HTTP answers: as JSON from cached bytes, or as a table."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.responses import Response

from c8s.local.apiserver.errors import ApiError
from c8s.local.apiserver.paging import Page
from c8s.local.apiserver.resource_types import ResourceType
from c8s.local.apiserver.routes import Target
from c8s.local.apiserver.store import Store
from c8s.local.apiserver.subscriptions import Stored
from c8s.local.apiserver.tables import build_table

Object = dict[str, Any]

JSON = "application/json"
_OPENAPI_V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_NO_SCHEMAS: Object = {"swagger": "2.0", "info": {"title": "Kubernetes", "version": "v1"}, "paths": {}}


def wants_table(accept: str) -> bool:
    """kubectl asks with `application/json;as=Table;v=v1;g=meta.k8s.io`."""
    return "as=Table" in accept


def json_answer(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type=JSON)


def openapi_v2_answer(accept: str) -> Response:
    """`/openapi/v2` without a schema: kubectl asks for it before it creates a `List`, in protobuf only.

    What it finds no schema for it lets pass, and the server checks each item as it comes.
    """
    if "protobuf" not in accept:
        return json_answer(_NO_SCHEMAS)
    field_swagger = b"\x0a\x03" + _NO_SCHEMAS["swagger"].encode()
    return Response(field_swagger, media_type=_OPENAPI_V2_PROTOBUF)


def error_answer(error: ApiError) -> Response:
    """The `Status`, with the headers that go with it."""
    answer = json_answer(error.as_status(), error.status)
    if error.status in (429, 503):
        answer.headers["Retry-After"] = "1"
    return answer


class Printer:
    """How one request's answers are written: `table` or JSON."""

    def __init__(self, store: Store, resource_type: ResourceType, *, table: bool, include: str) -> None:
        self._store = store
        self._resource_type = resource_type
        self._table = table
        self._include = include

    def body(self, stored: Stored) -> bytes:
        """One object."""
        if not self._table:
            return self._json(stored)
        item = self._store.served(self._resource_type, stored)
        metadata = {"resourceVersion": item["metadata"]["resourceVersion"]}
        return orjson.dumps(self._build([item], metadata))

    def list_body(self, page: Page) -> bytes:
        """A page of a list."""
        metadata: Object = {"resourceVersion": str(page.version)}
        if page.continue_token:
            metadata["continue"] = page.continue_token
        if page.remaining:
            metadata["remainingItemCount"] = page.remaining
        if self._table:
            items = [self._store.served(self._resource_type, stored) for stored in page.items]
            return orjson.dumps(self._build(items, metadata))
        kind = self._resource_type.list_kind or f"{self._resource_type.kind}List"
        head = {"kind": kind, "apiVersion": self._resource_type.api_version, "metadata": metadata}
        items_text = b",".join(self._json(stored) for stored in page.items)
        return orjson.dumps(head)[:-1] + b',"items":[' + items_text + b"]}"

    def _json(self, stored: Stored) -> bytes:
        if self._resource_type.encode is None:
            return stored.body
        return orjson.dumps(self._store.served(self._resource_type, stored))

    def _build(self, items: list[Object], metadata: Object) -> Object:
        return build_table(self._resource_type, items, self._store.clock(), metadata, self._include)


def deleted_answer(target: Target, stored: Stored, printer: Printer) -> Response:
    """What is still there (or was a pod) as it is; for what is gone, a `Status` that names it."""
    metadata = stored.object["metadata"]
    if "deletionTimestamp" in metadata or target.resource_type.kind == "Pod":
        return Response(printer.body(stored), media_type=JSON)
    details = {
        "name": metadata["name"],
        "group": target.resource_type.group,
        "kind": target.resource_type.plural,
    }
    status = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {**{key: value for key, value in details.items() if value}, "uid": metadata["uid"]},
    }
    return json_answer(status)
