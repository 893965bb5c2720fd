"""The one exception of the API server: an answer that is a Kubernetes `Status`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from c8s.local.apiserver.resource_types import ResourceType

Object = dict[str, Any]

MODIFIED_MESSAGE = (
    "the object has been modified; please apply your changes to the latest version and try again"
)


@dataclass(frozen=True, slots=True)
class Cause:
    """One field that is wrong; `reason` is one of the API's words (`FieldValueInvalid`,
    `FieldValueRequired`, ...)."""

    field: str
    message: str
    reason: str = "FieldValueInvalid"


class ApiError(Exception):
    """A request that can't be done. `status` is the HTTP status, `reason` the API's machine-readable word."""

    def __init__(self, status: int, reason: str, message: str, details: Object | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.details = details or {}

    def as_status(self) -> Object:
        """The body of the answer: a `v1 Status`."""
        status: Object = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.status,
        }
        if self.details:
            status["details"] = self.details
        return status


def _details(resource_type: ResourceType, name: str) -> Object:
    details = {"name": name, "group": resource_type.group, "kind": resource_type.plural}
    return {key: value for key, value in details.items() if value}


def not_found(resource_type: ResourceType, name: str) -> ApiError:
    message = f'{resource_type.resource_key} "{name}" not found'
    return ApiError(404, "NotFound", message, _details(resource_type, name))


def no_such_path() -> ApiError:
    return ApiError(404, "NotFound", "the server could not find the requested resource")


def already_exists(resource_type: ResourceType, name: str) -> ApiError:
    message = f'{resource_type.resource_key} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, _details(resource_type, name))


def conflict(resource_type: ResourceType, name: str, why: str = MODIFIED_MESSAGE) -> ApiError:
    message = f'Operation cannot be fulfilled on {resource_type.resource_key} "{name}": {why}'
    return ApiError(409, "Conflict", message, _details(resource_type, name))


def invalid(resource_type: ResourceType, name: str, causes: Sequence[Cause]) -> ApiError:
    """422 with every wrong field, as `kubectl` prints them."""
    texts = [f"{cause.field}: {cause.message}" for cause in causes]
    listed = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    message = f'{resource_type.kind_key} "{name}" is invalid: {listed}'
    details = {**_details(resource_type, name), "kind": resource_type.kind}
    details["causes"] = [
        {"reason": cause.reason, "message": cause.message, "field": cause.field} for cause in causes
    ]
    return ApiError(422, "Invalid", message, details)


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def forbidden(message: str, details: Object | None = None) -> ApiError:
    return ApiError(403, "Forbidden", message, details)


def unauthorized() -> ApiError:
    return ApiError(401, "Unauthorized", "Unauthorized")


def expired(wanted: int, oldest: int) -> ApiError:
    return ApiError(410, "Expired", f"too old resource version: {wanted} ({oldest})")


def method_not_allowed() -> ApiError:
    return ApiError(
        405, "MethodNotAllowed", "the server does not allow this method on the requested resource"
    )


def unsupported_media_type(accepted: Sequence[str]) -> ApiError:
    listed = ", ".join(accepted)
    message = f"the body of the request was in an unknown format - accepted media types include: {listed}"
    return ApiError(415, "UnsupportedMediaType", message)


def too_large(limit_bytes: int) -> ApiError:
    message = f"Request entity too large: limit is {limit_bytes}"
    return ApiError(413, "RequestEntityTooLarge", message)
