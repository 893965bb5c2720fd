"""Errors as JSON: `{"error":{"reason","message","hint"}}`, for our own refusals and for Flask's.

HttpProblem
├── BadRequest        400, with the field
├── Unauthenticated   401
├── NotAllowed        403
├── Missing           404
├── Clash             409
└── Busy              503, with Retry-After
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from flask import Flask, Response, jsonify
from werkzeug.exceptions import HTTPException

from c8s.web.logs import log_event

log = logging.getLogger("c8s.web")


class HttpProblem(Exception):
    """A refusal with a status, a reason in one CamelCase word, a message, and a hint on what to do."""

    status = 500
    reason = "InternalError"

    def __init__(self, message: str, *, reason: str = "", hint: str = "", field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason or type(self).reason
        self.hint = hint
        self.field = field


class BadRequest(HttpProblem):
    status = 400
    reason = "Invalid"


class Unauthenticated(HttpProblem):
    status = 401
    reason = "Unauthorized"


class NotAllowed(HttpProblem):
    status = 403
    reason = "Forbidden"


class Missing(HttpProblem):
    status = 404
    reason = "NotFound"


class Clash(HttpProblem):
    status = 409
    reason = "Conflict"


class Busy(HttpProblem):
    status = 503
    reason = "Unavailable"


# What Flask and Werkzeug raise themselves, in our words.
_STANDARD_PROBLEMS = {
    400: ("BadRequest", "the request can't be read", "check its syntax and its encoding"),
    404: (
        "NotFound",
        "there is nothing at this address",
        "check the path; the routes are in schemas/openapi.yaml",
    ),
    405: ("MethodNotAllowed", "this address doesn't take this method", "see the Allow header"),
    413: ("TooLarge", "the request's body is too large", "send less"),
    415: ("UnsupportedMediaType", "the body's type is not understood", "send Content-Type: application/json"),
    500: ("InternalError", "something went wrong inside c8s", "the service's log says what"),
}


Renderer = Callable[[HttpProblem], Response]
"""Turns a problem into an answer with its status."""


def answer_json(problem: HttpProblem) -> Response:
    """The problem as `{"error":{…}}`; a field with nothing to say is absent."""
    error = {
        "reason": problem.reason,
        "message": problem.message,
        "hint": problem.hint,
        "field": problem.field,
    }
    response = jsonify({"error": {name: text for name, text in error.items() if text}})
    response.status_code = problem.status
    return response


def install_error_handlers(app: Flask, render: Renderer = answer_json) -> None:
    """Answer every error of `app` by `render`; an unexpected one is logged and told without details."""

    @app.errorhandler(HttpProblem)
    def answer_problem(problem: HttpProblem) -> Response:
        return _answer(problem, render)

    @app.errorhandler(HTTPException)
    def answer_http_exception(error: HTTPException) -> Response:
        status = error.code or 500
        if status < 400:  # a redirect is an exception to Werkzeug
            return Response(status=status, headers=error.get_headers())
        response = _answer(_translate(status, error.name), render)
        if status == 405:
            response.headers["Allow"] = dict(error.get_headers()).get("Allow", "")
        return response

    @app.errorhandler(Exception)
    def answer_unexpected(error: Exception) -> Response:
        log_event(log, "unexpected error", level=logging.ERROR, error=error)
        return _answer(_translate(500, ""), render)


def _translate(status: int, name: str) -> HttpProblem:
    reason, message, hint = _STANDARD_PROBLEMS.get(status, (name.replace(" ", ""), name, ""))
    problem = HttpProblem(message, reason=reason, hint=hint)
    problem.status = status
    return problem


def _answer(problem: HttpProblem, render: Renderer) -> Response:
    response = render(problem)
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="c8s"'
    if response.status_code == 503:
        response.headers["Retry-After"] = "5"
    return response
